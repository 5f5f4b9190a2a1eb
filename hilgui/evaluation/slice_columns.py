"""Rows of slices: labels or detections of all frames with the codes of their bins, as flat arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.slice_bins import OF_OBJECTS


class SliceColumns:
    """Collects rows in the order of their frames; `frames`, `codes`, `counts` and `hit` give all of them."""

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.bool_], NDArray[np.bool_]]] = []

    def add(
        self,
        frames: NDArray[np.int32],
        codes: NDArray[np.int16],
        counts: NDArray[np.bool_],
        hit: NDArray[np.bool_],
    ) -> None:
        """Take the next rows: their frames, codes (N, dimensions), which of them count, and which are hits."""
        self._parts.append((frames, codes, counts, hit))

    @property
    def frames(self) -> NDArray[np.int32]:
        """Give the number of the frame of each row."""
        return self._join()[0]

    @property
    def codes(self) -> NDArray[np.int16]:
        """Give the code of each row in each dimension, -1 where it has none."""
        return self._join()[1]

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Say which rows count."""
        return self._join()[2]

    @property
    def hit(self) -> NDArray[np.bool_]:
        """Say which rows are hits."""
        return self._join()[3]

    def counted(self) -> SliceColumns:
        """Give those rows that count."""
        frames, codes, counts, hit = self._join()
        kept = SliceColumns()
        kept._parts = [(frames[counts], codes[counts], counts[counts], hit[counts])]
        return kept

    def widened(self, of_frame: NDArray[np.int16]) -> SliceColumns:
        """Give the same rows with the codes of their frames (frames, dimensions) behind their own."""
        frames, codes, counts, hit = self._join()
        wide = SliceColumns()
        wide._parts = [(frames, np.concatenate([codes, of_frame[frames]], axis=1), counts, hit)]
        return wide

    def beside(self, more: NDArray[np.int16]) -> SliceColumns:
        """Give the same rows with further codes (rows, dimensions) behind their own."""
        frames, codes, counts, hit = self._join()
        wide = SliceColumns()
        wide._parts = [(frames, np.concatenate([codes, more], axis=1), counts, hit)]
        return wide

    def _join(self) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.bool_], NDArray[np.bool_]]:
        if not self._parts:
            none = np.empty(0, np.bool_)
            return np.empty(0, np.int32), np.empty((0, len(OF_OBJECTS)), np.int16), none, none
        if len(self._parts) > 1:
            frames, codes, counts, hit = zip(*self._parts, strict=True)
            self._parts = [tuple(np.concatenate(each) for each in (frames, codes, counts, hit))]  # type: ignore[list-item]
        return self._parts[0]
