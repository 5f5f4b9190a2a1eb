"""What the tables of the Compare page say: differences with intervals, findings with their waivers; no widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtGui import QIcon

from hilgui.gui.linked_table import Cell, number
from hilgui.gui.short_numbers import short, span
from hilgui.records import Finding
from hilgui.report.measured import Compared

Tr = Callable[[str], str]
Picture = Callable[[Path, Finding], QIcon | None]

JUDGED = {"better": "good", "worse": "missed", "same": "text_faint", "open": "text_soft"}
"""The colour of each judgement; the word stands beside it."""

STATES = ("new", "expired", "waived", "gone", "same")
"""What may be said of a finding, the most urgent first."""

_STATE_COLOURS = {"new": "missed", "expired": "missed", "waived": "text_faint", "gone": "good", "same": "text_soft"}


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """One finding of a comparison: of which run, and what is said about it."""

    state: str  # one of STATES
    finding: Finding
    folder: Path  # the run that it comes from
    waiver: dict[str, Any] | None = None

    @property
    def said(self) -> str:
        """Give the waiver in words."""
        if self.waiver is None:
            return ""
        return f"{self.waiver['owner']}: {self.waiver['reason']} ({self.waiver['expires']})"


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """One figure of one model in two runs."""

    run: str
    role: str
    figure: str
    plain: dict[str, Any]

    @property
    def is_whole(self) -> bool:
        """Say whether it is over all classes."""
        return "." not in self.figure


def differences(compared: Compared) -> list[Difference]:
    """List every figure that both sides have."""
    return [
        Difference(other["run"], role, name, each)
        for other in compared.plain["others"]
        for role, figures in other["figures"].items()
        for name, each in figures.items()
        if each["difference"] is not None
    ]


def difference_rows(tr: Tr, found: Sequence[Difference]) -> tuple[list[str], list[list[Cell]]]:
    """Give one row for each figure."""
    titles = [tr("figure"), "", "A", tr("other"), tr("diff."), tr("95 %"), tr("judged")]
    rows = []
    for each in found:
        plain, colour = each.plain, JUDGED[each.plain["judgement"]]
        interval = plain["interval"]
        sure = "–" if interval is None else span(interval["low"], interval["high"], is_signed=True)
        tip = (
            plain["why_no_interval"]
            if interval is None
            else f"{interval['clusters']} × {interval['unit']}, {interval['method']}"
        )
        rows.append(
            [
                Cell(each.figure, tip=f"{each.figure} · {each.run}"),
                Cell(each.role[0].upper(), colour=each.role, tip=each.role),
                number(short(plain["a"])),
                number(short(plain["b"])),
                number(short(plain["difference"], is_signed=True), colour=colour),
                number(sure, colour="text_soft", tip=tip),
                Cell(plain["judgement"], colour=colour),
            ]
        )
    return titles, rows


def standings(compared: Compared) -> list[Standing]:
    """List the findings of every run against the reference, the most urgent first."""
    found = [each for other in compared.plain["others"] for each in _standings(compared, other)]
    return sorted(found, key=lambda each: (STATES.index(each.state), -each.finding.severity, each.finding.first_seq))


def _standings(compared: Compared, other: dict[str, Any]) -> Iterator[Standing]:
    told = other["findings"]
    if told["new"] is None:
        return
    reference = compared.folders[compared.plain["reference"]]
    folder = compared.folders[other["run"]]
    before = {finding.number: finding for finding in compared.findings[compared.plain["reference"]]}
    after = {finding.number: finding for finding in compared.findings[other["run"]]}
    new, same = {each["number"] for each in told["new"]}, {each["b"] for each in told["same"]}
    expired = {each["number"]: {**each, "reason": each["why"]} for each in told["expired"]}
    for each in after.values():
        waiver = told["waived"].get(str(each.number))
        if waiver is not None:
            yield Standing("waived", each, folder, waiver)
        elif each.number in expired:
            yield Standing("expired", each, folder, expired[each.number])
        elif each.number in new or each.number in same:
            yield Standing("new" if each.number in new else "same", each, folder)
    for gone in told["gone"]:
        yield Standing("gone", before[gone["number"]], reference)


def finding_rows(tr: Tr, shown: Sequence[Standing], picture: Picture) -> tuple[list[str], list[list[Cell]]]:
    """Give one row for each finding, with its small picture."""
    titles = [tr("picture"), tr("state"), tr("sev."), tr("kind"), tr("class"), tr("model"), tr("frames")]
    titles.append(tr("waiver, or why"))
    rows = []
    for each in shown:
        finding = each.finding
        frames = f"#{finding.first_seq} – {finding.last_seq}"
        label = finding.objects[0].label if finding.objects else ""
        role = "" if finding.role is None else finding.role.value
        rows.append(
            [
                Cell("", each, icon=lambda each=each: picture(each.folder, each.finding)),  # type: ignore[misc]
                Cell(each.state, each, colour=_STATE_COLOURS[each.state]),
                Cell(finding.severity.label, each),
                Cell(finding.kind.value, each),
                Cell(label, each),
                Cell(role, each, colour=role),
                Cell(frames, each),
                Cell(each.said or finding.why, each, colour="text_soft", tip=each.said or finding.why),
            ]
        )
    return titles, rows
