"""CSV: one row a frame with counts and times, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from hilgui.records import Fate, Finding, FrameRef, Loss, Moment, Role, RunHeader
from hilgui.report.frames import captured_frames
from hilgui.report.protocol import Progress, place_for, replacing
from hilgui.store import RunReader

_FRAME = (
    "seq",
    "channel",
    "key",
    "time_s",
    "stamp",
    "fate",
    "reason",
    "labelled",
    "truths",
    "brightness",
    "disagreement",
)
_MODEL = (
    "latency_ms",
    "preprocess_ms",
    "run_ms",
    "postprocess_ms",
    "invalid",
    "detections",
    "mean_score",
    "matched",
    "missed",
    "phantoms",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvTable:
    """Writes a plain header row and RFC 4180 lines; a value that is not known is an empty cell.

    Text that a spreadsheet would take for a formula gets an apostrophe in front. `findings` lists the kinds that
    were active on the frame; `channel` names the camera in a drive of several.
    """

    name: ClassVar[str] = "csv"
    suffix: ClassVar[str] = ".csv"
    file_name: ClassVar[str] = "frames.csv"

    def export(self, reader: RunReader, out: Path | None, progress: Progress) -> Path:
        """Write the file; see `Exporter.export`."""
        total = reader.ledger.captured
        place = place_for(reader, out, self.file_name)
        with replacing(place) as file:
            table = csv.DictWriter(file, columns(reader.header), restval="")
            table.writeheader()
            for done, row in enumerate(rows(reader), start=1):
                table.writerow({name: cell(value) for name, value in row.items()})
                if done % 100 == 0 or done == total:
                    progress(done, total)
        return place


def columns(header: RunHeader) -> list[str]:
    """Name the columns: those of the frame, those of each model, the findings."""
    return [*_FRAME, *(f"{role.value}_{name}" for role in header.models for name in _MODEL), "findings"]


def rows(reader: RunReader) -> Iterator[dict[str, Any]]:
    """Give every captured frame in order."""
    active = _Active(reader.findings())
    for item in captured_frames(reader):
        row = _loss(item) if isinstance(item, Loss) else _moment(item, reader.header)
        yield row | {"findings": " ".join(active.at(item.ref.seq))}


class _Active:
    """Says which kinds of findings span a frame; asked with rising numbers."""

    def __init__(self, findings: list[Finding]) -> None:
        self._coming = sorted(findings, key=lambda finding: finding.first_seq, reverse=True)
        self._open: list[Finding] = []

    def at(self, seq: int) -> list[str]:
        while self._coming and self._coming[-1].first_seq <= seq:
            self._open.append(self._coming.pop())
        self._open = [finding for finding in self._open if finding.last_seq >= seq]
        return sorted({finding.kind.value for finding in self._open})


def _frame(ref: FrameRef, fate: Fate, reason: str) -> dict[str, Any]:
    return {
        "seq": ref.seq,
        "channel": ref.channel,
        "key": ref.key,
        "time_s": ref.time_s,
        "stamp": ref.stamp.isoformat(),
        "fate": fate.value,
        "reason": reason,
    }


def _loss(loss: Loss) -> dict[str, Any]:
    return _frame(loss.ref, loss.fate, loss.reason) | {"labelled": 0}


def _moment(moment: Moment, header: RunHeader) -> dict[str, Any]:
    row = _frame(moment.ref, Fate.EVALUATED, "") | {
        "labelled": int(moment.truth is not None),
        "truths": None if moment.truth is None else len(moment.truth),
        "brightness": moment.health.mean,
        "disagreement": None if moment.disagreement is None else moment.disagreement.value,
    }
    for role in moment.inferences:
        row |= {f"{role.value}_{name}": value for name, value in _model(moment, role, header).items()}
    return row


def _model(moment: Moment, role: Role, header: RunHeader) -> Mapping[str, Any]:
    inference, comparison = moment.inferences[role], moment.comparisons.get(role)
    shown = inference.detections.first(inference.detections.count_above(header.models[role].threshold))
    scores = shown.scores[np.isin(shown.classes, list(header.vocabulary.judged))]
    figures = {
        "latency_ms": inference.latency_ms,
        "preprocess_ms": inference.preprocess_ns / 1e6,
        "run_ms": inference.run_ns / 1e6,
        "postprocess_ms": inference.postprocess_ns / 1e6,
        "invalid": inference.invalid,
        "detections": len(scores),
        "mean_score": float(scores.mean()) if len(scores) else None,
    }
    if comparison is None:
        return figures
    return figures | {"matched": comparison.matched, "missed": comparison.missed, "phantoms": comparison.phantoms}


def cell(value: Any) -> Any:
    """Give a value as a cell: nothing for what is not known, and no formula."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e5 else repr(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
