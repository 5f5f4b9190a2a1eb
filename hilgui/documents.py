"""YAML that people type: read into a pydantic model, every mistake with its line and a suggestion."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, MappingStartEvent, SequenceStartEvent

from hilgui.errors import BenchBroken

_LARGEST = 1 << 20  # bytes
_DEEPEST = 40  # nested lists and mappings; nobody types more

_Shape = TypeVar("_Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Flaw:
    """One mistake in a document, for an editor to show beside its line."""

    line: int  # counts from 1
    key: str  # dotted path of the value, "" for the whole document
    sentence: str


class _Unreadable(Exception):
    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.sentence)
        self.flaw = flaw


def read_document(path: Path, shape: type[_Shape], *, what: str, broken: type[BenchBroken], guide: str) -> _Shape:
    """Read a file into `shape`; raises `broken` naming file, line and key of the first mistake.

    `what` names such a file in a sentence ("model card"), `guide` the page that lists its keys.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise broken(f"{path} is larger than 1 MiB, a {what} is a page of YAML", path=path)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as failure:
        raise broken(f"{what} {path} cannot be read: {failure}", path=path) from failure
    found = parse_document(text, shape)
    if isinstance(found, list):
        first = found[0]
        more = f" ({len(found) - 1} more below)" if len(found) > 1 else ""
        key = f"{first.key}: " if first.key else ""
        sentence = f"{path}, line {first.line}: {key}{first.sentence}{more}; {guide} lists every key of a {what}"
        raise broken(sentence, path=path, line=first.line)
    return found


def parse_document(text: str, shape: type[_Shape]) -> _Shape | list[Flaw]:
    """Give the document, or all its mistakes in the order of their lines."""
    try:
        tree = _parse(text)
    except _Unreadable as failure:
        return [failure.flaw]
    try:
        return shape.model_validate(tree)
    except ValidationError as failure:
        flaws = {(flaw.line, flaw.key): flaw for flaw in _flaws(failure.errors(), tree, shape)}
        return [flaws[place] for place in sorted(flaws)]


def line_of(tree: Any, location: tuple[int | str, ...]) -> int:
    """Find the line of a value in a round-trip tree, of the nearest one above it where it is missing."""
    line = 1
    for part in location:
        try:
            line = (tree.lc.key(part) if isinstance(tree, CommentedMap) else tree.lc.item(part))[0] + 1
            tree = tree[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            continue  # pydantic names the branch of a union, which the text does not hold
    return line


def line_in(path: Path, location: tuple[int | str, ...]) -> int:
    """Find the line of a value in a file that was read before; 1 where it is gone or damaged since."""
    try:
        return line_of(_parse(path.read_text(encoding="utf-8-sig")), location)
    except (OSError, UnicodeDecodeError, _Unreadable):
        return 1


def _parse(text: str) -> CommentedMap:
    try:
        _refuse_tricks(text)
        tree = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as failure:
        mark = failure.problem_mark or failure.context_mark
        line = mark.line + 1 if mark else 1
        raise _Unreadable(Flaw(line, "", f"not valid YAML: {failure.problem or failure.context}")) from failure
    except (YAMLError, ValueError, RecursionError) as failure:
        said = (str(failure) or type(failure).__name__).splitlines()[0]
        raise _Unreadable(Flaw(1, "", f"not valid YAML: {said}")) from failure
    if not isinstance(tree, CommentedMap):
        raise _Unreadable(Flaw(1, "", "holds no keys; its first line is schema: …"))
    return tree


def _refuse_tricks(text: str) -> None:
    """Refuse what makes a small text large or slow: aliases and deep nesting."""
    depth = 0
    for event in YAML(pure=True).parse(text):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, AliasEvent):
            raise _Unreadable(Flaw(line, "", "a YAML alias; write the value out"))
        depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
        if depth > _DEEPEST:
            raise _Unreadable(Flaw(line, "", f"nested more than {_DEEPEST} deep"))
        depth -= type(event).__name__ in ("MappingEndEvent", "SequenceEndEvent")


def _flaws(errors: list[ErrorDetails], tree: Any, shape: type[BaseModel]) -> Iterator[Flaw]:
    for error in errors:
        if error["type"] == "too_short" and any(_is_within(other["loc"], error["loc"]) for other in errors):
            continue  # pydantic counts only the items that are right
        location = tuple(error["loc"])
        key = ".".join(str(part) for part in location)
        yield Flaw(line_of(tree, location), key, _in_words(error, shape))


def _is_within(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _in_words(error: ErrorDetails, shape: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        *above, name = error["loc"]
        near = difflib.get_close_matches(str(name), _keys(shape, tuple(above)), n=1, cutoff=0.6)
        return f"unknown key, did you mean {near[0]}?" if near else "unknown key"
    if error["type"] == "missing":
        return "missing"
    if error["type"] == "value_error":
        return error["msg"].removeprefix("Value error, ")
    must = re.sub(r"^(Input|String) should ", "must ", error["msg"]).replace("a valid tuple", "a list")
    return f"{must[:1].lower()}{must[1:]}, not {_short(error['input'])}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _keys(shape: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """List the keys that are known at a place of the document."""
    shapes = [shape]
    for part in location:
        inner = [
            model
            for one in shapes
            for name, field in one.model_fields.items()
            if part in (name, field.alias)
            for model in _models(field.annotation)
        ]
        shapes = inner or shapes  # an index of a list or the branch of a union leads to the same models
    return [field.alias or name for one in shapes for name, field in one.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None:
        for inner in get_args(annotation):
            yield from _models(inner)
