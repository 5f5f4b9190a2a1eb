"""Takes into the journal what is written elsewhere: arming states of rigs and triage of runs.

Both are append-only files of rooms that know nothing of evidence. Their lines come in once, with the place of each; a
file whose earlier lines are no longer those that were taken in was changed, and that is told. Whoever caused a line
(screen, command line, a test case) takes it in at once; what a crash left out comes in at the next look.
"""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hilgui.durable import FileLock
from hilgui.errors import EvidenceBroken
from hilgui.evidence.chain import sha256
from hilgui.evidence.journal import EventKind, Journal
from hilgui.evidence.runs import finite

log = logging.getLogger(__name__)

_STATES = "states.jsonl"
_TRIAGE = "triage.jsonl"
_LOCK_S = 10.0


class Intake:
    """Remembers how far it has read the journal, so that a look costs what is new; one thread at a time."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._journal = Journal(home)
        self._read_to = 0  # bytes of the journal
        self._seen: defaultdict[str, list[str]] = defaultdict(list)  # file → hashes of the lines that are in

    def take(self, runs: Iterable[Path] = ()) -> tuple[str, ...]:
        """Take in what is new; give a sentence for every file whose past was changed. Raises EvidenceBroken."""
        states = sorted(self._home.glob(f"rigs/*/{_STATES}"))
        triages = [folder / _TRIAGE for folder in sorted(runs)]
        if not self._journal.events_file.is_file() and not any(path.is_file() for path in (*states, *triages)):
            return ()
        changed: list[str] = []
        with self._alone():
            self._catch_up()
            for path in sorted({*states, *self._known_states()}):
                self._take_file(EventKind.ARMING, "rig", path, changed)
            for path in triages:
                self._take_file(EventKind.TRIAGE, "run_id", path, changed)
        return tuple(changed)

    def _known_states(self) -> Iterator[Path]:
        """Name the files that were taken in before, so that one that is gone is missed."""
        for name in self._seen:
            kind, _, rig = name.partition(":")
            if kind == EventKind.ARMING:
                yield self._home / "rigs" / rig / _STATES

    def _take_file(self, kind: EventKind, named: str, path: Path, changed: list[str]) -> None:
        name = path.parent.name
        who, what = ("by", "state") if kind is EventKind.ARMING else ("who", "change")
        for plain, digest in _new_lines(path, self._seen[f"{kind.value}:{name}"], changed):
            facts = {named: name, "line_sha256": digest, what: plain}
            self._journal.append(kind, facts, by=str(plain.get(who, "")))

    def _catch_up(self) -> None:
        """Learn what is in the journal by now, whoever put it there."""
        events, end = self._journal.since(self._read_to)
        if end < self._read_to:  # another journal lies there now
            self._seen.clear()
            events, end = self._journal.since(0)
        self._read_to = end
        for event in events:
            if event.kind in (EventKind.ARMING, EventKind.TRIAGE):
                named = event.facts.get("rig") or event.facts.get("run_id")
                self._seen[f"{event.kind}:{named}"].append(event.facts.get("line_sha256", ""))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time compare and append, so that no line comes in twice."""
        lock = FileLock(self._home / "journal" / "intake.lock")
        try:
            (self._home / "journal").mkdir(parents=True, exist_ok=True)
            deadline = time.monotonic() + _LOCK_S
            while not lock.take():
                if time.monotonic() > deadline:
                    raise EvidenceBroken("another process is taking states into the journal; try again")
                time.sleep(0.005)
        except OSError as failure:
            raise EvidenceBroken(f"the journal in {self._home} cannot be written: {failure}", path=self._home) from (
                failure
            )
        try:
            yield
        finally:
            lock.release()


def take_in(home: Path, runs: Iterable[Path] = ()) -> tuple[str, ...]:
    """Take in once, as `Intake.take` does."""
    return Intake(home).take(runs)


def keep_up(intake: Intake, runs: Iterable[Path] = ()) -> tuple[str, ...]:
    """Take in right after something happened; a journal that refuses costs that nothing but is logged and told.

    What is missing comes in at the next look, at the latest when a bundle is written.
    """
    try:
        told = intake.take(runs)
    except EvidenceBroken as failure:
        told = (str(failure),)
    for sentence in told:
        log.error("journal: %s", sentence)
    return told


def _new_lines(path: Path, seen: list[str], changed: list[str]) -> list[tuple[dict[str, Any], str]]:
    try:
        lines = [line for line in path.read_bytes().split(b"\n")[:-1] if line.strip()]
    except FileNotFoundError:
        lines = []
    except OSError as failure:
        raise EvidenceBroken(f"{path} cannot be read: {failure.strerror or failure}", path=path) from failure
    digests = [sha256(line) for line in lines]
    if digests[: len(seen)] != seen:
        place = next(
            (k for k, pair in enumerate(zip(digests, seen, strict=False), 1) if pair[0] != pair[1]), len(digests)
        )
        changed.append(f"{path} was changed: line {place} is not what the journal took in")
        return []
    found = []
    for line, digest in zip(lines[len(seen) :], digests[len(seen) :], strict=True):
        try:
            plain = json.loads(line)
        except ValueError:
            plain = {"unreadable": line.decode("utf-8", "replace")[:500]}
        found.append((finite(plain) if isinstance(plain, dict) else {"unreadable": str(plain)[:500]}, digest))
    return found
