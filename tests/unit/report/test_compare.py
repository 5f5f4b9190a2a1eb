from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hilgui.records import Finding, Role
from hilgui.report import compare_runs, compared_in_words
from hilgui.report.compare import match_findings
from hilgui.store import RunReader
from tests.unit.report.night_run import findings_of, header, write_run


@pytest.fixture
def other(tmp_path: Path) -> Iterator[RunReader]:
    """The same models on another drive."""
    head = header("20260201-101010-day-bbbb")
    opened = RunReader(write_run(tmp_path, replace(head, source=replace(head.source, sha256="f" * 64))))
    yield opened
    opened.close()


def shifted(finding: Finding, number: int, frames: int) -> Finding:
    return replace(finding, number=number, first_seq=finding.first_seq + frames, last_seq=finding.last_seq + frames)


def test_a_run_equals_itself(reader: RunReader) -> None:
    compared = compare_runs(reader, reader)
    assert all(compared["same"].values())
    assert (compared["findings"]["new"], compared["findings"]["gone"]) == ([], [])
    assert len(compared["findings"]["same"]) == 2
    assert compared["models"]["candidate"]["detection"]["map_50"]["difference"] == 0
    assert json.loads(json.dumps(compared, allow_nan=False))


def test_a_run_without_candidate_has_lost_its_findings(reader: RunReader, lone_reader: RunReader) -> None:
    compared = compare_runs(reader, lone_reader)
    assert not compared["same"]["candidate"]
    assert compared["models"]["candidate"]["name"] == {"a": "candidate", "b": None, "difference": None}
    assert {finding["role"] for finding in compared["findings"]["gone"]} == {"candidate"}


def test_different_drives_are_compared_with_a_note_and_findings_only_counted(
    reader: RunReader, other: RunReader
) -> None:
    compared = compare_runs(reader, other)
    assert not compared["same"]["source"]
    assert "different drives" in compared["notes"][0]
    assert compared["findings"]["same"] is None
    assert compared["findings"]["counts"]["b"] == {"missed_object": 1, "phantom": 1}


def test_findings_pair_by_kind_model_class_and_overlap() -> None:
    missed, phantom = findings_of(tuple(Role))
    near, far = shifted(missed, 11, 30), shifted(missed, 12, 41)
    car = replace(missed, number=13, objects=(replace(missed.objects[0], label="car"),))
    assert match_findings([missed], [near, far, car, phantom]) == [(missed, near)]


def test_a_finding_is_paired_once_with_the_larger_overlap_first() -> None:
    missed, _ = findings_of(tuple(Role))
    split = [replace(missed, number=21, last_seq=10), replace(missed, number=22, first_seq=12)]
    assert match_findings([missed], split) == [(missed, split[1])]
    assert match_findings(split, [missed]) == [(split[1], missed)]


def test_the_comparison_reads_as_lines(reader: RunReader, lone_reader: RunReader) -> None:
    lines = compared_in_words(compare_runs(reader, lone_reader))
    assert "candidate: candidate → –" in lines
    assert "findings: 2 new in B, 2 gone, 0 in both" in lines
    assert any(line.startswith("  AP50: 1.000 → 1.000 (+0.000)") for line in lines)


def test_a_difference_that_rounds_to_nothing_has_no_sign_and_counts_have_no_fraction(reader: RunReader) -> None:
    compared = compare_runs(reader, reader)
    compared["models"]["baseline"]["detection"]["map_50"] = {"a": 0.5, "b": 0.4999, "difference": -0.0001}
    compared["models"]["baseline"]["phantoms"] = {"a": 3649.0, "b": 3650.0, "difference": 1.0}
    lines = compared_in_words(compared)
    assert "  AP50: 0.500 → 0.500 (+0.000)" in lines
    assert "  phantoms: 3649 → 3650 (+1)" in lines
