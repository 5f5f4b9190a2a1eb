"""The order of evaluation: what weighs more comes first, and missing evidence never passes."""

from __future__ import annotations

import json

import pytest

from hilgui.gate import Evidence, SlicePair, decide
from hilgui.records import Action, Decision, GateVerdict
from tests.unit.gate.evidence import evidence, paired, spec, spread

GAIN = spread(0.02)
HARM = spread(-0.03)
SOUND = {"candidate.nonfinite_outputs": 0.0, "candidate.latency_p99_ms": 20.0}


@pytest.mark.parametrize(
    ("given", "action", "said"),
    [
        (evidence(gain=GAIN), Action.PROMOTE, "no figure is worse than its margin allows"),
        (evidence(), Action.HOLD, "no improvement is shown"),
        (evidence(recall=HARM, gain=GAIN), Action.ROLL_BACK, "worse than the margin of 0.01"),
        (evidence(phantoms=spread(0.4), gain=GAIN), Action.ROLL_BACK, "phantoms_per_minute"),
        (evidence(recall=spread(-0.005), gain=GAIN), Action.HOLD, "significantly worse although within"),
        (evidence(recall=spread(0, width=0.1), gain=GAIN), Action.INCONCLUSIVE, "drives would show it"),
        (evidence(gain=GAIN, frames=10), Action.INCONCLUSIVE, "10 judged frames of 1,000"),
        (evidence(gain=spread(0.02, 8), drives=8), Action.INCONCLUSIVE, "8 drives of 12"),
        (evidence(gain=GAIN, integrity=("2 % of the frames are unpaired",)), Action.INCONCLUSIVE, "unpaired"),
        (evidence(gain=GAIN, invariants={**SOUND, "candidate.latency_p99_ms": 40.0}), Action.ROLL_BACK, "latency"),
        (evidence(gain=GAIN, invariants={}), Action.INCONCLUSIVE, "nobody measured"),
    ],
)
def test_the_evidence_decides(given: Evidence, action: Action, said: str) -> None:
    decision = decide(spec(), given)

    assert decision.action is action
    assert said in " ".join(decision.reasons)
    assert decision.reasons[0] in decision.sentence
    assert decision.next_steps


def test_an_unconditional_invariant_weighs_more_than_a_broken_bench() -> None:
    """Non-finite outputs are the model's own fault on any bench; latency on a broken bench is not."""
    broken = ("a quarter of the frames was dropped",)
    bad = {"candidate.nonfinite_outputs": 3.0, "candidate.latency_p99_ms": 20.0}
    slow = {"candidate.nonfinite_outputs": 0.0, "candidate.latency_p99_ms": 90.0}

    assert decide(spec(), evidence(integrity=broken, invariants=bad)).action is Action.ROLL_BACK
    assert decide(spec(), evidence(integrity=broken, invariants=slow)).action is Action.INCONCLUSIVE


def test_harm_may_be_proven_before_the_planned_drives_are_there() -> None:
    early = evidence(recall=spread(-0.2, 11), gain=spread(0.02, 11), drives=11)

    decision = decide(spec(data={"min_clusters": 40, "min_frames": 1000}), early)

    assert decision.action is Action.ROLL_BACK
    assert decision.gates[0].harm_after == 10  # rollback.min_clusters
    assert "proven after 10 drives" in decision.reasons[0]


def test_benefit_is_never_proven_early() -> None:
    early = evidence(gain=spread(0.5, 11), drives=11)

    assert decide(spec(), early).action is Action.INCONCLUSIVE


def test_a_figure_that_no_run_has_never_passes() -> None:
    given = evidence(gain=GAIN)
    del given.measures["critical_recall"]

    decision = decide(spec(), given)

    assert decision.action is Action.INCONCLUSIVE
    assert decision.gates[0].verdict is GateVerdict.MISSING
    assert "no figure for critical_recall" in decision.reasons[0]


def test_a_loss_in_a_large_slice_holds_and_a_small_slice_is_not_tested() -> None:
    lost = paired("recall", spread(-0.05))
    large, small = SlicePair("night", lost, "higher", 900), SlicePair("fog", lost, "higher", 50)

    held = decide(spec(), evidence(gain=GAIN, slices=(large, small)))
    free = decide(spec(), evidence(gain=GAIN, slices=(small,)))

    assert held.action is Action.HOLD
    assert "slice night" in held.reasons[0]
    assert [one.name for one in held.slices] == ["night"]
    assert free.action is Action.PROMOTE


def test_signatures_are_asked_for_a_promotion_only() -> None:
    assert decide(spec(), evidence(gain=GAIN)).signatures_needed == 2
    assert decide(spec(), evidence(recall=HARM)).signatures_needed == 0


def test_a_plan_that_asks_for_nobodys_agreement_says_so() -> None:
    decision = decide(spec(signoff={"required_for": []}), evidence(gain=GAIN))

    assert (decision.action, decision.signatures_needed) == (Action.PROMOTE, 0)
    assert decision.next_steps == ("promote it: this plan asks for nobody's agreement",)


def test_differences_of_a_metric_where_less_is_better_keep_their_sign() -> None:
    gate = decide(spec(), evidence(phantoms=spread(0.02))).gates[1]

    assert gate.difference == pytest.approx(0.02, abs=0.001)
    assert gate.low is not None and gate.high is not None
    assert gate.low < gate.difference < gate.high


def test_the_same_input_gives_the_same_bytes() -> None:
    texts = {json.dumps(decide(spec(), evidence(gain=GAIN)).as_json(), sort_keys=True) for _ in range(3)}

    assert len(texts) == 1


def test_identical_models_are_neither_promoted_nor_rolled_back() -> None:
    same = [0.0] * 12

    assert decide(spec(), evidence(same, same, same)).action is Action.HOLD


def test_a_decision_comes_back_from_its_json() -> None:
    decision = decide(spec(), evidence(recall=spread(-0.05), invariants={"candidate.latency_p99_ms": 40.0}))
    plain = json.loads(json.dumps(decision.as_json()))

    assert Decision.from_json({**plain, "of a later version": 1}) == decision
