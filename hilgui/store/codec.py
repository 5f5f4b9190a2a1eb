"""Packs arrays into blobs, little-endian, one column after the other."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import StoreBroken
from hilgui.records import (
    Comparison,
    Detections,
    Disagreement,
    Finding,
    FoundObject,
    Kind,
    Level,
    Role,
    Severity,
    Suspect,
    Truth,
)

_F4, _F8, _U1, _I2, _I4, _I8 = (np.dtype(kind) for kind in ("<f4", "<f8", "<u1", "<i2", "<i4", "<i8"))
_DETECTION_BYTES = 4 * 4 + 4 + 2
_TRUTH_BYTES = 4 * 8 + 2 + 8 + 8 + 1 + 4 + 4
_CROWD, _IGNORE = 1, 2


class _Columns:
    """Reads one column after the other out of a blob."""

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self._offset = 0

    def next(self, kind: np.dtype[Any], count: int, width: int = 0) -> NDArray[Any]:
        """Give a read-only view of the next column, of `width` numbers a row; raises TypeError where it is cut off."""
        column: NDArray[Any] = np.ndarray((count, width) if width else (count,), kind, self._blob, self._offset)
        self._offset += column.nbytes
        return column


def pack_detections(detections: Detections) -> bytes:
    """Write 22 bytes a box."""
    return b"".join(
        (
            detections.boxes.astype(_F4, copy=False).tobytes(),
            detections.scores.astype(_F4, copy=False).tobytes(),
            detections.classes.astype(_I2).tobytes(),
        )
    )


def unpack_detections(blob: bytes) -> Detections:
    """Read what `pack_detections` wrote."""
    count = _count(blob, _DETECTION_BYTES)
    columns = _Columns(blob)
    boxes = columns.next(_F4, count, 4)
    return Detections(boxes, columns.next(_F4, count), columns.next(_I2, count).astype(np.int32))


def pack_truth(truth: Truth) -> bytes:
    """Write 59 bytes an object."""
    flags = truth.ignore.astype(_U1)
    flags *= _IGNORE
    flags |= truth.crowd  # counts as _CROWD
    return b"".join(
        (
            truth.boxes.astype(_F8, copy=False).tobytes(),
            truth.classes.astype(_I2).tobytes(),
            truth.tracks.astype(_I8, copy=False).tobytes(),
            truth.areas.astype(_F8, copy=False).tobytes(),
            flags.tobytes(),
            truth.distance_m.astype(_F4, copy=False).tobytes(),
            truth.occlusion.astype(_F4, copy=False).tobytes(),
        )
    )


def unpack_truth(blob: bytes) -> Truth:
    """Read what `pack_truth` wrote."""
    count = _count(blob, _TRUTH_BYTES)
    columns = _Columns(blob)
    boxes = columns.next(_F8, count, 4)
    classes = columns.next(_I2, count).astype(np.int32)
    tracks, areas, flags = columns.next(_I8, count), columns.next(_F8, count), columns.next(_U1, count)
    distance_m, occlusion = columns.next(_F4, count), columns.next(_F4, count)
    crowd, ignore = (flags & _CROWD) > 0, (flags & _IGNORE) > 0
    nobody = np.full(count, np.nan, np.float32)  # truncation lies beside it, see answers.py
    return Truth(boxes, classes, tracks, areas, crowd, ignore, distance_m, occlusion, nobody)


def pack_comparison(comparison: Comparison) -> bytes:
    """Write the number of detections, then the columns."""
    return b"".join(
        (
            len(comparison.detections).to_bytes(4, "little"),
            comparison.detections.astype(_U1, copy=False).tobytes(),
            comparison.partner.astype(_I4, copy=False).tobytes(),
            comparison.iou.astype(_F4, copy=False).tobytes(),
            comparison.truths.astype(_U1, copy=False).tobytes(),
        )
    )


def unpack_comparison(blob: bytes) -> Comparison:
    """Read what `pack_comparison` wrote."""
    columns = _Columns(blob)
    count = int.from_bytes(blob[:4], "little")
    columns.next(_U1, 4)
    detections, partner, iou = columns.next(_U1, count), columns.next(_I4, count), columns.next(_F4, count)
    truths = columns.next(_U1, len(blob) - 4 - 9 * count)
    return Comparison(truths=truths, detections=detections, partner=partner, iou=iou)


def pack_disagreement(disagreement: Disagreement) -> bytes:
    """Write both lists of rows; the value itself is a column of the frame."""
    return b"".join(
        (
            len(disagreement.only_baseline).to_bytes(4, "little"),
            disagreement.only_baseline.astype(_I4, copy=False).tobytes(),
            disagreement.only_candidate.astype(_I4, copy=False).tobytes(),
        )
    )


def unpack_disagreement(value: float, blob: bytes) -> Disagreement:
    """Read what `pack_disagreement` wrote."""
    rows = np.frombuffer(blob, "<i4")
    split = 1 + int(rows[0])
    return Disagreement(value, rows[1:split], rows[split:])


def finding_json(finding: Finding) -> dict[str, Any]:
    """Give plain values, NaN and infinity as None; the same form in the database, in `--json` and in the exports."""
    plain = asdict(finding)
    if finding.suspect_role is None:
        del plain["suspect_role"]  # findings of before keep their form, and with it their digests
    plain["severity"] = finding.severity.label
    plain["objects"] = [_without_nan(item) for item in plain["objects"]]
    plain["evidence"] = _without_nan(plain["evidence"])
    return _without_nan(plain)


def finding_from_json(plain: dict[str, Any]) -> Finding:
    """Read what `finding_json` wrote, in runs of before with fewer fields."""
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
            "level": None if plain.get("level") is None else Level(plain["level"]),
            "suspect": None if plain.get("suspect") is None else Suspect(plain["suspect"]),
            "suspect_role": None if plain.get("suspect_role") is None else Role(plain["suspect_role"]),
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
