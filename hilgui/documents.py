"""YAML that people type, every mistake with its line and a suggestion; and JSON that this program has written."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, MappingStartEvent, SequenceStartEvent

from hilgui.errors import BenchBroken

_LARGEST = 1 << 20  # bytes
_DEEPEST = 40  # nested lists and mappings; nobody types more

_Shape = TypeVar("_Shape", bound=BaseModel)
_Stored = TypeVar("_Stored")

Place = tuple[int | str, ...]  # of a value in a document, from its root: ("steps", 0, "set", "value")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One mistake in a document, for an editor to show beside its line."""

    line: int  # counts from 1
    key: str  # dotted path of the value, "" for the whole document
    sentence: str


class Contradiction(ValueError):
    """Values that do not go together, each with its place inside the model; validators raise it."""

    def __init__(self, *found: tuple[Place, str]) -> None:
        super().__init__("; ".join(sentence for _, sentence in found))
        self.found = found


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


def tree_of(text: str) -> CommentedMap | Flaw:
    """Read a text without a model, for the lines and the values of places in it."""
    try:
        return _parse(text)
    except _Unreadable as failure:
        return failure.flaw


def instead(name: str, known: Iterable[str]) -> str:
    """Say what a name that is none may have meant: ", did you mean lamp?" or "; there are lamp, voltage"."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f", did you mean {near[0]}?" if near else f"; there are {', '.join(names) or 'none'}"


def line_of(tree: Any, location: Place) -> int:
    """Find the line of a value in a round-trip tree, of the nearest one above it where it is missing."""
    line = 1
    for part in location:
        try:
            line = (tree.lc.key(part) if isinstance(tree, CommentedMap) else tree.lc.item(part))[0] + 1
            tree = tree[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            continue  # pydantic names the branch of a union, which the text does not hold
    return line


def line_in(path: Path, location: Place) -> int:
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


@dataclass(frozen=True, slots=True)
class _Mistake:
    place: Place  # in the text
    sentence: str
    choice: Place | None = None  # of the value above it that may be of several types
    tried: str = ""  # the type that pydantic tried there


def _flaws(errors: list[ErrorDetails], tree: Any, shape: type[BaseModel]) -> Iterator[Flaw]:
    choices: dict[Place, dict[str, list[_Mistake]]] = {}
    for mistake in _mistakes(errors, tree, shape):
        if mistake.choice is None:
            yield _flaw(mistake, tree)
        else:
            choices.setdefault(mistake.choice, {}).setdefault(mistake.tried, []).append(mistake)
    for types in choices.values():
        yield from (_flaw(mistake, tree) for mistake in _of_nearest_type(list(types.values())))


def _mistakes(errors: list[ErrorDetails], tree: Any, shape: type[BaseModel]) -> Iterator[_Mistake]:
    for error in errors:
        if error["type"] == "too_short" and any(_is_within(other["loc"], error["loc"]) for other in errors):
            continue  # pydantic counts only the items that are right
        place, choice, tried = _in_text(tree, error)
        cause = error.get("ctx", {}).get("error")
        if isinstance(cause, Contradiction):
            yield from (_Mistake((*place, *inner), sentence, choice, tried) for inner, sentence in cause.found)
        else:
            yield _Mistake(place, _in_words(error, shape), choice, tried)


def _flaw(mistake: _Mistake, tree: Any) -> Flaw:
    key = ".".join(str(part) for part in mistake.place)
    return Flaw(line_of(tree, mistake.place), key, mistake.sentence)


def _in_text(tree: Any, error: ErrorDetails) -> tuple[Place, Place | None, str]:
    """Give the place of an error in the text, and where pydantic tried which type."""
    place: list[int | str] = []
    choice, tried = None, ""
    for number, part in enumerate(error["loc"], 1):
        if _holds(tree, part):
            place.append(part)
            tree = tree[part]
        elif error["type"] == "missing" and number == len(error["loc"]):
            place.append(part)
        elif choice is None:
            choice, tried = tuple(place), str(part)
    return tuple(place), choice, tried


def _holds(tree: Any, part: int | str) -> bool:
    if isinstance(tree, Mapping):
        return part in tree
    return isinstance(tree, list) and isinstance(part, int) and part < len(tree)


def _of_nearest_type(types: list[list[_Mistake]]) -> list[_Mistake]:
    """Keep the mistakes against the type that fits best; where all fit as little, one sentence names them."""
    deepest = max(len(mistake.place) for mistakes in types for mistake in mistakes)
    nearest = [mistakes for mistakes in types if any(len(mistake.place) == deepest for mistake in mistakes)]
    first = nearest[0][0]
    firsts = [mistakes[0].sentence for mistakes in nearest]
    if len(nearest) == 1 or not all(sentence.startswith("must be ") for sentence in firsts):
        return nearest[0]
    wanted = [sentence.partition(", not ")[0].removeprefix("must be ") for sentence in firsts]
    got = first.sentence.partition(", not ")[2]
    return [_Mistake(first.place, f"must be {', '.join(wanted[:-1])} or {wanted[-1]}, not {got}")]


def _is_within(inner: Place, outer: Place) -> bool:
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


def _keys(shape: type[BaseModel], location: Place) -> list[str]:
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


def read_stored(shape: TypeAdapter[_Stored], content: bytes, schema: str) -> _Stored:
    """Read JSON that this program wrote, a record with its `schema`; raises ValueError: what is wrong, and where."""
    try:
        found = shape.validate_json(content)
    except ValidationError as failure:
        first = failure.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where + ': ' if where else ''}{first['msg']}") from failure
    if (written := getattr(found, "schema", None)) != schema:
        raise ValueError(f"its schema is {written!r}, this version reads {schema!r}")
    return found
