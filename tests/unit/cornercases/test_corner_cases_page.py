"""docs/corner-cases.md: every kind, its limits and the names of its evidence are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import hilgui.cornercases
from hilgui.records import Kind
from hilgui.settings import CornerCaseLimits

ROOM = Path(hilgui.cornercases.__file__).parent
PAGE = (Path(__file__).parents[3] / "docs" / "corner-cases.md").read_text(encoding="utf-8")
RULES, _, OTHER_KINDS = PAGE.partition("## The other kinds")
ROWS = {match[1]: match[0] for match in re.finditer(r"^\| \[?`(\w+)`[^\n]*$", RULES, re.MULTILINE)}
SECTIONS = {match[1]: match[0] for match in re.finditer(r"^## (\w+)\n.*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)}
OTHERS = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)`[^\n]*$", OTHER_KINDS, re.MULTILINE)}
SHARED = {Kind.MISSED_CRITICAL: "missing", Kind.MISSED_OBJECT: "missing"}  # kinds that are described by another file
ONE_SECTION = {Kind.MISSED_CRITICAL: "missed_object"}


def evidence_of(kind: Kind) -> set[str]:
    """Read from the source of a detector the names under which it gives figures."""
    tree = ast.parse((ROOM / f"{SHARED.get(kind, kind.value)}.py").read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            keys: list[ast.expr | None] = list(node.keys)
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "evidence":
            keys = [node.slice]
        else:
            continue
        names |= {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return names


@pytest.mark.parametrize("kind", Kind)
def test_the_page_names_every_kind_with_its_rule_and_its_limits(kind: Kind) -> None:
    assert kind.value in ROWS
    told = ROWS[kind.value] + SECTIONS.get(kind.value, "")
    limits = getattr(CornerCaseLimits(), kind.value, None)
    missing = [name for name in type(limits).model_fields if f"`{kind.value}.{name}`" not in told] if limits else []
    assert not missing


@pytest.mark.parametrize("kind", Kind)
def test_the_page_names_the_evidence_of_every_kind(kind: Kind) -> None:
    told = SECTIONS.get(ONE_SECTION.get(kind, kind.value)) or OTHERS[kind.value]
    names = evidence_of(kind)
    assert names
    assert not {name for name in names if f"`{name}`" not in told}


def test_every_name_of_evidence_that_the_page_tells_exists() -> None:
    """A name that was changed in the code must not live on in the page."""
    for kind, row in OTHERS.items():
        told = set(re.findall(r"`(\w+)`", row.split("|")[2]))
        assert told <= evidence_of(Kind(kind)) | {"distance_m"}, kind
