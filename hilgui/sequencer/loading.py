"""Reads cases: the text of one, its sweeps, and the cases of folders and tags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from hilgui.documents import Flaw, parse_document, read_document
from hilgui.errors import CallWrong, CaseBroken
from hilgui.sequencer.case import Case
from hilgui.sequencer.fitting import RigOnPaper, misfits, rig_on_paper
from hilgui.sequencer.sweep import Sweep, read_sweep, value_text

SUFFIX = ".case.yaml"


@dataclass(frozen=True, slots=True)
class LoadedCase:
    """One case to run: a file with one combination of its parameters."""

    path: Path
    case: Case
    parameters: Mapping[str, bool | int | float | str]
    sweep: Sweep = field(compare=False, repr=False)

    @property
    def id(self) -> str:
        """Give the name for results: the file's, with its parameters."""
        stem = self.path.name.removesuffix(SUFFIX)
        values = ",".join(f"{name}={value_text(value)}" for name, value in self.parameters.items())
        return f"{stem}[{values}]" if values else stem

    @property
    def suite(self) -> str:
        """Give the name of the folder that it is in."""
        return self.path.resolve().parent.name

    @property
    def rig_profile(self) -> Path | None:
        """Give the path of its rig profile."""
        return None if self.case.rig is None else self.beside(self.case.rig.profile)

    def beside(self, path: str | Path) -> Path:
        """Give a path of the case's, which is relative to it."""
        return (self.path.parent / path).resolve()


def parse_case(text: str, path: Path) -> list[LoadedCase] | list[Flaw]:
    """Read the text of a case into one case a combination, or all its mistakes with their lines."""
    sweep = read_sweep(text)
    flaws = sweep if isinstance(sweep, list) else list(sweep.flaws())
    if isinstance(sweep, list) or flaws:
        return flaws
    found: list[LoadedCase] = []
    broken: list[Flaw] = []
    for chosen, filled in sweep.combinations():
        case = parse_document(filled, Case)
        if isinstance(case, list):
            broken += (sweep.blamed(flaw, chosen) for flaw in case)
        else:
            found.append(LoadedCase(path, case, chosen, sweep))
    return _sorted(broken) or found


def check_case(text: str, path: Path) -> list[LoadedCase] | list[Flaw]:
    """Read a case as `parse_case` does, and compare it with its rig profile as well."""
    read = parse_case(text, path)
    cases = [each for each in read if isinstance(each, LoadedCase)]
    return _sorted(flaw for flaws in flaws_with_rigs(cases) for flaw in flaws) or read


def flaws_with_rig(loaded: LoadedCase) -> list[Flaw]:
    """Give the mistakes of one case against its rig profile; none where it has no rig."""
    return flaws_with_rigs([loaded])[0]


def flaws_with_rigs(cases: Sequence[LoadedCase]) -> list[list[Flaw]]:
    """Give for each case its mistakes against its rig profile; a profile that several share is read once."""
    rigs = {profile: rig_on_paper(profile) for profile in {each.rig_profile for each in cases} if profile is not None}
    return [_sorted(_against(each, rigs)) for each in cases]


def read_case(path: Path) -> list[LoadedCase]:
    """Read a file; raises CaseBroken with file, line and the first mistake."""
    read = parse_case(_content(path), path)
    flaws = [each for each in read if isinstance(each, Flaw)]
    if flaws:
        raise broken_by(path, flaws)
    return [each for each in read if isinstance(each, LoadedCase)]


def broken_by(path: Path, flaws: Sequence[Flaw]) -> CaseBroken:
    """Give the error of a file with mistakes: the first one, with its line."""
    first = flaws[0]
    key = f"{first.key}: " if first.key else ""
    more = f" ({len(flaws) - 1} more below)" if len(flaws) > 1 else ""
    sentence = f"{path}, line {first.line}: {key}{first.sentence}{more}; docs/test-cases.md lists every key"
    return CaseBroken(sentence, path=path, line=first.line)


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


def _against(loaded: LoadedCase, rigs: Mapping[Path, RigOnPaper | str]) -> Iterator[Flaw]:
    if loaded.rig_profile is not None:
        for place, sentence in misfits(loaded.case, rigs[loaded.rig_profile]):
            yield loaded.sweep.blamed(loaded.sweep.flaw(place, sentence), loaded.parameters)


def _sorted(flaws: Iterable[Flaw]) -> list[Flaw]:
    """Give each mistake once, and one sentence for each place, in the order of the lines."""
    first: dict[tuple[int, str], Flaw] = {}
    for flaw in flaws:
        first.setdefault((flaw.line, flaw.key), flaw)
    return [first[place] for place in sorted(first)]


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
