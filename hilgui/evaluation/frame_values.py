"""Values of judged frames: what figures that are sums or means over frames remember of each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook
from hilgui.evaluation.clusters import clusters_of
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.intervals import with_intervals
from hilgui.evaluation.row_log import RowLog
from hilgui.evaluation.shares import Shares
from hilgui.records import FrameRef

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """The values of frames, a row each of the last axis."""

    frames: NDArray[np.int64]  # (N,)
    values: Floats  # (values, N)

    @classmethod
    def joined(cls, parts: Sequence[_Values]) -> _Values:
        """Put blocks one after the other."""
        if not parts:
            return cls(np.empty(0, np.int64), np.empty((0, 0)))
        return cls(
            np.concatenate([part.frames for part in parts]), np.concatenate([part.values for part in parts], axis=1)
        )


class FrameValues:
    """Remembers named values of each judged frame, with the frames themselves."""

    def __init__(self, names: Sequence[str], scratch: Path | None = None) -> None:
        self.names = tuple(names)
        self.book = FrameBook(scratch)
        self._log = RowLog(_Values, scratch)

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.book.frames)

    def add(self, ref: FrameRef, values: Sequence[float]) -> None:
        """Take the values of one frame, in the order of the names."""
        frame = self.book.add(ref)
        self._log.add(_Values(np.array([frame], np.int64), np.array(values, np.float64)[:, None]))

    def of(self, name: str) -> Floats:
        """Give one value of every frame."""
        if not len(self):
            return np.empty(0)
        values: Floats = self._log.joined().values[self.names.index(name)]
        return values

    def share(self, above: Floats, below: Floats, of: str) -> Shares:
        """Divide sums over frames, one entry a frame each."""
        frames = np.arange(len(self))
        return Shares(frames, above, frames, below, of)

    def mean(self, name: str, of: str = "frames") -> Shares:
        """Average a value over frames."""
        return self.share(self.of(name), np.ones(len(self)), of)

    def with_intervals(self, figures: dict[str, Figure], shares: dict[str, Shares]) -> dict[str, Figure]:
        """Give figures their interval over drives or blocks, or the reason why there is none."""
        return with_intervals(figures, shares, clusters_of(self.book))
