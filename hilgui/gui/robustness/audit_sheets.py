"""The table of the Audit tab: what was tried, how often it works, where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hilgui.attacks.audit.finding import Severity, Status
from hilgui.gui.linked_table import Cell, number
from hilgui.gui.robustness.sheets import Rows
from hilgui.robustness import Cell as Field
from hilgui.robustness import Result

Say = Callable[[str], str]

_SIGNS = {
    Status.NEW: ("✕", "missed"),
    Status.OPEN: ("✕", "missed"),
    Status.UNCLEAR: ("?", "warning"),
    Status.NOT_RUN: ("?", "warning"),
    Status.CLOSED: ("✓", "good"),
    Status.PASSED: ("✓", ""),
}
"""Sign and colour of each status, in the order in which a person looks at them."""


def told_of(result: Result, probe: str) -> dict[str, Any]:
    """Give what the audit says of a probe; nothing of an audit by an older version."""
    return dict(result.question.get("findings", {}).get(probe, {}))


def verdict_words(tr: Say, result: Result) -> str:
    """Say in a sentence what stands, what closed, and what cannot be told."""
    told = [told_of(result, probe) for probe in result.rows]
    statuses = [one.get("status") for one in told]
    standing = [one for one in told if one.get("status") in (Status.NEW, Status.OPEN)]
    words = tr("{0} weaknesses stand, {1} of high severity; {2} closed, {3} passed, of {4} nothing can be told.")
    return words.format(
        len(standing),
        sum(one.get("severity") == Severity.HIGH for one in standing),
        statuses.count(Status.CLOSED),
        statuses.count(Status.PASSED),
        statuses.count(Status.UNCLEAR) + statuses.count(Status.NOT_RUN),
    )


def finding_rows(tr: Say, result: Result) -> Rows:
    """List the probes: what stands, by severity, then what is not told, what closed, what passed."""
    titles = (tr("Probe"), tr("Severity"), tr("Status"), tr("Works"), tr("Interval"), tr("Limit"), tr("The model"))
    cells = {one.row: one for one in result.cells}
    order = sorted(result.rows, key=lambda probe: _place(told_of(result, probe)))
    return titles, [_row(probe, told_of(result, probe), cells.get(probe)) for probe in order]


def detail_words(tr: Say, told: dict[str, Any]) -> str:
    """Say of one probe what was seen, what came of the retest, and what helps."""
    parts = [": ".join(part for part in (told.get("title"), told.get("words")) if part), told.get("retest", "")]
    if told.get("status") in (Status.NEW, Status.OPEN):
        parts.append(tr("Recommended: {0}").format(told.get("recommendation", "")))
    return "\n".join(part for part in parts if part)


def _place(told: dict[str, Any]) -> tuple[int, int]:
    statuses = [str(status) for status in _SIGNS]
    severities = [str(severity) for severity in Severity]
    status, severity = told.get("status", ""), told.get("severity", "")
    is_standing = status in (Status.NEW, Status.OPEN)
    return (
        0 if is_standing else statuses.index(status) if status in statuses else len(statuses),
        severities.index(severity) if severity in severities else len(severities),
    )


def _row(probe: str, told: dict[str, Any], cell: Field | None) -> tuple[Cell, ...]:
    status = told.get("status", "")
    sign, colour = _SIGNS[Status(status)] if status in list(Status) else ("", "")
    rate = None if cell is None else cell.value
    interval = None if cell is None else cell.interval
    limit = told.get("limit")
    title = told.get("title", "")
    return (
        Cell(probe, probe),
        Cell(told.get("severity", "–"), probe),
        Cell(f"{sign} {status}".strip() or "–", probe, colour=colour, tip=told.get("retest", "")),
        number("–" if rate is None else f"{rate:.0%}", probe, colour=colour),
        number("–" if interval is None else f"{interval.low:.0%} … {interval.high:.0%}", probe),
        number("–" if limit is None else f"{limit:.0%}", probe),
        Cell(title, probe, tip=title),
    )
