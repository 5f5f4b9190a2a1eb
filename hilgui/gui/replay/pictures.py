"""Where the pictures of a stored run come from: the recording itself, or the clips when it moved away."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.errors import SourceBroken
from hilgui.records import Moment, SourceFacts
from hilgui.scaling import Cut, Late, is_within, scaled
from hilgui.sources import FrameSource, source_again
from hilgui.store import RunReader

if TYPE_CHECKING:
    from hilgui.engine import Shown

_FROM_CLIPS = "Pictures come from the clips that were kept."


class Origin(Enum):
    """Who gave the pixels."""

    RECORDING = auto()
    CLIP = auto()
    LIVE = auto()
    NOBODY = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One frame ready for the screen."""

    seq: int
    image: NDArray[np.uint8] | None  # (H, W, 4) blue green red 255, as QImage.Format_RGB32 wants it; (H, W, 3) live
    moment: Moment | None
    origin: Origin
    problem: str = ""  # why there is no image
    ready: tuple[Cut, NDArray[np.uint8]] | None = None  # what was in sight when it was decoded, scaled
    late: Late | None = None  # where `image` is None and `ready` all that has come: the way to the rest
    channel: str = ""  # the camera, in a drive of several
    others: tuple[Picture, ...] = ()  # what the other cameras showed then, each with its own frame number

    @property
    def nbytes(self) -> int:
        """Give the memory of the pixels."""
        own = sum(pixels.nbytes for pixels in (self.image, self.ready and self.ready[1]) if pixels is not None)
        return own + sum(other.nbytes for other in self.others)


class Pictures(Protocol):
    """What the decoder thread reads from; opened, used and closed on that thread."""

    def open(self) -> str:
        """Get ready; give a sentence for the operator where something is not as it was, else ""."""
        ...

    def read(self, seq: int) -> Picture:
        """Give one frame; does not raise for a frame that cannot be decoded."""
        ...

    def close(self) -> None:
        """Let go of everything; may be called twice."""
        ...


class RunPictures:
    """Pictures of one run folder. Raises StoreBroken where the run itself cannot be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader: RunReader | None = None
        self._source: FrameSource | None = None
        self._seqs: dict[str, list[int]] = {}  # frames of each camera, rising; empty for a drive of one
        self._recent: dict[str, Picture] = {}  # the newest picture of each camera

    def open(self) -> str:
        """Open the run and its recording; a recording that moved or changed is a sentence, not an error."""
        self._reader = RunReader(self._folder)
        facts = self._reader.header.source
        if facts.live:
            return ""
        try:
            source = source_again(facts)
            found = source.open()
        except SourceBroken as failure:
            return f"The recording cannot be opened ({failure}). {_FROM_CLIPS}"
        reason = _differs(facts, found)
        if reason:
            source.close()
            return (
                f"{facts.path} is not the recording of this run: {reason}. Pictures come from the clips that were kept."
            )
        self._source = source
        if facts.cameras:
            self._seqs = {channel: [] for channel in facts.channels}
            for ref in source.refs():
                self._seqs[ref.channel].append(ref.seq)
        return ""

    def read(self, seq: int) -> Picture:
        """Give the frame with everything known about it, and what other cameras showed at its time."""
        if not self._seqs:
            return self._read(seq)
        own = next(channel for channel, seqs in self._seqs.items() if _last_before(seqs, seq) == seq)
        shown = {channel: self._of(channel, _last_before(seqs, seq)) for channel, seqs in self._seqs.items()}
        others = tuple(picture for channel, picture in shown.items() if channel != own and picture is not None)
        picture = shown[own]
        assert picture is not None
        return replace(picture, others=others)

    def _of(self, channel: str, seq: int | None) -> Picture | None:
        """Give the picture of one camera; it stands until the camera has its next."""
        if seq is None:
            return None
        known = self._recent.get(channel)
        if known is None or known.seq != seq:
            known = self._recent[channel] = replace(self._read(seq), channel=channel)
        return known

    def _read(self, seq: int) -> Picture:
        assert self._reader is not None
        moment = self._reader.moment(seq)
        problem = ""
        if self._source is not None:
            try:
                return Picture(seq, for_screen(self._source.frame_at(seq).image), moment, Origin.RECORDING)
            except (SourceBroken, IndexError) as failure:
                problem = str(failure) or f"the recording has no frame {seq}"
        kept = self._reader.picture(seq)
        image = None if kept is None else cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            return Picture(seq, None, moment, Origin.NOBODY, problem or "no picture of this frame was kept")
        return Picture(seq, for_screen(image.astype(np.uint8, copy=False)), moment, Origin.CLIP)

    def close(self) -> None:
        """Close the recording and the run."""
        if self._source is not None:
            self._source.close()
        if self._reader is not None:
            self._reader.close()


def _last_before(seqs: list[int], seq: int) -> int | None:
    """Give the newest frame of a camera at or before a frame of the drive."""
    place = bisect_right(seqs, seq)
    return seqs[place - 1] if place else None


def with_cut(picture: Picture, cut: Cut | None) -> Picture:
    """Scale what will be in sight, so that the screen need not."""
    if cut is None or picture.image is None or not is_within(picture.image, cut):
        return picture
    return replace(picture, ready=(cut, scaled(picture.image, cut)))


def for_screen(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add the fourth byte that the screen wants; (H, W, 3) BGR → (H, W, 4)."""
    return cv2.cvtColor(image, cv2.COLOR_BGR2BGRA).astype(np.uint8, copy=False)


def live_picture(shown: Shown) -> Picture:
    """Make a picture of the newest frame of a run under way; very large ones come smaller."""
    width, height = shown.ref.width, shown.ref.height
    if shown.image is not None:
        return Picture(shown.ref.seq, enlarged(shown.image, width, height), shown.moment, Origin.LIVE)
    late = None if shown.whole is None else Late(width, height, shown.whole)
    return Picture(shown.ref.seq, None, shown.moment, Origin.LIVE, ready=shown.ready, late=late)


def enlarged(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Bring a picture that came smaller back to its size."""
    if (width, height) == (image.shape[1], image.shape[0]):
        return image
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)


def _differs(wanted: SourceFacts, found: SourceFacts) -> str:
    whole = wanted.frames if wanted.of_frames is None else wanted.of_frames  # a run may be about a part of it
    if whole is not None and found.frames is not None and whole != found.frames:
        return f"it has {found.frames} frames, the run's recording had {whole}"
    if (wanted.width, wanted.height) != (found.width, found.height):
        return f"it is {found.width}×{found.height}, the run had {wanted.width}×{wanted.height}"
    if found.sha256 != wanted.sha256:
        return "its content has changed since"
    return ""
