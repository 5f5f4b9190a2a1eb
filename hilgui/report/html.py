"""One HTML file for people: what happened, in words, in plots and in pictures of the worst findings."""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hilgui import colours
from hilgui.cornercases import badness
from hilgui.records import Finding, Kind, Outcome, Role
from hilgui.report.decided import decided
from hilgui.report.drive_plot import drive_plot, score_plots
from hilgui.report.pictures import picture_of
from hilgui.report.protocol import Progress, place_for, replacing
from hilgui.report.summary import summary
from hilgui.report.svg import share_bar
from hilgui.report.tally import distance_bands, height_bands, tally
from hilgui.report.words import conditions_in_words, percent, statements
from hilgui.store import RunReader

PICTURED = 12  # findings with pictures
PICTURED_OF_A_KIND = 5  # of one kind and model, as long as there are others
LISTED = 1000  # findings in the table
CLASSES_PICTURED = 60  # rows of the class table

_TONES: dict[str, str] = {
    Outcome.PASS: "good",
    Outcome.FAIL: "missed",
    Outcome.ERROR: "missed",
    Outcome.INCONCLUSIVE: "warning",
    Outcome.ABORTED: "warning",
}


class Html:
    """Writes a self-contained page: no script, nothing fetched, light and dark, A4 on paper."""

    name: ClassVar[str] = "html"
    suffix: ClassVar[str] = ".html"
    file_name: ClassVar[str] = "report.html"

    def export(self, reader: RunReader, out: Path | None, progress: Progress) -> Path:
        """Write the file; see `Exporter.export`."""
        place = place_for(reader, out, self.file_name)
        page = _environment().get_template("report.html.j2").render(page_values(reader, progress))
        with replacing(place) as file:
            file.write(page)
        return place


def page_values(reader: RunReader, progress: Progress) -> dict[str, Any]:
    """Gather what the template shows."""
    facts, tallies = summary(reader), tally(reader, progress)
    findings = sorted(reader.findings(), key=badness)
    worst = worst_findings(findings)
    verdict = facts["verdict"] or "RUNNING"
    return {
        "facts": facts,
        "header": reader.header,
        "verdict": verdict,
        "verdict_tone": _TONES.get(verdict, "warning"),
        "where": conditions_in_words(facts).strip(),
        "statements": statements(facts, tallies),
        "roles": {role.value: tallies[role] for role in Role if role in tallies},
        "has_truth": facts["frames"]["with_truth"] > 0,
        "classes": _class_rows(facts, tallies),
        "bands": (distance_bands(), height_bands()),
        "drive_plot": drive_plot(reader, findings),
        "score_plots": score_plots(facts, tallies),
        "standing": decided(reader),
        "worst": [(finding, picture_of(reader, finding)) for finding in worst],
        "findings": findings[:LISTED],
        "findings_more": max(0, len(findings) - LISTED),
        "host": reader.header.host,
        "settings": json.dumps(reader.header.settings, indent=2, ensure_ascii=False),
        "command": shlex.join(reader.header.command),
        "source": asdict(reader.header.source),
        "light": colours.css_variables(colours.LIGHT),
        "dark": colours.css_variables(colours.DARK),
        "on_picture": colours.css_variables(colours.ON_PICTURE),
    }


def worst_findings(findings: list[Finding]) -> list[Finding]:
    """Choose what gets a picture out of findings that are sorted by badness; one kind does not crowd out others."""
    counts: Counter[tuple[Kind, Role | None]] = Counter()
    first: list[Finding] = []
    rest: list[Finding] = []
    for finding in findings:
        key = (finding.kind, finding.role)
        counts[key] += 1
        (first if counts[key] <= PICTURED_OF_A_KIND else rest).append(finding)
    chosen = (first + rest)[:PICTURED]
    return sorted(chosen, key=badness)


def _class_rows(facts: dict[str, Any], tallies: dict[Role, Any]) -> list[dict[str, Any]]:
    """Put the figures of each class beside each other, most labels first."""
    names = list(dict.fromkeys(name for one in tallies.values() for name in one.classes))
    rows = []
    for name in names:
        models = {}
        for role, one in tallies.items():
            detection = (facts["models"][role.value] or {}).get("detection") or {}
            models[role.value] = {
                "tally": one.classes.get(name),
                "figures": detection.get("per_class", {}).get(name, {}),
            }
        known = [model["tally"] for model in models.values() if model["tally"] is not None]
        shares = [(role, model["tally"].share.recall if model["tally"] else None) for role, model in models.items()]
        rows.append(
            {
                "name": name,
                "truths": max(one.share.truths for one in known),
                "objects": max(one.objects for one in known),
                "models": models,
                "bar": share_bar(shares),
            }
        )
    return sorted(rows, key=lambda row: -row["truths"])[:CLASSES_PICTURED]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=percent,
        points=_points,
        number=lambda value, digits=0: "–" if value is None else f"{value:,.{digits}f}",
        seconds=lambda value: "" if value is None or math.isnan(value) else f"{value:.2f} s",
        words=lambda value: str(value).replace("_", " "),
        evidence=_evidence,
    )
    return environment


def _points(theirs: float | None, mine: float | None) -> str:
    """Write a difference of two shares in points, with its sign."""
    if theirs is None or mine is None:
        return "–"
    points = round((mine - theirs) * 100)
    return f"{points:+d}".replace("-", "−") if points else "0"


def _evidence(value: float) -> str:
    return "–" if not math.isfinite(value) else f"{value:,.4g}"
