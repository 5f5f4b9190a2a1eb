"""Times decoding to BGR against FFmpeg decoding to nothing, and checks the colours against the exact formula.

    python benchmarks/decode.py [VIDEO] [--rounds 5]

Without a video, six seconds of 1280 × 720 H.264 are made. FFmpeg is the program `ffmpeg` where it is on the path, else
PyAV decoding without looking at the pictures. All ways take turns; medians a frame in real time and in processor time,
and the ratio of the former to FFmpeg. On a busy machine only the processor time means something.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.sources.colour import ColourConverter, colour_of, matrix
from hilgui.sources.video import VideoSource
from hilgui.stream import StopToken


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        video = given.video or make_video(Path(folder) / "made.mp4")
        program = shutil.which("ffmpeg")
        source = VideoSource(video)
        source.open()
        ways: dict[str, Callable[[], int]] = {
            "FFmpeg program to null" if program else "bare PyAV": lambda: (
                ffmpeg(program, video) if program else bare(video)
            ),
            "hilgui to BGR": lambda: hilgui(source),
            "PyAV to BGR by swscale": lambda: swscale(video),
        }
        frames = bare(video)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, way in ways.items():
                times[name].append(timed(way, frames))
        medians = {name: statistics.median(wall for wall, _ in taken) for name, taken in times.items()}
        base = next(iter(medians.values()))
        print(f"{video.name}: {frames} frames")
        for name, took in medians.items():
            busy = statistics.median(cpu for _, cpu in times[name])
            print(f"  {name:26s}{took:7.2f} ms ({busy:.2f} ms processor) {took / base:5.2f} times (goal for ours 1.15)")
        colours(video)


def timed(way: Callable[[], int], frames: int) -> tuple[float, float]:
    """Give milliseconds a frame: real time, and processor time of this process and its children."""
    before, started = os.times(), time.perf_counter()
    way()
    took, after = time.perf_counter() - started, os.times()
    return took * 1e3 / frames, (sum(after[:4]) - sum(before[:4])) * 1e3 / frames


def hilgui(source: VideoSource) -> int:
    """Read every frame as a run does; the index was read before."""
    return sum(1 for _ in source.frames(StopToken()))


def bare(video: Path) -> int:
    """Decode with all threads and look at nothing."""
    with av.open(str(video)) as container:
        container.streams.video[0].thread_type = "AUTO"
        return sum(1 for _ in container.decode(video=0))


def swscale(video: Path) -> int:
    """Convert as most people do."""
    with av.open(str(video)) as container:
        container.streams.video[0].thread_type = "AUTO"
        return sum(1 for picture in container.decode(video=0) if picture.to_ndarray(format="bgr24").size)


def ffmpeg(program: str | None, video: Path) -> int:
    """Run the program; its start is part of its time."""
    assert program is not None
    subprocess.run([program, "-v", "error", "-i", video, "-an", "-f", "null", "-"], check=True)
    return 0


def colours(video: Path) -> None:
    """Print the error of one picture against the formula in floating point."""
    with av.open(str(video)) as container:
        picture = next(container.decode(video=0))
    colour = colour_of(picture)
    if picture.format.name != "yuv420p":
        return
    luma, blue, red = (
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width].astype(float)
        for plane in picture.planes
    )
    blue, red = (
        np.repeat(np.repeat(plane, 2, 0), 2, 1)[: luma.shape[0], : luma.shape[1]] - 128 for plane in (blue, red)
    )
    if not colour.is_full:
        luma, blue, red = (luma - 16) * 255 / 219, blue * 255 / 224, red * 255 / 224
    exact = np.clip(np.stack([luma, blue, red], axis=-1) @ matrix(colour.matrix).T, 0, 255)
    ours: NDArray[np.uint8] = ColourConverter().to_bgr(picture)
    for name, image in (("hilgui", ours), ("swscale", picture.to_ndarray(format="bgr24"))):
        error = image - exact
        print(
            f"  {name:8s}{colour.matrix}: mean error {np.abs(error).mean():.2f}, bias {error.mean():+.2f} grey levels"
        )
    started = time.perf_counter()
    converter = ColourConverter()
    for _ in range(50):
        converter.to_bgr(picture)
    print(f"  colour alone: {(time.perf_counter() - started) * 20:.2f} ms a frame")


def make_video(path: Path, *, gop: int = 60, frames: int = 150, rate: int = 25) -> Path:
    """Write moving noise and shapes: neither the easiest nor the hardest of pictures."""
    order = np.random.default_rng(0)
    grain = cv2.GaussianBlur(order.integers(0, 256, (900, 1500, 3), np.uint8), (0, 0), 6)
    grain = cv2.normalize(grain, None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1
        stream.codec_context.gop_size = gop
        stream.options = {"crf": "23", "preset": "veryfast"}
        for number in range(frames):
            across, down = number * 3 % 200, number * 2 % 150
            picture = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(grain[down : down + 720, across : across + 1280]), format="bgr24"
            ).reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


if __name__ == "__main__":
    main()
