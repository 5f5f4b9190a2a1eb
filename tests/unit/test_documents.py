"""What people type: every mistake has its line, and nothing in it makes reading slow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from hilgui.documents import Flaw, parse_document, read_document
from hilgui.errors import StoreBroken


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wait(_Part):
    kind: Literal["wait"]
    seconds: float = Field(gt=0)


class Move(_Part):
    kind: Literal["move"]
    axis: str


class Case(_Part):
    schema_: Literal["test/case.v1"] = Field(alias="schema")
    name: str
    steps: tuple[Annotated[Wait | Move, Field(discriminator="kind")], ...] = ()


GOOD = "schema: test/case.v1\nname: one\nsteps:\n  - {kind: wait, seconds: 2}\n  - kind: move\n    axis: pan\n"


def test_a_good_document_is_read(tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(GOOD, encoding="utf-8")

    case = read_document(path, Case, what="test case", broken=StoreBroken, guide="docs/cases.md")

    assert [step.kind for step in case.steps] == ["wait", "move"]


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        (GOOD.replace("name:", "nmae:"), Flaw(2, "nmae", "unknown key, did you mean name?")),
        (GOOD.replace("seconds: 2", "seconds: -2"), Flaw(4, "steps.0.seconds", "must be greater than 0, not -2")),
        (GOOD.replace("axis: pan", "axes: pan"), Flaw(6, "steps.1.axes", "unknown key, did you mean axis?")),
        ("- one\n", Flaw(1, "", "holds no keys; its first line is schema: …")),
        ("a: &x 1\nb: *x\n", Flaw(2, "", "a YAML alias; write the value out")),
        ("a: " + "[" * 100 + "]" * 100, Flaw(1, "", "nested more than 40 deep")),
    ],
)
def test_a_mistake_has_its_line_and_a_suggestion(text: str, flaw: Flaw) -> None:
    assert flaw in _flaws(text)


def test_all_mistakes_are_given_in_the_order_of_their_lines() -> None:
    flaws = _flaws(GOOD.replace("name:", "nmae:").replace("axis: pan", "axes: pan"))

    assert [flaw.line for flaw in flaws] == sorted(flaw.line for flaw in flaws)
    assert {flaw.key for flaw in flaws} >= {"name", "nmae", "steps.1.axes"}


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(GOOD.replace("name: one", "name: [one"), encoding="utf-8")

    with pytest.raises(StoreBroken, match=r"case\.yaml, line \d: not valid YAML") as caught:
        read_document(path, Case, what="test case", broken=StoreBroken, guide="docs/cases.md")

    assert caught.value.path == path
    assert caught.value.line is not None


def _flaws(text: str) -> list[Flaw]:
    found = parse_document(text, Case)
    assert isinstance(found, list)
    return found
