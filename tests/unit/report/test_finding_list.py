"""Findings as a list, and what people decided about them in every export."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from pathlib import Path

import pytest

from hilgui.errors import CallWrong
from hilgui.records.triage import TriageState
from hilgui.report import export_run
from hilgui.report.finding_list import write_list
from hilgui.store import RunReader
from hilgui.triage import FindingRow, FindingsIndex, Journal, Query
from tests.unit.triage.many import make_run

NOTE = "=cmd, “the box”\nof yesterday"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HILGUI_HOME", str(tmp_path))
    folder = make_run(tmp_path / "runs", 5)
    Journal(folder, tmp_path).change(
        [2], who="Ada", state=TriageState.LABEL_ERROR, note=NOTE, tags=["fog", "late"], assignee="Bob"
    )
    return folder


@pytest.fixture
def rows(run: Path, tmp_path: Path) -> list[FindingRow]:
    with closing(FindingsIndex(tmp_path)) as index:
        index.refresh([run])
        return index.rows(index.ids(Query(order="number")))


def test_a_csv_carries_what_people_made_of_findings_and_no_formula(rows: list[FindingRow], tmp_path: Path) -> None:
    path = write_list(rows, tmp_path / "list.csv")
    with path.open(newline="") as file:
        told = list(csv.DictReader(file))
    assert [row["number"] for row in told] == ["1", "2", "3", "4", "5"]
    assert (told[1]["state"], told[1]["tags"], told[1]["assignee"]) == ("label_error", "fog, late", "Bob")
    assert told[1]["note"] == f"'{NOTE}"
    assert (told[0]["state"], told[0]["note"]) == ("open", "")
    assert (told[0]["suspect"], told[0]["suspect_model"]) == ("model", "baseline")


def test_json_lines_say_the_same_as_the_command(
    rows: list[FindingRow], run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hilgui.cli.app import main

    lines = [json.loads(line) for line in write_list(rows, tmp_path / "list.jsonl").read_text().splitlines()]
    assert main(["findings", str(run), "--order", "number", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == lines
    assert lines[1]["triage"] == {"state": "label_error", "note": NOTE, "tags": ["fog", "late"], "assignee": "Bob"}


def test_the_command_writes_a_selection(run: Path, tmp_path: Path) -> None:
    from hilgui.cli.app import main

    path = tmp_path / "selection.csv"
    assert main(["findings", str(run), "--state", "label_error", "--out", str(path)]) == 0
    with path.open(newline="") as file:
        assert [row["number"] for row in csv.DictReader(file)] == ["2"]
    assert main(["findings", str(run), "--out", str(tmp_path / "selection.xlsx")]) == 2
    assert main(["findings", str(run), "--out", str(tmp_path / "nowhere" / "selection.csv")]) == 2


def test_another_ending_is_refused(rows: list[FindingRow], tmp_path: Path) -> None:
    with pytest.raises(CallWrong, match=r"\.csv or \.jsonl"):
        write_list(rows, tmp_path / "list.txt")


def test_exports_of_a_run_carry_decisions(run: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    with closing(RunReader(run)) as reader:
        lines = export_run(reader, "jsonl", tmp_path / "run.jsonl").read_text().splitlines()
        page = export_run(reader, "html", tmp_path / "run.html").read_text()
        table = pq.read_table(export_run(reader, "parquet", tmp_path / "run.parquet") / "findings.parquet")
    found = [line for line in map(json.loads, lines) if line["type"] == "finding"]
    assert [line["triage"]["state"] for line in found] == ["open", "label_error", "open", "open", "open"]
    assert found[1]["triage"]["tags"] == ["fog", "late"]
    assert table.column("state").to_pylist() == ["open", "label_error", "open", "open", "open"]
    assert table.column("note").to_pylist()[1] == NOTE
    for words in ("label error", "#fog", "#late", "for Bob", "=cmd"):
        assert words in page
