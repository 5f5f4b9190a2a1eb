"""The page of a bundle: the report of the decision, then cases and incidents of the bundle and how to check it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hilgui.evidence.cases import Case
from hilgui.evidence.decisions import Recorded
from hilgui.evidence.incidents import Incident
from hilgui.report.decision_document import decision_document
from hilgui.report.document import Section, Sentences, Table
from hilgui.report.document_html import html_of
from hilgui.store import RunReader


def decision_page(
    recorded: Recorded,
    readers: Sequence[RunReader],
    cases: Sequence[Case],
    incidents: Sequence[Incident],
    changed: Sequence[str] = (),
) -> bytes:
    """Write the page: no script, nothing fetched, light and dark, A4 on paper."""
    document = decision_document(recorded.plain["decision"], readers, recorded.as_json())
    more = _more(cases, incidents, changed)
    return html_of(replace(document, sections=(*document.sections, *more))).encode()


def _more(cases: Sequence[Case], incidents: Sequence[Incident], changed: Sequence[str]) -> Iterator[Section]:
    if changed:
        yield Section("Files that were changed", (Sentences(tuple(changed)),))
    rows = tuple((case.folder, _said(case), case.reader.header.run_id) for case in cases)
    nothing = Sentences(("No finding has a clip.",))
    yield Section("Cases in this bundle", (Table(("folder", "finding", "run"), rows) if rows else nothing,))
    if incidents:
        told = tuple((one.id, one.severity.value, one.state.value, one.title) for one in incidents)
        yield Section("Incidents", (Table(("incident", "severity", "state", "title"), told),))
    ways = (
        "With hilgui: hilgui evidence verify BUNDLE.zip",
        "Without: take verify.py out of the bundle and run python3 verify.py BUNDLE.zip --trust KEY",
    )
    yield Section("How to check this bundle", (Sentences(ways),))


def _said(case: Case) -> str:
    finding = case.finding
    whose = "both models" if finding.role is None else finding.role.value
    return f"{finding.kind.value.replace('_', ' ')} ({finding.severity.label}), {whose}: {finding.why}"
