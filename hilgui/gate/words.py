"""A decision in sentences: what was found, in which figures, what would settle it."""

from __future__ import annotations

from collections.abc import Sequence

from hilgui.gate.paired import Evidence
from hilgui.gate.specification import GateSpec
from hilgui.numerals import number_of
from hilgui.records import Action, GateResult, GateVerdict, InvariantResult, SliceResult
from hilgui.records.decision import SIGN_FIRST

_OPENING = {
    Action.PROMOTE: "The candidate may replace the baseline",
    Action.HOLD: "Keep the baseline and keep the candidate in shadow",
    Action.ROLL_BACK: "The candidate must not be used",
    Action.INCONCLUSIVE: "The evidence does not decide",
}


def sentence(action: Action, evidence: Evidence, reasons: Sequence[str]) -> str:
    """Say the decision in one sentence."""
    base = f"{_OPENING[action]}, on {number_of(len(evidence.drives), 'drive')} with {evidence.frames:,} judged frames"
    return f"{base}: {reasons[0]}." if reasons else f"{base}."


def broken_invariant(one: InvariantResult) -> str:
    """Say which limit was broken."""
    return f"invariant {one.id}: {one.metric} is {_number(one.measured)}, the limit is {one.limit}"


def harm(one: GateResult) -> str:
    """Say what got worse by more than the margin, and when that was clear."""
    early = f", proven after {number_of(one.harm_after, 'drive')}" if one.harm_after is not None else ""
    return f"{one.id}: {_moved(one)}, worse than the margin of {_number(one.margin)}{_unit(one)} allows{early}"


def worse(one: GateResult) -> str:
    """Say what is worse, although within its margin."""
    if one.margin is None:
        return f"{one.id}: {_moved(one)}, significantly worse"
    furthest = one.low if one.better == "higher" else one.high
    is_within = furthest is not None and abs(furthest) < one.margin
    limit = f"the margin of {_number(one.margin)}{_unit(one)}"
    rest = f"although within {limit}" if is_within else f"and a loss beyond {limit} is not excluded"
    return f"{one.id}: {_moved(one)}, significantly worse {rest}"


def worse_slice(one: SliceResult) -> str:
    """Say which part of the data lost."""
    return (
        f"slice {one.name}: {one.metric} changed by {one.difference:+.4g} "
        f"({one.low:+.4g} to {one.high:+.4g}, {number_of(one.objects, 'object')} in {number_of(one.drives, 'drive')})"
    )


def better(one: GateResult) -> str:
    """Say what improved."""
    return f"{one.id}: {_moved(one)}, better"


def all_safe(gates: Sequence[GateResult]) -> str:
    """Say that no margin is in danger."""
    return f"no figure is worse than its margin allows ({', '.join(one.id for one in gates)})"


def none_better(gates: Sequence[GateResult]) -> str:
    """Say that nothing improved."""
    if not gates:
        return "no gate asks for an improvement, so none is shown"
    return f"no improvement is shown ({', '.join(f'{one.id}: {_moved(one)}' for one in gates)})"


def unproven(one: GateResult) -> str:
    """Say what the drives do not show, and how many would."""
    needed = (
        f"; about {number_of(one.drives_needed, 'drive')} would show it if it is as good" if one.drives_needed else ""
    )
    if needed and one.drives_needed_as_seen:
        needed += f", {one.drives_needed_as_seen:,} if the change seen is the true one"
    return f"{one.id}: {_moved(one)}, which does not exclude a loss of {_number(one.margin)}{_unit(one)}{needed}"


def next_steps(action: Action, spec: GateSpec, evidence: Evidence, gates: Sequence[GateResult]) -> tuple[str, ...]:
    """Say what to do now."""
    if action is Action.PROMOTE and action.value not in spec.signoff.required_for:
        return ("promote it: this plan asks for nobody's agreement",)
    if action is Action.PROMOTE:
        return (f"have {number_of(spec.signoff.people, 'person', 'people')} {SIGN_FIRST}",)
    if action is Action.ROLL_BACK:
        back = (
            "withdraw the candidate and move the alias back"
            if spec.subject.stage != "shadow"
            else "reject the candidate"
        )
        return (back, "look at the findings behind the failed gates, and open an incident where people could be hurt")
    if evidence.integrity and action is Action.INCONCLUSIVE:
        return ("mend the bench and run the drives again",)
    open_ = [one for one in gates if one.role == "non_inferiority" and one.verdict is not GateVerdict.PASSED]
    wanted = [max(one.drives_needed or 0, one.drives_needed_as_seen or 0) for one in open_]
    needed = max([spec.data.min_clusters, *wanted])
    if action is Action.INCONCLUSIVE and needed > len(evidence.drives):
        more = number_of(needed - len(evidence.drives), "more drive")
        return (f"run {more} ({needed:,} in all), of the same conditions",)
    if action is Action.INCONCLUSIVE:
        return ("measure what is missing and ask again",)
    return ("improve the candidate where it lost, or bring drives that show a gain",)


def _moved(one: GateResult) -> str:
    if one.verdict is GateVerdict.MISSING or one.difference is None:
        return f"{one.metric} has no figure"
    change = f"{one.difference:+.4g}{_unit(one)} ({_signed(one.low)} to {_signed(one.high)})"
    if one.baseline is None or one.candidate is None:
        return f"{one.metric} changed by {change}"
    return f"{one.metric} went from {one.baseline:.4g} to {one.candidate:.4g}{_unit(one)}, a change of {change}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.4g}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _unit(one: GateResult) -> str:
    return f" {one.unit}" if one.unit else ""
