"""Runs many cases: by priority, once or until one fails, and on from where a killed process was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hilgui.errors import CallWrong, HilguiError
from hilgui.records import Outcome
from hilgui.sequencer.loading import LoadedCase, read_case
from hilgui.sequencer.operator import Operator
from hilgui.sequencer.results import CaseResult, QueueJournal, ResultShelf
from hilgui.sequencer.runner import CaseRunner, missing_needs
from hilgui.sequencer.tidings import Told
from hilgui.settings import Settings
from hilgui.stream import StopToken

NOTHING_RAN = 3  # exit code: missing evidence never passes


@dataclass(frozen=True, slots=True)
class CaseBegan:
    """A case begins; `number` counts from 1."""

    case: str
    name: str
    number: int
    count: int


@dataclass(frozen=True, slots=True)
class CaseEnded:
    """A case has its result, which is stored."""

    result: CaseResult


class Suite:
    """A queue of cases. `run` blocks; `told` hears of everything on the same thread; the stop token ends it."""

    def __init__(
        self,
        settings: Settings,
        operator: Operator,
        told: Told,
        stop: StopToken,
        *,
        make_runner: Callable[[Settings, Operator, Told, StopToken], CaseRunner] = CaseRunner,
    ) -> None:
        self._shelf = ResultShelf(settings.home)
        self._told = told
        self._stop = stop
        self._runner = make_runner(settings, operator, told, stop)

    def run(self, cases: Sequence[LoadedCase], *, until_fail: int = 0) -> list[CaseResult]:
        """Run the queue, by priority; with `until_fail` again and again, at most so often, until one is no PASS."""
        queue = sorted(cases, key=lambda case: -case.case.priority)  # sorted keeps the order of equals
        _refuse_twins(queue)
        found: list[CaseResult] = []
        for _ in range(max(1, until_fail)):
            journal = QueueJournal.begin(
                self._shelf, [(case.path, case.id) for case in queue], datetime.now().strftime("%Y%m%dT%H%M%S%f")
            )
            for result in self._run(queue, journal):
                found.append(result)
                if until_fail and result.outcome not in (Outcome.PASS, None):
                    return found
            if self._stop.is_set:
                break
        return found

    def resume(self) -> list[CaseResult]:
        """Go on with the newest unfinished queue: first the case that was under way when its process died.

        Gives the results of the whole queue, also those of before. Raises CallWrong.
        """
        journal = QueueJournal.unfinished(self._shelf)
        if journal is None:
            raise CallWrong("there is no queue of cases that was interrupted, or another hilgui still works on it")
        before = list(journal.ended().values())
        try:
            left = cases_of(journal.left())
        except HilguiError:
            journal.release()
            raise
        return [*before, *self._run(left, journal)]

    def _run(self, queue: Sequence[LoadedCase], journal: QueueJournal) -> Iterator[CaseResult]:
        try:
            for number, case in enumerate(queue, 1):
                if self._stop.is_set:
                    return
                journal.note("started", case=case.id)
                self._told(CaseBegan(case.id, case.case.name, number, len(queue)))
                result = self._runner.run(case)
                path = self._shelf.put(result)
                if result.outcome is not Outcome.ABORTED:  # a stopped one is still to be done
                    journal.note("ended", case=case.id, verdict=result.word, result=path.name)
                self._told(CaseEnded(result))
                yield result
        finally:
            journal.release()


def cases_of(wanted: Sequence[tuple[Path, str]]) -> list[LoadedCase]:
    """Read the cases of a queue again; raises CallWrong for one that is gone, CaseBroken for a broken one."""
    found = []
    for path, name in wanted:
        case = next((case for case in read_case(path) if case.id == name), None)
        if case is None:
            raise CallWrong(f"{path} no longer has the case {name}; run it anew")
        found.append(case)
    return found


def failed_cases(home: Path) -> list[LoadedCase]:
    """Give the cases whose newest result is neither PASS nor skipped, without those that are gone since.

    A file may be moved, and the values of a sweep may change. Raises CallWrong where there is none, CaseBroken.
    """
    bad = [
        (Path(result.path).resolve(), result.id)
        for result in ResultShelf(home).newest().values()
        if result.outcome not in (Outcome.PASS, None)
    ]
    if not bad:
        raise CallWrong("no case failed the last time that it ran")
    there = {path: {case.id: case for case in read_case(path)} for path in {path for path, _ in bad} if path.is_file()}
    found = [there[path][name] for path, name in sorted(bad) if name in there.get(path, {})]
    if not found:
        gone = ", ".join(f"{name} of {path}" for path, name in sorted(bad))
        raise CallWrong(f"what failed the last time is no longer there: {gone}; name the cases to run")
    return found


def exit_code_of(results: Sequence[CaseResult]) -> int:
    """Give the exit code of a suite: that of the gravest verdict; 3 where nothing ran."""
    ran = [result.outcome for result in results if result.outcome is not None]
    order = (Outcome.ABORTED, Outcome.ERROR, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)
    return min(ran, key=order.index).exit_code if ran else NOTHING_RAN


def listing(cases: Sequence[LoadedCase], home: Path) -> list[dict[str, Any]]:
    """Give what a screen shows of each case: names, tags, mode, needs, what is missing, its last verdict."""
    newest = ResultShelf(home).newest()
    rows = []
    for loaded in cases:
        last = newest.get(loaded.id)
        rows.append(
            {
                "id": loaded.id,
                "name": loaded.case.name,
                "description": loaded.case.description,
                "suite": loaded.suite,
                "path": str(loaded.path),
                "mode": loaded.case.mode,
                "tags": list(loaded.case.tags),
                "requirements": list(loaded.case.requirements),
                "priority": loaded.case.priority,
                "parameters": dict(loaded.parameters),
                "needs": [*needs_of(loaded)],
                "missing": list(missing_needs(loaded)),
                "criteria": [f"{one.title} {one.parsed} {one.unit}".rstrip() for one in loaded.case.criteria],
                "last": None if last is None else last.word,
                "last_started": None if last is None else last.started,
            }
        )
    return rows


def needs_of(loaded: LoadedCase) -> Iterator[str]:
    """Say what a case works with: recording, models, rig, operator, further needs."""
    case = loaded.case
    if case.source is not None:
        yield f"recording {Path(case.source.path).name}"
    if case.models is not None:
        yield from (f"model {Path(name).name}" for name in (case.models.baseline, case.models.candidate) if name)
    if case.rig is not None:
        yield f"rig {case.rig.profile.name}{', armed' if case.moves else ', read only'}"
    if any(type(step).__name__ == "PromptStep" for step in case.every_step):
        yield "an operator"
    yield from case.needs


def _refuse_twins(queue: Sequence[LoadedCase]) -> None:
    seen: dict[str, Path] = {}
    for case in queue:
        if case.id in seen:
            raise CallWrong(f"{case.path} and {seen[case.id]} are both the case {case.id}; give one another file name")
        seen[case.id] = case.path
