"""The decision: the specification's questions put to paired drives, in a fixed order of weight.

1. ROLL BACK   an invariant fails that holds whatever the state of the bench
2. INCONCLUSIVE the bench is broken: it proves nothing about a model
3. ROLL BACK   another invariant fails, or harm beyond a margin is proven (at any look, or at the end)
4. INCONCLUSIVE fewer drives or frames than planned, or an invariant that nobody measured
5. HOLD        a figure is significantly worse, though within its margin, or a slice is
6. PROMOTE     every non-inferiority gate passes and a superiority gate does; none superior: HOLD
7. INCONCLUSIVE underpowered: how many drives would settle it

Looking early may only prove harm, never benefit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hilgui.gate import statistics, words
from hilgui.gate.paired import Evidence, Paired
from hilgui.gate.specification import Gate, GateSpec
from hilgui.numerals import number_of
from hilgui.records import Action, Decision, GateResult, GateVerdict, InvariantResult, Role, SliceResult

UNCONDITIONAL = frozenset({"candidate.nonfinite_outputs", "actuations_in_shadow"})


def decide(spec: GateSpec, evidence: Evidence) -> Decision:
    """Put the questions of `spec` to the evidence; pure, the same input gives the same decision."""
    invariants = tuple(_invariants(spec, evidence))
    gates = tuple(_gates(spec, evidence))
    slices = tuple(_slices(spec, evidence))
    answer = _weigh(spec, evidence, invariants, gates, slices)
    return Decision(
        action=answer.action,
        sentence=words.sentence(answer.action, evidence, answer.reasons),
        reasons=answer.reasons,
        next_steps=words.next_steps(answer.action, spec, evidence, gates),
        specification=spec.name,
        specification_sha256=spec.digest,
        drives=len(evidence.drives),
        frames=evidence.frames,
        unit="drive",
        runs=evidence.runs,
        models=dict(sorted(evidence.models.items())),
        integrity=evidence.integrity,
        invariants=invariants,
        gates=gates,
        slices=slices,
        signatures_needed=spec.signoff.people if answer.action.value in spec.signoff.required_for else 0,
        seed=spec.statistics.seed,
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    action: Action
    reasons: tuple[str, ...]


def _weigh(
    spec: GateSpec,
    evidence: Evidence,
    invariants: tuple[InvariantResult, ...],
    gates: tuple[GateResult, ...],
    slices: tuple[SliceResult, ...],
) -> _Answer:
    failed = [one for one in invariants if one.holds is False]
    whatever = [words.broken_invariant(one) for one in failed if one.unconditional]
    if whatever:
        return _Answer(Action.ROLL_BACK, tuple(whatever))
    if evidence.integrity:
        return _Answer(Action.INCONCLUSIVE, evidence.integrity)
    harm = [words.broken_invariant(one) for one in failed]
    harm += [words.harm(one) for one in gates if one.verdict is GateVerdict.HARM]
    if harm:
        return _Answer(Action.ROLL_BACK, tuple(harm))
    thin = list(_thin(spec, evidence, invariants, gates))
    if thin:
        return _Answer(Action.INCONCLUSIVE, tuple(thin))
    worse = [words.worse(one) for one in gates if one.verdict is GateVerdict.WORSE]
    worse += [words.worse_slice(one) for one in slices if one.significant and spec.statistics.slices.action == "HOLD"]
    if worse:
        return _Answer(Action.HOLD, tuple(worse))
    safe = [one for one in gates if one.role == "non_inferiority"]
    gains = [one for one in gates if one.role == "superiority"]
    if all(one.verdict is GateVerdict.PASSED for one in safe):
        better = [words.better(one) for one in gains if one.verdict is GateVerdict.PASSED]
        if better:
            return _Answer(Action.PROMOTE, (words.all_safe(safe), *better))
        return _Answer(Action.HOLD, (words.all_safe(safe), words.none_better(gains)))
    return _Answer(
        Action.INCONCLUSIVE, tuple(words.unproven(one) for one in safe if one.verdict is not GateVerdict.PASSED)
    )


def _thin(
    spec: GateSpec, evidence: Evidence, invariants: Iterable[InvariantResult], gates: Iterable[GateResult]
) -> Iterable[str]:
    if len(evidence.drives) < spec.data.min_clusters:
        yield f"{number_of(len(evidence.drives), 'drive')} of {spec.data.min_clusters} planned ones are there"
    if evidence.frames < spec.data.min_frames:
        yield f"{evidence.frames:,} judged frames of {spec.data.min_frames:,} planned ones are there"
    for one in invariants:
        if one.holds is None:
            yield f"nobody measured {one.metric}, which invariant {one.id} needs"
    for gate in gates:
        if gate.verdict is GateVerdict.MISSING:
            yield f"no figure for {gate.metric}, which gate {gate.id} needs"


def _invariants(spec: GateSpec, evidence: Evidence) -> Iterable[InvariantResult]:
    for one in spec.invariants:
        measured = evidence.invariants.get(one.metric)
        holds = None if measured is None else one.parsed.holds(measured)
        yield InvariantResult(one.id, one.metric, one.limit, measured, holds, one.metric in UNCONDITIONAL)


def _gates(spec: GateSpec, evidence: Evidence) -> list[GateResult]:
    """Answer every gate; harm at the end is corrected over all non-inferiority gates together."""
    results = [_gate(gate, spec, evidence.measures.get(gate.figure)) for gate in spec.gates]
    enough = len(evidence.drives) >= max(spec.data.min_clusters, spec.statistics.rollback.min_clusters)
    asked = [index for index, one in enumerate(results) if one.p_harm is not None]
    final = statistics.holm([results[index].p_harm or 0.0 for index in asked], spec.statistics.rollback.alpha_final)
    for index, is_harm in zip(asked, final, strict=True):
        if results[index].harm_after is not None or (is_harm and enough):
            results[index] = replace(results[index], verdict=GateVerdict.HARM)
    return _superior(results, spec.statistics.alpha, evidence)


def _gate(gate: Gate, spec: GateSpec, paired: Paired | None) -> GateResult:
    empty = GateResult(gate.id, gate.figure, gate.role, gate.better, "", GateVerdict.MISSING, gate.margin)
    if paired is None:
        return empty
    empty = replace(empty, unit=paired.unit)
    values = differences(paired, gate.better)
    interval = statistics.student(values, spec.statistics.alpha)
    if interval is None:
        return empty
    margin = gate.margin or 0.0
    verdict = GateVerdict.UNPROVEN
    if interval.low > -margin if gate.role == "non_inferiority" else interval.low > 0:
        verdict = GateVerdict.PASSED
    if interval.high < 0:
        verdict = GateVerdict.WORSE
    sign = 1 if gate.better == "higher" else -1
    bounds = sorted((sign * interval.low, sign * interval.high))
    asks_safety = gate.role == "non_inferiority"
    return replace(
        empty,
        verdict=verdict,
        baseline=_finite(paired.pooled[Role.BASELINE]),
        candidate=_finite(paired.pooled[Role.CANDIDATE]),
        difference=sign * interval.mean,
        low=bounds[0],
        high=bounds[1],
        alpha=spec.statistics.alpha,
        deviation=interval.deviation,
        drives=interval.drives,
        p_harm=statistics.p_below(values, -margin) if asks_safety else None,
        harm_after=_harm_after(values, margin, spec) if asks_safety else None,
        drives_needed=_needed(interval, margin if asks_safety else interval.mean, spec.statistics.alpha),
        drives_needed_as_seen=_needed(interval, margin + interval.mean, spec.statistics.alpha),
        smallest_detectable=statistics.smallest_detectable(interval.deviation, interval.drives, spec.statistics.alpha),
    )


def differences(paired: Paired, better: str) -> NDArray[np.float64]:
    """Give one difference a drive, candidate minus baseline, turned so that more is better."""
    more = paired.values[Role.CANDIDATE] - paired.values[Role.BASELINE]
    return more if better == "higher" else -more


def _harm_after(values: NDArray[np.float64], margin: float, spec: GateSpec) -> int | None:
    """Say after how many drives the confidence sequence lay below the margin, None where it never did."""
    plan = spec.statistics.rollback
    if plan.sequential == "none":
        return None
    upper = statistics.upper_sequence(values, plan.alpha_early / _safety_gates(spec), spec.data.min_clusters)
    proven = np.flatnonzero((upper < -margin) & (np.arange(1, len(upper) + 1) >= plan.min_clusters))
    return int(proven[0]) + 1 if len(proven) else None


def _safety_gates(spec: GateSpec) -> int:
    return sum(gate.role == "non_inferiority" for gate in spec.gates)


def _superior(results: list[GateResult], alpha: float, evidence: Evidence) -> list[GateResult]:
    """Correct the superiority gates among themselves: one of several is enough for a promotion."""
    asked = [
        index
        for index, one in enumerate(results)
        if one.role == "superiority" and one.verdict not in (GateVerdict.MISSING, GateVerdict.WORSE)
    ]
    p_values = [_p_better(results[index], evidence) for index in asked]
    for index, is_better in zip(asked, statistics.holm(p_values, alpha), strict=True):
        verdict = GateVerdict.PASSED if is_better else GateVerdict.UNPROVEN
        results[index] = replace(results[index], verdict=verdict)
    return results


def _p_better(result: GateResult, evidence: Evidence) -> float:
    return statistics.p_above(differences(evidence.measures[result.metric], result.better), 0.0)


def _needed(interval: statistics.Interval, room: float, alpha: float) -> int | None:
    return statistics.drives_needed(interval.deviation, room, alpha)


def _slices(spec: GateSpec, evidence: Evidence) -> list[SliceResult]:
    """Test every slice that is large enough for a loss; false discoveries are controlled over all of them."""
    tested: list[SliceResult] = []
    for one in evidence.slices:
        values = differences(one.paired, one.better)
        interval = statistics.student(values, spec.statistics.alpha)
        if one.objects < spec.statistics.slices.min_objects or interval is None:
            continue
        sign = 1 if one.better == "higher" else -1
        low, high = sorted((sign * interval.low, sign * interval.high))
        p_worse = statistics.p_below(values, 0.0)
        tested.append(
            SliceResult(
                one.name,
                one.paired.metric,
                one.objects,
                interval.drives,
                sign * interval.mean,
                low,
                high,
                p_worse,
                significant=False,
            )
        )
    lost = statistics.benjamini_hochberg([one.p_worse for one in tested], spec.statistics.slices.q)
    return [replace(one, significant=is_lost) for one, is_lost in zip(tested, lost, strict=True)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
