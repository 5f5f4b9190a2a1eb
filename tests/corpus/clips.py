"""The odd videos: what cameras, loggers, cutters and streamers leave behind."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from .numbers import HEIGHT, WIDTH, luma

FRAMES = 90


@dataclass(frozen=True, slots=True)
class Odd:
    """One file of the corpus; `first` is the number of the first frame that can be shown."""

    name: str
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    gop: int = 30
    b_frames: int = 2
    stamps: Callable[[int], int] = lambda number: number * 40
    pix_fmt: str = "yuv420p"
    muxer: dict[str, str] = field(default_factory=dict)
    patch: Callable[[Path], None] | None = None
    first: int = 0
    frames: int = FRAMES

    def write(self, folder: Path) -> Path:
        """Write the file; stamps are milliseconds."""
        path = folder / self.name.replace(" ", "_")
        deep = self.pix_fmt.endswith("10le")
        with av.open(str(path), "w", options=self.muxer) as container:
            stream = container.add_stream(self.codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, self.pix_fmt
            stream.time_base = stream.codec_context.time_base = Fraction(
                1, 25 if path.suffix == ".avi" or self.codec == "mpeg2video" else 1000
            )
            stream.codec_context.gop_size = self.gop
            if self.b_frames >= 0:
                stream.codec_context.max_b_frames = self.b_frames
            stream.options = {**_QUICK.get(self.codec, {}), **self.options}
            for number in range(self.frames):
                planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
                planes[:HEIGHT] = luma(number)
                picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
                if deep or self.pix_fmt != "yuv420p":
                    picture = picture.reformat(format=self.pix_fmt)
                ms = self.stamps(number)
                picture.pts = ms * stream.codec_context.time_base.denominator // 1000
                picture.time_base = stream.codec_context.time_base
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        if self.patch is not None:
            self.patch(path)
        return path


_QUICK = {
    "libx264": {"preset": "veryfast", "crf": "20", "threads": "1"},
    "libx265": {"preset": "ultrafast", "crf": "20", "x265-params": "log-level=none:pools=1:frame-threads=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "b": "600k"},
    "libsvtav1": {"preset": "8", "crf": "5", "svtav1-params": "lp=1"},
    "mpeg4": {"b": "1500k"},
    "mpeg2video": {"b": "3M"},
    "mjpeg": {"q:v": "3"},
}


def _uneven(number: int) -> int:
    return number * 40 + (number * 7) % 31 + (2000 if number > 50 else 0)


def _late(number: int) -> int:
    return 7_300 + number * 40


def _cut_front(packets: int) -> Callable[[Path], None]:
    def cut(path: Path) -> None:
        path.write_bytes(path.read_bytes()[188 * packets :])

    return cut


def _edit_in(ms: int) -> Callable[[Path], None]:
    """Let the edit list begin `ms` later, amid a group of pictures, as cutting without encoding does."""

    def edit(path: Path) -> None:
        data = bytearray(path.read_bytes())
        at = data.index(b"elst") + 4
        scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
        entries = struct.unpack_from(">I", data, at + 4)[0]
        place = at + 8 + 12 * (entries - 1)
        duration, start = struct.unpack_from(">Ii", data, place)
        struct.pack_into(">Ii", data, place, duration - ms, start + ms * scale // 1000)
        path.write_bytes(bytes(data))

    return edit


def _lie_about_length(path: Path) -> None:
    """Let the headers of movie and track claim ten times the length."""
    data = bytearray(path.read_bytes())
    for box, offset in ((b"mvhd", 16), (b"mdhd", 16)):
        place = data.index(box) + 4 + offset
        struct.pack_into(">I", data, place, struct.unpack_from(">I", data, place)[0] * 10)
    path.write_bytes(bytes(data))


_OPEN = {"x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:b-pyramid=normal:b-adapt=0:scenecut=0"}

CORPUS = (
    Odd("b frames.mp4", b_frames=3),
    Odd("long group.mp4", gop=250),
    Odd("all key frames.mp4", gop=1, b_frames=0),
    Odd("uneven rate.mp4", stamps=_uneven),
    Odd("uneven rate.mkv", stamps=_uneven),
    Odd("late start.mp4", stamps=_late),
    Odd("late start.mkv", stamps=_late),
    Odd("late start.ts", stamps=_late),
    Odd("open groups.mp4", options=_OPEN),
    Odd("open groups.mkv", options=_OPEN),
    Odd("open groups.ts", options=_OPEN),
    Odd("edit list.mp4", patch=_edit_in(400), first=10),
    Odd("edit list.mov", patch=_edit_in(640), first=16, options=_OPEN),
    Odd("lying length.mp4", patch=_lie_about_length),
    Odd("fragments.mp4", muxer={"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
    Odd("intra refresh.mkv", options={"x264-params": "intra-refresh=1:keyint=20:bframes=0"}, b_frames=0),
    Odd("starts amid a group.ts", patch=_cut_front(40), first=-1),
    Odd("fields.ts", options={"x264-params": "tff=1"}),
    Odd("ten bit.mkv", pix_fmt="yuv420p10le"),
    Odd("h265.mp4", codec="libx265", b_frames=-1),
    Odd("h265.mkv", codec="libx265", b_frames=-1, gop=12),
    Odd("h265.ts", codec="libx265", b_frames=-1, gop=12),
    Odd("mpeg4.avi", codec="mpeg4", b_frames=2, gop=12),
    Odd("mpeg4.mp4", codec="mpeg4", b_frames=2, gop=12),
    Odd("mpeg4.mkv", codec="mpeg4", b_frames=0, gop=12),
    Odd("h264.avi", b_frames=2),
    Odd("mpeg2.ts", codec="mpeg2video", b_frames=2, gop=12),
    Odd("mjpeg.avi", codec="mjpeg", pix_fmt="yuvj420p", b_frames=-1),
    Odd("mjpeg.mov", codec="mjpeg", pix_fmt="yuvj420p", b_frames=-1),
    Odd("vp9.webm", codec="libvpx-vp9", b_frames=-1),
    Odd(
        "vp9 hidden frames.mkv",
        codec="libvpx-vp9",
        b_frames=-1,
        options={"auto-alt-ref": "1", "lag-in-frames": "16", "deadline": "good"},
    ),
    Odd("av1.mkv", codec="libsvtav1", b_frames=-1),
    Odd("av1.mp4", codec="libsvtav1", b_frames=-1),
)
