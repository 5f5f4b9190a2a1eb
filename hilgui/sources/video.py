"""Recorded video, frame-exact by an index of presentation stamps."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import av
import av.container
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from hilgui.errors import SourceBroken
from hilgui.records import Fate, Frame, FrameRef, Loss, SourceFacts
from hilgui.sources.container import container_format, open_container, read_head, translated
from hilgui.sources.fingerprint import file_sha256
from hilgui.stream import StopToken

_NEAR = 12  # frames ahead that are decoded rather than sought


class VideoSource:
    """One video file. Frame numbers come from the packets, never from the header of the file.

    `frames` and `frame_at` use decoders of their own; one thread owns the source.
    """

    suffixes: ClassVar[frozenset[str]] = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts"})

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamps: NDArray[np.int64] = np.empty(0, np.int64)
        self._times: list[float] = []
        self._keys: list[int] = []
        self._facts: SourceFacts | None = None
        self._recorded = datetime.fromtimestamp(0, UTC)
        self._seeker: av.container.InputContainer | None = None
        self._decoder: Iterator[VideoFrame] | None = None
        self._next = 0

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the first bytes are those of a video container."""
        return path.is_file() and container_format(read_head(path)) is not None

    def open(self) -> SourceFacts:
        """Read the index: packets only, no decoding. Raises SourceBroken, also for a file that was cut off."""
        container = open_container(self._path)
        try:
            with translated(self._path):
                self._read_index(container)
                facts = self._read_facts(container)
        finally:
            container.close()
        self._facts = facts
        return facts

    def refs(self) -> list[FrameRef]:
        """Name every frame."""
        return [self._ref(seq, 0) for seq in range(len(self._stamps))]

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Decode in display order; a frame that the index knows and the decoder does not give is a Loss."""
        container = open_container(self._path)
        try:
            expected = 0
            for picture in self._decode(container):
                if stop.is_set:
                    return
                seq = self._seq_of(picture)
                if seq is None or seq < expected:
                    continue
                yield from (self._loss(lost) for lost in range(expected, seq))
                yield self._frame(seq, picture)
                expected = seq + 1
            yield from (self._loss(lost) for lost in range(expected, len(self._stamps)))
        finally:
            container.close()

    def frame_at(self, seq: int) -> Frame:
        """Decode one frame; frames that follow the last one cost no seek."""
        if not 0 <= seq < len(self._stamps):
            raise IndexError(f"{self._path.name} has frames 0 to {len(self._stamps) - 1}, not {seq}")
        if self._decoder is not None and 0 <= seq - self._next <= _NEAR:
            frame = self._decode_until(seq)
            if frame is not None:
                return frame
        for back in (0, 60, 600, len(self._stamps)):  # a seek that lands behind the frame is tried again from earlier
            self._seek(max(seq - back, 0))
            frame = self._decode_until(seq)
            if frame is not None:
                return frame
        raise SourceBroken(f"frame {seq} of {self._path} cannot be decoded; is the recording damaged?", path=self._path)

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        self._decoder = None
        if self._seeker is not None:
            self._seeker.close()
            self._seeker = None

    def _read_index(self, container: av.container.InputContainer) -> None:
        stream = container.streams.video[0]
        size = self._path.stat().st_size
        entries = stream.index_entries
        if len(entries) and any(entries[i].pos + entries[i].size > size for i in range(len(entries))):
            raise SourceBroken(
                f"the recording {self._path} was cut off: it lists frames beyond the end of the file; copy it again",
                path=self._path,
            )
        stamps, keys = set(), []
        for packet in container.demux(stream):
            if packet.pts is None or packet.is_discard:
                continue
            if packet.is_corrupt:
                place = f"{float(packet.pts * packet.time_base):.2f} s"
                raise SourceBroken(f"the recording {self._path} is damaged at {place}; copy it again", path=self._path)
            stamps.add(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
        if not stamps:
            raise SourceBroken(f"the recording {self._path} holds no frames; is it complete?", path=self._path)
        self._stamps = np.array(sorted(stamps), np.int64)
        self._keys = sorted(keys)
        assert stream.time_base is not None
        self._times = [float(stamp * stream.time_base) for stamp in self._stamps - self._stamps[0]]

    def _read_facts(self, container: av.container.InputContainer) -> SourceFacts:
        stream = container.streams.video[0]
        recorded = container.metadata.get("creation_time", "")
        self._recorded = datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        with suppress(ValueError):
            self._recorded = datetime.fromisoformat(recorded).astimezone(UTC)
        steps = np.diff(self._times)
        return SourceFacts(
            name=self._path.name,
            kind=f"video {stream.codec_context.name}",
            path=str(self._path.resolve()),
            sha256=file_sha256(self._path),
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            fps=1.0 / float(np.median(steps)) if len(steps) else None,
            frames=len(self._stamps),
            ordered=True,
        )

    def _seek(self, seq: int) -> None:
        if self._seeker is None:
            self._seeker = open_container(self._path)
        self._decoder = None
        with translated(self._path):
            if seq == 0:  # the first key frame may lie before the first shown frame
                self._seeker.close()
                self._seeker = open_container(self._path)
            else:
                self._seeker.seek(int(self._stamps[seq]), stream=self._seeker.streams.video[0], backward=True)
        self._decoder = self._decode(self._seeker)
        self._next = 0

    def _decode_until(self, seq: int) -> Frame | None:
        assert self._decoder is not None
        with translated(self._path):
            for picture in self._decoder:
                found = self._seq_of(picture)
                if found is None or found < seq:
                    continue
                self._next = found + 1
                return self._frame(seq, picture) if found == seq else None
        self._decoder = None
        return None

    def _decode(self, container: av.container.InputContainer) -> Iterator[VideoFrame]:
        stream = container.streams.video[0]
        packets = itertools.chain(container.demux(stream), (None,))
        while True:
            with translated(self._path):
                packet = next(packets)
                if packet is None:
                    return
                try:
                    pictures = stream.decode(packet)
                except av.InvalidDataError:
                    continue  # the frame is missing from what follows, where it is counted as lost
            yield from pictures

    def _seq_of(self, picture: VideoFrame) -> int | None:
        if picture.pts is None:
            return None
        seq = int(np.searchsorted(self._stamps, picture.pts))
        return seq if seq < len(self._stamps) and self._stamps[seq] == picture.pts else None

    def _frame(self, seq: int, picture: VideoFrame) -> Frame:
        image = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
        image.flags.writeable = False
        return Frame(self._ref(seq, time.monotonic_ns()), image)

    def _loss(self, seq: int) -> Loss:
        return Loss(self._ref(seq, time.monotonic_ns()), Fate.DROPPED, "could not be decoded")

    def _ref(self, seq: int, captured_ns: int) -> FrameRef:
        facts = self._facts
        assert facts is not None
        time_s = self._times[seq]
        return FrameRef(
            seq=seq,
            key=f"{facts.name}#{seq:06d}",
            time_s=time_s,
            stamp=self._recorded + timedelta(seconds=time_s),
            captured_ns=captured_ns,
            width=facts.width,
            height=facts.height,
        )
