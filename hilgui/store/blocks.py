"""Blocks of numbers: behind the rows of single frames, those of 1,000 frames lie together for timelines and sums.

The rows are the crash-safe tail; a block is written in the transaction of its last frame. It has its place in the table
`answer` below frame 0 (-1 is the first block), which readers of older versions never look at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.records import Role

BLOCK = 1000  # frames
NAME = "timeline"

_FRAME = [
    ("seq", "<i8"),
    ("time_s", "<f8"),
    ("fate", "u1"),
    ("labelled", "u1"),
    ("mean", "<f4"),
    ("disagreement", "<f4"),
]
_MODEL = [
    ("ran", "u1"),
    ("times_ms", "<f4", (3,)),  # preprocess, run, postprocess
    ("score", "<f4"),
    ("counts", "<i4", (4,)),  # detections, matched, missed, phantoms
]
_ABSENT = (0, (np.nan, np.nan, np.nan), np.nan, (0, 0, 0, 0))


def layout(roles: Sequence[Role]) -> np.dtype[Any]:
    """Give how the numbers of one frame lie in a block: those of the frame, then those of each model."""
    return np.dtype([*_FRAME, *((role.value, _MODEL) for role in _in_order(roles))])


class BlockMaker:
    """Gathers the rows of a run that is written; one thread."""

    def __init__(self, roles: Sequence[Role]) -> None:
        self._roles = _in_order(roles)
        self._layout = layout(roles)
        self._rows: list[tuple[Any, ...]] = []
        self._made = 0
        self._last = -1
        self._works = True

    def add(self, frame: tuple[Any, ...], models: dict[Role, tuple[Any, ...]]) -> tuple[int, str, bytes] | None:
        """Take a frame and what each model did, as `layout` says; give a row of the table `answer` for a full block.

        Frames come in rising order of seq; once they do not, there are no more blocks, and the rows alone tell.
        """
        self._works &= frame[0] > self._last
        if not self._works:
            self._rows.clear()
            return None
        self._last = frame[0]
        self._rows.append((*frame, *(models.get(role, _ABSENT) for role in self._roles)))
        if len(self._rows) < BLOCK:
            return None
        packed = np.array(self._rows, self._layout).tobytes()
        self._rows = []
        self._made += 1
        return -self._made, NAME, packed


def read_blocks(database: sqlite3.Connection, roles: Sequence[Role], since: int) -> list[NDArray[np.void]]:
    """Read the blocks that hold frames from `since` on; raises sqlite3.Error, and ValueError for a damaged one."""
    found: list[NDArray[np.void]] = []
    cursor = database.execute("SELECT value FROM answer WHERE seq<0 AND name=? ORDER BY seq", (NAME,))
    for (packed,) in cursor:  # the newest first
        block = np.frombuffer(packed, layout(roles))
        seqs = block["seq"]
        if len(block) != BLOCK or (np.diff(seqs) <= 0).any() or (found and seqs[-1] >= found[-1]["seq"][0]):
            raise ValueError("a block of numbers is damaged")
        found.append(block[np.searchsorted(seqs, since) :])
        if seqs[0] <= since:
            break
    cursor.close()
    return [block for block in reversed(found) if len(block)]


def _in_order(roles: Sequence[Role]) -> tuple[Role, ...]:
    return tuple(role for role in Role if role in roles)
