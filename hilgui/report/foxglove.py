"""Foxglove's message schemas as JSON (https://docs.foxglove.dev/docs/sdk/schemas), written into an MCAP file.

MCAP with `json` messages and `jsonschema` schemas (https://mcap.dev/spec/registry); the schema names are what viewers
go by. Only the fields that we fill are declared; all of them are Foxglove's own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

from hilgui.errors import StoreBroken

INFO, WARNING, ERROR = 2, 3, 4  # levels of foxglove.Log

_LINE_LOOP = 2  # of foxglove.PointsAnnotation
_FONT_PX = 14.0

Schema = dict[str, Any]
Box4 = tuple[float, float, float, float]


def _object(title: str, **properties: Schema) -> Schema:
    return {"title": title, "type": "object", "properties": properties}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


_NUMBER, _WHOLE, _TEXT = {"type": "number"}, {"type": "integer"}, {"type": "string"}
_TIME = {"type": "object", "title": "time", "properties": {"sec": _WHOLE, "nsec": _WHOLE}}
_POINT = _object("foxglove.Point2", x=_NUMBER, y=_NUMBER)
_COLOUR = _object("foxglove.Color", r=_NUMBER, g=_NUMBER, b=_NUMBER, a=_NUMBER)

IMAGE = _object(
    "foxglove.CompressedImage",
    timestamp=_TIME,
    frame_id=_TEXT,
    data={"type": "string", "contentEncoding": "base64"},
    format=_TEXT,
)
ANNOTATIONS = _object(
    "foxglove.ImageAnnotations",
    circles=_list(_object("foxglove.CircleAnnotation", timestamp=_TIME, position=_POINT, diameter=_NUMBER)),
    points=_list(
        _object(
            "foxglove.PointsAnnotation",
            timestamp=_TIME,
            type=_WHOLE,
            points=_list(_POINT),
            outline_color=_COLOUR,
            outline_colors=_list(_COLOUR),
            fill_color=_COLOUR,
            thickness=_NUMBER,
        )
    ),
    texts=_list(
        _object(
            "foxglove.TextAnnotation",
            timestamp=_TIME,
            position=_POINT,
            text=_TEXT,
            font_size=_NUMBER,
            text_color=_COLOUR,
            background_color=_COLOUR,
        )
    ),
)
LOG = _object("foxglove.Log", timestamp=_TIME, level=_WHOLE, message=_TEXT, name=_TEXT, file=_TEXT, line=_WHOLE)
FIGURES = _object("hilgui.Figures", seq=_WHOLE)
SIGNAL = _object("hilgui.Signal", value=_NUMBER, unit=_TEXT)


@dataclass(frozen=True, slots=True)
class Box:
    """A box to draw with a word above it."""

    box: Box4  # x1 y1 x2 y2 px
    label: str
    colour: str  # "#rrggbb"
    thickness: float  # px


def time_of(at_ns: int) -> dict[str, int]:
    """Write nanoseconds since 1970 as Foxglove's time."""
    return {"sec": at_ns // 10**9, "nsec": at_ns % 10**9}


def annotations_of(boxes: Sequence[Box], at_ns: int) -> dict[str, Any]:
    """Write boxes as one message: a closed line and a text for each."""
    stamp = time_of(at_ns)
    none = {"r": 0.0, "g": 0.0, "b": 0.0, "a": 0.0}
    points, texts = [], []
    for each in boxes:
        x1, y1, x2, y2 = each.box
        colour = _colour(each.colour)
        corners = [{"x": x, "y": y} for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))]
        points.append(
            {"timestamp": stamp, "type": _LINE_LOOP, "points": corners, "outline_color": colour, "outline_colors": [],
             "fill_color": none, "thickness": each.thickness}
        )  # fmt: skip
        texts.append(
            {"timestamp": stamp, "position": {"x": x1, "y": y1}, "text": each.label, "font_size": _FONT_PX,
             "text_color": colour, "background_color": {"r": 0.0, "g": 0.0, "b": 0.0, "a": 0.6}}
        )  # fmt: skip
    return {"circles": [], "points": points, "texts": texts}


class Writer:
    """Writes messages to an open file; topics and schemas are announced when they first come."""

    def __init__(self, file: IO[bytes]) -> None:
        from mcap.writer import Writer as McapWriter

        self._writer = McapWriter(file)
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    def start(self, facts: dict[str, str]) -> None:
        """Write the head and what the file is about."""
        from hilgui import __version__

        self._writer.start(profile="", library=f"hilgui {__version__}")
        self._writer.add_metadata("hilgui", facts)

    def add(self, topic: str, schema: Schema, message: dict[str, Any], at_ns: int) -> None:
        """Write one message; raises StoreBroken for a time before 1970."""
        if at_ns < 0:
            raise StoreBroken(f"a frame of the run has a time before 1970, which MCAP cannot hold ({topic})")
        channel = self._channel(topic, schema)
        count = self._counts[topic] = self._counts.get(topic, 0) + 1
        content = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        self._writer.add_message(channel, log_time=at_ns, publish_time=at_ns, sequence=count, data=content)

    def finish(self) -> None:
        """Write the index."""
        self._writer.finish()  # type: ignore[no-untyped-call]  # mcap leaves it without types

    def _channel(self, topic: str, schema: Schema) -> int:
        if topic not in self._channels:
            name = str(schema["title"])
            if name not in self._schemas:
                told = json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
                self._schemas[name] = self._writer.register_schema(name, "jsonschema", told.encode())
            self._channels[topic] = self._writer.register_channel(topic, "json", self._schemas[name])
        return self._channels[topic]


def _colour(code: str) -> dict[str, float]:
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return {"r": round(red, 4), "g": round(green, 4), "b": round(blue, 4), "a": 1.0}
