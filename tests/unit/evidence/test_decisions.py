"""Recorded decisions: signed, agreed to, found out where edited; promotion and rollback that follow them."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from hilgui.errors import CallWrong, EvidenceBroken, RegistryBroken
from hilgui.evidence import (
    Decisions,
    EventKind,
    Incidents,
    IncidentSeverity,
    IncidentState,
    Journal,
    KeyRing,
    promote,
    roll_back_if_told,
)
from hilgui.gate import decide
from hilgui.models import Alias
from hilgui.pipeline.deciding import record_decision
from hilgui.records import Action
from hilgui.settings import Settings
from hilgui.store import RunReader
from tests.unit.evidence import bench
from tests.unit.evidence.bench import BETTER, PASSPHRASE, WORSE, person, plan, record, stocked, write_run
from tests.unit.gate.evidence import evidence

ABOUT_FRONT = {"candidate": {"model": "front@candidate"}, "baseline": {"model": "front@champion"}}


def test_a_recorded_decision_comes_back_and_is_in_the_journal(tmp_path: Path) -> None:
    made = record(tmp_path, **WORSE)
    found = Decisions(tmp_path).find("last")

    assert found == made
    assert found.action is Action.ROLL_BACK
    assert found.is_agreed, "rolling back takes nobody's agreement"
    kinds = [event.kind for event in Journal(tmp_path).events()]
    assert kinds == ["run", "run", "decision"], "its runs are noted first"


def test_an_edited_decision_is_named(tmp_path: Path) -> None:
    made = record(tmp_path, **WORSE)
    place = made.folder / "decision.json"
    place.write_bytes(place.read_bytes().replace(b'"ROLL BACK"', b'"PROMOTE"'))

    with pytest.raises(EvidenceBroken, match=r"decision\.json was changed"):
        Decisions(tmp_path).find(made.id)


def test_a_decision_that_the_journal_does_not_know_is_refused(tmp_path: Path) -> None:
    """Somebody with the bench key writes a decision of their own beside the journal."""
    made = record(tmp_path, **WORSE)
    Journal(tmp_path).events_file.unlink()

    with pytest.raises(EvidenceBroken, match="the journal knows no decision"):
        Decisions(tmp_path).find(made.id)


def test_two_different_people_have_to_agree(tmp_path: Path) -> None:
    decisions, made = Decisions(tmp_path), record(tmp_path, **BETTER)
    ada, bob = person(tmp_path, "ada"), person(tmp_path, "bob")

    assert (made.action, made.people_needed, made.is_agreed) == (Action.PROMOTE, 2, False)
    once = decisions.sign(made, ada)
    assert not once.is_agreed
    with pytest.raises(CallWrong, match="ada has signed"):
        decisions.sign(once, ada)
    with pytest.raises(CallWrong, match="the bench agrees to nothing"):
        decisions.sign(once, KeyRing(tmp_path).bench())
    both = decisions.sign(once, bob)

    assert both.agreed == ("ada", "bob")
    assert both.is_agreed
    signed = [event.by for event in Journal(tmp_path).events(EventKind.SIGN_OFF)]
    assert signed == ["ada", "bob"]


def test_a_signature_of_a_stranger_does_not_count(tmp_path: Path) -> None:
    made = record(tmp_path, **BETTER)
    stranger = person(tmp_path / "elsewhere", "mallory")

    with pytest.raises(EvidenceBroken, match="is not known"):
        Decisions(tmp_path).sign(made, stranger)


def test_a_looser_plan_takes_two_people_whatever_it_says_itself(tmp_path: Path) -> None:
    record(tmp_path, **BETTER)
    gates = plan().model_dump(mode="json", by_alias=True)["gates"]
    looser = plan(gates=[{**gates[0], "margin": 0.5}, *gates[1:]], signoff={"people": 1})

    made = record(tmp_path, plan=looser, **BETTER)

    assert made.people_needed == 2
    assert "gate recall: the margin was 0.01, is 0.5" in made.plain["loosened"]
    again = record(tmp_path, plan=looser, gain=BETTER["gain"], frames=6000)
    assert again.plain["loosened"], "what nobody agreed to is not the measure for the next one"


def test_a_rollback_does_not_launder_a_looser_plan(tmp_path: Path) -> None:
    record(tmp_path, **BETTER)
    looser = plan(data={"min_clusters": 3, "min_frames": 10})

    rolled = record(tmp_path, plan=looser, **WORSE)
    after = record(tmp_path, plan=looser, **BETTER)

    assert (rolled.people_needed, after.people_needed) == (0, 2)
    assert after.plain["loosened"]


def test_promotion_takes_a_signed_decision_about_these_models(tmp_path: Path) -> None:
    registry, models = stocked(tmp_path, tmp_path)
    made = record(tmp_path, plan=plan(subject=ABOUT_FRONT), models=models, **BETTER)
    with pytest.raises(CallWrong, match="nobody signed so far; 2 more"):
        promote(registry, "front", made)
    signed = Decisions(tmp_path).sign(made, person(tmp_path, "ada"))
    with pytest.raises(CallWrong, match="ada signed so far; 1 more"):
        promote(registry, "front", signed)
    signed = Decisions(tmp_path).sign(signed, person(tmp_path, "bob"))

    move = promote(registry, "front", signed)

    assert move.by == ("ada", "bob")
    assert registry.entry("front@champion").onnx_sha256 == models["candidate"]
    assert registry.entry("front@last_good").onnx_sha256 == models["baseline"]
    told = list(Journal(tmp_path).events(EventKind.ALIAS))[-1]
    assert (told.facts["action"], told.facts["sha256"]) == ("promote", move.sha256)


def test_promotion_refuses_other_models_and_other_answers(tmp_path: Path) -> None:
    registry, models = stocked(tmp_path, tmp_path)
    worse = record(tmp_path, models=models, **WORSE)
    with pytest.raises(CallWrong, match="is ROLL BACK; only PROMOTE promotes"):
        promote(registry, "front", worse)
    other = record(tmp_path, models={**models, "candidate": "d" * 64}, **BETTER)
    with pytest.raises(CallWrong, match="decide anew about the model that is there"):
        promote(registry, "front", other)
    elsewhere = record(
        tmp_path, plan=plan(name="rear", subject={"candidate": {"model": "rear@candidate"}}), models=models, **BETTER
    )
    with pytest.raises(CallWrong, match="is about slot rear"):
        promote(registry, "front", elsewhere)


def in_the_field(tmp_path: Path, changed: list[int] | None = None) -> tuple[bench.Registry, dict[str, str]]:
    registry, models = stocked(tmp_path, tmp_path, changed)
    clip = tmp_path / "golden.mp4"
    clip.write_bytes(b"a clip")
    registry.set_golden("front", clip)
    registry.promote("front", by=("ada", "bob"), reason="test")
    return registry, models


def test_a_rollback_of_production_moves_the_alias_back_and_says_so(tmp_path: Path) -> None:
    registry, models = in_the_field(tmp_path)
    made = record(tmp_path, plan=plan(subject={**ABOUT_FRONT, "stage": "production"}), models=models, **WORSE)

    move, said = roll_back_if_told(registry, made, by="eve")

    assert move is not None
    assert "golden clip" in move.checked
    assert said.startswith("slot front: champion is")
    assert registry.entry("front@champion").onnx_sha256 == models["baseline"]


def test_a_rollback_in_the_field_opens_an_incident_that_it_contains_although_the_proof_fails(tmp_path: Path) -> None:
    registry, models = in_the_field(tmp_path)
    specification = plan(subject={**ABOUT_FRONT, "stage": "canary"})
    found = replace(evidence(**WORSE), models=models)
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(RunReader(write_run(tmp_path, number)))) for number in (1, 2)]

        acted = record_decision(decide(specification, found), specification, readers, (), Settings(home=tmp_path))

    assert "golden.mp4" in acted.trouble, "the clip of this test is no video"
    assert registry.entry("front@champion").onnx_sha256 == models["baseline"], "the alias moves first"
    (incident,) = Incidents(tmp_path).all()
    assert (incident.id, incident.decision) == (acted.incident, acted.recorded.id)
    assert (incident.state, incident.severity) == (IncidentState.CONTAINED, IncidentSeverity.S2)
    assert incident.moves[0]["checked"][0].startswith("NOT PROVEN")


def test_a_rollback_in_shadow_moves_nothing_and_says_why(tmp_path: Path) -> None:
    registry, models = in_the_field(tmp_path)
    made = record(tmp_path, plan=plan(subject=ABOUT_FRONT), models=models, **WORSE)

    assert roll_back_if_told(registry, made, by="eve")[1].startswith("the plan's stage is shadow")
    assert registry.entry("front@champion").onnx_sha256 == models["candidate"]


def test_a_rollback_that_cannot_be_proven_is_in_the_journal(tmp_path: Path) -> None:
    changed: list[int] = []
    registry, models = in_the_field(tmp_path, changed)
    changed.append(1)

    with pytest.raises(RegistryBroken, match="5 detections of person instead of 4"):
        registry.roll_back("front", by="eve", reason="it misses people")

    assert registry.entry("front@champion").onnx_sha256 == models["baseline"], "the alias moves first"
    told = list(Journal(tmp_path).events(EventKind.ALIAS))[-1]
    assert told.facts["action"] == "roll_back"
    assert told.facts["checked"][0].startswith("NOT PROVEN")
    assert registry.placed("front", Alias.CHAMPION) is not None


def test_a_key_on_another_bench_signs_there_and_counts_here(tmp_path: Path) -> None:
    """Bob works elsewhere: his public key is trusted here, his signature travels in the envelope."""
    import json

    from hilgui.evidence.chain import strict_json
    from hilgui.evidence.dsse import countersign

    made = record(tmp_path, **BETTER)
    bob = person(tmp_path / "elsewhere", "bob")
    public = tmp_path / "bob.pub.json"
    public.write_text(json.dumps(bob.key.as_json()))
    KeyRing(tmp_path).trust(public)
    place = made.folder / "statement.dsse.json"
    place.write_text(json.dumps(countersign(strict_json(place.read_bytes()), bob)))

    assert Decisions(tmp_path).find(made.id).agreed == ("bob",)
    assert PASSPHRASE not in place.read_text()
