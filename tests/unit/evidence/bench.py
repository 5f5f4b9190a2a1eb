"""A home with a few runs, a plan, a registry and keys, so that evidence can be made and tampered with."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from hilgui.evidence import Decisions, KeyRing, Recorded, Signer, witness
from hilgui.gate import GateSpec, decide
from hilgui.models import Alias, Golden, Registry, clip_sha256
from hilgui.records import Finding, FoundObject, Kind, Ledger, Outcome, Role, Severity, Verdict
from hilgui.store import Picture, RunReader, RunWriter
from tests.unit.gate.evidence import evidence, spec, spread
from tests.unit.inference.tiny import dense
from tests.unit.store.rows import header, moment

PASSPHRASE = "three secret words"
WORSE = {"recall": spread(-0.05)}
BETTER = {"gain": spread(0.05)}


def write_run(home: Path, number: int, models: dict[Role, str] | None = None) -> Path:
    """Write a short run with one finding and its pictures."""
    plain = header(f"20260131-142233-drive-{number:04d}")
    if models is not None:
        plain = replace(
            plain, models={role: replace(facts, sha256=models[role]) for role, facts in plain.models.items()}
        )
    writer = RunWriter(home / "runs", plain)
    finding = Finding(
        1, Kind.MISSED_CRITICAL, Severity.HIGH, Role.CANDIDATE, 1, 2, 1, 2, 1 / 30, 2 / 30, 1 / 30,
        "the candidate misses a person 12 m ahead", (FoundObject("person", (1, 2, 30, 40)),), {"distance_m": 12.0},
        0, 3,
    )  # fmt: skip
    pictures = [Picture(seq, b"\xff\xd8 picture %d" % (seq + 10 * number)) for seq in range(4)]
    writer.write([moment(seq, boxes=4) for seq in range(5)], [finding], pictures)
    writer.finish(Verdict(Outcome.PASS), Ledger(captured=5, evaluated=5, with_truth=5))
    return writer.folder


def plan(**changes: Any) -> GateSpec:
    return spec(**changes)


def record(home: Path, *, by: str = "eve", runs: int = 2, plan: GateSpec | None = None, **figures: Any) -> Recorded:
    """Decide from made-up figures, record it about real runs."""
    folders = [folder for folder in (home / "runs").glob("*") if folder.is_dir()]
    while len(folders) < runs:
        folders.append(write_run(home, len(folders) + 1))
    specification = plan or spec()
    models = figures.pop("models", None)
    found = evidence(**figures)
    if models is not None:
        found = replace(found, models=models)
    readers = [RunReader(folder) for folder in folders]
    try:
        return Decisions(home).record(
            decide(specification, found), specification.model_dump(mode="json", by_alias=True), readers, by=by
        )
    finally:
        for reader in readers:
            with closing(reader):
                pass


def person(home: Path, name: str) -> Signer:
    ring = KeyRing(home)
    ring.new(name, PASSPHRASE)
    return ring.unlock(name, PASSPHRASE)


def registry(home: Path, changed: list[int] | None = None) -> Registry:
    """Open a registry whose models answer every clip; what is in `changed` makes them answer otherwise."""

    def says(_path: Path, clip: Path) -> Golden:
        people = 4 + sum(changed or ())
        return Golden(clip_sha256(clip), 10, people, {"person": people}, 0.5, (0, 0, 9, 9))

    return Registry(home / "models", replay=says, witness=witness(home))


def stocked(home: Path, folder: Path, changed: list[int] | None = None) -> tuple[Registry, dict[str, str]]:
    """Give a registry whose slot "front" has champion and candidate, and their ONNX hashes by role."""
    opened = registry(home, changed)
    for name, score in (("old", 0.6), ("new", 0.7)):
        opened.shelf.put(dense([[1, 2, 30, 40]], [[score, 0.1]]).write(folder / f"{name}.onnx"), by="ada")
    opened.set("front", Alias.CHAMPION, "old", by="ada", reason="first")
    opened.set("front", Alias.CANDIDATE, "new", by="ada", reason="trained at night too")
    roles = {"baseline": "front@champion", "candidate": "front@candidate"}
    return opened, {role: opened.entry(name).onnx_sha256 for role, name in roles.items()}
