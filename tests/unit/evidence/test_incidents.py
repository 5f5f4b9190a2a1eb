"""Incidents: go on and never back, know their times, keep what people typed from being markup."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hilgui.errors import CallWrong
from hilgui.evidence import Incidents, IncidentSeverity, IncidentState, Trigger, playbook, trigger_of
from hilgui.evidence.postmortem import draft
from tests.unit.evidence.bench import BETTER, WORSE, record, stocked

START = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("trigger", "severity"),
    [
        (Trigger.ACTUATION, IncidentSeverity.S1),
        (Trigger.EVIDENCE, IncidentSeverity.S1),
        (Trigger.REGRESSION, IncidentSeverity.S2),
        (Trigger.PROVIDER, IncidentSeverity.S2),
        (Trigger.DATA_GAP, IncidentSeverity.S3),
        (Trigger.UNSURE, IncidentSeverity.S1),
    ],
)
def test_unsure_means_the_higher_severity(tmp_path: Path, trigger: Trigger, severity: IncidentSeverity) -> None:
    opened = Incidents(tmp_path).open("something", by="eve", trigger=trigger)

    assert (opened.severity, opened.state) == (severity, IncidentState.OPEN)


@pytest.mark.parametrize(
    ("figures", "trigger"),
    [
        (WORSE, Trigger.REGRESSION),
        (BETTER, Trigger.REGRESSION),
        ({**BETTER, "integrity": ("run a has no ground truth",)}, Trigger.DATA_GAP),
        (
            {**BETTER, "integrity": ("the models ran on CPUExecutionProvider, the plan asks for CUDA",)},
            Trigger.PROVIDER,
        ),
        ({**WORSE, "integrity": ("run a has no ground truth",)}, Trigger.REGRESSION),
        ({**BETTER, "frames": 10}, Trigger.DATA_GAP),
    ],
    ids=["roll-back", "promote", "no-truth", "provider", "no-truth-but-worse", "too-few-frames"],
)
def test_the_trigger_follows_from_the_decision(tmp_path: Path, figures: dict[str, Any], trigger: Trigger) -> None:
    assert trigger_of(record(tmp_path, **figures).plain["decision"]) is trigger


def test_an_incident_goes_through_its_states_with_its_times(tmp_path: Path) -> None:
    incidents = Incidents(tmp_path)
    occurred = (START - timedelta(seconds=90)).isoformat()
    opened = incidents.open("misses", by="eve", trigger=Trigger.REGRESSION, occurred=occurred, now=START)
    for seconds, state in enumerate([one for one in IncidentState if one is not IncidentState.OPEN], 1):
        note = "shadow only, nothing is in use" if state is IncidentState.ROLLED_BACK else ""
        incidents.move(opened.id, state, by="eve", note=note, now=START + timedelta(seconds=2 * seconds))

    closed = incidents.find(opened.id)

    assert closed.is_closed
    assert (closed.times_s["detect"], closed.times_s["contain"]) == (90.0, 2.0)
    assert list(closed.reached) and set(closed.reached) == set(IncidentState)


@pytest.mark.parametrize(
    ("state", "note", "said"),
    [
        (IncidentState.OPEN, "", "is CONTAINED already; it goes on to DIAGNOSED"),
        (IncidentState.VERIFIED, "", "leaves out DIAGNOSED, ROLLED_BACK"),
        (IncidentState.ROLLED_BACK, "", "no alias moved"),
    ],
)
def test_steps_back_and_gaps_are_refused(tmp_path: Path, state: IncidentState, note: str, said: str) -> None:
    incidents = Incidents(tmp_path)
    opened = incidents.open("x", by="eve")
    incidents.move(opened.id, IncidentState.CONTAINED, by="eve")

    with pytest.raises(CallWrong, match=said):
        incidents.move(opened.id, state, by="eve", note=note)


def test_a_severity_is_raised_by_anybody_and_lowered_with_a_reason(tmp_path: Path) -> None:
    incidents = Incidents(tmp_path)
    opened = incidents.open("x", by="eve", trigger=Trigger.DATA_GAP)

    raised = incidents.move(opened.id, IncidentState.OPEN, by="eve", severity=IncidentSeverity.S1)
    assert raised.severity is IncidentSeverity.S1
    with pytest.raises(CallWrong, match="S3 is less than S1"):
        incidents.move(opened.id, IncidentState.OPEN, by="eve", severity=IncidentSeverity.S3)


def test_a_rollback_contains_an_incident(tmp_path: Path) -> None:
    registry, _ = stocked(tmp_path, tmp_path)
    registry.promote("front", by=("ada", "bob"), reason="test")
    incidents = Incidents(tmp_path)
    opened = incidents.open("misses people", by="eve", trigger=Trigger.REGRESSION)
    move = registry.roll_back("front", by="eve", reason="misses people")

    contained = incidents.rolled_back(opened.id, move.as_json(), moved_after_s=0.25)

    assert contained.state is IncidentState.CONTAINED
    assert contained.times_s["contain_command"] == 0.25
    assert contained.late == ()
    incidents.move(opened.id, IncidentState.DIAGNOSED, by="eve", note="trained without rain")
    assert incidents.move(opened.id, IncidentState.ROLLED_BACK, by="eve").state is IncidentState.ROLLED_BACK


def test_a_slow_rollback_is_said(tmp_path: Path) -> None:
    incidents = Incidents(tmp_path)
    opened = incidents.open("x", by="eve")
    move = {"by": ["eve"], "slot": "front", "sha256": "a" * 64, "seconds": 75.0}

    assert incidents.rolled_back(opened.id, move, moved_after_s=9.0).late == (
        "contain command took 9.0 s, the limit is 5 s",
        "roll back took 75.0 s, the limit is 60 s",
    )


def test_the_post_mortem_tells_the_facts(tmp_path: Path) -> None:
    decision = record(tmp_path, **WORSE)
    incidents = Incidents(tmp_path)
    opened = incidents.open(
        "misses <b>people</b> | at night",
        by="eve",
        trigger=Trigger.REGRESSION,
        decision=decision.id,
        runs=decision.runs,
    )
    incidents.move(opened.id, IncidentState.CONTAINED, by="bob", note="candidate taken out of shadow")

    text = draft(tmp_path, incidents.find(opened.id))

    assert f"decision ROLL BACK {decision.id}".replace("_", "\\_") in text
    assert "candidate taken out of shadow" in text
    assert all(f"run {run} ended PASS" in text for run in decision.runs)
    assert "<b>" not in text.replace("\\<b\\>", "")
    assert "to be written by people".lower() in text.lower()


def test_an_edited_playbook_is_used(tmp_path: Path) -> None:
    shipped_place, text = playbook(tmp_path, Trigger.REGRESSION)
    own = tmp_path / "playbooks" / "regression.md"
    own.parent.mkdir()
    own.write_text("call Bob first", encoding="utf-8")

    assert "hilgui models rollback" in text
    assert Path(shipped_place).name == own.name
    assert playbook(tmp_path, Trigger.UNSURE) == (str(own), "call Bob first")


@pytest.mark.parametrize("trigger", list(Trigger))
def test_every_trigger_has_a_playbook(tmp_path: Path, trigger: Trigger) -> None:
    assert playbook(tmp_path, trigger)[1].startswith("# ")


def test_an_unknown_incident_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CallWrong, match="there is no incident 'inc-1'"):
        Incidents(tmp_path).find("inc-1")
