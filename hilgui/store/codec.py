"""Packs arrays into blobs, little-endian, one column after the other."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import StoreBroken
from hilgui.records import Comparison, Detections, Disagreement, Finding, FoundObject, Kind, Role, Severity, Truth

_DETECTION_BYTES = 4 * 4 + 4 + 2
_TRUTH_BYTES = 4 * 8 + 2 + 8 + 8 + 1 + 4 + 4
_CROWD, _IGNORE = 1, 2


class _Columns:
    """Reads one column after the other out of a blob."""

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self._offset = 0

    def next(self, kind: str, count: int) -> NDArray[Any]:
        column = np.frombuffer(self._blob, np.dtype(kind), count, self._offset)
        self._offset += column.nbytes
        return column


def pack_detections(detections: Detections) -> bytes:
    """Write 22 bytes a box."""
    return b"".join(
        (
            detections.boxes.astype("<f4", copy=False).tobytes(),
            detections.scores.astype("<f4", copy=False).tobytes(),
            detections.classes.astype("<i2").tobytes(),
        )
    )


def unpack_detections(blob: bytes) -> Detections:
    """Read what `pack_detections` wrote."""
    count = _count(blob, _DETECTION_BYTES)
    columns = _Columns(blob)
    boxes = columns.next("<f4", count * 4).reshape(-1, 4)
    return Detections(boxes, columns.next("<f4", count), columns.next("<i2", count).astype(np.int32))


def pack_truth(truth: Truth) -> bytes:
    """Write 59 bytes an object."""
    flags = truth.crowd * np.uint8(_CROWD) | truth.ignore * np.uint8(_IGNORE)
    return b"".join(
        (
            truth.boxes.astype("<f8", copy=False).tobytes(),
            truth.classes.astype("<i2").tobytes(),
            truth.tracks.astype("<i8", copy=False).tobytes(),
            truth.areas.astype("<f8", copy=False).tobytes(),
            flags.astype("<u1").tobytes(),
            truth.distance_m.astype("<f4", copy=False).tobytes(),
            truth.occlusion.astype("<f4", copy=False).tobytes(),
        )
    )


def unpack_truth(blob: bytes) -> Truth:
    """Read what `pack_truth` wrote."""
    count = _count(blob, _TRUTH_BYTES)
    columns = _Columns(blob)
    boxes = columns.next("<f8", count * 4).reshape(-1, 4)
    classes = columns.next("<i2", count).astype(np.int32)
    tracks, areas, flags = columns.next("<i8", count), columns.next("<f8", count), columns.next("<u1", count)
    distance_m, occlusion = columns.next("<f4", count), columns.next("<f4", count)
    crowd, ignore = (flags & _CROWD) > 0, (flags & _IGNORE) > 0
    return Truth(boxes, classes, tracks, areas, crowd, ignore, distance_m, occlusion)


def pack_comparison(comparison: Comparison) -> bytes:
    """Write the number of detections, then the columns."""
    return b"".join(
        (
            np.array([len(comparison.detections)], "<u4").tobytes(),
            comparison.detections.astype("<u1", copy=False).tobytes(),
            comparison.partner.astype("<i4", copy=False).tobytes(),
            comparison.iou.astype("<f4", copy=False).tobytes(),
            comparison.truths.astype("<u1", copy=False).tobytes(),
        )
    )


def unpack_comparison(blob: bytes) -> Comparison:
    """Read what `pack_comparison` wrote."""
    columns = _Columns(blob)
    count = int(columns.next("<u4", 1)[0])
    detections, partner, iou = columns.next("<u1", count), columns.next("<i4", count), columns.next("<f4", count)
    truths = columns.next("<u1", len(blob) - 4 - 9 * count)
    return Comparison(truths=truths, detections=detections, partner=partner, iou=iou)


def pack_disagreement(disagreement: Disagreement) -> bytes:
    """Write both lists of rows; the value itself is a column of the frame."""
    head = np.array([len(disagreement.only_baseline)], "<i4")
    return np.concatenate((head, disagreement.only_baseline, disagreement.only_candidate)).astype("<i4").tobytes()


def unpack_disagreement(value: float, blob: bytes) -> Disagreement:
    """Read what `pack_disagreement` wrote."""
    rows = np.frombuffer(blob, "<i4")
    split = 1 + int(rows[0])
    return Disagreement(value, rows[1:split], rows[split:])


def finding_json(finding: Finding) -> dict[str, Any]:
    """Give plain values, NaN and infinity as None; the same form in the database, in `--json` and in the exports."""
    plain = asdict(finding)
    plain["severity"] = finding.severity.label
    plain["objects"] = [_without_nan(item) for item in plain["objects"]]
    plain["evidence"] = _without_nan(plain["evidence"])
    return _without_nan(plain)


def finding_from_json(plain: dict[str, Any]) -> Finding:
    """Read what `finding_json` wrote."""
    objects = tuple(FoundObject(**{**item, "box": tuple(item["box"])}) for item in plain["objects"])
    times = {name: math.nan if plain[name] is None else plain[name] for name in ("first_s", "last_s", "worst_s")}
    evidence = {name: math.nan if value is None else value for name, value in plain["evidence"].items()}
    return Finding(
        **{
            **plain,
            **times,
            "kind": Kind(plain["kind"]),
            "severity": Severity[plain["severity"].upper()],
            "role": None if plain["role"] is None else Role(plain["role"]),
            "objects": objects,
            "evidence": evidence,
        }
    )


def _without_nan(plain: dict[str, Any]) -> dict[str, Any]:
    """Replace what JSON cannot hold by None."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in plain.items()
    }


def _count(blob: bytes, row_bytes: int) -> int:
    count, rest = divmod(len(blob), row_bytes)
    if rest:
        raise StoreBroken(
            f"a stored row of boxes has {len(blob)} bytes, not a multiple of {row_bytes}; the run is damaged"
        )
    return count
