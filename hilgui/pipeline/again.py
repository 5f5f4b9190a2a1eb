"""A stored run played again: the plan that its header tells."""

from __future__ import annotations

import json
from pathlib import Path

from hilgui.errors import CallWrong
from hilgui.inference.execution import CHAINS
from hilgui.pipeline.plan import RunPlan
from hilgui.records import People, Role, RunHeader
from hilgui.settings import Settings
from hilgui.truth import NO_MAP


def plan_again(header: RunHeader, out: Path, settings: Settings) -> RunPlan:
    """Plan the same drive through the same models with the same labels, as fast as possible.

    `out` holds the run folder, and the class map where the run had one. Raises CallWrong for a live session and for
    files that are gone; that they are the same files, the header of the new run tells by its hashes.
    """
    if header.source.live:
        raise CallWrong(f"{header.run_id} saw a camera, which cannot be played again; record the session and replay it")
    if Role.BASELINE not in header.models:
        raise CallWrong(f"{header.run_id} has no baseline")
    models = {role: Path(facts.path) for role, facts in header.models.items()}
    truth = None if header.truth is None else Path(header.truth.path)
    recordings = [Path(path) for path in header.source.recordings]
    topics = [str(each["topic"]) for each in header.source.cameras if each["topic"]]
    for path in (*recordings, *models.values(), *(() if truth is None else (truth,))):
        if not path.exists():
            raise CallWrong(f"{header.run_id} cannot be played again: {path} is gone; bring it back or relink the run")
    vocabulary = header.vocabulary
    judged = tuple(vocabulary.name(number) for number in sorted(vocabulary.judged))
    return RunPlan(
        source=recordings[0],
        beside=tuple(recordings[1:]),
        offsets_s=tuple(float(each.get("offset_s", 0.0)) for each in header.source.cameras[1:]) if not topics else (),
        topic=",".join(topics) or None,
        baseline=models[Role.BASELINE],
        candidate=models.get(Role.CANDIDATE),
        out=out,
        settings=settings,
        truth=truth,
        provider=_provider(header.models[Role.BASELINE].provider),
        classes=judged if truth is not None else (),
        class_map=_class_map(header, out),
        fps=header.source.fps if header.source.kind == "image folder" else None,
        corrupt=header.source.corrupt,
        corrupt_seed=header.source.corrupt_seed,
        corrupt_depth=Path(header.source.corrupt_depth) if header.source.corrupt_depth else None,
        people=People(notes=f"again: {header.run_id}"),
    )


def _provider(name: str) -> str:
    return next((short for short, chain in CHAINS.items() if chain[0] == name), "auto")


def _class_map(header: RunHeader, out: Path) -> str:
    """Write the mapping of the labels as it was applied."""
    if header.truth is None or not header.truth.class_map:
        return NO_MAP
    path = out / "class-map.yaml"
    rows = "".join(f"  {json.dumps(label)}: {json.dumps(name)}\n" for label, name in header.truth.class_map.items())
    path.write_text(f"schema_version: 1\nclasses:\n{rows}", encoding="utf-8")
    return str(path)


def changed_files(before: RunHeader, after: RunHeader) -> tuple[str, ...]:
    """Name what is no longer the file that the run saw, by its hash."""
    changed = [before.source.path] if before.source.sha256 != after.source.sha256 else []
    if before.truth is not None and (after.truth is None or before.truth.sha256 != after.truth.sha256):
        changed.append(before.truth.path)
    for role, facts in before.models.items():
        if role not in after.models or after.models[role].sha256 != facts.sha256:
            changed.append(facts.path)
    return tuple(changed)
