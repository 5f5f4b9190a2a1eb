"""Reads cases: the text of one, its sweeps, and the cases of folders and tags."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hilgui.documents import Flaw, parse_document, read_document
from hilgui.errors import CallWrong, CaseBroken
from hilgui.sequencer.case import Case, Value

SUFFIX = ".case.yaml"
MAX_COMBINATIONS = 1000

_HOLE = re.compile(r"\$\{([^}\n]*)\}")
_PLAIN = re.compile(r"[^\n\r:#{}\[\],&*!|>'\"%@`]*")  # text that is one YAML scalar wherever it is put


class _Sweeps(BaseModel):
    model_config = ConfigDict(extra="ignore")
    parameters: dict[str, tuple[Value, ...]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedCase:
    """One case to run: a file with one combination of its parameters."""

    path: Path
    case: Case
    parameters: Mapping[str, bool | int | float | str]

    @property
    def id(self) -> str:
        """Give the name for results: the file's, with its parameters."""
        stem = self.path.name.removesuffix(SUFFIX)
        values = ",".join(f"{name}={_text(value)}" for name, value in self.parameters.items())
        return f"{stem}[{values}]" if values else stem

    @property
    def suite(self) -> str:
        """Give the name of the folder that it is in."""
        return self.path.resolve().parent.name

    def beside(self, path: str | Path) -> Path:
        """Give a path of the case's, which is relative to it."""
        return (self.path.parent / path).resolve()


def parse_case(text: str, path: Path) -> list[LoadedCase] | list[Flaw]:
    """Read the text of a case into one case a combination, or all its mistakes with their lines."""
    sweeps = parse_document(_HOLE.sub("0", text), _Sweeps)
    if isinstance(sweeps, list):
        return sweeps
    flaws = list(_flaws_of_sweeps(text, sweeps.parameters))
    if flaws:
        return flaws
    found: list[LoadedCase] = []
    names = list(sweeps.parameters)
    for values in itertools.product(*sweeps.parameters.values()):
        chosen = dict(zip(names, values, strict=True))
        case = parse_document(_filled(text, chosen), Case)
        if isinstance(case, list):
            return case
        found.append(LoadedCase(path, case, chosen))
    return found


def read_case(path: Path) -> list[LoadedCase]:
    """Read a file; raises CaseBroken with file, line and the first mistake."""
    read = parse_case(_content(path), path)
    for each in read:
        if isinstance(each, Flaw):
            key = f"{each.key}: " if each.key else ""
            more = f" ({len(read) - 1} more below)" if len(read) > 1 else ""
            sentence = f"{path}, line {each.line}: {key}{each.sentence}{more}; docs/test-cases.md lists every key"
            raise CaseBroken(sentence, path=path, line=each.line)
    return [each for each in read if isinstance(each, LoadedCase)]


def find_case_files(places: Iterable[Path]) -> list[Path]:
    """List the case files of files and folders, folders with their subfolders; raises CallWrong."""
    found: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            inside = sorted(place.rglob(f"*{SUFFIX}"))
            if not inside:
                raise CallWrong(f"the folder {place} holds no *{SUFFIX}; make one with `hilgui cases new`")
            found.update(dict.fromkeys(inside))
        elif place.is_file():
            found[place] = None
        else:
            raise CallWrong(f"there is no case or folder {place}; check the path")
    return list(found)


def load_cases(places: Sequence[Path], tags: Sequence[str] = (), *, everything: bool = False) -> list[LoadedCase]:
    """Read all cases of files and folders that have one of the tags; without tags, those that are not tagged `manual`.

    A file that is named by itself is always taken, and `everything` takes all. Raises CallWrong, CaseBroken.
    """
    named = {place for place in places if place.is_file()}
    cases = [case for path in find_case_files(places) for case in read_case(path)]
    if tags:
        kept = [case for case in cases if set(tags) & set(case.case.tags)]
        if not kept:
            known = sorted({tag for case in cases for tag in case.case.tags})
            raise CallWrong(f"no case has the tag {' or '.join(tags)}; there are {', '.join(known)}")
        return kept
    return [case for case in cases if everything or case.path in named or "manual" not in case.case.tags]


def schema_text() -> str:
    """Give the JSON Schema that editors check cases with; ${name} may stand wherever a value is expected."""
    schema = Case.model_json_schema(by_alias=True)
    _allow_holes(schema)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "hilgui/case.v1"}
    return json.dumps(head | schema, indent=2, ensure_ascii=False) + "\n"


def _content(path: Path) -> str:
    """Read the text with the checks of every document: size, encoding."""

    class _Anything(BaseModel):
        model_config = ConfigDict(extra="allow")

    try:
        if path.stat().st_size <= 1 << 20:
            return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        pass  # read_document says in a sentence what is wrong
    read_document(path, _Anything, what="test case", broken=CaseBroken, guide="docs/test-cases.md")
    raise CaseBroken(f"test case {path} cannot be read", path=path)


def _flaws_of_sweeps(text: str, parameters: Mapping[str, tuple[Any, ...]]) -> Iterator[Flaw]:
    count = 1
    for name, values in parameters.items():
        line = next((n for n, said in enumerate(text.splitlines(), 1) if said.strip().startswith(f"{name}:")), 1)
        count *= len(values)
        if not values:
            yield Flaw(line, f"parameters.{name}", "a sweep needs at least one value")
        for value in values:
            if isinstance(value, str) and (not value.strip() or not _PLAIN.fullmatch(value)):
                yield Flaw(line, f"parameters.{name}", f"{value!r} is not plain text of one line")
    if count > MAX_COMBINATIONS:
        yield Flaw(1, "parameters", f"{count} combinations; at most {MAX_COMBINATIONS} make sense")
    for number, said in enumerate(text.splitlines(), 1):
        for name in _HOLE.findall(said.partition("#")[0]):
            if name not in parameters:
                known = ", ".join(parameters) or "none"
                yield Flaw(number, name, f"${{{name}}} is no parameter; there are {known}")


def _filled(text: str, chosen: Mapping[str, Any]) -> str:
    return _HOLE.sub(lambda hole: _text(chosen.get(hole[1], 0)), text)


def _text(value: bool | int | float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _allow_holes(node: Any) -> None:
    if isinstance(node, list):
        for each in node:
            _allow_holes(each)
    elif isinstance(node, dict):
        for each in node.values():
            _allow_holes(each)
        if node.get("type") in ("number", "integer", "boolean"):
            plain = {key: node.pop(key) for key in list(node) if key not in ("description", "default", "title")}
            node["anyOf"] = [plain, {"type": "string", "pattern": r"^\$\{[a-z][a-z0-9_]*\}$"}]
