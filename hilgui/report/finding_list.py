"""Findings of any runs as a list that others can read: CSV for spreadsheets, JSON Lines for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

from hilgui.errors import CallWrong
from hilgui.report.csv_table import cell
from hilgui.report.decided import triage_json
from hilgui.report.protocol import replacing
from hilgui.store.codec import finding_json
from hilgui.triage import FindingRow

COLUMNS = (
    "run", "drive", "number", "kind", "severity", "model", "class", "suspect", "suspect_model", "first_seq",
    "last_seq", "worst_seq", "first_s", "last_s", "worst_s", "frames", "distance_m", "level", "trigger", "state",
    "tags", "assignee", "note", "why",
)  # fmt: skip


def write_list(rows: Iterable[FindingRow], path: Path) -> Path:
    """Write findings with what people made of them, in the format of the ending of the name.

    CSV has one row a finding, JSON Lines what `hilgui findings --json` has. What is there is replaced. Raises CallWrong
    for another ending or a folder that does not exist, StoreBroken where the disk refuses.
    """
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        raise CallWrong(f"findings are not listed in {path.name!r}; end its name in {' or '.join(WRITERS)}")
    if not path.parent.is_dir():
        raise CallWrong(f"there is no folder {path.parent} for {path.name}; make it or choose another place")
    with replacing(path) as file:
        write(rows, file)
    return path


def row_json(row: FindingRow) -> dict[str, Any]:
    """Give a finding as plain values: itself, its run and drive, its triage."""
    return {
        **finding_json(row.finding),
        "run": str(row.folder),
        "drive": row.drive,
        "triage": triage_json(row.triage),
    }


def _write_csv(rows: Iterable[FindingRow], file: TextIO) -> None:
    table = csv.DictWriter(file, COLUMNS)
    table.writeheader()
    for row in rows:
        table.writerow({name: cell(value) for name, value in _columns(row).items()})


def _write_lines(rows: Iterable[FindingRow], file: TextIO) -> None:
    for row in rows:
        file.write(json.dumps(row_json(row), ensure_ascii=False, allow_nan=False) + "\n")


def _columns(row: FindingRow) -> dict[str, Any]:
    finding, triage = row.finding, row.triage
    first = finding.objects[0] if finding.objects else None
    names = ("first_seq", "last_seq", "worst_seq", "first_s", "last_s", "worst_s", "frames", "trigger", "why")
    return {
        "run": row.run_id,
        "drive": row.drive,
        "number": finding.number,
        "kind": finding.kind.value,
        "severity": finding.severity.label,
        "model": finding.role and finding.role.value,
        "class": row.label,
        "suspect": finding.suspect and finding.suspect.value,
        "suspect_model": finding.suspect_model and finding.suspect_model.value,
        **{name: getattr(finding, name) for name in names},
        "distance_m": None if first is None else first.distance_m,
        "level": finding.level and finding.level.value,
        "state": triage.state.value,
        "tags": ", ".join(triage.tags),
        "assignee": triage.assignee,
        "note": triage.note,
    }


WRITERS: dict[str, Callable[[Iterable[FindingRow], TextIO], None]] = {".csv": _write_csv, ".jsonl": _write_lines}
