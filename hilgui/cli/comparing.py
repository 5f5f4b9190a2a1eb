"""`hilgui compare` and `hilgui noise`: runs beside each other, and how much a model differs from itself."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="A B...", help="Runs of one drive; the first is the reference.")],
    waivers: Annotated[Path | None, typer.Option(help="YAML of known failures: kind, where, owner, expiry.")] = None,
    as_json: _Json = False,
) -> None:
    """Compare runs: figures with paired intervals, latency, findings that are new, gone or the same."""
    from datetime import UTC, datetime

    from hilgui.cli.console import Ticker, print_json, results
    from hilgui.errors import CallWrong
    from hilgui.report import compare_many, compared_in_words, differences_in_words
    from hilgui.report.noise import read_noise
    from hilgui.report.waivers import load_waivers
    from hilgui.settings import load_settings
    from hilgui.store import RunReader, find_run

    if len(runs) < 2:
        raise CallWrong("a comparison needs two runs or more; `hilgui runs list` names them")
    known = load_waivers(waivers) if waivers is not None else ()
    root = load_settings().runs
    with ExitStack() as opened, Ticker("compare") as ticker:
        readers = [opened.enter_context(closing(RunReader(find_run(run, root)))) for run in runs]
        noise = read_noise(readers[0].folder)
        today = datetime.now(UTC).date()
        compared = compare_many(readers, waivers=known, today=today, noise=noise, progress=ticker.count("runs"))
    if as_json:
        pairs = [other["pair"] for other in compared["others"]]
        print_json({**pairs[0], "differences": compared} if len(pairs) == 1 else compared)
        return
    for other in compared["others"]:
        for line in compared_in_words(other["pair"]):
            results.print(line, markup=False)
    for line in differences_in_words(compared):
        results.print(line, markup=False)


def waive(
    run: Annotated[str, typer.Argument(metavar="RUN", help='Run folder, id or "last".')],
    number: Annotated[int, typer.Argument(metavar="N", help="Number of the finding.")],
    owner: Annotated[str, typer.Option(help="Who answers for it.")],
    reason: Annotated[str, typer.Option(help="Why it may stay for now.")],
    expires: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day on which it holds.")],
    waivers: Annotated[Path | None, typer.Option(help="File of waivers; default: that of the Compare page.")] = None,
    every: Annotated[bool, typer.Option("--every", help="All findings of this kind and class on the drive.")] = False,
    as_json: _Json = False,
) -> None:
    """Waive a known failure until a day; `compare --waivers` leaves it out until then."""
    from pydantic import ValidationError

    from hilgui.cli.console import print_json, results
    from hilgui.errors import CallWrong
    from hilgui.report.waivers import FILE, add_waiver, waiver_for
    from hilgui.settings import load_settings
    from hilgui.store import RunReader, find_run

    if expires.date() < datetime.now(UTC).date():
        raise CallWrong(f"{expires.date()} is past; a waiver that has expired counts for nothing, give a later day")
    settings = load_settings()
    with closing(RunReader(find_run(run, settings.runs))) as reader:
        drive = reader.header.source.name
        found = {finding.number: finding for finding in reader.findings()}
    if number not in found:
        raise CallWrong(f"{run} has no finding {number}; `hilgui findings` lists them")
    try:
        made = waiver_for(
            found[number], drive, owner=owner, reason=reason, expires=expires.date(), only_there=not every
        )
    except ValidationError as failure:
        raise CallWrong("a waiver needs an owner and a reason") from failure
    path = waivers or settings.home / FILE
    add_waiver(path, made)
    if as_json:
        print_json({"waivers": str(path), "waiver": made.model_dump(mode="json", by_alias=True)})
        return
    results.print(f"{made.kind.value} waived by {owner} until {made.expires}: {path}", markup=False)


def noise(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help='Run folders, ids or "last".')],
    as_json: _Json = False,
) -> None:
    """Replay runs twice: how much do models differ from themselves? `compare` and `replay --noise RUN` use it."""
    import tempfile

    from hilgui.cli.console import notes, print_json, results
    from hilgui.cli.replaying import run_queue
    from hilgui.errors import BenchBroken
    from hilgui.pipeline.again import changed_files, plan_again
    from hilgui.report.noise import noise_between, write_noise
    from hilgui.settings import load_settings
    from hilgui.store import RunReader, find_run

    settings = load_settings().model_copy(update={"noise": ""})  # what is measured now is not held against another
    documents = []
    for run in runs:
        folder = find_run(run, settings.runs)
        with closing(RunReader(folder)) as reader, tempfile.TemporaryDirectory(prefix="hilgui-noise-") as out:
            plan = plan_again(reader.header, Path(out), settings)
            ended = run_queue([plan, plan], quiet=as_json)
            broken = next((each for each in ended if each.folder is None or each.exit_code not in (0, 3)), None)
            if broken is not None or len(ended) < 2:
                why = (broken.sentence or broken.outcome.value) if broken else "stopped"
                raise BenchBroken(f"{reader.header.run_id} could not be replayed: {why}")
            with ExitStack() as opened:
                replays = [
                    opened.enter_context(closing(RunReader(each.folder))) for each in ended if each.folder is not None
                ]
                for path in changed_files(reader.header, replays[0].header):
                    notes.print(f"{path} is not the file that the run saw; its noise is measured", markup=False)
                floor = noise_between(*replays)
            write_noise(folder, floor)
        documents.append({"run": str(folder), **floor.as_json()})
        if not as_json:
            results.print(
                f"{folder.name}: {floor.identical} of {floor.frames} frames identical; {floor.unpaired} of "
                f"{floor.boxes} boxes without partner, scores differ by up to {floor.score:.2g}, "
                f"boxes by up to {floor.box_px:.2g} px, 1 - F1 of itself up to {floor.disagreement:.2g}",
                markup=False,
            )
            for name, value in floor.figures.items():
                if value > 0:
                    results.print(f"  {name}: ± {value:.2g}", markup=False)
    if as_json:
        print_json(documents[0] if len(documents) == 1 else {"runs": documents})
