"""`hilgui gate` over stored runs of many drives: the answer, its exit code, and the same bytes again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hilgui.cli import main
from hilgui.records import Outcome
from tests.paired_runs import BASELINE, BETTER, SLOW, SPECIFICATION, WORSE, Skill, paired_run, paired_runs


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "front.yaml"
    path.write_text(SPECIFICATION, encoding="utf-8")
    return path


def asked(capsys: pytest.CaptureFixture[str], plan: Path, runs: Path, code: int) -> tuple[Any, str]:
    capsys.readouterr()
    assert main(["gate", str(plan), "--runs", str(runs), "--json"]) == code, capsys.readouterr()
    said = capsys.readouterr().out
    return json.loads(said), said


@pytest.mark.parametrize(
    ("skill", "drives", "code", "action", "reason"),
    [
        (BETTER, 12, 0, "PROMOTE", "no figure is worse than its margin allows"),
        (WORSE, 12, 1, "ROLL BACK", "person-recall: recall.person went from"),
        (SLOW, 12, 1, "ROLL BACK", "invariant latency: candidate.latency_p99_ms is 48"),
        (BETTER, 4, 3, "INCONCLUSIVE", "4 drives of 12 planned ones are there"),
    ],
)
def test_the_exit_code_is_the_decision(
    tmp_path: Path,
    plan: Path,
    capsys: pytest.CaptureFixture[str],
    skill: Skill,
    drives: int,
    code: int,
    action: str,
    reason: str,
) -> None:
    paired_runs(tmp_path / "runs", skill, drives=drives)
    found, _ = asked(capsys, plan, tmp_path / "runs", code)
    assert found["action"] == action
    assert found["reasons"][0].startswith(reason)


def test_the_same_runs_give_the_same_bytes(tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paired_runs(tmp_path / "runs", WORSE)
    _, first = asked(capsys, plan, tmp_path / "runs", 1)
    _, second = asked(capsys, plan, tmp_path / "runs", 1)
    assert first == second


def test_a_recording_that_was_run_twice_counts_once(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    paired_runs(runs, BETTER, drives=11)
    paired_run(runs, 0, BETTER, again=1)
    found, _ = asked(capsys, plan, runs, 3)
    assert found["drives"] == 11 and found["reasons"] == ["11 drives of 12 planned ones are there"]
    assert "drive-00.mp4 was run 2 times and counts once" in found["notes"][0]


@pytest.mark.parametrize(
    ("first", "told"),
    [
        ({"frames": 5}, "5 of 12 frames"),
        ({"frames": 5, "outcome": Outcome.ABORTED}, "ABORTED"),
        ({"corrupt": ("fog:3",), "changed": True}, "pictures changed: fog:3"),
    ],
)
def test_of_a_recording_the_first_whole_run_counts(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str], first: dict[str, Any], told: str
) -> None:
    """A part, a run that was broken off, changed pictures: neither counted nor taken for a model that wavers."""
    runs = tmp_path / "runs"
    asks = '  - {id: deterministic, metric: candidate.replay_hash_mismatches, limit: "== 0"}\ngates:'
    plan.write_text(SPECIFICATION.replace("gates:", asks), encoding="utf-8")
    paired_runs(runs, BETTER)
    paired_run(runs, 1, BETTER, again=2)  # so that determinism is measured
    paired_run(runs, 0, BETTER, again=-1, **first)
    found, _ = asked(capsys, plan, runs, 0)
    assert (found["action"], found["frames"]) == ("PROMOTE", 12 * 12)
    assert told in found["notes"][0]


@pytest.mark.parametrize(
    ("only", "why"),
    [
        ({"frames": 5}, "is about 5 of the 12 frames of drive-00.mp4"),
        ({"corrupt": ("fog:3",)}, "the pictures of some runs were changed on purpose"),
        ({"frames": 5, "outcome": Outcome.ABORTED}, "ended ABORTED"),
    ],
)
def test_what_is_no_whole_run_proves_nothing(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str], only: dict[str, Any], why: str
) -> None:
    runs = tmp_path / "runs"
    for number in range(1, 13):
        paired_run(runs, number, BETTER)
    paired_run(runs, 0, BETTER, **only)
    found, _ = asked(capsys, plan, runs, 3)
    assert found["action"] == "INCONCLUSIVE"
    assert why in found["reasons"][0]


@pytest.mark.parametrize(("changed", "code", "measured"), [(False, 0, 0.0), (True, 1, 1.0)])
def test_a_replay_that_answers_otherwise_is_counted(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str], changed: bool, code: int, measured: float
) -> None:
    runs = tmp_path / "runs"
    paired_runs(runs, BETTER)
    paired_run(runs, 0, BETTER, again=1, changed=changed)
    asks = '  - {id: deterministic, metric: candidate.replay_hash_mismatches, limit: "== 0"}\ngates:'
    plan.write_text(SPECIFICATION.replace("gates:", asks), encoding="utf-8")
    found, _ = asked(capsys, plan, runs, code)
    invariants = {one["id"]: one["measured"] for one in found["invariants"]}
    assert invariants["deterministic"] == measured


def test_drives_on_different_providers_decide_nothing(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    paired_runs(runs, WORSE, drives=11)
    paired_run(runs, 11, WORSE, provider="CUDAExecutionProvider")
    found, _ = asked(capsys, plan, runs, 3)
    assert found["action"] == "INCONCLUSIVE"
    wanted = "the models ran on different providers: CPUExecutionProvider, CUDAExecutionProvider"
    assert found["reasons"] == found["integrity"] == [wanted]


def test_equal_models_are_held(tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paired_runs(tmp_path / "runs", BASELINE)
    found, _ = asked(capsys, plan, tmp_path / "runs", 3)
    assert found["action"] == "HOLD"


def test_a_mistake_in_the_plan_is_named_with_its_line(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.write_text(SPECIFICATION.replace("margin: 0.05", "margn: 0.05", 1), encoding="utf-8")
    paired_runs(tmp_path / "runs", BETTER, drives=1)
    found, _ = asked(capsys, plan, tmp_path / "runs", 4)
    assert ", line 10: " in found["error"] and "margin" in found["error"]
