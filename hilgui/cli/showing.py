"""The commands that only read: runs, findings, comparison, exports, doctor."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from hilgui.cli.console import Ticker, notes, print_json, results
from hilgui.cli.recording import who
from hilgui.cli.replaying import Ended, print_summary
from hilgui.errors import SourceBroken
from hilgui.evidence.runs import note_export
from hilgui.records import Outcome, RunHeader
from hilgui.report import attested_in_words, bench_check_in_words, comparison_in_words, export_run, summary
from hilgui.settings import Settings
from hilgui.sources.relink import find_by_hash
from hilgui.store import RunReader, find_run, list_runs, relink


def show_runs(root: Path, *, as_json: bool) -> int:
    """List the runs of a folder."""
    runs = list_runs(root)
    if as_json:
        print_json({"folder": str(root), "runs": [{**asdict(run), "folder": str(run.folder)} for run in runs]})
        return 0
    if not runs:
        results.print(f"There are no runs in {root}; `hilgui demo` or `hilgui replay` makes one.", markup=False)
        return 0
    table = Table("run", "verdict", "drive", "frames", "findings", "baseline", "candidate", box=None)
    for run in runs:
        word = run.outcome or run.state
        last = (run.baseline, run.candidate) if not run.problem else (run.problem, "")
        table.add_row(
            escape(run.name), word, run.source, str(run.frames), str(run.findings), *(escape(text) for text in last)
        )
    results.print(table)
    return 0


def show_run(text: str, root: Path, *, as_json: bool) -> int:
    """Show one run; 0 once it is shown, whatever its verdict."""
    with closing(RunReader(find_run(text, root))) as reader:
        figures = summary(reader)
        outcome = Outcome(figures["verdict"]) if figures["verdict"] else None
        if as_json:
            print_json(figures)
        else:
            drive = Path(reader.header.source.path)
            print_summary(
                Ended(drive, reader.folder, outcome or Outcome.ABORTED), {**figures, "verdict": outcome or "running"}
            )
            header = reader.header
            for sentence in (*comparison_in_words(reader), *attested_in_words(header), bench_check_in_words(header)):
                results.print(f"  {sentence}", markup=False)
    return 0


def write_export(text: str, settings: Settings, form: str, out: Path | None) -> int:
    """Export a run and note it in the journal; prints the path that was written."""
    with closing(RunReader(find_run(text, settings.runs))) as reader:
        started = time.monotonic()
        with Ticker(f"export {form}") as ticker:

            def advance(done: int, total: int) -> None:
                ticker.expect(total)
                ticker.advance(done, done / max(time.monotonic() - started, 1e-6), "frames")

            written = export_run(reader, form, out, advance)
        note_export(settings.home, reader.header.run_id, form, written, by=who(settings))
    results.print(str(written), markup=False)
    return 0


def relink_run(text: str, root: Path, roots: list[Path]) -> int:
    """Find the recording of a run below some folders, of several cameras each of theirs; 4 where one is not there."""
    folder = find_run(text, root)
    with closing(RunReader(folder)) as reader:
        source = RunHeader.from_json(reader.meta("header")).source  # as it was written, wherever it moved since
    if "" in source.recordings.values():
        raise SourceBroken(
            f"{folder.name} is of a version that kept one hash for all its cameras; put the recordings back"
        )
    with Ticker("looking") as ticker:
        started = time.monotonic()

        def advance(_path: Path, done: int) -> None:
            ticker.advance(done, done / max(time.monotonic() - started, 1e-6), "files")

        found: dict[str, Path] = {}
        for path, sha256 in source.recordings.items():
            place = find_by_hash(sha256, roots, name=Path(path).name, progress=advance)
            if place is None:
                places = ", ".join(str(each) for each in roots)
                raise SourceBroken(
                    f"{Path(path).name} is nowhere in {places} with the content that the run saw; look elsewhere"
                )
            found[path] = place.resolve()
    relink(folder, found)
    for place in found.values():
        results.print(str(place), markup=False)
    return 0


def show_doctor(*, as_json: bool) -> int:
    """Examine this machine; always 0, since a missing GPU is a value."""
    from hilgui.engine.doctor import report

    items = report()
    if as_json:
        print_json({"items": [asdict(item) for item in items]})
        return 0
    marks = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "missing": "[red]✗[/]"}
    table = Table(box=None, show_header=False)
    for item in items:
        advice = "" if item.status == "ok" else escape(item.advice)
        table.add_row(
            marks[item.status], escape(item.name), escape(item.value), f"[yellow]{advice}[/]" if advice else ""
        )
    results.print(table)
    missing = [item.name for item in items if item.status == "missing"]
    notes.print(f"{len(missing)} missing: {', '.join(missing)}" if missing else "Nothing is missing.", markup=False)
    return 0
