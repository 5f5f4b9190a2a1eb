from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from hilgui.errors import CallWrong, StoreBroken
from hilgui.records import FoundObject, Role
from hilgui.report import export_run, formats
from hilgui.report.csv_table import CsvTable
from hilgui.report.junit import Junit, suites_of
from hilgui.report.protocol import silent
from hilgui.report.summary import summary
from hilgui.store import RunReader
from tests.unit.report.night_run import FRAMES, LOST, UNLABELLED, header, write_run


def lines_of(path: Path) -> list[dict[str, Any]]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def lines(reader: RunReader, tmp_path: Path) -> list[dict[str, Any]]:
    return lines_of(export_run(reader, "jsonl", tmp_path / "out.jsonl"))


def test_every_built_in_format_is_announced() -> None:
    assert {"csv", "html", "jsonl", "junit"} <= set(formats())


def test_an_unknown_format_is_a_wrong_call(reader: RunReader) -> None:
    with pytest.raises(CallWrong, match="there is no export format 'pdf'"):
        export_run(reader, "pdf")


def test_the_first_line_is_the_header_with_the_summary(lines: list[dict[str, Any]], reader: RunReader) -> None:
    assert lines[0]["type"] == "header"
    assert lines[0]["run_id"] == reader.header.run_id
    assert lines[0]["summary"]["frames"]["evaluated"] == FRAMES - 2


def test_each_captured_frame_has_a_line_in_order_and_findings_follow(lines: list[dict[str, Any]]) -> None:
    assert [line["seq"] for line in lines if line["type"] == "frame"] == list(range(FRAMES))
    assert [line["kind"] for line in lines if line["type"] == "finding"] == ["missed_object", "phantom"]
    assert [line["type"] for line in lines[1 : FRAMES + 1]] == ["frame"] * FRAMES


def test_a_lost_frame_says_why(lines: list[dict[str, Any]]) -> None:
    for seq, (fate, reason) in LOST.items():
        line = lines[1 + seq]
        assert (line["fate"], line["reason"], line["baseline"]) == (fate.value, reason, None)


def test_stored_detections_are_exact_and_the_threshold_is_marked(
    lines: list[dict[str, Any]], reader: RunReader
) -> None:
    moment = reader.moment(12)
    assert moment is not None
    stored = moment.inferences[Role.CANDIDATE].detections
    written = lines[13]["candidate"]["detections"]
    assert np.array([item["score"] for item in written], np.float32).tolist() == stored.scores.tolist()
    assert [item["above"] for item in written] == (stored.scores >= 0.4).tolist()
    assert {item["judgement"] for item in written if not item["above"]} == {None}
    phantom = next(item for item in written if item["class"] == "bus" and item["above"])
    assert phantom["judgement"] == "phantom"


def test_truth_is_judged_for_each_model_and_null_where_unlabelled(lines: list[dict[str, Any]]) -> None:
    person = lines[1]["truth"][1]
    assert person["class"] == "person"
    assert person["judgement"] == {"baseline": "matched", "candidate": "missed"}
    assert lines[1 + UNLABELLED]["truth"] is None
    assert not lines[1 + UNLABELLED]["labelled"]


def test_csv_has_one_row_a_frame_with_counts(reader: RunReader, tmp_path: Path) -> None:
    with export_run(reader, "csv", tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["seq"]) for row in rows] == list(range(FRAMES))
    assert (rows[12]["baseline_missed"], rows[12]["candidate_missed"], rows[12]["candidate_phantoms"]) == (
        "0",
        "2",
        "1",
    )
    assert rows[12]["findings"] == "missed_object phantom"
    assert (rows[20]["fate"], rows[20]["baseline_latency_ms"]) == ("dropped", "")
    assert rows[UNLABELLED]["candidate_missed"] == ""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_csv_defuses_formulas(text: str) -> None:
    from hilgui.report.csv_table import cell

    assert cell(text) == f"'{text}"
    assert cell(-1.5) == "-1.5"


def test_junit_is_red_where_frames_were_lost(reader: RunReader, tmp_path: Path) -> None:
    suites = ElementTree.parse(export_run(reader, "junit", tmp_path / "out.xml")).getroot()
    assert suites is not None
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("4", "1", "0")
    failure = suites.find("testsuite/testcase[@name='verdict']/failure")
    assert failure is not None
    assert failure.get("type") == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("verdict", "failures", "errors"),
    [("PASS", "0", "0"), ("FAIL", "1", "0"), ("INCONCLUSIVE", "1", "0"), ("ERROR", "0", "1"), ("ABORTED", "0", "1"),
     (None, "0", "1")],
)  # fmt: skip
def test_junit_follows_the_verdict(reader: RunReader, verdict: str | None, failures: str, errors: str) -> None:
    suites = suites_of(summary(reader) | {"verdict": verdict}, [])
    assert (suites.get("failures"), suites.get("errors")) == (failures, errors)


def test_junit_holds_what_xml_cannot(reader: RunReader, tmp_path: Path) -> None:
    facts = summary(reader) | {"reasons": ["bell \x07 and <tags> & \ud800"], "verdict": "FAIL"}
    text = ElementTree.tostring(suites_of(facts, reader.findings()), encoding="unicode")
    message = ElementTree.fromstring(text).find("testsuite/testcase/failure")
    assert message is not None
    assert message.text == "bell  and <tags> & "


@pytest.mark.parametrize("form", ["jsonl", "csv", "html", "junit"])
def test_an_export_goes_into_the_run_folder_and_may_be_repeated(form: str, tmp_path: Path) -> None:
    reader = RunReader(write_run(tmp_path, header()))
    first, second = export_run(reader, form), export_run(reader, form)
    reader.close()
    assert first == second
    assert first.parent == reader.folder
    assert not list(reader.folder.glob(".*.part"))


def test_a_folder_gets_the_usual_name_after_the_id_of_the_run(reader: RunReader, tmp_path: Path) -> None:
    run_id = reader.header.run_id
    assert CsvTable().export(reader, tmp_path, silent) == tmp_path / f"{run_id}-frames.csv"
    assert Junit().export(reader, tmp_path, silent) == tmp_path / f"{run_id}-junit.xml"


def test_a_folder_that_does_not_exist_is_not_made(reader: RunReader, tmp_path: Path) -> None:
    with pytest.raises(CallWrong, match=r"there is no folder .*missing for the export out\.csv"):
        export_run(reader, "csv", tmp_path / "missing" / "out.csv")
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_one_sentence_and_leaves_nothing(reader: RunReader, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(StoreBroken, match=r"the export .* cannot be written: .*; choose another place with --out"):
        export_run(reader, "csv", tmp_path / "file" / "out.csv")
    assert (tmp_path / "file").read_text() == "kept"


def test_progress_reaches_the_total(reader: RunReader, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    export_run(reader, "jsonl", tmp_path / "out.jsonl", lambda done, total: heard.append((done, total)))
    assert heard[-1] == (FRAMES, FRAMES)


def test_found_objects_stand_in_the_finding_lines(lines: list[dict[str, Any]]) -> None:
    person = FoundObject(**lines[-2]["objects"][0])
    assert (person.label, person.distance_m) == ("person", 22.0)
    assert lines[-2]["evidence"]["best_iou"] is None
