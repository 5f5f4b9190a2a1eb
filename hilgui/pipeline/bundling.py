"""Writes the bundle of a recorded decision with what this bench knows of its runs and models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hilgui.errors import CallWrong
from hilgui.evidence import EventKind, Journal, Recorded
from hilgui.evidence.bundle import Extras, find_runs, write_bundle
from hilgui.evidence.chain import sha256
from hilgui.inference.session import fingerprint
from hilgui.models import Registry
from hilgui.pipeline.deciding import who
from hilgui.records import Role
from hilgui.report.protocol import Progress, silent
from hilgui.settings import Settings
from hilgui.store import RunReader, is_run, run_folders


def export_bundle(
    recorded: Recorded,
    out: Path,
    settings: Settings,
    extras: Extras,
    *,
    runs: Sequence[Path] = (),
    with_models: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write a bundle and note it in the journal; give its facts with `closing` and `changed` of the manifest.

    `runs` are more places to look for the runs in. Raises CallWrong and EvidenceBroken.
    """
    folders = {folder.name: folder for place in (settings.runs, *runs) for folder in run_folders(place)}
    folders |= {place.name: place for place in runs if is_run(place)}
    extras = replace(extras, models=_models(recorded, settings) if with_models else {}, lineage=_lineage(settings))
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(RunReader(folder))) for folder in find_runs(recorded, folders)]
        manifest = write_bundle(settings.home, recorded, readers, out, extras, progress)
    content = out.read_bytes()
    facts = {"bundle": out.name, "about": recorded.id, "sha256": sha256(content), "size": len(content)}
    Journal(settings.home).append(EventKind.EXPORT, facts, by=who(settings))
    return {**facts, "closing": manifest["closing"], "changed": manifest["changed"]}


def find_model(
    role: str, digest: str, folders: Iterable[Path], settings: Settings, recorded: Recorded | None = None
) -> Path | None:
    """Look for a model by its hash: in folders, in the registry, where the runs of a decision had it."""
    for folder in folders:
        files = [folder] if folder.is_file() else sorted(folder.rglob("*.onnx"))
        for file in files:
            if fingerprint(file) == digest:
                return file
    registry = Registry(settings.models)
    for entry in registry.shelf.entries():
        if entry.onnx_sha256 == digest:
            return registry.shelf.path(entry)
    wanted = () if recorded is None else recorded.runs
    for run in run_folders(settings.runs) if wanted else ():
        if run.name in wanted:
            with closing(RunReader(run)) as reader:
                path = Path(reader.header.models[Role(role)].path)
            if path.is_file() and fingerprint(path) == digest:
                return path
    return None


def _models(recorded: Recorded, settings: Settings) -> dict[str, Path]:
    found = {}
    for role, digest in recorded.models.items():
        path = find_model(role, digest, (), settings, recorded)
        if path is None:
            raise CallWrong(f"the {role} model {digest[:12]} is not on this machine; import it into the registry")
        found[role] = path
    return found


def _lineage(settings: Settings) -> dict[str, dict[str, Any]]:
    return {entry.onnx_sha256: asdict(entry.lineage) for entry in Registry(settings.models).shelf.entries()}
