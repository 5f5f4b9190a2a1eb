"""What becomes of a decision: the candidate is promoted with everybody's agreement, or somebody rolls back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hilgui.errors import CallWrong
from hilgui.evidence.decisions import Recorded
from hilgui.evidence.incidents import Incidents
from hilgui.evidence.journal import EventKind, Journal
from hilgui.models import Alias, Move, Registry
from hilgui.records import Action

FIELD = ("canary", "production")  # stages in which the model is in use


def witness(home: Path, **more: str) -> Callable[[Move], None]:
    """Give what a registry is handed so that every move is in the journal, under a signed checkpoint.

    `more` says what led to the move: decision, incident.
    """

    def told(move: Move) -> None:
        facts = {**move.as_json(), **{name: value for name, value in more.items() if value}}
        Journal(home).append(EventKind.ALIAS, facts, by=", ".join(move.by))

    return told


def promote(registry: Registry, slot: str, recorded: Recorded, *, reason: str = "") -> Move:
    """Promote the candidate of a slot that a decision is about; raises CallWrong saying what is missing.

    The decision has to be PROMOTE, about exactly the models that candidate and champion are now, agreed to by as many
    people as its plan asks for, and made by a plan that names this slot or none.
    """
    if recorded.action is not Action.PROMOTE:
        raise CallWrong(f"the decision {recorded.id} is {recorded.action.value}; only PROMOTE promotes")
    if recorded.slot not in ("", slot):
        raise CallWrong(f"the decision {recorded.id} is about slot {recorded.slot}, not {slot}")
    _same(registry, slot, Alias.CANDIDATE, "candidate", recorded)
    _same(registry, slot, Alias.CHAMPION, "baseline", recorded)
    if not recorded.is_agreed:
        missing = recorded.people_needed - len(recorded.agreed)
        have = ", ".join(recorded.agreed) or "nobody"
        raise CallWrong(
            f"the decision {recorded.id} takes the agreement of {recorded.people_needed} people, {have} signed so far; "
            f"{missing} more with `hilgui sign {recorded.id} --key NAME`"
        )
    why = f"decision {recorded.id}" + (f": {reason}" if reason else "")
    return registry.promote(slot, by=recorded.agreed or (str(recorded.plain["by"]),), reason=why)


def roll_back_if_told(registry: Registry, recorded: Recorded, *, by: str) -> tuple[Move | None, str]:
    """Move the alias back where a ROLL BACK of stage canary or production says so; give the move, or why there is none.

    Only where the champion is the model that the decision withdraws.
    """
    if recorded.action is not Action.ROLL_BACK:
        return None, ""
    if recorded.plain["stage"] not in FIELD:
        return None, "the plan's stage is shadow: the candidate is rejected, no alias moves"
    if not recorded.slot:
        return None, "the plan names no slot of the registry; roll back by hand: hilgui models rollback SLOT --reason …"
    champion = registry.placed(recorded.slot, Alias.CHAMPION)
    withdrawn = recorded.models.get("candidate", "")
    if champion is None or registry.shelf.entry(champion.sha256).onnx_sha256 != withdrawn:
        return None, f"the champion of slot {recorded.slot} is not the model that is withdrawn; no alias moves"
    move = registry.roll_back(
        recorded.slot, by=by, reason=f"decision {recorded.id}: {recorded.plain['decision']['sentence']}"
    )
    return move, f"slot {recorded.slot}: champion is {move.sha256[:12]} again, after {move.seconds:.1f} s"


@contextmanager
def containing(home: Path, incident: str, registry: Registry, slot: str, *, by: str) -> Iterator[None]:
    """Note what a rollback inside does for an incident ("" for none), also where its proof fails: the alias has moved.

    The time until the alias has moved counts from here.
    """
    started = datetime.now(UTC)
    try:
        yield
    finally:
        moves = registry.history(slot) if incident and slot else []
        if moves and moves[-1]["action"] == "roll_back" and moves[-1]["by"] == [by]:
            moved_after_s = (datetime.fromisoformat(moves[-1]["at"]) - started).total_seconds()
            if moved_after_s > -1:  # stamps have milliseconds; an older move is none of ours
                Incidents(home).rolled_back(incident, moves[-1], moved_after_s=max(0.0, moved_after_s))


def _same(registry: Registry, slot: str, alias: Alias, role: str, recorded: Recorded) -> None:
    placed = registry.placed(slot, alias)
    if placed is None:
        if alias is Alias.CHAMPION:
            return  # nothing is in use yet; the first champion replaces nobody
        raise CallWrong(f"slot {slot} has no {alias}; `hilgui models alias {slot} {alias} MODEL` sets one")
    entry = registry.shelf.entry(placed.sha256)
    wanted = recorded.models.get(role, "")
    if entry.onnx_sha256 != wanted:
        raise CallWrong(
            f"the {alias} of slot {slot} is {entry.name} {entry.onnx_sha256[:12]}, the decision {recorded.id} is about "
            f"the {role} {wanted[:12]}; decide anew about the model that is there"
        )
    known = recorded.plain["entries"].get(role)
    if known is not None and known != entry.sha256:
        raise CallWrong(
            f"the {alias} of slot {slot} has the ONNX file that was decided about and another card; decide anew"
        )
