"""Track rows: which identities a labelled frame held, and how much truth and tracker overlap there.

The rows of one class are all that CLEAR, identity and HOTA figures need. They are kept as flat arrays, 28 bytes for
each overlapping pair, in a file once they are many.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.row_log import RowLog

_WAITING = 256  # frames whose arrays are still apart


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The columns of `Pairs`, as narrow as they are kept."""

    frames: NDArray[np.int32]
    truths: NDArray[np.int32]
    tracked: NDArray[np.int32]
    overlap: NDArray[np.float64]
    share: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[_Rows]) -> _Rows:
        """Put blocks one after the other."""
        if not parts:
            nothing, none = np.empty(0, np.int32), np.empty(0)
            return cls(nothing, nothing, nothing, none, none)
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


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


class TrackRows:
    """Collects the frames of one class; one thread."""

    def __init__(self, scratch: Path | None = None) -> None:
        self._truths: dict[Hashable, int] = {}
        self._tracked: dict[Hashable, int] = {}
        self._truth_frames: list[int] = []
        self._tracked_frames: list[int] = []
        self._parts: list[_Rows] = []  # of the newest frames
        self._before = RowLog(_Rows, scratch)  # joined: small arrays cost 100 bytes each

    def add(
        self, truths: Sequence[Hashable], tracked: Sequence[Hashable], overlap: NDArray[np.float64], number: int
    ) -> tuple[list[int], list[int]]:
        """Take a frame with its rising number: identities and their IoU (truths, tracked).

        Gives the identities as numbers from 0.
        """
        one = _numbered(truths, self._truths, self._truth_frames)
        other = _numbered(tracked, self._tracked, self._tracked_frames)
        if one and other:
            whole = overlap.sum(axis=0)[None] + overlap.sum(axis=1)[:, None] - overlap
            rows, columns = np.nonzero(overlap)
            if len(rows):
                frame = np.full(len(rows), number, np.int32)
                near = overlap[rows, columns]
                share = near / whole[rows, columns]
                mine, theirs = np.array(one, np.int32)[rows], np.array(other, np.int32)[columns]
                self._parts.append(_Rows(frame, mine, theirs, near, share))
                if len(self._parts) == _WAITING:
                    self._join()
        return one, other

    def pairs(self) -> Pairs:
        """Give everything so far."""
        if self._parts:
            self._join()
        rows = self._before.joined()
        return Pairs(
            rows.frames.astype(np.int64),
            rows.truths.astype(np.int64),
            rows.tracked.astype(np.int64),
            rows.overlap,
            rows.share,
            np.array(self._truth_frames, np.int64),
            np.array(self._tracked_frames, np.int64),
        )

    def _join(self) -> None:
        self._before.add(_Rows.joined(self._parts))
        self._parts = []


def _numbered(names: Sequence[Hashable], known: dict[Hashable, int], frames: list[int]) -> list[int]:
    numbers = []
    for name in names:
        number = known.setdefault(name, len(known))
        if number == len(frames):
            frames.append(0)
        frames[number] += 1
        numbers.append(number)
    return numbers
