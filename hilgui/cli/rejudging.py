"""`hilgui rejudge`, `hilgui export-dataset` and `hilgui labels corrections`: what triage leads to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilgui.errors import CallWrong
from hilgui.numerals import number_of

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
_Runs = Annotated[list[str], typer.Argument(metavar="RUN...", help='Run folders, ids, "last", or "all".')]


def rejudge(
    run: Annotated[str, typer.Argument(metavar="RUN", help='Run folder, its id or the beginning of it, or "last".')],
    truth: Annotated[Path, typer.Option(help="The corrected labels of the same recording.")],
    out: Annotated[Path | None, typer.Option(help="Folder that will hold the new run.")] = None,
    as_json: _Json = False,
) -> None:
    """Judge stored outputs by other labels, without running the models; makes a new run."""
    from contextlib import closing

    from hilgui.cli.console import Ticker, print_json, results
    from hilgui.report import summary
    from hilgui.report.rejudge import rejudge as judge_again
    from hilgui.settings import load_settings
    from hilgui.store import RunReader, find_run

    root = load_settings().runs
    with Ticker("rejudge") as ticker:
        made = judge_again(find_run(run, root), truth, out or root, progress=ticker.count("frames"))
    with closing(RunReader(made)) as reader:
        if as_json:
            print_json(summary(reader))
        else:
            results.print(f"{made}: {number_of(len(reader.findings()), 'finding')} by {truth}", markup=False)


def export_dataset(
    runs: _Runs,
    out: Annotated[Path, typer.Option(help="New folder for pictures, labels and dataset.json.")],
    form: Annotated[str, typer.Option("--format", "-f", help="coco, yolo, kitti, openlabel or cvat.")] = "coco",
    select: Annotated[list[str] | None, typer.Option(help="Numbers of findings: 3 5-9; with one run.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Only findings in this state of triage.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only findings with this tag.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind.")] = None,
    all_frames: Annotated[bool, typer.Option("--all-frames", help="Every frame, not only the worst.")] = False,
    blur: Annotated[list[str] | None, typer.Option(help="Class to blur, or region x1,y1,x2,y2; may repeat.")] = None,
    clips: Annotated[str, typer.Option(help="Add the clip of each finding: mp4, or mcap with boxes.")] = "",
    as_json: _Json = False,
) -> None:
    """Write the pictures of chosen findings with their labels, for relabelling and retraining."""
    from collections import Counter
    from contextlib import closing
    from dataclasses import asdict, replace

    from hilgui.cli.console import Ticker, notes, print_json, results
    from hilgui.cli.recording import who
    from hilgui.cli.triage import parse_numbers
    from hilgui.evidence.runs import note_dataset
    from hilgui.report.dataset import blur_of
    from hilgui.report.dataset import export_dataset as write
    from hilgui.settings import load_settings
    from hilgui.store import find_run, run_folders
    from hilgui.triage import FindingsIndex, Query
    from hilgui.triage.journal import state_named

    settings = load_settings()
    is_all = runs == ["all"]
    folders = run_folders(settings.runs) if is_all else [find_run(run, settings.runs) for run in runs]
    numbers = set(parse_numbers(select)) if select else None
    if numbers is not None and len(folders) != 1:
        raise CallWrong("--select names findings of one run; give one run")
    query = Query(
        runs=() if is_all else tuple(folders),
        states=tuple(state_named(word) for word in state or ()),
        tags=tuple(word.strip().lower() for word in tag or ()),
        kinds=tuple(kind or ()),
    )
    with closing(FindingsIndex(settings.home)) as index:
        index.refresh(folders)
        rows = index.rows(index.ids(replace(query)))
    rows = [row for row in rows if numbers is None or row.finding.number in numbers]
    with Ticker("export") as ticker:
        rules = blur_of(blur or [])
        tell = ticker.count("runs")
        done = write(rows, out, form, all_frames=all_frames, blur=rules, clips=clips, progress=tell)
    note_dataset(settings.home, form, done.out, Counter(row.run_id for row in rows), by=who(settings))
    if as_json:
        print_json({**asdict(done), "out": str(done.out), "lost": list(done.lost)})
        return
    for sentence in done.lost:
        notes.print(sentence, markup=False)
    results.print(
        f"{done.out}: {number_of(done.pictures, 'picture')}, {done.labelled} with labels, "
        f"{number_of(done.blurred, 'place')} blurred",
        markup=False,
    )


def corrections(
    runs: _Runs,
    out: Annotated[Path, typer.Option(help="Folder for corrected labels and what was corrected.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite what exists.")] = False,
    as_json: _Json = False,
) -> None:
    """Write corrected labels (COCO) from findings triaged as label_error or unlabelled_object."""
    from collections import Counter

    from hilgui.cli.console import print_json, results
    from hilgui.report.corrections import write_corrections
    from hilgui.settings import load_settings
    from hilgui.store import find_run, run_folders

    settings = load_settings()
    folders = run_folders(settings.runs) if runs == ["all"] else [find_run(run, settings.runs) for run in runs]
    written = write_corrections(folders, settings.home, out, force=force)
    if as_json:
        told = [
            {
                "labels": each.labels,
                "out": str(each.out),
                "sidecar": str(each.sidecar),
                **Counter(one.action for one in each.corrections),
            }
            for each in written
        ]
        print_json({"files": told})
        return
    for each in written:
        counts = Counter(one.action for one in each.corrections)
        words = ", ".join(f"{count} {action}" for action, count in sorted(counts.items()))
        results.print(f"{each.out}: {words}; why: {each.sidecar}", markup=False)
