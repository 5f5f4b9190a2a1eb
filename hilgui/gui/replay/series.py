"""One number per frame of a whole drive, reduced to what a row of pixels can show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_BLOCK = 64  # frames whose minimum and maximum are kept
_WIDE = 4 * _BLOCK  # from this many frames a column on, blocks are exact to a quarter of a pixel


class Growing:
    """An array that is extended at its end, with room to grow."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._room: NDArray[np.generic] = np.empty(1024, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def cut(self, count: int) -> None:
        """Forget everything from `count` on."""
        self._count = min(self._count, count)

    def extend(self, values: ArrayLike) -> None:
        """Add values at the end."""
        values = np.asarray(values, self._room.dtype)
        end = self._count + len(values)
        if end > len(self._room):
            grown = np.empty(max(end, 2 * len(self._room)), self._room.dtype)
            grown[: self._count] = self._room[: self._count]
            self._room = grown
        self._room[self._count : end] = values
        self._count = end

    @property
    def values(self) -> NDArray[np.generic]:
        """Give a view of what is there now."""
        return self._room[: self._count]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Minimum and maximum of each pixel column; NaN where a column has no number."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]


class Series:
    """A float32 per frame; NaN means that the frame has no such number.

    Blocks of frames keep their minimum and maximum, so that a million frames are drawn from some thousand numbers.
    """

    def __init__(self) -> None:
        self._values = Growing(np.float32)
        self._low = Growing(np.float32)
        self._high = Growing(np.float32)

    def __len__(self) -> int:
        return len(self._values)

    def extend(self, values: ArrayLike) -> None:
        """Add the numbers of the next frames."""
        first = len(self._values) // _BLOCK
        self._values.extend(values)
        tail = self.values[first * _BLOCK :]
        if not len(tail):
            return
        starts = np.arange(0, len(tail), _BLOCK)
        self._low.cut(first)
        self._high.cut(first)
        self._low.extend(np.fmin.reduceat(tail, starts))
        self._high.extend(np.fmax.reduceat(tail, starts))

    @property
    def values(self) -> NDArray[np.float32]:
        """Give every number, one a frame."""
        return self._values.values  # type: ignore[return-value]  # Growing keeps the dtype it was made with

    @property
    def peaks(self) -> NDArray[np.float32]:
        """Give the maximum of each block, for quick scales."""
        return self._high.values  # type: ignore[return-value]

    def columns(self, edges: NDArray[np.int64]) -> Columns:
        """Reduce to one column between each two of the `edges` (rows, rising, within the series)."""
        if len(edges) < 2 or not len(self):
            none = np.full(max(len(edges) - 1, 0), np.nan, np.float32)
            return Columns(none, none)
        if edges[-1] - edges[0] >= _WIDE * (len(edges) - 1):
            starts = edges[:-1] // _BLOCK
            end = -(-int(edges[-1]) // _BLOCK)
            low, high = self._low.values[:end], self._high.values[:end]
        else:
            starts = edges[:-1]
            low = high = self.values[: max(int(edges[-1]), int(starts[-1]) + 1)]
        return Columns(np.fmin.reduceat(low, starts), np.fmax.reduceat(high, starts))


def column_edges(first: float, last: float, width: int, count: int) -> NDArray[np.int64]:
    """Cut the rows from `first` to `last` (both may lie within a row) into `width` columns.

    Gives one edge more than there are columns; columns at and after row `count`, where nothing is yet, are left out.
    """
    edges = np.floor(np.linspace(first, last, max(width, 0) + 1)).astype(np.int64)
    edges = np.maximum(edges, 0)
    filled = int(np.searchsorted(edges[:-1], count))
    return np.minimum(edges[: filled + 1], count)


def covered(first: NDArray[np.int64], last: NDArray[np.int64], edges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which columns a set of row spans (both ends included) touches."""
    columns = len(edges) - 1
    if columns < 1:
        return np.zeros(0, np.bool_)
    in_view = (last >= edges[0]) & (first < max(int(edges[-1]), int(edges[-2]) + 1))
    starts = np.clip(np.searchsorted(edges[:-1], first[in_view], side="right") - 1, 0, columns - 1)
    # several columns may show the same row when zoomed in: a span begins at the first of them
    starts = np.minimum(starts, np.searchsorted(edges[:-1], edges[starts], side="left"))
    ends = np.clip(np.searchsorted(edges[:-1], last[in_view], side="right") - 1, 0, columns - 1)
    change = np.zeros(columns + 1, np.int64)
    np.add.at(change, starts, 1)
    np.add.at(change, ends + 1, -1)
    return np.cumsum(change[:-1]) > 0
