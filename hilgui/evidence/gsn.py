"""The assurance case in Goal Structuring Notation (SCSC-141C): its solutions are the hashes of artefacts."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from ruamel.yaml import YAML

from hilgui.evidence.decisions import Recorded

_SUPPORTED = {
    "G2": ("Harm beyond the margins would have been seen", ("metrics.json", "decisions/decision.json")),
    "G3": ("The worst cases are known and can be played again", ()),
    "G4": ("The bench would have noticed its own faults", ("tool_validation.json", "states.jsonl")),
    "G5": ("The record is whole and unchanged", ("events.jsonl", "checkpoints.jsonl", "decisions/statement.dsse.json")),
    "G6": ("The data and the models are those that are named", ("data_sheet.md", "model_card.md", "sbom.cdx.json")),
    "G7": ("What happens in the field is noticed and undone", ("monitoring.json",)),
}  # fmt: skip
_WIDTH, _HEIGHT, _GAP = 190, 84, 18


@dataclass(frozen=True, slots=True)
class Node:
    """A goal, strategy, context or solution."""

    id: str
    kind: str
    says: str
    above: str  # id of what it supports or is the context of, "" for the top
    artefact: str = ""
    sha256: str = ""
    is_open: bool = False  # undeveloped: nothing in the bundle supports it


def assurance_case(recorded: Recorded, hashes: Mapping[str, str], absent: set[str]) -> list[Node]:
    """Build the argument; a goal without an artefact stays undeveloped, and says so."""
    decision = recorded.plain["decision"]
    claim = {
        "PROMOTE": "The candidate may replace the baseline",
        "ROLL BACK": "The candidate has to be withdrawn",
        "HOLD": "The baseline stays; the candidate is not better",
    }.get(recorded.action.value, "Neither promotion nor withdrawal is justified yet")
    nodes = [
        Node("G1", "goal", f"{claim}: {decision['specification']}", ""),
        Node(
            "C1",
            "context",
            f"Decision {recorded.id}",
            "G1",
            "decisions/decision.json",
            hashes["decisions/decision.json"],
        ),
        Node("S1", "strategy", "Argument over figures, cases, bench, record, data and field", "G1"),
    ]
    count = 0
    cases = tuple(sorted(name for name in hashes if name.startswith("cases/") and name.endswith("/case.json")))
    incidents = tuple(sorted(name for name in hashes if name.startswith("incidents/") and name.endswith(".json")))
    more = {"G3": (*cases, "robustness.json"), "G7": (*incidents, "monitoring.json")}
    for goal, (says, artefacts) in _SUPPORTED.items():
        there = [name for name in more.get(goal, artefacts) if name in hashes and name not in absent]
        nodes.append(Node(goal, "goal", says, "S1", is_open=not there))
        for name in there:
            count += 1
            nodes.append(Node(f"Sn{count}", "solution", name, goal, name, hashes[name]))
    return nodes


def as_yaml(nodes: list[Node]) -> bytes:
    """Write the case as YAML."""
    out = io.BytesIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 200
    yaml.dump({"schema": "hilgui/gsn.v1", "nodes": [_plain(node) for node in nodes]}, out)
    return out.getvalue()


def as_svg(nodes: list[Node]) -> bytes:
    """Draw the case: goals in a row, the solutions of each below it."""
    goals = [node for node in nodes if node.above == "S1"]
    below = {goal.id: [node for node in nodes if node.above == goal.id] for goal in goals}
    deepest = max((len(found) for found in below.values()), default=0)
    width = len(goals) * (_WIDTH + _GAP) + _GAP
    height = (3 + deepest) * (_HEIGHT + _GAP) + _GAP
    middle = width // 2 - _WIDTH // 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#ffffff"/>'
    ]
    places = {"G1": (middle, _GAP), "C1": (middle + _WIDTH + 60, _GAP), "S1": (middle, _row(1))}
    for column, goal in enumerate(goals):
        places[goal.id] = (_GAP + column * (_WIDTH + _GAP), _row(2))
        for place, node in enumerate(below[goal.id]):
            places[node.id] = (_GAP + column * (_WIDTH + _GAP), _row(3 + place))
    parts += [_line(places[node.above], places[node.id], node) for node in nodes if node.above]
    parts += [_shape(node, *places[node.id]) for node in nodes]
    return ("".join(parts) + "</svg>\n").encode()


def _row(number: int) -> int:
    return _GAP + number * (_HEIGHT + _GAP)


def _line(above: tuple[int, int], at: tuple[int, int], node: Node) -> str:
    if node.kind == "context":
        x1, y1, x2, y2 = above[0] + _WIDTH, above[1] + _HEIGHT // 2, at[0], at[1] + _HEIGHT // 2
    else:
        x1, y1, x2, y2 = above[0] + _WIDTH // 2, above[1] + _HEIGHT, at[0] + _WIDTH // 2, at[1]
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#5b6770"/>'


def _shape(node: Node, x: int, y: int) -> str:
    style = 'fill="#f4f7f9" stroke="#27323a"' + (' stroke-dasharray="5 4"' if node.is_open else "")
    if node.kind == "strategy":
        points = f"{x + 14},{y} {x + _WIDTH},{y} {x + _WIDTH - 14},{y + _HEIGHT} {x},{y + _HEIGHT}"
        shape = f'<polygon points="{points}" {style}/>'
    else:
        radius = {"goal": 0, "context": 24, "solution": _HEIGHT // 2}[node.kind]
        shape = f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="{radius}" {style}/>'
    lines = [node.id, *_wrapped(node.says, 27)[:3]]
    if node.sha256:
        lines.append(f"sha256 {node.sha256[:12]}")
    if node.is_open:
        lines.append("undeveloped")
    rows = "".join(
        f'<text x="{x + _WIDTH // 2}" y="{y + 16 + 14 * number}" text-anchor="middle">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return shape + rows


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.replace("/", "/\u200b").split():
        pieces = [word[place : place + width] for place in range(0, len(word), width)]
        for piece in pieces:
            if lines[-1] and len(lines[-1]) + 1 + len(piece) > width:
                lines.append("")
            lines[-1] = f"{lines[-1]} {piece}".strip()
    return lines


def _plain(node: Node) -> dict[str, Any]:
    plain: dict[str, Any] = {"id": node.id, "kind": node.kind, "says": node.says}
    if node.above:
        plain["in_context_of" if node.kind == "context" else "supports"] = node.above
    if node.sha256:
        plain |= {"artefact": node.artefact, "sha256": node.sha256}
    if node.is_open:
        plain["undeveloped"] = True
    return plain
