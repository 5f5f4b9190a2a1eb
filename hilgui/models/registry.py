"""The registry: models by content, and the aliases of each slot that a runtime follows.

    models/
      shelf/<sha256>/           the files of a model and entry.json
      slots/<slot>/champion     one JSON file an alias, replaced whole
      slots/<slot>/history.jsonl   every move, in order
      slots/<slot>/golden.json  the clip, and what each model said to it
      registry.lock

A slot is a job, such as front-detector. A runtime in the field reads the file of its alias (or `Follower`), sees that
`serial` grew, and loads the model that it names.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from hilgui.durable import FileLock, append_line, write_whole
from hilgui.errors import CallWrong, HilguiError, RegistryBroken
from hilgui.models.entry import Entry, Placed, read_alias
from hilgui.models.golden import Golden, Replay, differences
from hilgui.models.shelf import Shelf

_SLOT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LOCK_S = 10.0


class Alias(StrEnum):
    """What a model is to its slot."""

    CHAMPION = "champion"  # in use
    CANDIDATE = "candidate"  # runs in shadow
    LAST_GOOD = "last_good"  # was champion before, and is what a rollback brings back


@dataclass(frozen=True, slots=True)
class Move:
    """One change of an alias, as it was done; this is what gets signed."""

    action: str  # "set", "promote", "roll_back"
    slot: str
    alias: str
    sha256: str  # model that the alias names now
    before: str  # and before, "" where it named none
    by: tuple[str, ...]
    reason: str
    at: str  # ISO 8601, UTC
    serial: int
    seconds: float  # from the call to the end of the check
    checked: tuple[str, ...]  # "sha256", "golden clip"

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "schema": "hilgui/alias-move.v1",
            "action": self.action,
            "slot": self.slot,
            "alias": self.alias,
            "sha256": self.sha256,
            "before": self.before,
            "by": list(self.by),
            "reason": self.reason,
            "at": self.at,
            "serial": self.serial,
            "seconds": round(self.seconds, 3),
            "checked": list(self.checked),
        }


Witness = Callable[[Move], None]
"""Told of every move before the caller is: signs it and keeps it. What it raises reaches the caller."""


class Registry:
    """One folder for all models of a bench; safe for several processes, one move at a time.

    `replay` plays the golden clip of a slot through a model; without one, slots with a golden clip refuse to move.
    """

    def __init__(self, folder: Path, *, replay: Replay | None = None, witness: Witness | None = None) -> None:
        self.folder = folder
        self.shelf = Shelf(folder / "shelf")
        self._replay = replay
        self._witness = witness

    def slots(self) -> list[str]:
        """Name the slots."""
        place = self.folder / "slots"
        return sorted(one.name for one in place.iterdir() if one.is_dir()) if place.is_dir() else []

    def placed(self, slot: str, alias: Alias) -> Placed | None:
        """Say which model an alias names; None where it names none. Raises RegistryBroken."""
        return read_alias(self._slot(slot) / alias.value)

    def entry(self, wanted: str) -> Entry:
        """Find a model by "slot@alias", by the beginning of its hash, or by name; raises CallWrong."""
        slot, at, alias = wanted.partition("@")
        if not at:
            return self.shelf.entry(wanted)
        if alias not in set(Alias):
            raise CallWrong(f"{wanted}: {alias} is no alias; there are {', '.join(Alias)}")
        placed = self.placed(slot, Alias(alias))
        if placed is None:
            raise CallWrong(f"slot {slot} has no {alias}; set one with `hilgui models alias {slot} {alias} MODEL`")
        return self.shelf.entry(placed.sha256)

    def path(self, wanted: str) -> Path:
        """Give the ONNX file of a model, its bytes compared with its hash; raises CallWrong, RegistryBroken."""
        return self.shelf.path(self.entry(wanted))

    def set(self, slot: str, alias: Alias, wanted: str, *, by: str, reason: str) -> Move:
        """Let an alias name a model; the champion changes by `promote` and `roll_back` once there is one."""
        if alias is not Alias.CANDIDATE and self.placed(slot, alias) is not None:
            raise CallWrong(f"slot {slot} has a {alias} already; it changes by promoting or rolling back")
        entry = self.entry(wanted)
        with self._moving(slot):
            return self._move("set", slot, alias, entry, (by,), reason, time.monotonic())

    def promote(self, slot: str, *, by: tuple[str, ...], reason: str) -> Move:
        """Make the candidate champion and the champion last_good, once the candidate has proven to be itself."""
        started = time.monotonic()
        with self._moving(slot):
            candidate, champion = self.placed(slot, Alias.CANDIDATE), self.placed(slot, Alias.CHAMPION)
            if candidate is None:
                raise CallWrong(f"slot {slot} has no candidate to promote")
            if champion is not None and champion.sha256 == candidate.sha256:
                raise CallWrong(f"the candidate of slot {slot} is its champion already")
            entry = self.shelf.entry(candidate.sha256)
            checked = self._prove(slot, entry)
            if champion is not None:
                self._place(slot, Alias.LAST_GOOD, champion.sha256, by, f"was champion until: {reason}")
            return self._move("promote", slot, Alias.CHAMPION, entry, by, reason, started, checked)

    def roll_back(self, slot: str, *, by: str, reason: str) -> Move:
        """Make last_good champion again; one person is enough.

        The alias moves first, because the champion is in doubt; then the restored model has to prove itself. Raises
        RegistryBroken where it cannot: the alias stays moved, and somebody has to look.
        """
        started = time.monotonic()
        with self._moving(slot):
            good = self.placed(slot, Alias.LAST_GOOD)
            if good is None:
                raise CallWrong(f"slot {slot} has no last_good to go back to")
            entry = self.shelf.entry(good.sha256)
            self.shelf.path(entry)  # a model that is not itself is not put into use
            before = self.placed(slot, Alias.CHAMPION)
            placed = self._place(slot, Alias.CHAMPION, entry.sha256, (by,), reason)
            try:
                checked = self._prove(slot, entry)
            except HilguiError as failure:  # also a clip that is gone, a provider that is missing
                self._record("roll_back", placed, before, started, (f"NOT PROVEN: {failure}",))
                if isinstance(failure, RegistryBroken):
                    raise
                raise RegistryBroken(f"{entry.name} is champion of {slot} again, but unproven: {failure}") from failure
            return self._record("roll_back", placed, before, started, checked)

    def set_golden(self, slot: str, clip: Path) -> None:
        """Give a slot its golden clip; what its models say to it now is what they must say later.

        A clip is a file of its own; it is copied. Raises CallWrong.
        """
        if not clip.is_file():
            raise CallWrong(f"{clip} is no file; a golden clip is a short video")
        with self._moving(slot):
            folder = self._slot(slot)
            copy = folder / f"golden{clip.suffix}"
            shutil.copyfile(clip, copy)
            named = {placed.sha256 for alias in Alias if (placed := self.placed(slot, alias))}
            answers = {sha256: self._answer(self.shelf.entry(sha256), copy).as_json() for sha256 in sorted(named)}
            self._write_golden(slot, {"clip": copy.name, "answers": answers})

    def history(self, slot: str) -> list[dict[str, Any]]:
        """Give every move of a slot, the oldest first."""
        path = self._slot(slot) / "history.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def _slot(self, slot: str) -> Path:
        if not _SLOT.fullmatch(slot):
            raise CallWrong(f"{slot!r} is no name of a slot: small letters, digits, - and _")
        return self.folder / "slots" / slot

    @contextmanager
    def _moving(self, slot: str) -> Iterator[None]:
        self._slot(slot).mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "registry.lock")
        deadline = time.monotonic() + _LOCK_S
        while not lock.take():
            if time.monotonic() > deadline:
                raise RegistryBroken("another process is changing the registry of models; try again")
            time.sleep(0.05)
        try:
            yield
        finally:
            lock.release()

    def _move(
        self,
        action: str,
        slot: str,
        alias: Alias,
        entry: Entry,
        by: tuple[str, ...],
        reason: str,
        started: float,
        checked: tuple[str, ...] | None = None,
    ) -> Move:
        proven = self._prove(slot, entry) if checked is None else checked
        before = self.placed(slot, alias)
        placed = self._place(slot, alias, entry.sha256, by, reason)
        return self._record(action, placed, before, started, proven)

    def _place(self, slot: str, alias: Alias, sha256: str, by: tuple[str, ...], reason: str) -> Placed:
        serials = [placed.serial for one in Alias if (placed := self.placed(slot, one))]
        placed = Placed(slot, alias.value, sha256, _now(), by, reason, max(serials, default=0) + 1)
        write_whole(self._slot(slot) / alias.value, json.dumps(placed.as_json(), indent=1).encode())
        return placed

    def _record(
        self, action: str, placed: Placed, before: Placed | None, started: float, checked: tuple[str, ...]
    ) -> Move:
        move = Move(
            action,
            placed.slot,
            placed.alias,
            placed.sha256,
            "" if before is None else before.sha256,
            placed.by,
            placed.reason,
            placed.since,
            placed.serial,
            time.monotonic() - started,
            checked,
        )
        append_line(self._slot(placed.slot) / "history.jsonl", json.dumps(move.as_json(), sort_keys=True))
        if self._witness is not None:
            self._witness(move)
        return move

    def _prove(self, slot: str, entry: Entry) -> tuple[str, ...]:
        """See that a model is what was imported and says what it said; raises RegistryBroken."""
        self.shelf.path(entry)
        golden = self._golden(slot)
        if golden is None:
            return ("sha256",)
        found = self._answer(entry, self._slot(slot) / golden["clip"])
        expected = golden["answers"].get(entry.sha256)
        if expected is None:
            golden["answers"][entry.sha256] = found.as_json()
            self._write_golden(slot, golden)
            return ("sha256", "golden clip (first answer)")
        said = differences(Golden.from_json(expected), found)
        if said:
            raise RegistryBroken(
                f"model {entry.name} {entry.short} answers the golden clip of slot {slot} otherwise than before: "
                f"{'; '.join(said)}; is this the same runtime and provider?"
            )
        return ("sha256", "golden clip")

    def _answer(self, entry: Entry, clip: Path) -> Golden:
        if self._replay is None:
            raise RegistryBroken("a golden clip can only be replayed where hilgui may run models; use the command line")
        return self._replay(self.shelf.path(entry), clip)

    def _golden(self, slot: str) -> dict[str, Any] | None:
        path = self._slot(slot) / "golden.json"
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as failure:
            raise RegistryBroken(f"{path} cannot be read: {failure}; set the golden clip again", path=path) from failure

    def _write_golden(self, slot: str, golden: dict[str, Any]) -> None:
        write_whole(self._slot(slot) / "golden.json", json.dumps(golden, indent=1).encode())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
