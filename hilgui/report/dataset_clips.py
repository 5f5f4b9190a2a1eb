"""Clips of findings beside a data set: MP4 for people, MCAP with boxes as Foxglove draws them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from mcap.writer import Writer
from numpy.typing import NDArray

from hilgui.errors import BenchBroken, CallWrong
from hilgui.records import Moment, Role, Vocabulary

CLIPS = ("mp4", "mcap")
_QUALITY = 90
_USUAL_FPS = 10.0
_COLOURS = {"truth": (0.95, 0.95, 0.95), Role.BASELINE: (0.25, 0.55, 1.0), Role.CANDIDATE: (1.0, 0.6, 0.3)}
_IMAGE: dict[str, Any] = {
    "type": "object",
    "title": "foxglove.CompressedImage",
    "properties": {
        "timestamp": {"type": "object", "properties": {"sec": {"type": "integer"}, "nsec": {"type": "integer"}}},
        "frame_id": {"type": "string"},
        "data": {"type": "string", "contentEncoding": "base64"},
        "format": {"type": "string"},
    },
}
_ANNOTATIONS: dict[str, Any] = {"type": "object", "title": "foxglove.ImageAnnotations"}

Picture = tuple[Moment, NDArray[np.uint8]]


def check_clips(form: str) -> None:
    """Refuse what is no form of clips; raises CallWrong."""
    if form and form not in CLIPS:
        raise CallWrong(f"there are no clips as {form!r}; choose one of {', '.join(CLIPS)}")


def write_clip(
    path: Path, pictures: Iterator[Picture], fps: float | None, vocabulary: Vocabulary, thresholds: dict[Role, float]
) -> int:
    """Write one clip by the ending of its name; returns its frames. Raises BenchBroken where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".mp4":
            return _write_mp4(path, pictures, fps or _USUAL_FPS)
        return _write_mcap(path, pictures, vocabulary, thresholds)
    except (OSError, av.error.FFmpegError) as failure:
        raise BenchBroken(f"{path} cannot be written: {failure}", path=path) from failure


def _write_mp4(path: Path, pictures: Iterator[Picture], fps: float) -> int:
    count = 0
    with av.open(str(path), "w") as container:
        stream: Any = None
        for _, image in pictures:
            height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2  # 4:2:0 has no odd sides
            if stream is None:
                stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                stream.options = {"crf": "18"}
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format="bgr24")
            container.mux(stream.encode(frame))
            count += 1
        if stream is not None:
            container.mux(stream.encode())
    return count


def _write_mcap(path: Path, pictures: Iterator[Picture], vocabulary: Vocabulary, thresholds: dict[Role, float]) -> int:
    count = 0
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="", library="hilgui")
        channels = {}
        for topic, schema in (("/camera", _IMAGE), ("/camera/annotations", _ANNOTATIONS)):
            number = writer.register_schema(schema["title"], "jsonschema", json.dumps(schema).encode())
            channels[topic] = writer.register_channel(topic, "json", number)
        for moment, image in pictures:
            stamp_ns = round(moment.ref.stamp.timestamp() * 1e9)
            time = {"sec": stamp_ns // 10**9, "nsec": stamp_ns % 10**9}
            _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            data = base64.b64encode(jpeg.tobytes()).decode()
            shown = {"timestamp": time, "frame_id": "camera", "data": data, "format": "jpeg"}
            drawn = image_annotations(moment, time, vocabulary, thresholds)
            for topic, message in (("/camera", shown), ("/camera/annotations", drawn)):
                writer.add_message(channels[topic], stamp_ns, json.dumps(message).encode(), stamp_ns, count)
            count += 1
        writer.finish()  # type: ignore[no-untyped-call]  # mcap says no types here
    return count


def image_annotations(
    moment: Moment, time: dict[str, int], vocabulary: Vocabulary, thresholds: dict[Role, float]
) -> dict[str, Any]:
    """Give the boxes of labels and models of a frame as foxglove.ImageAnnotations."""
    boxes: list[tuple[str, Sequence[float], str]] = []
    if moment.truth is not None:
        names = [vocabulary.name(number) for number in moment.truth.classes.tolist()]
        boxes += [("truth", box, name) for box, name in zip(moment.truth.boxes.tolist(), names, strict=True)]
    for role, inference in moment.inferences.items():
        kept = inference.detections.first(inference.detections.count_above(thresholds[role]))
        for box, number, score in zip(kept.boxes.tolist(), kept.classes.tolist(), kept.scores.tolist(), strict=True):
            boxes.append((role, box, f"{role.value[0].upper()} {vocabulary.name(number)} {score:.2f}"))
    colours = {whose: dict(zip("rgba", (*_COLOURS[whose], 1.0), strict=True)) for whose in _COLOURS}
    return {
        "circles": [],
        "points": [
            {
                "timestamp": time,
                "type": 2,  # LINE_LOOP
                "points": [{"x": x, "y": y} for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))],
                "outline_color": colours[whose],
                "outline_colors": [],
                "fill_color": {"r": 0, "g": 0, "b": 0, "a": 0},
                "thickness": 2.0,
            }
            for whose, (x1, y1, x2, y2), _ in boxes
        ],
        "texts": [
            {
                "timestamp": time,
                "position": {"x": box[0], "y": box[1]},
                "text": text,
                "font_size": 12.0,
                "text_color": colours[whose],
                "background_color": {"r": 0, "g": 0, "b": 0, "a": 0.5},
            }
            for whose, box, text in boxes
        ],
    }
