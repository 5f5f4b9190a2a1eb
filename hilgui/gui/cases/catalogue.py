"""What the tree shows: suites by folder, their case files, the cases of a sweep, and files that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hilgui.documents import Flaw
from hilgui.errors import HilguiError
from hilgui.sequencer.loading import LoadedCase, find_case_files, flaws_with_rigs, parse_case
from hilgui.sequencer.results import CaseResult, ResultShelf
from hilgui.sequencer.runner import missing_needs
from hilgui.sequencer.suite import needs_of


@dataclass(frozen=True, slots=True)
class Listed:
    """One case with what it needs, and in what it does not fit its rig profile: run, it would be an ERROR."""

    loaded: LoadedCase
    needs: tuple[str, ...]
    missing: tuple[str, ...]
    misfits: tuple[Flaw, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One file: its text, its cases, or the mistakes that keep it from being read."""

    path: Path
    text: str
    cases: tuple[Listed, ...]
    flaws: tuple[Flaw, ...]

    @property
    def mistakes(self) -> tuple[Flaw, ...]:
        """Give everything that `hilgui cases validate` would say of it."""
        return self.flaws or tuple(flaw for case in self.cases for flaw in case.misfits)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that was found, and how each case ended last."""

    suites: dict[str, tuple[CaseFile, ...]]  # by folder
    newest: dict[str, CaseResult]
    trouble: str = ""  # of a folder that cannot be listed

    @property
    def files(self) -> list[CaseFile]:
        """Give all files."""
        return [each for files in self.suites.values() for each in files]


def read_catalogue(places: Sequence[Path], home: Path) -> Catalogue:
    """Look at folders of cases; a broken case is listed with its mistakes and keeps nobody from running the others."""
    suites: dict[str, list[CaseFile]] = {}
    troubles = []
    for place in places:
        try:
            paths = find_case_files([place])
        except HilguiError as failure:
            troubles.append(str(failure))
            continue
        for path in paths:
            suites.setdefault(str(path.parent), []).append(read_file(path))
    newest = ResultShelf(home).newest()
    return Catalogue({name: tuple(files) for name, files in suites.items()}, newest, "; ".join(troubles))


def read_file(path: Path) -> CaseFile:
    """Read one file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as failure:
        return CaseFile(path, "", (), (Flaw(1, "", f"cannot be read: {failure}"),))
    found = parse_case(text, path)
    flaws = tuple(each for each in found if isinstance(each, Flaw))
    cases = [each for each in found if isinstance(each, LoadedCase)]
    return CaseFile(path, text, tuple(map(listed, cases, flaws_with_rigs(cases))), flaws)


def listed(loaded: LoadedCase, misfits: Sequence[Flaw] = ()) -> Listed:
    """Say what a case needs and what of it is not there: plug-ins, files. A rig profile that is gone is a misfit."""
    case = loaded.case
    wanted: list[Path] = []
    if case.source is not None and ":" not in case.source.path:
        wanted.append(loaded.beside(case.source.path))
    if case.models is not None:
        names = filter(None, (case.models.baseline, case.models.candidate))
        wanted += [loaded.beside(name) for name in names if "@" not in name]
    gone = [f"{path} is not there" for path in wanted if not path.exists()]
    return Listed(loaded, tuple(needs_of(loaded)), (*missing_needs(loaded), *gone), tuple(misfits))
