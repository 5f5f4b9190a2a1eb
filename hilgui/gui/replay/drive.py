"""A run as the screen holds it: its numbers frame by frame, its findings, and how time and rows belong together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hilgui.gui.replay.series import Growing, Series
from hilgui.records import Finding, Ledger, Role, RunHeader, Verdict
from hilgui.store import RoleTimeline, Timeline
from hilgui.store import Series as StoredSeries

_NO_TIME_PERIOD_S = 0.5  # how long a picture of an unordered set stays at speed 1×


@dataclass(frozen=True, slots=True, eq=False)
class RoleSeries:
    """What one model did, frame by frame."""

    ran: Series = field(default_factory=Series)  # 0 or 1
    latency_ms: Series = field(default_factory=Series)
    preprocess_ms: Series = field(default_factory=Series)
    run_ms: Series = field(default_factory=Series)
    postprocess_ms: Series = field(default_factory=Series)
    detections: Series = field(default_factory=Series)
    missed: Series = field(default_factory=Series)
    phantoms: Series = field(default_factory=Series)
    score: Series = field(default_factory=Series)

    def extend(self, news: RoleTimeline) -> None:
        """Add the next frames."""
        self.ran.extend(news.ran)
        self.latency_ms.extend(news.latency_ms)
        self.preprocess_ms.extend(news.preprocess_ms)
        self.run_ms.extend(news.run_ms)
        self.postprocess_ms.extend(news.postprocess_ms)
        self.detections.extend(np.where(news.ran, news.detections, np.nan))
        self.missed.extend(news.missed)
        self.phantoms.extend(news.phantoms)
        self.score.extend(news.score)


def role_words(role: Role, name: str) -> str:
    """Name a model by its role and its own name; once where both are the same."""
    return role.value if name.lower() == role.value else f"{role.value} · {name}"


class Drive:
    """Rows count the stored frames from 0; `seq` is the frame number within the recording. GUI thread only."""

    def __init__(self, header: RunHeader, signals: Mapping[str, StoredSeries] | None = None) -> None:
        self.header = header
        self._stored = {name: each for name, each in (signals or {}).items() if len(each.times_s)}
        self.signals = {name: Series() for name in self._stored}  # of the vehicle's bus, one number a frame
        self.state = "running"
        self.verdict: Verdict | None = None
        self.ledger = Ledger()
        self.findings: tuple[Finding, ...] = ()
        self.fate = Series()
        self.with_truth = Series()
        self.disagreement = Series()
        self.brightness = Series()
        self.roles = {role: RoleSeries() for role in header.models}
        self._seq = Growing(np.int64)
        self._time_s = Growing(np.float64)
        self._period_s = 1 / header.source.fps if header.source.fps else _NO_TIME_PERIOD_S

    def __len__(self) -> int:
        return len(self._seq)

    @property
    def next_seq(self) -> int:
        """Give the frame number from which on nothing is known yet."""
        return int(self._seq.values[-1]) + 1 if len(self) else 0

    @property
    def has_time(self) -> bool:
        """Say whether the frames have an order in time."""
        return self.header.source.ordered

    def extend(self, news: Timeline) -> None:
        """Add the next frames."""
        if not len(news.seq):
            return
        self._seq.extend(news.seq)
        if self.has_time and not np.isnan(news.time_s).any():
            self._time_s.extend(news.time_s)
        else:
            start = len(self._time_s)
            self._time_s.extend((start + np.arange(len(news.seq))) * self._period_s)
        times = self.times[-len(news.seq) :]
        for name, stored in self._stored.items():
            self.signals[name].extend(np.interp(times, stored.times_s, stored.numbers, left=np.nan, right=np.nan))
        self.fate.extend(news.fate)
        self.with_truth.extend(news.with_truth)
        self.disagreement.extend(news.disagreement)
        self.brightness.extend(news.brightness)
        for role, series in self.roles.items():
            series.extend(news.roles[role])

    def unit_of(self, signal: str) -> str:
        """Give the unit of a signal of the bus."""
        return self._stored[signal].unit

    def seq_at(self, row: int) -> int:
        """Give the frame number of a row."""
        return int(self._seq.values[row])

    def time_at(self, row: int) -> float:
        """Give the recording time of a row in seconds; of an unordered set, when its picture is due."""
        return float(self._time_s.values[row])

    @property
    def times(self) -> NDArray[np.float64]:
        """Give the time of every row."""
        return self._time_s.values  # type: ignore[return-value]  # made as float64

    def row_of(self, seq: int) -> int:
        """Give the row of a frame number, or the nearest one before it that is stored."""
        return max(int(np.searchsorted(self._seq.values, seq, side="right")) - 1, 0)

    def rows_of(self, seqs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the rows of many frame numbers."""
        rows = np.searchsorted(self._seq.values, seqs, side="right").astype(np.int64) - 1
        return np.maximum(rows, 0)

    def row_at_time(self, time_s: float) -> int:
        """Give the row whose frame is on show at a recording time."""
        if not len(self):
            return 0
        return max(int(np.searchsorted(self._time_s.values, time_s + 1e-6, side="right")) - 1, 0)

    @property
    def period_s(self) -> float:
        """Give the time from one frame to the next, as the recording says or on average."""
        if len(self) > 1 and not self.header.source.fps:
            return max((self.time_at(len(self) - 1) - self.time_at(0)) / (len(self) - 1), 1e-3)
        return self._period_s

    def place(self, row: int) -> str:
        """Say where a row lies, for people: its time, or its number in an unordered set."""
        if not 0 <= row < len(self):
            return "–"
        return clock(self.time_at(row)) if self.has_time else f"#{self.seq_at(row)}"

    def threshold(self, role: Role) -> float:
        """Give the score from which on a model's detections count."""
        return self.header.models[role].threshold


def clock(time_s: float) -> str:
    """Write seconds as people read them: 1:02.345, and hours only where there are some."""
    if math.isnan(time_s):
        return "–"
    sign = "-" if time_s < 0 else ""
    milliseconds = round(abs(time_s) * 1000)
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{sign}{hours}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}"
    return f"{sign}{minutes}:{seconds:02d}.{milliseconds:03d}"


def parse_clock(text: str) -> float | None:
    """Read what `clock` writes, or plain seconds; None where it is neither."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3:
        return None
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    if any(number < 0 or not math.isfinite(number) for number in numbers):
        return None
    total = 0.0
    for number in numbers:
        total = total * 60 + number
    return total
