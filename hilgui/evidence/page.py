"""The page of a decision: one screen for the manager, then figures with intervals, worst cases, what ran where."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hilgui import colours
from hilgui.evidence.cases import Case
from hilgui.evidence.decisions import Recorded
from hilgui.evidence.incidents import Incident
from hilgui.store import RunReader

_PICTURES = 6  # embedded, so that the page stands alone


def decision_page(
    recorded: Recorded,
    readers: Sequence[RunReader],
    cases: Sequence[Case],
    incidents: Sequence[Incident],
    bench: dict[str, Any],
    changed: Sequence[str] = (),
) -> bytes:
    """Write the page: no script, nothing fetched, light and dark, A4 on paper."""
    decision = recorded.plain["decision"]
    page = _environment().get_template("decision.html.j2").render(
        action=recorded.action.value,
        decision=decision,
        recorded=recorded.plain,
        agreed=recorded.agreed,
        changed=changed,
        gates=decision["gates"],
        slices=[one for one in decision["slices"] if one["significant"]],
        cases=[_case(case) for case in cases],
        incidents=[one.as_json() for one in incidents],
        models=[(role.value, facts) for role, facts in readers[0].header.models.items()],
        bench=bench,
        light=colours.css_variables(colours.LIGHT),
        dark=colours.css_variables(colours.DARK),
    )  # fmt: skip
    return page.encode()


def _case(case: Case) -> dict[str, str]:
    finding = case.finding
    picture = case.reader.picture(finding.worst_seq) if case.number <= _PICTURES else None
    return {
        "folder": case.folder,
        "kind": finding.kind.value.replace("_", " "),
        "severity": finding.severity.label,
        "role": "both models" if finding.role is None else finding.role.value,
        "why": finding.why,
        "run": case.reader.header.run_id,
        "picture": "" if picture is None else f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}",
    }


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["figure"] = lambda value: "–" if value is None else f"{value:.4g}"
    return environment
