"""Heights of boxes over the last moments, and how quickly each of them grows."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.geometry import Floats
from hilgui.records import FrameRef

BORDER_PX = 2.0
LEAST_SIGHTINGS = 3
LEAST_SHARE = 0.4  # of the window that the sightings must span

_SLACK_S = 1e-6
_FRAMES, _SLOTS = 32, 32  # to begin with
_TIDY = 64  # frames between two looks for objects that are gone


class Heights:
    """Remembers the logarithms of heights of half a second, one column for each object; one thread.

    All objects of a frame are asked about at once: 60 of them take about 60 µs.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._times = np.full(_FRAMES, -np.inf)
        self._logs = np.full((_FRAMES, _SLOTS), np.nan)
        self._slots: dict[Hashable, int] = {}
        self._free = list(range(_SLOTS))[::-1]
        self._frames = 0
        self._newest_s = -math.inf

    def growth(self, ref: FrameRef, boxes: Floats, names: Sequence[Hashable]) -> Floats:
        """Give d(ln h)/dt of each box in 1/s: the slope of the regression line through ln h over the window.

        `boxes` (N, 4) x1 y1 x2 y2 px with the name of the object that each shows. NaN where an object was seen fewer
        than three times or for too short a time. What the border of the picture cuts does not grow as it comes nearer:
        its past is forgotten.
        """
        if math.isnan(ref.time_s) or not len(boxes):
            return np.full(len(boxes), np.nan)
        row, slots = self._turn(ref.time_s), self._slots_of(names)
        cut = _is_cut(boxes, ref)
        logs = np.log(np.maximum(boxes[:, 3] - boxes[:, 1], 1e-3))
        if cut.any():
            self._logs[:, slots[cut]] = np.nan
            logs[cut] = np.nan
        self._logs[row, slots] = logs
        ago_s = ref.time_s - self._times
        recent = np.flatnonzero((ago_s <= self._window_s + _SLACK_S) & (ago_s >= 0))
        return _slopes(-ago_s[recent], self._logs[recent][:, slots], self._window_s)

    def _turn(self, now_s: float) -> int:
        """Give the row of this frame; the oldest one is taken where it has left the window."""
        self._frames += 1
        if self._frames % _TIDY == 0:
            self._tidy(now_s)
        if now_s <= self._newest_s and (self._times == now_s).any():
            return int(np.flatnonzero(self._times == now_s)[0])
        self._newest_s = max(self._newest_s, now_s)
        row = int(self._times.argmin())
        if self._times[row] >= now_s - self._window_s - _SLACK_S:
            row = len(self._times)
            self._times = np.concatenate([self._times, np.full(row, -np.inf)])
            self._logs = np.concatenate([self._logs, np.full_like(self._logs, np.nan)])
        self._times[row] = now_s
        self._logs[row] = np.nan
        return row

    def _slots_of(self, names: Sequence[Hashable]) -> NDArray[np.int64]:
        known = self._slots
        slots = [known.get(name, -1) for name in names]
        if -1 in slots:
            slots = [self._slot_of(name) for name in names]
        return np.array(slots, np.int64)

    def _slot_of(self, name: Hashable) -> int:
        if name not in self._slots:
            if not self._free:
                size = self._logs.shape[1]
                self._logs = np.concatenate([self._logs, np.full_like(self._logs, np.nan)], axis=1)
                self._free = list(range(size, 2 * size))[::-1]
            self._slots[name] = self._free.pop()
        return self._slots[name]

    def _tidy(self, now_s: float) -> None:
        """Forget the objects that were not seen within the window."""
        self._logs[self._times < now_s - self._window_s - _SLACK_S] = np.nan
        gone = np.isnan(self._logs).all(axis=0)
        for name in [name for name, slot in self._slots.items() if gone[slot]]:
            self._free.append(self._slots.pop(name))


def _slopes(times: Floats, logs: Floats, window_s: float) -> Floats:
    """Fit a line through every column of (frames, objects), NaN left out."""
    seen = ~np.isnan(logs)
    count = seen.sum(axis=0)
    column = times[:, None]
    centred = np.where(seen, column - (column * seen).sum(axis=0) / np.maximum(count, 1), 0.0)
    spread = np.einsum("ij,ij->j", centred, centred)
    rise = np.einsum("ij,ij->j", centred, np.where(seen, logs, 0.0))
    first = np.where(seen, column, np.inf).min(axis=0)  # the newest frame is at 0
    enough = (count >= LEAST_SIGHTINGS) & (-first >= LEAST_SHARE * window_s - _SLACK_S) & (spread > 0)
    slopes: Floats = np.full(len(spread), np.nan)
    np.divide(rise, spread, out=slopes, where=enough)
    return slopes


def _is_cut(boxes: Floats, ref: FrameRef) -> NDArray[np.bool_]:
    """Say whether the border of the picture cuts the height; at the sides, whether it hides much of the width."""
    left, top, right, bottom = boxes.T
    narrow = (right - left) < 0.25 * (bottom - top)
    at_side = (left <= BORDER_PX) | (right >= ref.width - BORDER_PX)
    cut: NDArray[np.bool_] = (top <= BORDER_PX) | (bottom >= ref.height - BORDER_PX) | (at_side & narrow)
    return cut
