"""From a specification and stored runs to a decision, and what is done with it: for the command line and the screen."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.errors import CallWrong, GateBroken, RegistryBroken
from hilgui.evidence import (
    FIELD,
    Decisions,
    Incidents,
    Recorded,
    containing,
    roll_back_if_told,
    trigger_of,
    witness,
)
from hilgui.gate import Evidence, GateSpec, decide, gather, read_specification
from hilgui.inference.session import fingerprint
from hilgui.models import Registry
from hilgui.pipeline.golden import replay_golden
from hilgui.records import Action, Decision, Role
from hilgui.report.protocol import Progress, silent
from hilgui.settings import Settings
from hilgui.store import RunReader, find_run, is_run, refuse_emptied


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """A decision with what is shown beside it, all plain: it travels between processes."""

    decision: Decision
    specification: GateSpec
    folders: tuple[Path, ...]  # of the runs that were looked at, repeated recordings too
    drives: tuple[str, ...]  # names of the recordings, in the order of `spread`
    spread: dict[str, tuple[float, ...]]  # metric → candidate minus baseline, one a drive
    notes: tuple[str, ...]  # what was left out, and why


@dataclass(frozen=True, slots=True)
class Decide:
    """Ask a gate; called in a process beside the screen, or by whoever wants to wait."""

    specification: Path
    folders: tuple[Path, ...]
    models: Path  # folder of the registry, where the specification names models by alias

    def __call__(self, kept: dict[str, Any], tell: Progress = silent) -> Decided:
        """Measure the runs and decide; raises GateBroken, CallWrong and StoreBroken."""
        spec = read_specification(self.specification)
        with ExitStack() as stack:
            readers = [stack.enter_context(closing(RunReader(folder))) for folder in self.folders]
            names = {reader.header.run_id: reader.header.source.name for reader in readers}
            evidence = gather(readers, spec, resolve=lambda name: resolve(name, self.models), progress=tell)
        return Decided(
            decide(spec, evidence),
            spec,
            self.folders,
            tuple(names[run] for run in evidence.runs),
            _spread(evidence),
            evidence.notes,
        )


def _spread(evidence: Evidence) -> dict[str, tuple[float, ...]]:
    return {
        name: tuple((paired.values[Role.CANDIDATE] - paired.values[Role.BASELINE]).tolist())
        for name, paired in evidence.measures.items()
    }


@dataclass(frozen=True, slots=True)
class Acted:
    """A decision that was recorded, and what became of it at once."""

    recorded: Recorded
    rolled_back: str  # sentence about the alias, "" where nothing was to be done
    trouble: str  # why a rollback that was asked for did not come to its end, "" otherwise
    incident: str  # that was opened about it, "" where the model is not in the field

    def as_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "id": self.recorded.id,
            "sha256": self.recorded.sha256,
            "people_needed": self.recorded.people_needed,
            "loosened": self.recorded.plain["loosened"],
            "rollback": self.rolled_back,
            "trouble": self.trouble,
            "incident": self.incident,
        }


def record_decided(decided: Decided, settings: Settings) -> Acted:
    """Record a decision that was shown, about the runs that it was made from."""
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(RunReader(folder))) for folder in decided.folders]
        return record_decision(decided.decision, decided.specification, readers, decided.notes, settings)


def record_decision(
    decision: Decision, spec: GateSpec, readers: Sequence[RunReader], remarks: Sequence[str], settings: Settings
) -> Acted:
    """Record a decision; where it withdraws what is in the field, open an incident and roll back."""
    registry = open_registry(settings)
    recorded = Decisions(settings.home).record(
        decision,
        spec.model_dump(mode="json", by_alias=True),
        readers,
        by=who(settings),
        entries=_entries(spec, registry),
        notes=remarks,
    )
    incident = _incident(recorded, settings)
    registry = open_registry(settings, decision=recorded.id, incident=incident)
    try:
        with containing(settings.home, incident, registry, recorded.slot, by=who(settings)):
            _, said = roll_back_if_told(registry, recorded, by=who(settings))
    except (CallWrong, RegistryBroken) as failure:
        return Acted(recorded, "", str(failure), incident)
    return Acted(recorded, said, "", incident)


def _incident(recorded: Recorded, settings: Settings) -> str:
    """Open an incident about a model in the field that is withdrawn; give its id, "" where there is none."""
    if recorded.action is not Action.ROLL_BACK or recorded.plain["stage"] not in FIELD:
        return ""
    decision = recorded.plain["decision"]
    opened = Incidents(settings.home).open(
        str(decision["reasons"][0]),
        by=who(settings),
        trigger=trigger_of(decision),
        occurred=str(recorded.plain["at"]),
        decision=recorded.id,
        runs=recorded.runs,
    )
    return opened.id


def open_registry(settings: Settings, **more: str) -> Registry:
    """Open the registry so that models prove themselves and every move is in the journal."""
    return Registry(settings.models, replay=replay_golden, witness=witness(settings.home, **more))


def who(settings: Settings) -> str:
    """Name who is at the bench: the setting, else who is logged in."""
    return settings.operator or getpass.getuser()


def runs_of(wanted: Iterable[str], runs: Path) -> list[Path]:
    """Give the run that each word names, or every run in the folder or campaign that it names.

    Raises CallWrong, and StoreBroken where a run in the folder has lost its database: left out silently, it would not
    be missed.
    """
    found: list[Path] = []
    for one in wanted:
        places = (Path(one), runs / one) if one else ()
        folder = next((place for place in places if place.is_dir() and not is_run(place)), None)
        if folder is None:
            found.append(find_run(one, runs))
            continue
        inside = sorted(inner for inner in folder.iterdir() if is_run(inner))
        refuse_emptied(folder)
        if not inside:
            raise CallWrong(f"the folder {folder} holds no runs")
        found += inside
    return list({folder.resolve(): folder for folder in found}.values())


def resolve(name: str, models: Path) -> str:
    """Give the sha256 of the ONNX file that a specification names: an alias or hash of the registry, or a path."""
    if Path(name).is_file():
        return fingerprint(Path(name))
    try:
        return Registry(models).entry(name).onnx_sha256
    except CallWrong as failure:
        raise GateBroken(f"the plan names the model {name}: {failure}") from failure


def _entries(spec: GateSpec, registry: Registry) -> dict[str, str]:
    """Give the models of the plan by their hash in the registry, cards included, where it names them there."""
    found = {}
    for role, side in (("baseline", spec.subject.baseline), ("candidate", spec.subject.candidate)):
        if side is not None and not Path(side.model).is_file():
            found[role] = registry.entry(side.model).sha256
    return found
