"""What a source of recorded frames is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Protocol

from hilgui.records import Frame, FrameRef, Loss, SourceFacts
from hilgui.stream import StopToken

UNREADABLE = "could not be read"  # the reason of a Loss


class FrameSource(Protocol):
    """A recording: counted before it plays, read in display order, seekable to any frame.

    The constructor opens nothing; `open` reads the index and raises SourceBroken; `close` may be called twice.
    One thread owns an opened source.
    """

    suffixes: ClassVar[frozenset[str]]  # lower case, with the dot; empty for folders

    def __init__(self, path: Path) -> None: ...

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say by content whether this class reads the path."""
        ...

    def open(self) -> SourceFacts:
        """Read the index."""
        ...

    def refs(self) -> list[FrameRef]:
        """Name every frame, in order, with its recording time; pixels are not read."""
        ...

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Deliver every frame in order; a frame that cannot be decoded is a Loss."""
        ...

    def frame_at(self, seq: int) -> Frame:
        """Deliver one frame exactly; raises IndexError past the end, SourceBroken when it cannot be decoded."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
