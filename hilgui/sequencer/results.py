"""Results of test cases: one JSON file each, a journal that survives a crash, and the trend over past runs."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hilgui.durable import FileLock, append_line, write_whole
from hilgui.errors import CaseBroken
from hilgui.records import Outcome

SCHEMA = "hilgui/case-result.v1"


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """One criterion with what was measured; `value` is None where there was nothing to measure."""

    title: str
    value: float | None
    limit: str
    unit: str
    outcome: Outcome
    note: str = ""  # what the value rests on, or why there is none


@dataclass(frozen=True, slots=True)
class Frames:
    """What became of the frames of all replays of a case."""

    captured: int = 0
    evaluated: int = 0
    lost: int = 0
    candidate_skipped: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def are_complete(self) -> bool:
        """Say whether no model missed a frame."""
        return not self.lost and not self.candidate_skipped


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case ended; `outcome` is None where it was skipped, for the reason given."""

    id: str
    name: str
    path: str
    suite: str
    mode: str
    outcome: Outcome | None
    started: str  # ISO 8601, UTC
    duration_s: float
    operator: str
    reasons: tuple[str, ...] = ()
    criteria: tuple[CriterionResult, ...] = ()
    frames: Frames = Frames()
    runs: tuple[str, ...] = ()  # folders
    tags: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    captured: dict[str, float] = field(default_factory=dict)
    rig: str = ""
    teardown: tuple[str, ...] = ()  # sentences of what went wrong in it
    attempts: int = 1

    @property
    def word(self) -> str:
        """Give the verdict as it is shown."""
        return "SKIPPED" if self.outcome is None else self.outcome.value

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"schema": SCHEMA, **asdict(self)}


def result_from_json(plain: dict[str, Any]) -> CaseResult:
    """Read what `as_json` wrote; raises KeyError, TypeError, ValueError on anything else."""
    fields = {key: value for key, value in plain.items() if key != "schema"}
    lists = ("reasons", "runs", "tags", "requirements", "teardown")
    frames = fields["frames"]
    return CaseResult(
        **{
            **fields,
            **{name: tuple(fields[name]) for name in lists},
            "outcome": None if fields["outcome"] is None else Outcome(fields["outcome"]),
            "criteria": tuple(
                CriterionResult(**{**each, "outcome": Outcome(each["outcome"])}) for each in fields["criteria"]
            ),
            "frames": Frames(**{**frames, "reasons": tuple(frames["reasons"])}),
        }
    )


class ResultShelf:
    """The folder of results, `cases` in the home of hilgui; several processes may write to it."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "cases"
        self._results = self.folder / "results"

    def put(self, result: CaseResult) -> Path:
        """Keep a result; on disk when this returns. Raises CaseBroken where the disk is full."""
        slug = re.sub(r"[^A-Za-z0-9._-]+", "-", result.id).strip("-")[:80]
        stamp = re.sub(r"[^0-9T]", "", result.started)[:15]
        path = self._results / f"{stamp}-{slug}-{secrets.token_hex(2)}.json"
        try:
            self._results.mkdir(parents=True, exist_ok=True)
            text = json.dumps(result.as_json(), indent=1, ensure_ascii=False, allow_nan=False)
            write_whole(path, text.encode())
        except OSError as failure:
            sentence = f"the result of {result.id} cannot be written to {path}: {failure}"
            raise CaseBroken(sentence, path=path) from failure
        return path

    def results(self, case: str | None = None) -> list[CaseResult]:
        """Give the results, newest first, perhaps of one case; files that are no results are let pass."""
        found = [result for result in self._read() if case is None or result.id == case]
        return sorted(found, key=lambda result: result.started, reverse=True)

    def newest(self) -> dict[str, CaseResult]:
        """Give the newest result of every case by id."""
        found: dict[str, CaseResult] = {}
        for result in self.results():
            found.setdefault(result.id, result)
        return found

    def trend(self, case: str) -> dict[str, list[tuple[str, float | None, Outcome]]]:
        """Give each criterion over the past runs of a case, oldest first: when, value, verdict."""
        lines: dict[str, list[tuple[str, float | None, Outcome]]] = {}
        for result in reversed(self.results(case)):
            for one in result.criteria:
                lines.setdefault(one.title, []).append((result.started, one.value, one.outcome))
        return lines

    def get(self, name: str) -> CaseResult | None:
        """Give the result in a file, None where it is gone, half of a copy, or somebody else's."""
        try:
            return result_from_json(json.loads((self._results / name).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _read(self) -> Iterator[CaseResult]:
        for path in self._results.glob("*.json") if self._results.is_dir() else ():
            if (result := self.get(path.name)) is not None:
                yield result


class QueueJournal:
    """What a queue of cases has done so far: one line an event, so that a killed queue goes on where it was."""

    def __init__(self, shelf: ResultShelf, path: Path) -> None:
        self.path = path
        self._shelf = shelf
        self._lock = FileLock(path.with_suffix(".lock"))

    @classmethod
    def begin(cls, shelf: ResultShelf, queue: Sequence[tuple[Path, str]], name: str) -> QueueJournal:
        """Write down what is to be done: path and id of each case, in order."""
        folder = shelf.folder / "queues"
        folder.mkdir(parents=True, exist_ok=True)
        journal = cls(shelf, folder / f"{name}-{secrets.token_hex(2)}.jsonl")
        journal.hold()
        journal.note("queue", cases=[[str(path.resolve()), case] for path, case in queue])
        return journal

    @classmethod
    def unfinished(cls, shelf: ResultShelf) -> QueueJournal | None:
        """Give the newest queue with something left that no living process works on, held for this one."""
        for path in sorted((shelf.folder / "queues").glob("*.jsonl"), reverse=True):
            journal = cls(shelf, path)
            if journal.left() and journal.hold():
                if journal.left():
                    return journal
                journal.release()  # it was finished meanwhile
        return None

    def hold(self) -> bool:
        """Say that this process works on it; False where another one does."""
        return self._lock.take()

    def release(self) -> None:
        """Let go, and leave no lock behind."""
        with suppress(OSError):
            self.path.with_suffix(".lock").unlink(missing_ok=True)
        self._lock.release()

    def note(self, event: str, **facts: Any) -> None:
        """Add a line; on disk when this returns."""
        append_line(self.path, json.dumps({"event": event, **facts}, ensure_ascii=False))

    def queue(self) -> list[tuple[Path, str]]:
        """Give what was to be done."""
        lines = (line for line in self._lines() if line["event"] == "queue")
        return [(Path(path), case) for line in lines for path, case in line["cases"]]

    def ended(self) -> dict[str, CaseResult]:
        """Give the result of each case that has ended, by id; one whose result is gone has not."""
        files = {line["case"]: line["result"] for line in self._lines() if line["event"] == "ended"}
        return {case: result for case, name in files.items() if (result := self._shelf.get(name)) is not None}

    def interrupted(self) -> str | None:
        """Name the case that was under way when the process died."""
        under_way = None
        for line in self._lines():
            if line["event"] == "started":
                under_way = line["case"]
            elif line["event"] == "ended":
                under_way = None
        return under_way

    def left(self) -> list[tuple[Path, str]]:
        """Give what has not ended: first the case that was under way."""
        ended = self.ended()
        return [each for each in self.queue() if each[1] not in ended]

    def _lines(self) -> Iterator[dict[str, Any]]:
        for text in self.path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # the last line of a killed process
            if isinstance(line, dict) and "event" in line:
                yield line
