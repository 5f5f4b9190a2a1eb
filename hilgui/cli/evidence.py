"""`hilgui evidence`: bundles, their verification, and the journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hilgui.evidence import Recorded
    from hilgui.evidence.verify import Found
    from hilgui.settings import Settings

evidence_app = typer.Typer(help="Evidence: bundles that a stranger can check, and the journal.", rich_markup_mode=None)

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
_OptionalFile = Annotated[Path | None, typer.Option(help="JSON document that goes in.")]


@evidence_app.command("bundle")
def bundle(
    decision: Annotated[str, typer.Argument(metavar="DECISION", help='Id of a decision, its beginning, or "last".')],
    out: Annotated[Path, typer.Option(help="Zip to write.")],
    runs: Annotated[list[Path] | None, typer.Option("--runs", help="Folder with runs that were moved; again.")] = None,
    cases: Annotated[int, typer.Option(min=0, max=500, help="Worst findings that go in with their clips.")] = 12,
    keys: Annotated[list[str] | None, typer.Option("--key", help="Key of a person that signs it too; again.")] = None,
    with_models: Annotated[bool, typer.Option("--with-models", help="Put the ONNX files in, for --replay.")] = False,
    robustness: _OptionalFile = None,
    monitoring: _OptionalFile = None,
    as_json: _Json = False,
) -> None:
    """Write the bundle of a recorded decision: one zip with everything a stranger needs to check it."""
    from contextlib import ExitStack, closing

    from hilgui.cli.console import Ticker, print_json, results
    from hilgui.cli.passphrase import unlock
    from hilgui.cli.recording import who
    from hilgui.evidence import Decisions, EventKind, Journal, KeyRing
    from hilgui.evidence.bundle import Extras, find_runs, write_bundle
    from hilgui.evidence.chain import sha256
    from hilgui.settings import load_settings
    from hilgui.store import RunReader, is_run, run_folders

    settings = load_settings()
    recorded = Decisions(settings.home).find(decision)
    places = [settings.runs, *(runs or ())]
    folders = {folder.name: folder for place in places for folder in run_folders(place)}
    folders |= {place.name: place for place in runs or () if is_run(place)}
    with ExitStack() as stack, Ticker("bundle") as ticker:
        readers = [stack.enter_context(closing(RunReader(folder))) for folder in find_runs(recorded, folders)]
        extras = Extras(
            cases=cases,
            signers=tuple(unlock(KeyRing(settings.home), key) for key in keys or ()),
            robustness=robustness,
            monitoring=monitoring,
            models=_models(recorded, settings) if with_models else {},
            lineage=_lineage(settings),
        )
        manifest = write_bundle(settings.home, recorded, readers, out, extras, ticker.count("cases"))
    content = out.read_bytes()
    facts = {"bundle": out.name, "about": recorded.id, "sha256": sha256(content), "size": len(content)}
    Journal(settings.home).append(EventKind.EXPORT, facts, by=who(settings))
    if as_json:
        print_json({**facts, "closing": manifest["closing"]})
        return
    closing_ = manifest["closing"]
    results.print(f"{out}  {len(content):,} bytes, sha256 {facts['sha256']}", markup=False)
    results.print(f"  {closing_['files']} files, {closing_['events']} events of the journal", markup=False)
    for one in manifest["changed"]:
        results.print(f"  WARNING: {one}", markup=False)


@evidence_app.command("verify")
def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Zip that `hilgui evidence bundle` wrote.")],
    replay: Annotated[bool, typer.Option("--replay", help="Play the clips again through the hashed models.")] = False,
    models: Annotated[
        list[Path] | None, typer.Option("--models", help="Folder to look for the models in; again.")
    ] = None,
    trust: Annotated[list[str] | None, typer.Option("--trust", help="Key id or public key file; again.")] = None,
    as_json: _Json = False,
) -> None:
    """Check hashes, chain, signatures and counts: 0 sound, 1 changed, 3 sound, but signed by nobody you trust."""
    from hilgui.cli.console import print_json, results
    from hilgui.errors import EvidenceBroken
    from hilgui.evidence.verify import in_words, verify_bundle
    from hilgui.settings import load_settings

    settings = load_settings()
    try:
        found = verify_bundle(bundle, _trusted(settings, trust or []))
    except OSError as failure:
        raise EvidenceBroken(
            f"{bundle} cannot be read: {failure.strerror or failure}; is it the right file?"
        ) from failure
    code = {"PASS": 0, "FAIL": 1}.get(found.verdict, 3)
    replayed = _replay(bundle, found, models or [], settings) if replay and code != 1 else None
    if as_json:
        more = {} if replayed is None else {"replay": [one.as_json() for one in replayed]}
        print_json({"bundle": str(bundle), **found.as_json(), **more})
    else:
        for line in in_words(found):
            results.print(line, markup=False)
        for one in replayed or ():
            word = {True: "same", False: "DIFFERENT", None: "not told"}[one.came_back]
            results.print(f"  {one.case}: {word}: {one.why}", markup=False)
    if replayed is not None and code == 0:
        told = [one.came_back for one in replayed]
        code = 1 if False in told else 3 if told and True not in told else 0
    raise typer.Exit(code)


@evidence_app.command("journal")
def journal(
    last: Annotated[int, typer.Option(min=0, help="Events to show.")] = 20,
    as_json: _Json = False,
) -> None:
    """Follow the chain of the journal and show its last events; exit with 1 where something was changed."""
    from dataclasses import asdict

    from hilgui.cli.console import print_json, results
    from hilgui.evidence import Event, Journal
    from hilgui.evidence.postmortem import event_in_words
    from hilgui.settings import load_settings

    chain = Journal(load_settings().home).checked()
    events = [Event.of(event) for event in chain.events]
    if as_json:
        print_json(
            {
                "verdict": "FAIL" if chain.problems else "PASS",
                "problems": chain.problems,
                "events": len(events),
                "head": chain.head,
                "last": [asdict(event) for event in events[len(events) - last :]],
            }
        )
    else:
        for event in events[max(0, len(events) - last) :]:
            results.print(f"{event.seq:>6}  {event.at[:23]}  {event.by}: {event_in_words(event)}", markup=False)
        results.print(f"{len(events)} events, head {chain.head}", markup=False)
        for problem in chain.problems:
            results.print(f"  ! {problem}", markup=False)
    raise typer.Exit(1 if chain.problems else 0)


def _trusted(settings: Settings, given: list[str]) -> set[str]:
    import re

    from hilgui.evidence import KeyRing, read_key

    trusted = {key.keyid for key in KeyRing(settings.home).all()}
    for one in given:
        trusted.add(one if re.fullmatch("[0-9a-f]{64}", one) else read_key(Path(one)).keyid)
    return trusted


def _models(recorded: Recorded, settings: Settings) -> dict[str, Path]:
    from hilgui.errors import CallWrong

    found = {}
    for role, digest in recorded.models.items():
        path = _find_model(role, digest, [], settings, recorded)
        if path is None:
            raise CallWrong(f"the {role} model {digest[:12]} is not on this machine; import it into the registry")
        found[role] = path
    return found


def _find_model(
    role: str, digest: str, folders: list[Path], settings: Settings, recorded: Recorded | None = None
) -> Path | None:
    """Look for a model by its hash: in folders, in the registry, where the runs of a decision had it."""
    from contextlib import closing

    from hilgui.inference.session import fingerprint
    from hilgui.models import Registry
    from hilgui.records import Role
    from hilgui.store import RunReader, is_run

    for folder in folders:
        files = [folder] if folder.is_file() else sorted(folder.rglob("*.onnx"))
        for file in files:
            if fingerprint(file) == digest:
                return file
    registry = Registry(settings.models)
    for entry in registry.shelf.entries():
        if entry.onnx_sha256 == digest:
            return registry.shelf.path(entry)
    for run in () if recorded is None else recorded.runs:
        if is_run(settings.runs / run):
            with closing(RunReader(settings.runs / run)) as reader:
                path = Path(reader.header.models[Role(role)].path)
            if path.is_file() and fingerprint(path) == digest:
                return path
    return None


def _lineage(settings: Settings) -> dict[str, dict[str, Any]]:
    from dataclasses import asdict

    from hilgui.models import Registry

    return {entry.onnx_sha256: asdict(entry.lineage) for entry in Registry(settings.models).shelf.entries()}


def _replay(bundle: Path, found: Found, folders: list[Path], settings: Settings) -> list[Any]:
    import tempfile

    from hilgui.cli.console import Ticker
    from hilgui.errors import CallWrong
    from hilgui.evidence import Decisions
    from hilgui.evidence.stored_zip import Container
    from hilgui.pipeline.case_replay import replay_cases

    try:
        recorded = Decisions(settings.home).find(found.decision["id"])
    except CallWrong:
        recorded = None  # another bench made it
    with tempfile.TemporaryDirectory(prefix="hilgui-verify-") as scratch, Ticker("replay") as ticker:
        place = Path(scratch)
        container = Container(bundle)
        try:
            for role in ("baseline", "candidate"):
                name = f"models/{role}/model.onnx"
                if name in container.entries:
                    (place / f"{role}.onnx").write_bytes(container.read(name))
        finally:
            container.close()

        def find(role: str, digest: str) -> Path | None:
            inside = place / f"{role}.onnx"
            return inside if inside.is_file() else _find_model(role, digest, folders, settings, recorded)

        return replay_cases(bundle, find, place, ticker.count("cases"))
