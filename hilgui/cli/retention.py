"""`hilgui runs pin, unpin, archive, prune`: which runs stay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hilgui.settings import Settings

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
_Run = Annotated[str, typer.Argument(metavar="RUN", help='Run folder, its id or the beginning of it, or "last".')]
_Operator = Annotated[str | None, typer.Option(help="Who does this; default: the setting, or who is logged in.")]


def pin(
    run: _Run, reason: Annotated[str, typer.Option(help="Why it stays.")] = "pinned", operator: _Operator = None
) -> None:
    """Keep a run whatever a policy says."""
    from hilgui.cli.console import results

    retention, settings, by = _open(operator)
    run_id = _find(run, settings)[1]
    retention.pin(run_id, by=by, reason=reason)
    results.print(f"{run_id} stays: {reason}", markup=False)


def unpin(run: _Run, operator: _Operator = None) -> None:
    """Let a run go with the others again."""
    from hilgui.cli.console import results

    retention, settings, by = _open(operator)
    run_id = _find(run, settings)[1]
    retention.unpin(run_id, by=by)
    keeper = retention.keepers().get(run_id, "")
    results.print(f"{run_id} is not pinned any more" + (f", but stays: {keeper}" if keeper else ""), markup=False)


def archive(
    run: _Run,
    out: Annotated[Path, typer.Option(help="Folder for the zip.")],
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove the run's folder once the zip is read back.")
    ] = False,
    operator: _Operator = None,
) -> None:
    """Pack a run into a zip whose hash the journal knows."""
    from hilgui.cli.console import results

    retention, settings, by = _open(operator)
    folder, run_id = _find(run, settings)
    results.print(str(retention.archive(folder, run_id, out, by=by, remove=remove)), markup=False)


def prune(
    policy: Annotated[Path, typer.Option(help="Retention policy (YAML): age, size, verdicts.")],
    yes: Annotated[bool, typer.Option("--yes", help="Really remove them; without it nothing is changed.")] = False,
    folder: Annotated[Path | None, typer.Option("--in", help="Folder with runs; default: your runs.")] = None,
    operator: _Operator = None,
    as_json: _Json = False,
) -> None:
    """Remove the runs that a policy lets go; what a decision, an open incident or a pin needs stays."""
    from hilgui.cli.console import print_json, results
    from hilgui.evidence.retention import read_policy

    rules = read_policy(policy)
    retention, settings, by = _open(operator)
    doomed = retention.plan(folder or settings.runs, rules)
    gone = retention.remove(doomed, by=by) if yes else []
    if as_json:
        rows = [
            {"run": one.run_id, "size": one.size, "why": one.why, "kept_by": one.kept_by, "removed": one in gone}
            for one in doomed
        ]
        print_json({"dry_run": not yes, "runs": rows})
        return
    for one in doomed:
        word = "removed" if one in gone else "stays" if one.kept_by else "would go"
        said = f"{one.why}, but {one.kept_by}" if one.kept_by else one.why
        results.print(f"{word:<9} {one.run_id}  {one.size / 1e6:,.0f} MB: {said}", markup=False)
    free = sum(one.size for one in doomed if not one.kept_by)
    if not yes:
        results.print(f"Nothing was changed; --yes would free {free / 1e6:,.0f} MB.", markup=False)


def _open(operator: str | None) -> tuple[Any, Settings, str]:
    from hilgui.cli.recording import who
    from hilgui.evidence.retention import Retention
    from hilgui.settings import load_settings

    settings = load_settings(operator=operator)
    return Retention(settings.home), settings, who(settings)


def _find(text: str, settings: Settings) -> tuple[Path, str]:
    from contextlib import closing

    from hilgui.store import RunReader, find_run

    folder = find_run(text, settings.runs)
    with closing(RunReader(folder)) as reader:
        return folder, reader.header.run_id
