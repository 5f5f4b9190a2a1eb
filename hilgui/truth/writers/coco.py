"""COCO JSON, with the fields that drives add: the one format that keeps all we know."""

from __future__ import annotations

import json
import math
from typing import Any

from hilgui.records import NO_CLASS, NO_TRACK
from hilgui.truth.coco import REGION_FIELD
from hilgui.truth.protocol import LabelledFrame, Labels, Sizes
from hilgui.truth.writers.losses import Holds, lost
from hilgui.truth.writers.target import Target, boxed

FIRST_CATEGORY = 1  # where other readers (Datumaro, so CVAT; Ultralytics) begin: 0 is no class to them


def write_coco(labels: Labels, target: Target, sizes: Sizes | None) -> list[str]:
    """Add one JSON document to the target; regions without class get a category of their own."""
    document = coco_document(labels, sizes)
    text = json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n"
    target.add("", text, len(document["annotations"]))
    return lost(labels, list(Holds), "COCO")


def coco_document(labels: Labels, sizes: Sizes | None = None) -> dict[str, Any]:
    """Give the document: images are numbered by their order among the labelled frames, categories by their names."""
    region = FIRST_CATEGORY + len(labels.names)
    frames = boxed(labels)
    categories: list[dict[str, Any]] = [
        {"id": number, "name": name} for number, name in enumerate(labels.names, FIRST_CATEGORY)
    ]
    if any((frame.truth.classes == NO_CLASS).any() for frame in frames if frame.truth is not None):
        categories.append({"id": region, "name": "ignored region", REGION_FIELD: True})
    annotations = [row for number, frame in enumerate(frames) for row in _annotations(frame, number, region)]
    return {
        "info": {"conditions": labels.conditions},
        "images": [_image(frame, number, sizes) for number, frame in enumerate(frames)],
        "annotations": [{"id": number, **row} for number, row in enumerate(annotations, 1)],
        "categories": categories,
    }


def _image(frame: LabelledFrame, number: int, sizes: Sizes | None) -> dict[str, Any]:
    size = (frame.width, frame.height) if frame.width and frame.height else sizes(frame.key) if sizes else None
    row: dict[str, Any] = {"id": number}
    if frame.key:
        row["file_name"] = frame.key
    if frame.index is not None:
        row["frame_index"] = frame.index
    if frame.time_s is not None:
        row["timestamp_s"] = frame.time_s
    if size is not None:
        row["width"], row["height"] = size
    return row


def _annotations(frame: LabelledFrame, image: int, region: int) -> list[dict[str, Any]]:
    truth = frame.truth
    assert truth is not None, "only frames with boxes are written"
    rows = []
    for k, (x1, y1, x2, y2) in enumerate(truth.boxes.tolist()):
        class_number = int(truth.classes[k])
        row: dict[str, Any] = {
            "image_id": image,
            "category_id": region if class_number == NO_CLASS else FIRST_CATEGORY + class_number,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": float(truth.areas[k]),
            "iscrowd": int(truth.crowd[k]),
            "ignore": int(truth.ignore[k]),
            "segmentation": [],  # only the box is known: so other readers take it as one
        }
        if truth.tracks[k] != NO_TRACK:
            row["track_id"] = int(truth.tracks[k])
        for field in ("distance_m", "occlusion", "truncation"):
            value = float(getattr(truth, field)[k])
            if math.isfinite(value):
                row[field] = value
        if truth.tags and truth.tags[k]:
            row["attributes"] = dict(truth.tags[k])
        rows.append(row)
    return rows
