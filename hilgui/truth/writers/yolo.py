"""YOLO text labels: `classes.txt`, `labels` with one text file for each frame, and `data.yaml` to train from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from hilgui.errors import CallWrong
from hilgui.records import NO_CLASS
from hilgui.truth.protocol import LabelledFrame, Labels, Sizes
from hilgui.truth.writers.losses import Holds, counted, lost
from hilgui.truth.writers.target import Target, boxed, decimal, frame_name

_PLACES = 8


def write_yolo(labels: Labels, target: Target, sizes: Sizes | None) -> list[str]:
    """Add the names and one file a frame, shares to 1e-8; boxes are cut at the edge of the picture.

    What is not to be counted has no place in YOLO and is left out: written plainly it would be counted. `data.yaml`
    is what Ultralytics asks for; it names the labelled pictures one by one in `train.txt`, because a picture without
    a label file would be learned as empty.
    """
    if not labels.names:
        raise CallWrong(f"{labels.path} has no class names; YOLO needs them")
    target.add("classes.txt", "".join(f"{name}\n" for name in labels.names), 0)
    target.add("data.yaml", _data_yaml(labels.names), 0)
    left_out = cut = 0
    pictures = []
    for position, frame in enumerate(boxed(labels)):
        truth = frame.truth
        assert truth is not None, "only frames with boxes are written"
        size = np.array(_size(frame, sizes), np.float64)
        kept = truth.where(~(truth.ignore | truth.crowd | (truth.classes == NO_CLASS)))
        left_out += len(truth) - len(kept)
        shares = kept.boxes / np.tile(size, 2)
        within = np.clip(shares, 0, 1)
        cut += int((np.abs(shares - within) > 1e-9).any(axis=1).sum())
        rows = []
        for class_number, (x1, y1, x2, y2) in zip(kept.classes.tolist(), within.tolist(), strict=True):
            numbers = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
            rows.append(f"{class_number} {' '.join(decimal(value, _PLACES) for value in numbers)}\n")
        name = frame_name(frame, position)
        target.add(f"labels/{name}.txt", "".join(rows), len(rows))
        pictures.append(f"./images/{name}{PurePosixPath(frame.key).suffix or '.jpg'}\n")
    target.add("train.txt", "".join(pictures), 0)
    left = "not to be counted (crowds too) left out: YOLO has no word for that"
    return [
        *lost(labels, (Holds.CROWDS, Holds.IGNORED, Holds.NAMES), "YOLO"),
        *counted(left_out, "object or region", "objects and regions", left),
        *counted(cut, "box", "boxes", "cut at the edge of the picture"),
    ]


def _data_yaml(names: Sequence[str]) -> str:
    """Name the lists of pictures, beside this file, and the classes; quoted as in JSON, which YAML reads."""
    lines = [
        "# Pictures lie in images/, labels in labels/. Validate on other drives than you train on: the same list",
        "# stands in both places only because Ultralytics asks for both.",
        "train: train.txt",
        "val: train.txt",
        "names:",
        *(f"  {number}: {json.dumps(name)}" for number, name in enumerate(names)),
    ]
    return "\n".join(lines) + "\n"


def _size(frame: LabelledFrame, sizes: Sizes | None) -> tuple[int, int]:
    if frame.width and frame.height:
        return frame.width, frame.height
    size = sizes(frame.key) if sizes is not None else None
    if size is None:
        what = frame.key or f"frame {frame.index}"
        raise CallWrong(f"nobody knows how large {what} is, and YOLO needs it; give --images or --size")
    return size
