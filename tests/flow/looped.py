"""A recording that starts again at its end: long drives for endurance runs, without a long file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from hilgui.records import Frame, FrameRef, Loss, SourceFacts
from hilgui.sources.protocol import FrameSource
from hilgui.stream import StopToken


class Looped:
    """Plays another source until `frames` frames have come; numbers, keys and times go on from lap to lap.

    Wraps a source that somebody else has chosen, so no path leads to it and it is no plug-in.
    """

    suffixes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, source: FrameSource, frames: int) -> None:
        self._source = source
        self._count = frames
        self._refs: list[FrameRef] = []
        self._lap_s = 0.0

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Recognise nothing."""
        return False

    def open(self) -> SourceFacts:
        """Open the recording; raises SourceBroken."""
        facts = self._source.open()
        self._refs = self._source.refs()
        self._lap_s = self._refs[-1].time_s + (1.0 / facts.fps if facts.fps else 0.0)
        return replace(facts, frames=self._count)

    def refs(self) -> list[FrameRef]:
        """Name every frame of every lap."""
        return [self._later(self._refs[seq % len(self._refs)], seq // len(self._refs)) for seq in range(self._count)]

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Deliver lap after lap."""
        lap = 0
        while not stop.is_set:
            for item in self._source.frames(stop):
                ref = self._later(item.ref, lap)
                if ref.seq >= self._count:
                    return
                yield replace(item, ref=ref)
            lap += 1

    def frame_at(self, seq: int) -> Frame:
        """Deliver one frame exactly; raises IndexError, SourceBroken."""
        if not 0 <= seq < self._count:
            raise IndexError(f"the loop has frames 0 to {self._count - 1}, not {seq}")
        lap, within = divmod(seq, len(self._refs))
        frame = self._source.frame_at(within)
        return replace(frame, ref=self._later(frame.ref, lap))

    def close(self) -> None:
        """Close the recording."""
        self._source.close()

    def _later(self, ref: FrameRef, lap: int) -> FrameRef:
        seq = ref.seq + lap * len(self._refs)
        name = ref.key.rpartition("#")[0] or ref.key
        return replace(ref, seq=seq, key=f"{name}#{seq:06d}", time_s=ref.time_s + lap * self._lap_s)
