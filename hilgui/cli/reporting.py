"""`hilgui report`: a run, a comparison or a decision for the manager, as HTML or PDF."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hilgui.errors import CallWrong

if TYPE_CHECKING:
    from hilgui.report.document import Document
    from hilgui.settings import Settings
    from hilgui.store import RunReader


class Form(StrEnum):
    """What a report is written as."""

    HTML = "html"
    PDF = "pdf"


def report(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN | RUN_A RUN_B | DECISION | RESULT",
            help='A run ("last"); two runs of one drive; a recorded decision, or what `hilgui gate --json` printed; '
            "a result of `hilgui robustness`.",
        ),
    ],
    form: Annotated[Form, typer.Option("--format", "-f", help="html or pdf.")] = Form.HTML,
    out: Annotated[Path | None, typer.Option(help="File to write; default: in the folder where you are.")] = None,
    decision: Annotated[bool, typer.Option("--decision", help='The word names a decision, as "last" does.')] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Write a report: one page for the manager, then figures with intervals, slices, worst clips, settings."""
    from hilgui.cli.console import print_json, results
    from hilgui.settings import load_settings

    written = write_report(words, load_settings(), form, out, is_decision=decision)
    if as_json:
        print_json({"report": str(written), "format": form.value})
    else:
        results.print(str(written), markup=False)


def write_report(words: list[str], settings: Settings, form: Form, out: Path | None, *, is_decision: bool) -> Path:
    """Build the report, write it whole or not at all, and note it in the journal; give the place of the file."""
    from hilgui.cli.recording import who
    from hilgui.evidence.runs import note_page
    from hilgui.report.protocol import replacing_file

    if len(words) > 2:
        raise CallWrong("a report is about a run, two runs or a decision; `hilgui compare` takes more runs")
    with ExitStack() as opened:
        name, document, about = _document(words, settings, opened, is_decision=is_decision)
    place = out or Path(f"{name}-report.{form.value}")
    if place.is_dir():
        place = place / f"{name}-report.{form.value}"
    if not place.parent.exists():
        raise CallWrong(
            f"there is no folder {place.parent} for the report {place.name}; make it or choose another place"
        )
    content = _rendered(document, form)
    with replacing_file(place) as unfinished:
        unfinished.write_bytes(content)
    note_page(settings.home, f"report {form.value}", place, about, by=who(settings))
    return place


def _rendered(document: Document, form: Form) -> bytes:
    if form is Form.PDF:
        from hilgui.report.document_pdf import pdf_of

        return pdf_of(document)
    from hilgui.report.document_html import html_of

    return html_of(document).encode()


def _document(
    words: list[str], settings: Settings, opened: ExitStack, *, is_decision: bool
) -> tuple[str, Document, tuple[str, ...]]:
    """Find out what is meant, and give a name for the file, the content, and the names of what it is about."""
    from datetime import UTC, datetime

    from hilgui.cli.console import Ticker
    from hilgui.report.comparison_document import comparison_document
    from hilgui.report.decision_document import decision_document
    from hilgui.report.run_document import run_document
    from hilgui.store import find_run

    if len(words) == 2:
        a, b = (_open(find_run(word, settings.runs), opened) for word in words)
        with Ticker("compare") as ticker:
            today = datetime.now(UTC).date()
            document = comparison_document(a, b, today=today, progress=ticker.count("runs"))
        ids = (a.header.run_id, b.header.run_id)
        return f"{b.header.run_id}-against-{a.header.run_id}", document, ids
    attempt = _attempt_of(words[0], settings)
    if attempt is not None:
        return attempt.name, _tried(attempt), (attempt.name,)
    if Path(words[0]).is_file():
        plain = _printed(Path(words[0]))
        names = tuple(str(name) for name in plain["runs"])
        return Path(words[0]).stem, decision_document(plain, _runs(names, settings, opened)), names
    folder = None if is_decision else _run_of(words[0], settings)
    if folder is not None:
        reader = _open(folder, opened)
        with Ticker("report") as ticker:
            name = reader.header.run_id
            return name, run_document(reader, ticker.count("frames")), (name,)
    return _recorded(words[0], settings, opened)


def _attempt_of(word: str, settings: Settings) -> Path | None:
    """Give the robustness result that a word names by its folder or its whole id."""
    from hilgui.robustness.shelf import DOCUMENT, results_root

    places = (Path(word), results_root(settings.home) / word)
    return next((place for place in places if word and (place / DOCUMENT).is_file()), None)


def _tried(folder: Path) -> Document:
    """Build the report of a result; that of an audit is the one that the audit itself wrote."""
    from hilgui.attacks.audit.document import audit_of, document_of
    from hilgui.errors import StoreBroken
    from hilgui.robustness import AUDIT, read_result
    from hilgui.robustness.report import result_document

    result = read_result(folder)
    try:
        audit = audit_of(result) if result.kind == AUDIT else None
    except (KeyError, TypeError, ValueError) as failure:
        raise StoreBroken(f"{folder} holds no audit that can be read: {failure}; audit again", path=folder) from failure
    return result_document(folder, result) if audit is None else document_of(audit, folder)


def _run_of(word: str, settings: Settings) -> Path | None:
    """Give the run that a word names; None where it names none but a decision."""
    from hilgui.evidence import Decisions
    from hilgui.store import find_run

    try:
        return find_run(word, settings.runs)
    except CallWrong as failure:
        try:
            Decisions(settings.home).find(word)
        except CallWrong:
            raise CallWrong(f"{failure}; nor is it a recorded decision or a file") from failure
        return None


def _recorded(word: str, settings: Settings, opened: ExitStack) -> tuple[str, Document, tuple[str, ...]]:
    from hilgui.evidence import Decisions
    from hilgui.report.decision_document import decision_document

    found = Decisions(settings.home).find(word)
    readers = _runs(found.runs, settings, opened)
    return found.id, decision_document(found.plain["decision"], readers, found.as_json()), (found.id,)


def _printed(path: Path) -> dict[str, Any]:
    """Read what `hilgui gate --json` printed."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as failure:
        raise CallWrong(
            f"{path} holds no JSON of a decision ({failure}); `hilgui gate SPEC --runs … --json` prints one"
        ) from (failure)
    if not isinstance(plain, dict) or not isinstance(plain.get("runs"), list):
        raise CallWrong(f"{path} holds no decision; `hilgui gate SPEC --runs … --json` prints one")
    return plain


def _runs(names: Any, settings: Settings, opened: ExitStack) -> list[RunReader]:
    """Open the runs that are still here; a decision outlives some of them."""
    from hilgui.store import run_folders

    folders = {folder.name: folder for folder in run_folders(settings.runs)}
    return [_open(folders[str(name)], opened) for name in names if str(name) in folders]


def _open(folder: Path, opened: ExitStack) -> RunReader:
    from hilgui.store import RunReader

    return opened.enter_context(closing(RunReader(folder)))
