"""Video in messages, one picture each (Foxglove's CompressedVideo, H.264 of some loggers), from a key picture on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from hilgui.sources.colour import ColourConverter, colour_of, samples_of

CODECS = {"h264": "h264", "avc": "h264", "h265": "hevc", "hevc": "hevc", "vp9": "vp9", "av1": "libdav1d"}


class MessageVideo:
    """Decodes messages by number; `read` gives the bytes of one. Numbers that follow each other cost no seek."""

    def __init__(self, format_name: str, count: int, read: Callable[[int], bytes]) -> None:
        codec = CODECS.get(format_name.lower())
        if codec is None:
            raise ValueError(f"video of the format {format_name!r} is not one of {', '.join(CODECS)}")
        self._codec_name = codec
        self._count = count
        self._read = read
        self._converter = ColourConverter()
        self.notes: tuple[str, ...] = ()  # on the colours of the last picture
        self._pictures: Iterator[VideoFrame] = iter(())
        self._next = -1

    def image_at(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint16] | None]:
        """Decode one picture to BGR, with its samples where they are deeper than 8 bits; raises ValueError."""
        if self._next < 0 or not 0 <= number - self._next <= 8:
            begin = self._key_before(number)
            self._pictures, self._next = self._decode(begin), begin
        for picture in self._pictures:
            if picture.pts is None or picture.pts < number:
                continue
            self._next = picture.pts + 1
            if picture.pts == number and not picture.is_corrupt:
                self.notes = colour_of(picture).notes
                return self._converter.to_bgr(picture), samples_of(picture)
            break
        self._next = -1
        raise ValueError("the picture cannot be decoded")

    def _key_before(self, number: int) -> int:
        while number > 0 and not is_key(self._read(number), self._codec_name):
            number -= 1
        return number

    def _decode(self, begin: int) -> Iterator[VideoFrame]:
        codec: Any = av.CodecContext.create(self._codec_name, "r")
        codec.thread_type = "SLICE"  # a picture comes out as soon as it went in
        codec.options = {"flags": "+low_delay"}
        for number in range(begin, self._count):
            packet = av.Packet(self._read(number))
            packet.pts = packet.dts = number
            try:
                yield from codec.decode(packet)
            except av.FFmpegError:
                continue
        yield from codec.decode(None)


def is_key(data: bytes, codec: str) -> bool:
    """Say whether decoding can begin with a message."""
    if codec == "vp9":
        return bool(data) and data[0] & 0x04 == 0
    if codec == "libdav1d":
        return any(kind == 1 for kind in _obus(data))
    types = {unit & 0x1F for unit in _units(data)} if codec == "h264" else {unit >> 1 & 0x3F for unit in _units(data)}
    return 5 in types if codec == "h264" else bool(types & set(range(16, 22)))


def _units(data: bytes) -> Iterator[int]:
    """Give the first byte of every NAL unit of an Annex B stream."""
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        yield data[at + 3]
        at = data.find(b"\x00\x00\x01", at + 3)


def _obus(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        head = data[at]
        yield head >> 3 & 0x0F
        at += 2 if head & 4 else 1
        if not head & 2:
            return
        size = shift = 0
        while at < len(data):
            size |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not data[at - 1] & 0x80:
                break
        at += size
