"""JSON Lines: the header first, then one line a frame that stands alone, then one line a finding."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from hilgui.records import (
    NO_TRACK,
    Comparison,
    Detections,
    Fate,
    FrameRef,
    Inference,
    Judgement,
    Loss,
    Moment,
    Role,
    RunHeader,
    Truth,
)
from hilgui.report.decided import decided, triage_json
from hilgui.report.frames import captured_frames
from hilgui.report.protocol import Progress, place_for, replacing
from hilgui.report.summary import summary
from hilgui.store import RunReader
from hilgui.store.codec import finding_json

SCHEMA = "hilgui/run.v1"

_OF_TRUTH = {Judgement.MATCHED: "matched", Judgement.UNMATCHED: "missed", Judgement.IGNORED: "ignored"}
_OF_DETECTION = {Judgement.MATCHED: "matched", Judgement.UNMATCHED: "phantom", Judgement.IGNORED: "ignored"}


class Jsonl:
    """Streams a run frame by frame; memory does not grow with its boxes.

    Every stored detection is written (score ≥ .001, falling), `above` says whether it reaches the card's threshold;
    only those have a `judgement` (matched, phantom, ignored) and an `iou`. Scores are exact, boxes rounded to .001 px.
    A number that is not known is null; `truth` is null on a frame without labels and [] on an empty one.
    """

    name: ClassVar[str] = "jsonl"
    suffix: ClassVar[str] = ".jsonl"
    file_name: ClassVar[str] = "frames.jsonl"

    def export(self, reader: RunReader, out: Path | None, progress: Progress) -> Path:
        """Write the file; see `Exporter.export`."""
        total = reader.ledger.captured
        place = place_for(reader, out, self.file_name)
        with replacing(place) as file:
            file.write(_line(header_line(reader)))
            for done, line in enumerate(frame_lines(reader), start=1):
                file.write(_line(line))
                if done % 100 == 0 or done == total:
                    progress(done, total)
            standing = decided(reader)
            for finding in reader.findings():
                triage = triage_json(standing[finding.number])
                file.write(_line({"type": "finding"} | finding_json(finding) | {"triage": triage}))
        return place


def header_line(reader: RunReader) -> dict[str, Any]:
    """Give what the run was: its header and its summary."""
    return {"type": "header", "schema": SCHEMA} | reader.header.as_json() | {"summary": summary(reader)}


def frame_lines(reader: RunReader) -> Iterator[dict[str, Any]]:
    """Give every captured frame in order, lost ones with their fate and reason."""
    for item in captured_frames(reader):
        yield loss_plain(item) if isinstance(item, Loss) else moment_plain(item, reader.header)


def moment_plain(moment: Moment, header: RunHeader) -> dict[str, Any]:
    """Give one evaluated frame as plain values."""
    return {
        **_frame(moment.ref, Fate.EVALUATED, ""),
        "labelled": moment.truth is not None,
        "brightness": moment.health.mean,
        "disagreement": None if moment.disagreement is None else moment.disagreement.value,
        "truth": None if moment.truth is None else _truth(moment.truth, moment, header),
        **{
            role.value: _inference(moment.inferences[role], moment.comparisons.get(role), header, role)
            if role in moment.inferences
            else None
            for role in Role
        },
    }


def loss_plain(loss: Loss) -> dict[str, Any]:
    """Give one frame that was not evaluated as plain values."""
    unknown = dict.fromkeys(("brightness", "disagreement", "truth", *(role.value for role in Role)))
    return {**_frame(loss.ref, loss.fate, loss.reason), "labelled": False, **unknown}


def _line(plain: dict[str, Any]) -> str:
    return json.dumps(_without_nan(plain), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return value


def _frame(ref: FrameRef, fate: Fate, reason: str) -> dict[str, Any]:
    return {
        "type": "frame",
        "seq": ref.seq,
        "channel": ref.channel,
        "key": ref.key,
        "time_s": ref.time_s,
        "stamp": ref.stamp.isoformat(),
        "width": ref.width,
        "height": ref.height,
        "fate": fate.value,
        "reason": reason,
    }


def _truth(truth: Truth, moment: Moment, header: RunHeader) -> list[dict[str, Any]]:
    boxes = np.round(truth.boxes, 3).tolist()
    judgements = {
        role.value: [_OF_TRUTH[Judgement(value)] for value in comparison.truths.tolist()]
        for role, comparison in moment.comparisons.items()
    }
    return [
        {
            "class": header.vocabulary.name(index),
            "box": boxes[row],
            "track": None if truth.tracks[row] == NO_TRACK else int(truth.tracks[row]),
            "ignore": bool(truth.ignore[row]),
            "crowd": bool(truth.crowd[row]),
            "distance_m": _short(truth.distance_m[row]),
            "occlusion": _short(truth.occlusion[row]),
            "judgement": {role: words[row] for role, words in judgements.items()},
        }
        for row, index in enumerate(truth.classes.tolist())
    ]


def _inference(inference: Inference, comparison: Comparison | None, header: RunHeader, role: Role) -> dict[str, Any]:
    return {
        "latency_ms": round(inference.latency_ms, 4),
        "preprocess_ms": inference.preprocess_ns / 1e6,
        "run_ms": inference.run_ns / 1e6,
        "postprocess_ms": inference.postprocess_ns / 1e6,
        "invalid": inference.invalid,
        "detections": _detections(inference.detections, comparison, header, role),
    }


def _detections(
    detections: Detections, comparison: Comparison | None, header: RunHeader, role: Role
) -> list[dict[str, Any]]:
    boxes = np.round(detections.boxes.astype(np.float64), 3).tolist()
    above = detections.count_above(header.models[role].threshold)
    judged = [] if comparison is None else [_OF_DETECTION[Judgement(value)] for value in comparison.detections.tolist()]
    overlaps = [] if comparison is None else comparison.iou.tolist()
    return [
        {
            "class": header.vocabulary.name(index),
            "score": _short(detections.scores[row]),
            "box": boxes[row],
            "above": row < above,
            "judgement": judged[row] if row < len(judged) else None,
            "iou": round(overlaps[row], 4) if row < len(overlaps) else None,
        }
        for row, index in enumerate(detections.classes.tolist())
    ]


def _short(value: np.float32) -> float:
    """Write a float32 with the fewest digits that name it uniquely."""
    return float(str(value))
