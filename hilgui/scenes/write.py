"""A drive on disk: H.264 video, COCO truth, and a hash of every frame as it was before encoding."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from hilgui.scenes.grain import Bytes
from hilgui.scenes.render import FPS, VERSION, Renderer
from hilgui.scenes.truth import Truth
from hilgui.scenes.weather import Weather

BT709 = 1
LIMITED_RANGE = 1


@dataclass(frozen=True, slots=True)
class Files:
    """The three files of a drive."""

    video: Path
    truth: Path
    hashes: Path


def files_of(folder: Path, name: str) -> Files:
    """Return where a drive lies in a folder."""
    return Files(folder / f"{name}.mp4", folder / f"{name}.coco.json", folder / f"{name}.frames.sha256")


def frame_hash(image: Bytes) -> str:
    """Return the SHA-256 of a frame's BGR bytes."""
    return hashlib.sha256(image.tobytes()).hexdigest()


class Video:
    """An MP4 file that is being written; close it, or nothing can play it."""

    def __init__(self, path: Path, width: int, height: int, crf: int) -> None:
        self._container = av.open(str(path), "w", options={"movflags": "+faststart"})
        stream = self._container.add_stream("libx264", rate=FPS)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, FPS)
        stream.codec_context.color_primaries = BT709
        stream.codec_context.color_trc = BT709
        stream.codec_context.colorspace = BT709
        stream.codec_context.color_range = LIMITED_RANGE
        stream.codec_context.gop_size = FPS
        stream.options = {"crf": str(crf), "preset": "slow", "x264-params": "threads=1"}
        self._stream = stream
        self._count = 0

    def add(self, image: Bytes) -> None:
        """Encode one BGR picture."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
        frame.pts = self._count
        frame.time_base = Fraction(1, FPS)
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Flush the encoder and finish the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


def write_drive(
    folder: Path,
    name: str,
    weather: Weather,
    seed: int,
    seconds: float,
    crf: int,
    people: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Files:
    """Render a drive into a folder; `progress` hears frames done and frames in all.

    The video gets its name when it is whole, the truth after it: a rendering that was cut off, or a second one at the
    same time, leaves no drive that only looks complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = files_of(folder, name)
    renderer = Renderer(weather, seed, seconds, people=people)
    truth = Truth(name, seed, weather, renderer.camera)
    unfinished = folder / f".{name}.{os.getpid()}.mp4"
    video = Video(unfinished, renderer.camera.width, renderer.camera.height, crf)
    header = f"# renderer {VERSION} condition {weather.name} seed {seed} seconds {seconds:g} people {int(people)}"
    lines = [header]
    try:
        for picture in renderer.pictures():
            video.add(picture.image)
            truth.add(picture)
            lines.append(frame_hash(picture.image))
            if progress:
                progress(picture.index + 1, renderer.frames)
        video.close()
    except BaseException:
        video.close()
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.replace(files.video)
    files.hashes.write_text("\n".join(lines) + "\n", encoding="utf-8")
    truth.write(files.truth)
    return files
