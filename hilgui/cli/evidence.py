"""`hilgui evidence`: bundles, their verification, and the journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hilgui.numerals import number_of

if TYPE_CHECKING:
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
    from hilgui.cli.console import Ticker, print_json, results
    from hilgui.cli.passphrase import unlock
    from hilgui.evidence import Decisions, KeyRing
    from hilgui.evidence.bundle import Extras
    from hilgui.pipeline.bundling import export_bundle
    from hilgui.settings import load_settings

    settings = load_settings()
    recorded = Decisions(settings.home).find(decision)
    extras = Extras(
        cases=cases,
        signers=tuple(unlock(KeyRing(settings.home), key) for key in keys or ()),
        robustness=robustness,
        monitoring=monitoring,
    )
    with Ticker("bundle") as ticker:
        facts = export_bundle(
            recorded,
            out,
            settings,
            extras,
            runs=tuple(runs or ()),
            with_models=with_models,
            progress=ticker.count("cases"),
        )
    closing, changed = facts["closing"], facts.pop("changed")
    if as_json:
        print_json(facts)
        return
    results.print(f"{out}  {facts['size']:,} bytes, sha256 {facts['sha256']}", markup=False)
    results.print(
        f"  {number_of(closing['files'], 'file')}, {number_of(closing['events'], 'event')} of the journal", markup=False
    )
    for one in changed:
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
    """Check a bundle: 0 sound, 1 changed, 2 no bundle at all, 3 sound, but signed by nobody you trust."""
    from hilgui.cli.console import print_json, results
    from hilgui.errors import CallWrong, EvidenceBroken
    from hilgui.evidence.verify import in_words, verify_bundle
    from hilgui.settings import load_settings

    settings = load_settings()
    try:
        found = verify_bundle(bundle, _trusted(settings, trust or []))
    except (FileNotFoundError, IsADirectoryError) as failure:
        raise CallWrong(f"{bundle} is no file: {failure.strerror}; name the zip of a bundle") from failure
    except OSError as failure:
        raise EvidenceBroken(f"{bundle} cannot be read: {failure.strerror or failure}", path=bundle) from failure
    code = found.exit_code
    replayed = _replay(bundle, found, models or [], settings) if replay and code in (0, 3) else None
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
        results.print(f"{number_of(len(events), 'event')}, head {chain.head}", markup=False)
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


def _replay(bundle: Path, found: Found, folders: list[Path], settings: Settings) -> list[Any]:
    import tempfile

    from hilgui.cli.console import Ticker
    from hilgui.errors import CallWrong
    from hilgui.evidence import Decisions
    from hilgui.evidence.stored_zip import Container
    from hilgui.pipeline.bundling import find_model
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
                for suffix in ("onnx", "yaml"):
                    name = f"models/{role}/model.{suffix}"
                    if name in container.entries:
                        (place / f"{role}.{suffix}").write_bytes(container.read(name))
        finally:
            container.close()

        def find(role: str, digest: str) -> Path | None:
            inside = place / f"{role}.onnx"
            return inside if inside.is_file() else find_model(role, digest, folders, settings, recorded)

        return replay_cases(bundle, find, place, ticker.count("cases"))
