"""KITTI object labels: a folder with one text file for each frame."""

from __future__ import annotations

import math

from hilgui.records import NO_CLASS, Truth
from hilgui.truth.kitti import IGNORE_REGION, OCCLUSION
from hilgui.truth.protocol import Labels, Sizes
from hilgui.truth.writers.losses import Holds, counted, lost
from hilgui.truth.writers.target import Target, boxed, decimal, frame_name

_UNKNOWN = -1
_DONT_CARE = f"{IGNORE_REGION} -1 -1 -10 {{box}} -1 -1 -1 -1000 -1000 -1000 -10"
_HELD = (Holds.IGNORED, Holds.CROWDS, Holds.DISTANCES, Holds.OCCLUSIONS, Holds.TRUNCATIONS, Holds.NAMES)


def write_kitti(labels: Labels, target: Target, sizes: Sizes | None) -> list[str]:
    """Add one text file a frame, boxes to .01 px; what is not to be counted becomes DontCare and loses its class."""
    names = ["_".join(name.split()) for name in labels.names]
    without_class = shares = 0
    for position, frame in enumerate(boxed(labels)):
        truth = frame.truth
        assert truth is not None, "only frames with boxes are written"
        without_class += int(((truth.ignore | truth.crowd) & (truth.classes != NO_CLASS)).sum())
        shares += sum(value not in OCCLUSION.values() for value in _known(truth))
        lines = [_line(truth, k, names) for k in range(len(truth))]
        target.add(f"{frame_name(frame, position)}.txt", "".join(lines), len(lines))
    return [
        *lost(labels, _HELD, "KITTI"),
        *counted(without_class, "object", "objects", "not to be counted: DontCare, without class"),
        *counted(shares, "share of occlusion becomes", "shares of occlusion become", "the nearest of KITTI's four"),
        *counted(sum(" " in name for name in labels.names), "class name gets", "class names get", "_ for blanks"),
    ]


def _known(truth: Truth) -> list[float]:
    return [round(float(value), 4) for value in truth.occlusion if math.isfinite(value)]


def _line(truth: Truth, k: int, names: list[str]) -> str:
    box = " ".join(decimal(value, 2) for value in truth.boxes[k].tolist())
    if truth.ignore[k] or truth.crowd[k] or truth.classes[k] == NO_CLASS:
        return _DONT_CARE.format(box=box) + "\n"
    share = float(truth.occlusion[k])
    word = _UNKNOWN if math.isnan(share) else min(OCCLUSION, key=lambda code: abs(OCCLUSION[code] - share))
    distance_m = float(truth.distance_m[k])
    place = f"-1000 -1000 {decimal(distance_m, 2) if math.isfinite(distance_m) else -1000}"
    truncation = float(truth.truncation[k])
    outside = decimal(truncation, 2) if math.isfinite(truncation) else str(_UNKNOWN)
    return f"{names[truth.classes[k]]} {outside} {word} -10 {box} -1 -1 -1 {place} -10\n"
