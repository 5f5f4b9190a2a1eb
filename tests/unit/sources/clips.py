"""Writes small videos whose frames can be told apart."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 64, 48


def grey(seq: int) -> int:
    """Give each of the first 40 frames a grey level that survives H.264."""
    return 10 + 6 * seq


def write_clip(path: Path, stamps: list[int], *, gop: int = 8, b_frames: int = 2, codec: str = "libx264") -> Path:
    """Write one flat grey frame a stamp (in 1/30 s)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, 30)
        stream.codec_context.gop_size = gop
        stream.codec_context.max_b_frames = b_frames
        stream.options = {"crf": "10", "preset": "ultrafast" if b_frames == 0 else "veryfast"}
        for seq, stamp in enumerate(stamps):
            planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
            planes[:HEIGHT] = round(16 + grey(seq) * 219 / 255)
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = stamp, Fraction(1, 30)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path
