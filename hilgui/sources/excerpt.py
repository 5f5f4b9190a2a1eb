"""Part of a recording, and a camera whose exposure steps: what test cases play."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np

from hilgui.errors import SourceBroken
from hilgui.records import Frame, FrameRef, Loss, SourceFacts
from hilgui.sources.protocol import FrameSource
from hilgui.stream import StopToken

EXPOSED = "exposure ×"  # begins the note of a recording whose exposure was stepped


class Excerpt:
    """Plays the frames `first` to `last` of another source; they keep their numbers, so labels and clips fit.

    `exposure` are (frame, gain): from that frame on, grey values are multiplied and clipped, as by a camera whose
    exposure was changed. Wraps a source that somebody else has chosen, so it is no plug-in.
    """

    suffixes: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        source: FrameSource,
        first: int = 0,
        last: int | None = None,
        exposure: tuple[tuple[int, float], ...] = (),
    ) -> None:
        self._source = source
        self._first = first
        self._last = last
        self._exposure = tuple(sorted(exposure))

    @classmethod
    def recognises(cls, path: object) -> bool:
        """Recognise nothing."""
        return False

    def open(self) -> SourceFacts:
        """Open the recording; raises SourceBroken where it ends before the excerpt."""
        facts = self._source.open()
        count = len(self._source.refs())
        last = count - 1 if self._last is None else self._last
        if not 0 <= self._first <= last < count:
            self._source.close()
            raise SourceBroken(
                f"{facts.path} has frames 0 to {count - 1}, not {self._first} to {last}; choose others", path=None
            )
        self._last = last
        is_part = last - self._first + 1 < count
        notes = [f"frames {self._first} to {last} of {count}"] if is_part else []
        notes += [f"{EXPOSED} {gain:g} from frame {frame}" for frame, gain in self._exposure]
        return replace(
            facts,
            frames=last - self._first + 1,
            notes=(*facts.notes, *notes),
            of_frames=count if is_part else None,
        )

    def refs(self) -> list[FrameRef]:
        """Name the frames of the excerpt."""
        return [ref for ref in self._source.refs() if self._is_inside(ref.seq)]

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Deliver the excerpt; what comes before it is decoded and let pass."""
        for item in self._source.frames(stop):
            if self._last is not None and item.ref.seq > self._last:
                return
            if self._is_inside(item.ref.seq):
                yield self._exposed(item) if isinstance(item, Frame) else item

    def frame_at(self, seq: int) -> Frame:
        """Deliver one frame exactly; raises IndexError, SourceBroken."""
        if not self._is_inside(seq):
            raise IndexError(f"the excerpt has frames {self._first} to {self._last}, not {seq}")
        return self._exposed(self._source.frame_at(seq))

    def close(self) -> None:
        """Close the recording."""
        self._source.close()

    def _is_inside(self, seq: int) -> bool:
        return self._first <= seq and (self._last is None or seq <= self._last)

    def _exposed(self, frame: Frame) -> Frame:
        gain = next((gain for first, gain in reversed(self._exposure) if frame.ref.seq >= first), 1.0)
        if gain == 1.0:
            return frame
        image = np.clip(frame.image.astype(np.float32) * gain, 0, 255).astype(np.uint8)
        image.flags.writeable = False
        return replace(frame, image=image)
