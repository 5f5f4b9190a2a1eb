"""Records the decision of a gate, and does what a ROLL BACK in the field asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgui.errors import CallWrong, RegistryBroken
from hilgui.evidence import Recorded

if TYPE_CHECKING:
    from hilgui.gate import GateSpec
    from hilgui.models import Registry
    from hilgui.records import Decision
    from hilgui.settings import Settings
    from hilgui.store import RunReader


@dataclass(frozen=True, slots=True)
class Acted:
    """A decision that was recorded, and what became of it at once."""

    recorded: Recorded
    rolled_back: str  # sentence about the alias, "" where nothing was to be done
    trouble: str  # why a rollback that was asked for did not come to its end, "" otherwise

    def as_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "id": self.recorded.id,
            "sha256": self.recorded.sha256,
            "people_needed": self.recorded.people_needed,
            "loosened": self.recorded.plain["loosened"],
            "rollback": self.rolled_back,
            "trouble": self.trouble,
        }

    def print(self) -> None:
        """Say it on the terminal."""
        from hilgui.cli.console import notes, results

        results.print(f"  recorded as {self.recorded.id}", markup=False)
        for one in self.recorded.plain["loosened"]:
            results.print(f"  looser than {self.recorded.plain['previous']}: {one}", markup=False)
        if self.recorded.people_needed:
            how = f"hilgui sign {self.recorded.id} --key NAME"
            results.print(f"  takes the agreement of {self.recorded.people_needed} people: {how}", markup=False)
        if self.rolled_back:
            results.print(f"  rollback: {self.rolled_back}", markup=False)
        if self.trouble:
            notes.print(f"  ROLLBACK NOT PROVEN: {self.trouble}", markup=False)


def record_decision(
    decision: Decision, spec: GateSpec, readers: Sequence[RunReader], remarks: Sequence[str], settings: Settings
) -> Acted:
    """Record a decision; where it withdraws what is in the field, roll back."""
    from hilgui.evidence import Decisions, roll_back_if_told

    registry = open_registry(settings)
    recorded = Decisions(settings.home).record(
        decision,
        spec.model_dump(mode="json", by_alias=True),
        readers,
        by=who(settings),
        entries=_entries(spec, registry),
        notes=remarks,
    )
    registry = open_registry(settings, decision=recorded.id)
    try:
        _, said = roll_back_if_told(registry, recorded, by=who(settings))
    except (CallWrong, RegistryBroken) as failure:
        return Acted(recorded, "", str(failure))
    return Acted(recorded, said, "")


def open_registry(settings: Settings, **more: str) -> Registry:
    """Open the registry so that models prove themselves and every move is in the journal."""
    from hilgui.evidence import witness
    from hilgui.models import Registry
    from hilgui.pipeline.golden import replay_golden

    return Registry(settings.models, replay=replay_golden, witness=witness(settings.home, **more))


def who(settings: Settings) -> str:
    """Name who is at the bench: the setting, else who is logged in."""
    import getpass

    return settings.operator or getpass.getuser()


def _entries(spec: GateSpec, registry: Registry) -> dict[str, str]:
    """Give the models of the plan by their hash in the registry, cards included, where it names them there."""
    from pathlib import Path

    found = {}
    for role, side in (("baseline", spec.subject.baseline), ("candidate", spec.subject.candidate)):
        if side is not None and not Path(side.model).is_file():
            found[role] = registry.entry(side.model).sha256
    return found
