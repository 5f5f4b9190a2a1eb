"""ASAM OpenLABEL 1.0 JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from hilgui.errors import CallWrong
from hilgui.records import NO_CLASS, NO_TRACK
from hilgui.truth.openlabel import NO_TRACK_FIELD, REGION_TYPE
from hilgui.truth.protocol import LabelledFrame, Labels, Sizes
from hilgui.truth.writers.losses import Holds, counted, lost
from hilgui.truth.writers.target import Target, boxed

_CAMERA = "camera"
_HELD = frozenset(Holds) - {Holds.CONDITIONS, Holds.SIZES}


def write_openlabel(labels: Labels, target: Target, sizes: Sizes | None) -> list[str]:
    """Add one JSON document; what OpenLABEL has no field for is written as attributes of the boxes."""
    document, told = _written(labels, sizes)
    objects = sum(len(frame.truth) for frame in boxed(labels) if frame.truth is not None)
    target.add("", json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n", objects)
    return told


def openlabel_document(labels: Labels) -> dict[str, Any]:
    """Give the document alone; raises CallWrong for labels without boxes or with a frame number twice."""
    return _written(labels, None)[0]


def _written(labels: Labels, sizes: Sizes | None) -> tuple[dict[str, Any], list[str]]:
    """Give the document and what it does not hold."""
    frames = boxed(labels)
    by_number = all(frame.index is not None for frame in frames)
    if by_number and len({frame.index for frame in frames}) != len(frames):
        raise CallWrong(f"{labels.path} labels a frame number twice; convert one drive at a time")
    objects: dict[str, dict[str, str]] = {}
    kinds: dict[tuple[int, int], str] = {}
    written: dict[str, Any] = {}
    changed = 0
    for position, frame in enumerate(frames):
        number = frame.index if by_number and frame.index is not None else position
        rows: dict[str, Any] = {}
        truth = frame.truth
        assert truth is not None, "only frames with boxes are written"
        for k in range(len(truth)):
            class_number, track = int(truth.classes[k]), int(truth.tracks[k])
            kind = REGION_TYPE if class_number == NO_CLASS else labels.names[class_number]
            if track == NO_TRACK:
                uid = f"frame{number}-{k}"
            else:
                uid = kinds.setdefault((track, class_number), _uid(track, class_number, objects))
                changed += uid != str(track)
            objects[uid] = {"name": uid, "type": kind}
            rows.setdefault(uid, {"object_data": {"bbox": []}})["object_data"]["bbox"].append(_box(frame, k))
        written[str(number)] = {"objects": rows, "frame_properties": _properties(frame)}
    document = {
        "openlabel": {
            "metadata": {"schema_version": "1.0.0"},
            "streams": {_CAMERA: _camera(frames, sizes)},
            "objects": objects,
            "frames": written,
        }
    }
    sizes_lost = len({(frame.width, frame.height) for frame in frames}) > 1
    return document, [
        *lost(labels, [*_HELD, *([] if sizes_lost else [Holds.SIZES])], "OpenLABEL"),
        *counted(0 if by_number else len(frames), "frame", "frames", "numbered in order"),
        *counted(changed, "box", "boxes", "with another identity, because an object of OpenLABEL keeps its class"),
    ]


def _uid(track: int, class_number: int, objects: dict[str, dict[str, str]]) -> str:
    return str(track) if str(track) not in objects else f"{track}-{class_number}"


def _box(frame: LabelledFrame, k: int) -> dict[str, Any]:
    truth = frame.truth
    assert truth is not None, "only frames with boxes are written"
    x1, y1, x2, y2 = truth.boxes[k].tolist()
    flags = {
        "ignore": bool(truth.ignore[k]),
        "iscrowd": bool(truth.crowd[k]),
        NO_TRACK_FIELD: int(truth.tracks[k]) == NO_TRACK,
    }
    numbers = {name: float(getattr(truth, name)[k]) for name in ("distance_m", "occlusion", "truncation")}
    area = float(truth.areas[k])
    if not math.isclose(area, (x2 - x1) * (y2 - y1), rel_tol=1e-9):
        numbers["area"] = area
    return {
        "name": "shape",
        "val": [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1],
        "attributes": {
            "boolean": [{"name": name, "val": True} for name, value in flags.items() if value],
            "num": [{"name": name, "val": value} for name, value in numbers.items() if math.isfinite(value)],
            "text": [{"name": name, "val": value} for name, value in (truth.tags[k] if truth.tags else ())],
        },
    }


def _properties(frame: LabelledFrame) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    if frame.time_s is not None:
        properties["timestamp"] = frame.time_s
    if frame.key:
        properties["streams"] = {_CAMERA: {"uri": frame.key}}
    return properties


def _camera(frames: list[LabelledFrame], sizes: Sizes | None) -> dict[str, Any]:
    """Describe the camera, with its size where all pictures have one."""
    told = {
        (frame.width, frame.height) if frame.width else (sizes(frame.key) if sizes else None) or (0, 0)
        for frame in frames
    }
    camera: dict[str, Any] = {"type": "camera"}
    if len(told) == 1 and all(min(size) > 0 for size in told):
        ((width, height),) = told
        camera["stream_properties"] = {"intrinsics_pinhole": {"width_px": width, "height_px": height}}
    return camera
