"""Every captured frame of a run in order, evaluated or lost."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge

from hilgui.records import Loss, Moment
from hilgui.store import RunReader


def captured_frames(reader: RunReader) -> Iterator[Moment | Loss]:
    """Give what became of each frame, by sequence number, one at a time; raises StoreBroken."""
    moments: Iterator[Moment | Loss] = reader.moments()
    return merge(moments, reader.losses(), key=lambda item: item.ref.seq)
