"""Track rows: which identities a labelled frame held, and how much truth and tracker overlap there.

The rows of one class are all that CLEAR, identity and HOTA figures need. They are kept as flat arrays, about 40 bytes
for each overlapping pair.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WAITING = 256  # frames whose arrays are still apart

_Columns = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Every pair of a truth and a tracked box with IoU above 0; identities are numbered from 0 in order of appearance.

    `truth_frames` and `tracked_frames` count the frames in which each identity was present.
    """

    frames: NDArray[np.int64]  # (P,) rising
    truths: NDArray[np.int64]  # (P,)
    tracked: NDArray[np.int64]  # (P,)
    overlap: NDArray[np.float64]  # (P,) IoU
    share: NDArray[np.float64]  # (P,) IoU divided by what both have in the frame: HOTA's alignment
    truth_frames: NDArray[np.int64]  # (identities of the truth,)
    tracked_frames: NDArray[np.int64]  # (identities of the tracker,)
    frame_count: int


class TrackRows:
    """Collects the frames of one class; one thread."""

    def __init__(self) -> None:
        self._truths: dict[Hashable, int] = {}
        self._tracked: dict[Hashable, int] = {}
        self._truth_frames: list[int] = []
        self._tracked_frames: list[int] = []
        self._parts: list[_Columns] = []
        self._shares: list[NDArray[np.float64]] = []
        self._blocks: list[_Columns] = []  # what lay in the two lists above, joined: small arrays cost 100 bytes each
        self._share_blocks: list[NDArray[np.float64]] = []
        self._frames = 0

    def add(
        self, truths: Sequence[Hashable], tracked: Sequence[Hashable], overlap: NDArray[np.float64]
    ) -> tuple[list[int], list[int]]:
        """Take a frame: identities and their IoU (truths, tracked); give the identities as numbers from 0."""
        one = _numbered(truths, self._truths, self._truth_frames)
        other = _numbered(tracked, self._tracked, self._tracked_frames)
        if one and other:
            whole = overlap.sum(axis=0)[None] + overlap.sum(axis=1)[:, None] - overlap
            rows, columns = np.nonzero(overlap)
            if len(rows):
                frame = np.full(len(rows), self._frames)
                near = overlap[rows, columns]
                self._parts.append((frame, np.array(one)[rows], np.array(other)[columns], near))
                self._shares.append(near / whole[rows, columns])
                if len(self._parts) == _WAITING:
                    self._blocks.append(_joined(self._parts))
                    self._share_blocks.append(np.concatenate(self._shares))
                    self._parts, self._shares = [], []
        self._frames += 1
        return one, other

    def pairs(self) -> Pairs:
        """Give everything so far; the arrays are not copied."""
        self._join()
        if self._blocks:
            frames, truths, tracked, overlap = self._blocks[0]
            share = self._share_blocks[0]
        else:
            frames, truths, tracked = (np.empty(0, np.int64) for _ in range(3))
            overlap = share = np.empty(0)
        return Pairs(
            frames,
            truths,
            tracked,
            overlap,
            share,
            np.array(self._truth_frames, np.int64),
            np.array(self._tracked_frames, np.int64),
            self._frames,
        )

    def _join(self) -> None:
        if self._parts or len(self._blocks) > 1:
            self._blocks = [_joined([*self._blocks, *self._parts])]
            self._share_blocks = [np.concatenate([*self._share_blocks, *self._shares])]
            self._parts, self._shares = [], []


def _joined(parts: Sequence[_Columns]) -> _Columns:
    frames, truths, tracked, overlap = (np.concatenate(column) for column in zip(*parts, strict=True))
    return frames, truths, tracked, overlap


def _numbered(names: Sequence[Hashable], known: dict[Hashable, int], frames: list[int]) -> list[int]:
    numbers = []
    for name in names:
        number = known.setdefault(name, len(known))
        if number == len(frames):
            frames.append(0)
        frames[number] += 1
        numbers.append(number)
    return numbers
