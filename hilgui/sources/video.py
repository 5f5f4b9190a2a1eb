"""Recorded video, frame-exact by an index of presentation stamps."""

from __future__ import annotations

import itertools
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import av
import av.container
import numpy as np
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from hilgui.errors import SourceBroken
from hilgui.records import Fate, Frame, FrameRef, Loss, SourceFacts
from hilgui.sources.colour import ColourConverter, colour_of, samples_of
from hilgui.sources.container import container_format, open_container, read_head, refuse_huge, translated
from hilgui.sources.fingerprint import file_sha256
from hilgui.sources.packet_index import KeyPacket, PacketIndex, read_index
from hilgui.sources.recorder import recorded_at
from hilgui.stream import StopToken

_NEAR = 12  # frames ahead that are decoded rather than sought
_KEPT_BEHIND = 8  # frames kept before one that was sought
_KEPT_WALKING = 32  # frames kept before one when somebody walks backwards: one seek for many steps
_CAN_SKIP = frozenset({"h264", "hevc", "mpeg4", "mpeg2video"})  # decoders that leave out what no frame refers to
_CACHE_BYTES = 96 * 2**20
_CACHE_LEAST = 4


class VideoSource:
    """One video file. Frame numbers come from the packets, never from the header of the file.

    `frames` and `frame_at` use decoders of their own; one thread owns the source.
    """

    suffixes: ClassVar[frozenset[str]] = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts"})

    def __init__(self, path: Path) -> None:
        self._path = path
        self._index: PacketIndex | None = None
        self._facts: SourceFacts | None = None
        self._recorded = datetime.fromtimestamp(0, UTC)
        self._seeker: av.container.InputContainer | None = None
        self._decoder: Iterator[VideoFrame] | None = None
        self._converter = ColourConverter()
        self._cache: OrderedDict[int, VideoFrame] = OrderedDict()
        self._begin: KeyPacket | None = None  # where the decoder was put, until its picture came
        self._false_keys: set[int] = set()  # stamps of packets that say key and are none
        self._next = 0  # the frame that the decoder gives next
        self._last = -1  # the frame that was asked for last
        self._skip_below = 0  # frames below this need not be shown on the way to the one that is sought

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the first bytes are those of a video container."""
        return path.is_file() and container_format(read_head(path)) is not None

    def open(self) -> SourceFacts:
        """Read the index and one picture. Raises SourceBroken, also for a file that was cut off."""
        container = open_container(self._path)
        try:
            with translated(self._path):
                self._index = read_index(container, self._path)
                facts = self._read_facts(container)
        finally:
            container.close()
        self._facts = facts
        return facts

    def refs(self) -> list[FrameRef]:
        """Name every frame."""
        return [self._ref(seq, 0) for seq in range(len(self._opened()))]

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Decode in display order; a frame that the index knows and the decoder does not give is a Loss."""
        index = self._opened()
        container = open_container(self._path)
        converter = ColourConverter()
        try:
            expected = 0
            for picture in self._decode(container):
                if stop.is_set:
                    return
                seq = index.seq_of(picture.pts)
                if seq is None or seq < expected:
                    continue
                yield from (self._loss(lost) for lost in range(expected, seq))
                yield (self._loss(seq, "came damaged") if picture.is_corrupt else self._frame(seq, picture, converter))
                expected = seq + 1
            yield from (self._loss(lost) for lost in range(expected, len(index)))
        finally:
            container.close()

    def frame_at(self, seq: int) -> Frame:
        """Decode one frame; frames that follow the last one, or were near it, cost no seek."""
        index = self._opened()
        if not 0 <= seq < len(index):
            raise IndexError(f"{self._path.name} has frames 0 to {len(index) - 1}, not {seq}")
        picture = self._cache.get(seq) or self._find(seq)
        self._last = seq
        if picture is None or picture.is_corrupt:
            raise SourceBroken(
                f"frame {seq} of {self._path} cannot be decoded; is the recording damaged?", path=self._path
            )
        return self._frame(seq, picture, self._converter)

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        self._decoder = None
        self._cache.clear()
        if self._seeker is not None:
            self._seeker.close()
            self._seeker = None

    def _opened(self) -> PacketIndex:
        if self._index is None:
            self.open()
        assert self._index is not None
        return self._index

    def _read_facts(self, container: av.container.InputContainer) -> SourceFacts:
        assert self._index is not None
        stream = container.streams.video[0]
        recorded = container.metadata.get("creation_time", "")
        self._recorded = datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        with suppress(ValueError):
            self._recorded = datetime.fromisoformat(recorded).astimezone(UTC)
        if (taken := recorded_at(self._path)) is not None:
            self._recorded = taken - timedelta(seconds=self._index.times[0])
        steps = np.diff(self._index.times)
        width, height, notes = self._look_at_one()
        others = len(container.streams.video) - 1
        if others:
            notes = (*notes, f"the file holds {others} more picture tracks; the first one is used")
        return SourceFacts(
            name=self._path.name,
            kind=f"video {stream.codec_context.name}",
            path=str(self._path.resolve()),
            sha256=file_sha256(self._path),
            width=width or stream.codec_context.width,
            height=height or stream.codec_context.height,
            fps=1.0 / float(np.median(steps)) if len(steps) and np.median(steps) > 0 else None,
            frames=len(self._index),
            ordered=True,
            notes=(*self._index.notes, *notes),
        )

    def _look_at_one(self) -> tuple[int, int, tuple[str, ...]]:
        """Decode one picture for its true size, colour and orientation; zeros where none can be decoded."""
        container = open_container(self._path)
        try:
            for picture in self._decode(container):
                notes = colour_of(picture).notes
                degrees = int(picture.rotation) % 360
                size = (picture.width, picture.height)
                if degrees:
                    how = "turned upright" if degrees % 90 == 0 else "left as it is"
                    notes = (*notes, f"the file asks to be turned by {degrees}°: {how}")
                return (*(size[::-1] if degrees in (90, 270) else size), notes)
        finally:
            container.close()
        return 0, 0, ("no picture could be decoded",)

    def _find(self, seq: int) -> VideoFrame | None:
        index = self._opened()
        if self._decoder is not None and 0 <= seq - self._next <= _NEAR:
            picture = self._decode_until(seq)
            if picture is not None:
                return picture
        kept = _KEPT_WALKING if 0 < self._last - seq <= _KEPT_WALKING else _KEPT_BEHIND
        for key in (*index.keys_before(seq, self._false_keys), None):  # what does not come is tried again from earlier
            self._seek(key)
            self._skip_below = seq - kept
            picture = self._decode_until(seq)
            if picture is not None:
                return picture
        return None

    def _seek(self, key: KeyPacket | None) -> None:
        """Put the decoder where a key packet is the first thing it sees; None: the beginning of the file."""
        if self._seeker is None:
            self._seeker = open_container(self._path)
        self._decoder = None
        with translated(self._path):
            if key is None or key.seq == 0:
                self._seeker.close()
                self._seeker = open_container(self._path)
                key = None
            else:
                stamp = key.stamp if key.decode_stamp is None else min(key.decode_stamp, key.stamp)
                self._seeker.seek(stamp, stream=self._seeker.streams.video[0], backward=True)
        self._decoder = self._decode(self._seeker, begin=key, can_skip=True)
        self._next = 0
        is_shown = key is not None and self._opened().seq_of(key.stamp) is not None  # an edit list may hide it
        self._begin = key if is_shown else None

    def _decode_until(self, seq: int) -> VideoFrame | None:
        """Decode up to a frame; None where it does not come, or where the start was no true key picture."""
        assert self._decoder is not None
        index = self._opened()
        with translated(self._path):
            for picture in self._decoder:
                found = index.seq_of(picture.pts)
                if self._begin is not None and found is not None and found >= self._begin.seq:
                    if picture.pts != self._begin.stamp or picture.pict_type != PictureType.I:
                        self._false_keys.add(self._begin.stamp)  # intra refresh: what comes is not whole yet
                        break
                    self._begin = None
                if found is None or found < self._next:
                    continue
                self._next = found + 1
                if found >= self._skip_below:
                    self._keep(found, picture)
                if found >= seq:
                    return picture if found == seq else None
        self._decoder = None
        return None

    def _keep(self, seq: int, picture: VideoFrame) -> None:
        size = max(1, sum(plane.buffer_size for plane in picture.planes))
        self._cache[seq] = picture
        while len(self._cache) > max(_CACHE_LEAST, min(_KEPT_WALKING + 8, _CACHE_BYTES // size)):
            self._cache.popitem(last=False)

    def _decode(
        self, container: av.container.InputContainer, *, begin: KeyPacket | None = None, can_skip: bool = False
    ) -> Iterator[VideoFrame]:
        """Decode from where the container stands; with `begin`, packets before that one are not decoded.

        Gives nothing when `begin` does not come: the seek has landed behind it.
        """
        stream = container.streams.video[0]
        packets = itertools.chain(container.demux(stream), (None,))
        waiting = begin is not None
        can_skip = can_skip and stream.codec_context.codec.name in _CAN_SKIP
        while True:
            with translated(self._path):
                packet = next(packets)
                if packet is None:
                    return
                stamp = packet.pts if packet.pts is not None else packet.dts
                if waiting and begin is not None:
                    if stamp is not None and packet.size and not self._is_begin(packet, begin):
                        if packet.is_keyframe and stamp > begin.stamp:
                            return
                        continue
                    waiting = False
                if can_skip:  # frames that nobody shows and no other frame needs
                    seq = self._opened().seq_of(stamp)
                    is_wanted = seq is None or seq >= self._skip_below
                    stream.codec_context.skip_frame = "DEFAULT" if is_wanted else "NONREF"
                try:
                    pictures = stream.decode(packet)
                except av.InvalidDataError:
                    continue  # the frame is missing from what follows, where it is counted as lost
            for picture in pictures:
                refuse_huge(picture.width, picture.height, self._path)
                yield picture

    def _is_begin(self, packet: Packet[VideoStream], begin: KeyPacket) -> bool:
        stamp = packet.pts if packet.pts is not None else packet.dts
        return bool(packet.is_keyframe) and stamp == begin.stamp

    def _frame(self, seq: int, picture: VideoFrame, converter: ColourConverter) -> Frame:
        captured_ns = time.monotonic_ns()
        with translated(self._path):
            image, samples = converter.to_bgr(picture), samples_of(picture)
        image.flags.writeable = False
        return Frame(self._ref(seq, captured_ns, image.shape[1], image.shape[0]), image, samples)

    def _loss(self, seq: int, reason: str = "could not be decoded") -> Loss:
        return Loss(self._ref(seq, time.monotonic_ns()), Fate.DROPPED, reason)

    def _ref(self, seq: int, captured_ns: int, width: int = 0, height: int = 0) -> FrameRef:
        facts, index = self._facts, self._index
        assert facts is not None and index is not None
        time_s = index.times[seq]
        return FrameRef(
            seq=seq,
            key=f"{facts.name}#{seq:06d}",
            time_s=time_s,
            stamp=self._recorded + timedelta(seconds=time_s),
            captured_ns=captured_ns,
            width=width or facts.width,
            height=height or facts.height,
        )
