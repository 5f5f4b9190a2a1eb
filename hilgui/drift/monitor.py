"""The monitor: compares a stream, window by window, with a reference and raises alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.drift.adwin import Adwin
from hilgui.drift.calibration import ADWIN, BORNE, KS, MMD, PAGE_HINKLEY, POINTS, PSI, SHIFT, Calibration
from hilgui.drift.distances import kernel, ks, mmd
from hilgui.drift.page_hinkley import PageHinkley
from hilgui.drift.psi import psi
from hilgui.drift.reference import thin

_REACH = 16.0  # deviations of a block over which ADWIN's range from 0 to 1 goes
_YOUNGEST = 5  # blocks before a stream is judged

WORDS = {
    SHIFT: "mean shifted",
    KS: "Kolmogorov–Smirnov distance",
    PSI: "population stability index",
    MMD: "maximum mean discrepancy",
    PAGE_HINKLEY: "Page–Hinkley",
    ADWIN: "ADWIN",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One statistic of one window; `limit` is None where the window is too small for a verdict."""

    figure: str  # or the group: "picture", "baseline"
    statistic: str
    value: float
    limit: float | None
    before: float | None = None  # mean in the reference
    now: float | None = None  # ... in the window

    @property
    def is_alarm(self) -> bool:
        """Say whether it is above its limit."""
        return self.limit is not None and self.value > self.limit

    @property
    def ratio(self) -> float | None:
        """Give the value in units of its limit; None where there is none, and for ADWIN, which says only that."""
        return None if not self.limit else self.value / self.limit


@dataclass(frozen=True, slots=True)
class Look:
    """What one window of the stream brought."""

    first_seq: int
    last_seq: int
    first_s: float
    last_s: float
    middle_seq: int  # a frame that was looked at
    measured: tuple[Measured, ...]

    @property
    def alarms(self) -> tuple[Measured, ...]:
        """Give what is above its limit, the furthest first."""
        return tuple(sorted((one for one in self.measured if one.is_alarm), key=lambda one: -(one.ratio or 1.0)))


class Monitor:
    """Takes figures frame by frame; every whole window gives a look. One thread."""

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration
        reference = calibration.reference
        values = reference.values
        self._columns = [reference.names.index(name) for name in calibration.figures]
        self._before = [np.sort(values[:, :, place], axis=None) for place in self._columns]
        self._within = {
            group: float(kernel(points, points, calibration.widths[group]).mean())
            for group, points in calibration.points.items()
        }
        self._rows: list[list[float]] = []
        self._places: list[tuple[int, float]] = []
        self._blocks: list[NDArray[np.float64]] = []
        self._streams = [
            (
                PageHinkley(least=_YOUNGEST, delta=BORNE, threshold=calibration.stream_limit, alpha=1.0),
                Adwin(calibration.delta, clock=1, least=10),
            )
            for _ in calibration.figures
        ]
        self._changes: dict[tuple[str, str], Measured] = {}
        for block in values:
            self._stream(block)
        self._changes.clear()
        self.missing = 0  # frames that lack a figure of the reference
        self.looks: list[Look] = []

    @property
    def calibration(self) -> Calibration:
        """Give reference and limits."""
        return self._calibration

    @property
    def waiting(self) -> int:
        """Count the frames of the window that is not whole yet."""
        return len(self._places)

    def add(self, seq: int, time_s: float, figures: Mapping[str, float]) -> Look | None:
        """Take the next frame; give a look where it completes a window."""
        row = [figures.get(name, np.nan) for name in self._calibration.reference.names]
        if not np.isfinite(row).all():
            self.missing += 1
            return None
        self._rows.append(row)
        self._places.append((seq, time_s))
        reference = self._calibration.reference
        if len(self._rows) < reference.block:
            return None
        block = thin(np.array(self._rows, np.float64), reference.kept)
        self._rows.clear()
        self._blocks.append(block)
        self._stream(block)
        if len(self._blocks) < self._calibration.window:
            return None
        look = self._look()
        self.looks.append(look)
        self._blocks.clear()
        self._places.clear()
        self._changes.clear()
        return look

    def _stream(self, block: NDArray[np.float64]) -> None:
        """Give the mean of a block to the tests that follow a stream."""
        known = self._calibration
        means = block.mean(axis=0)[self._columns]
        scaled = (means - known.means) / known.block_spread
        for place, (hinkley, adwin) in enumerate(self._streams):
            figure, value = known.figures[place], float(scaled[place])
            before = float(known.means[place])
            if hinkley.add(value):
                told = Measured(figure, PAGE_HINKLEY, hinkley.height, known.stream_limit, before, float(means[place]))
                self._changes[figure, PAGE_HINKLEY] = told
            old = adwin.mean
            if adwin.add(min(max(0.5 + value / _REACH, 0.0), 1.0)):
                # that its mean changed is all that ADWIN says; by how much, in deviations, is always above 0
                told = Measured(figure, ADWIN, abs(adwin.mean - old) * _REACH, 0.0, before, float(means[place]))
                self._changes[figure, ADWIN] = told

    def _look(self) -> Look:
        known = self._calibration
        window = np.concatenate(self._blocks)
        limits = {(one.figure, one.statistic): one.value for one in known.limits}
        measured: list[Measured] = []
        for place, (figure, column) in enumerate(zip(known.figures, self._columns, strict=True)):
            now, before = window[:, column], self._before[place]
            means = float(known.means[place]), float(now.mean())
            values = {
                SHIFT: abs(means[1] - means[0]) / float(known.frame_spread[place]),
                KS: ks(before, now),
                PSI: psi(before, now),
            }
            measured += [Measured(figure, name, value, limits[figure, name], *means) for name, value in values.items()]
        measured += [Measured(group, MMD, self._mmd(group), limits[group, MMD]) for group in known.groups]
        measured += self._changes.values()
        (first_seq, first_s), (last_seq, last_s) = self._places[0], self._places[-1]
        middle_seq = self._places[len(self._places) // 2][0]
        return Look(first_seq, last_seq, first_s, last_s, middle_seq, tuple(measured))

    def _mmd(self, group: str) -> float:
        known = self._calibration
        places = list(known.groups[group])
        points = np.concatenate([thin(block[:, places], POINTS) for block in self._blocks])
        points = (points - known.scales[0][places]) / known.scales[1][places]
        return mmd(known.points[group], points, known.widths[group], self._within[group])


def in_words(one: Measured) -> str:
    """Say one statistic in a sentence."""
    limit = "no limit for windows of this size" if one.limit is None else f"limit {one.limit:.3g}"
    of = f"{one.figure}: {WORDS[one.statistic]} {one.value:.3g}, {limit}"
    return of if one.now is None or one.before is None else f"{of}; mean {one.before:.4g} before, {one.now:.4g} now"
