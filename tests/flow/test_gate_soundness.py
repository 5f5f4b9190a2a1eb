"""What must not be counted silently: cut drives, other settings, other labels, runs that were judged again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hilgui.cli import main
from hilgui.pipeline.deciding import runs_of
from hilgui.records import Outcome, RunHeader
from tests.paired_runs import BETTER, SPECIFICATION, paired_run, paired_runs

CUT = "232 of 240 labelled frames lie beyond drive-12.mp4: the recording was cut"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "front.yaml"
    path.write_text(SPECIFICATION.replace("{min_clusters: 12,", "{max_unpaired_fraction: 0.1, min_clusters: 12,"))
    return path


def answered(capsys: pytest.CaptureFixture[str], plan: Path, runs: Path, code: int) -> Any:
    capsys.readouterr()
    assert main(["gate", str(plan), "--runs", str(runs), "--json"]) == code, capsys.readouterr()
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("only", "said"),
    [
        ({"lost": 1, "frames": 8, "outcome": Outcome.INCONCLUSIVE, "reasons": (CUT,)}, CUT),
        ({"lost": 1, "frames": 8, "outcome": Outcome.ABORTED, "reasons": ("stopped by you",)}, "ended ABORTED"),
        ({"lost": 1, "frames": 8, "outcome": Outcome.ERROR, "reasons": ("no memory",)}, "ended ERROR: no memory"),
        ({"lost": 14, "frames": 8, "outcome": Outcome.INCONCLUSIVE}, "saw only 8 of the 22 frames"),
    ],
)
def test_few_lost_frames_hide_no_drive_that_is_none(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str], only: dict[str, Any], said: str
) -> None:
    paired_runs(tmp_path / "runs", BETTER)
    paired_run(tmp_path / "runs", 12, BETTER, **only)

    found = answered(capsys, plan, tmp_path / "runs", 3)

    assert found["action"] == "INCONCLUSIVE"
    assert said in found["reasons"][0]


def test_a_drive_of_few_frames_is_named(tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paired_runs(tmp_path / "runs", BETTER)
    short = paired_run(tmp_path / "runs", 12, BETTER, frames=1, outcome=Outcome.PASS)

    found = answered(capsys, plan, tmp_path / "runs", 0)

    told = f"run {short.name} counts as one drive although only 1 of its frames are judged; the median of the drives"
    assert any(note.startswith(told) for note in found["notes"])


def test_a_short_drive_that_lacks_labelled_frames_proves_nothing(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the run was stored as PASS, as it was before such a run was in doubt itself."""
    paired_runs(tmp_path / "runs", BETTER)
    short = paired_run(tmp_path / "runs", 12, BETTER, frames=1, outcome=Outcome.PASS)
    put(short, "notes", ["232 of 240 labelled frames are not in the recording (joined by key)"])

    found = answered(capsys, plan, tmp_path / "runs", 3)

    assert found["action"] == "INCONCLUSIVE"
    assert found["reasons"][0].startswith(f"run {short.name} has 1 judged frames")


def test_few_lost_frames_alone_are_allowed(tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paired_runs(tmp_path / "runs", BETTER, lost=1)

    assert answered(capsys, plan, tmp_path / "runs", 0)["action"] == "PROMOTE"


def with_threshold(header: RunHeader) -> RunHeader:
    return replace(header, models={role: replace(facts, threshold=0.1) for role, facts in header.models.items()})


def with_labels(digest: str, offset_ms: float = 0.0) -> Callable[[RunHeader], RunHeader]:
    def adjust(header: RunHeader) -> RunHeader:
        assert header.truth is not None
        return replace(header, truth=replace(header.truth, sha256=digest, offset_ms=offset_ms))

    return adjust


def test_one_network_with_two_cards_is_refused(tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paired_runs(tmp_path / "runs", BETTER)
    odd = paired_run(tmp_path / "runs", 12, BETTER, adjust=with_threshold)

    said = answered(capsys, plan, tmp_path / "runs", 2)["error"]

    assert odd.name in said and "threshold 0.1" in said and "threshold 0.5" in said


def test_labels_that_are_out_of_step_prove_nothing(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paired_runs(tmp_path / "runs", BETTER)
    paired_run(tmp_path / "runs", 12, BETTER, adjust=with_labels("d" * 64, offset_ms=-80.0))

    found = answered(capsys, plan, tmp_path / "runs", 3)

    assert "are 80 ms away from its frames; the limit is 50 ms" in found["reasons"][0]


def test_one_recording_with_two_truths_proves_nothing(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paired_runs(tmp_path / "runs", BETTER)
    paired_run(tmp_path / "runs", 0, BETTER, again=1, adjust=with_labels("d" * 64))

    found = answered(capsys, plan, tmp_path / "runs", 3)

    assert found["action"] == "INCONCLUSIVE"
    assert "judge drive-00.mp4 by different labels" in found["reasons"][0]


def test_a_run_that_was_judged_again_is_no_witness_of_determinism(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asks = '  - {id: deterministic, metric: candidate.replay_hash_mismatches, limit: "== 0"}\ngates:'
    plan.write_text(plan.read_text().replace("gates:", asks))
    folders = paired_runs(tmp_path / "runs", BETTER)
    again = paired_run(tmp_path / "runs", 0, BETTER, again=1)
    assert answered(capsys, plan, tmp_path / "runs", 0)["action"] == "PROMOTE"

    put(again, "rejudged_from", {"run_id": folders[0].name})

    found = answered(capsys, plan, tmp_path / "runs", 3)
    assert "nobody measured candidate.replay_hash_mismatches" in found["reasons"][0]


def test_a_copy_of_a_run_is_no_second_witness(tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = paired_runs(tmp_path / "runs", BETTER)
    shutil.copytree(folders[0], tmp_path / "runs" / "copy")

    said = answered(capsys, plan, tmp_path / "runs", 2)["error"]

    assert said.startswith(f"run {folders[0].name} is given twice")


def test_a_run_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    paired_runs(tmp_path / "runs", BETTER, drives=2)

    assert len(runs_of([str(tmp_path / "runs"), str(tmp_path / "runs")], tmp_path)) == 2


def test_a_run_that_lost_its_database_is_not_passed_over(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paired_runs(tmp_path / "runs", BETTER)
    lost = paired_run(tmp_path / "runs", 12, BETTER)
    (lost / "run.sqlite").unlink()

    assert f"{lost} has no run.sqlite" in answered(capsys, plan, tmp_path / "runs", 4)["error"]


def put(folder: Path, key: str, value: Any) -> None:
    """Write a value into a stored run, in the place of one that is there."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
        database.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, json.dumps(value)))
