"""The journal of a bench: everything that matters, in a chain of hashes that shows what was changed or cut.

    journal/events.jsonl        one event a line, canonical JSON, each naming the hash of the one before
    journal/checkpoints.jsonl   signed by the bench: so many events, and the hash of the last one

See `hilgui.evidence.chain` for the form. An event is on the disk when `append` returns. Several processes may append.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from hilgui.durable import FileLock, append_line
from hilgui.errors import EvidenceBroken
from hilgui.evidence.chain import (
    CHECKPOINT,
    FIRST,
    Chain,
    canonical,
    check_chain,
    check_checkpoint,
    event_hash,
    open_envelope,
    sha256,
    strict_json,
)
from hilgui.evidence.dsse import seal
from hilgui.evidence.keys import KeyRing

log = logging.getLogger(__name__)

_LOCK_S = 10.0
_EVERY = 32  # events between two checkpoints, where none of them asks for one at once
_TAIL = 1 << 16


class EventKind(StrEnum):
    """What the journal tells."""

    RUN = "run"
    ARMING = "arming"
    TRIAGE = "triage"
    DECISION = "decision"
    SIGN_OFF = "sign_off"
    ALIAS = "alias"
    INCIDENT = "incident"
    EXPORT = "export"
    RETENTION = "retention"
    KEY = "key"
    SELF_TEST = "self_test"
    TORN = "torn"  # a line that a crash cut off was taken out; it had never been acknowledged


_SEALED_AT_ONCE = frozenset(
    {EventKind.DECISION, EventKind.SIGN_OFF, EventKind.ALIAS, EventKind.INCIDENT, EventKind.EXPORT}
)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal."""

    seq: int
    at: str  # ISO 8601, UTC
    kind: str
    by: str
    facts: dict[str, Any]
    hash: str

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Event:
        """Read a checked line."""
        return cls(plain["seq"], plain["at"], plain["kind"], plain["by"], plain["facts"], plain["hash"])


class Journal:
    """Appends to and reads the journal of a home; raises EvidenceBroken where the disk or the chain refuses."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "journal"
        self._ring = KeyRing(home)
        self.events_file = self._folder / "events.jsonl"
        self.checkpoints_file = self._folder / "checkpoints.jsonl"

    def append(self, kind: EventKind, facts: dict[str, Any], *, by: str, now: datetime | None = None) -> Event:
        """Write one event; it is on the disk when this returns."""
        at = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="microseconds")
        with self._writing():
            event = self._add(kind, facts, by, at)
            if kind in _SEALED_AT_ONCE or (event.seq + 1) % _EVERY == 0:
                self._checkpoint(event)
        return event

    def events(self, *kinds: EventKind) -> Iterator[Event]:
        """Give the events in order, all or those of some kinds, without checking the chain."""
        for number, line in enumerate(self._lines(), 1):
            try:
                event = Event.of(strict_json(line))
            except (ValueError, KeyError, TypeError) as failure:
                raise EvidenceBroken(
                    f"{self.events_file} line {number} is no event; `hilgui evidence journal` says what was changed",
                    path=self.events_file,
                    line=number,
                ) from failure
            if not kinds or event.kind in kinds:
                yield event

    def since(self, start: int) -> tuple[list[Event], int]:
        """Give the events from a place in the file on, and the place of its end; raises EvidenceBroken.

        The end lies before `start` where the file is shorter by now.
        """
        try:
            with self.events_file.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                if size < start:
                    return [], size
                file.seek(start)
                lines = [line for line in file if line.endswith(b"\n")]
            return [Event.of(strict_json(line)) for line in lines], start + sum(map(len, lines))
        except FileNotFoundError:
            return [], 0
        except (OSError, ValueError, KeyError, TypeError) as failure:
            raise EvidenceBroken(
                f"{self.events_file} cannot be read: {failure}; `hilgui evidence journal` says what was changed",
                path=self.events_file,
            ) from failure

    def checked(self) -> Chain:
        """Follow the chain and compare it with the signed checkpoints."""
        chain = check_chain(self._lines())
        keys = {key.keyid: key.public for key in self._ring.all()}
        for number, line in enumerate(self.checkpoints(), 1):
            try:
                payload, _ = open_envelope(strict_json(line), keys, CHECKPOINT)
                chain.problems.extend(check_checkpoint(payload, chain.events, number))
            except ValueError as failure:
                chain.problems.append(f"checkpoints.jsonl line {number}: {failure}")
        return chain

    def checkpoints(self, most: int | None = None) -> list[bytes]:
        """Give the signed checkpoints, those of at most so many events."""
        try:
            lines = self.checkpoints_file.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return lines if most is None else [line for line in lines if checkpoint_count(line) <= most]

    def checkpoint(self) -> None:
        """Sign the count now, where the last event has none."""
        with self._writing():
            last = self._last()
            if last is not None and not any(checkpoint_count(line) == last["seq"] + 1 for line in self.checkpoints()):
                self._checkpoint(Event.of(last))

    def _add(self, kind: EventKind, facts: dict[str, Any], by: str, at: str) -> Event:
        torn = self._cut_torn()
        last = self._last()
        if torn:
            last = self._link(last, EventKind.TORN, {"bytes": len(torn), "sha256": sha256(torn)}, "hilgui", at)
        return Event.of(self._link(last, kind, facts, by, at))

    def _link(
        self, last: dict[str, Any] | None, kind: EventKind, facts: dict[str, Any], by: str, at: str
    ) -> dict[str, Any]:
        plain = {
            "seq": 0 if last is None else last["seq"] + 1,
            "previous": FIRST if last is None else last["hash"],
            "at": at if last is None else max(at, last["at"]),  # a clock that is set back does not turn the order
            "kind": kind.value,
            "by": by,
            "facts": facts,
        }
        plain["hash"] = event_hash(plain)
        append_line(self.events_file, canonical(plain).decode())
        return plain

    def _checkpoint(self, event: Event) -> None:
        point = {"schema": "hilgui/checkpoint.v1", "count": event.seq + 1, "head": event.hash, "at": event.at}
        append_line(self.checkpoints_file, canonical(seal(CHECKPOINT, point, [self._ring.bench()])).decode())

    def _last(self) -> dict[str, Any] | None:
        """Give the last event; raises EvidenceBroken where it was changed."""
        line = self._last_line(_TAIL)
        if line == b"":
            line = self._last_line(1 << 30)
        last: dict[str, Any] | None = None
        if line is not None:
            try:
                found: dict[str, Any] = strict_json(line)
                if event_hash(found) != found["hash"]:
                    raise ValueError("it does not fit its hash")
                last = found
            except (ValueError, KeyError, TypeError, AttributeError) as failure:
                raise EvidenceBroken(
                    f"the last line of {self.events_file} was changed ({failure}); nothing is added to a broken chain: "
                    "`hilgui evidence journal` shows it; keep the folder and begin a new one",
                    path=self.events_file,
                ) from failure
        return last

    def _cut_torn(self) -> bytes:
        try:
            with self.events_file.open("r+b") as file:
                size = file.seek(0, os.SEEK_END)
                reach = min(size, 1 << 24)
                file.seek(size - reach)
                tail = file.read(reach)
                torn = tail[tail.rfind(b"\n") + 1 :]
                if torn:
                    file.truncate(size - len(torn))
                    os.fsync(file.fileno())
                return torn
        except FileNotFoundError:
            return b""

    def _last_line(self, reach: int) -> bytes | None:
        """Give the last line; empty where it is longer than `reach`, None where there is none."""
        try:
            with self.events_file.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                if not size:
                    return None
                file.seek(max(size - reach, 0))
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return None
        return lines[-2] if len(lines) > 2 or size <= reach else b""

    def _lines(self) -> Iterator[bytes]:
        try:
            with self.events_file.open("rb") as file:
                for line in file:
                    if line.endswith(b"\n"):  # one without end was never acknowledged
                        yield line[:-1]
        except FileNotFoundError:
            return
        except OSError as failure:
            raise EvidenceBroken(f"{self.events_file} cannot be read: {failure}", path=self.events_file) from failure

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder / "lock")
            deadline = time.monotonic() + _LOCK_S
            while not lock.take():
                if time.monotonic() > deadline:
                    raise EvidenceBroken("another process is writing the journal; try again", path=self._folder)
                time.sleep(0.005)
            try:
                yield
            finally:
                lock.release()
        except OSError as failure:
            raise EvidenceBroken(
                f"the journal in {self._folder} cannot be written: {failure.strerror or failure}; free the disk",
                path=self._folder,
            ) from failure


def checkpoint_count(line: bytes) -> int:
    """Say of how many events a checkpoint tells."""
    import base64

    try:
        return int(strict_json(base64.b64decode(strict_json(line)["payload"]))["count"])
    except (ValueError, KeyError, TypeError) as failure:
        raise EvidenceBroken(f"a line of checkpoints.jsonl is no checkpoint: {failure}") from failure
