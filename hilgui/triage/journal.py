"""The journal of one run: every decision about its findings, appended and never altered."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hilgui.errors import CallWrong, StoreBroken
from hilgui.records.triage import Triage, TriageChange, TriageState

FILE = "triage.jsonl"
MAX_NOTE = 10_000  # characters
MAX_TAG = 40
MAX_TAGS = 50
_LONGEST = 2**20  # bytes of one line: a change of 100,000 findings


class Journal:
    """One JSON line for each change, written with one append and synced: what returned survives `kill -9`.

    It lies beside the run (`RUN/triage.jsonl`), where it travels with it, or, when the run lies on read-only media, in
    `HOME/triage/RUN_ID.jsonl`. Both are read. A line that a crash cut off is left out, and the next one begins anew.
    Two people may append at the same time; the later change wins.
    """

    def __init__(self, folder: Path, home: Path, *, run_id: str = "") -> None:
        self._beside = folder / FILE
        self._at_home = home / "triage" / f"{run_id or folder.name}.jsonl"

    @property
    def paths(self) -> tuple[Path, Path]:
        """Give where changes may lie: beside the run, and in the home."""
        return self._beside, self._at_home

    def history(self, number: int | None = None) -> list[TriageChange]:
        """Give the changes of one finding, or all, in the order of time."""
        changes = {change.id: change for path in self.paths for change in _read(path)}  # a copied file says it twice
        ordered = sorted(changes.values(), key=lambda change: change.when)
        return [change for change in ordered if number is None or number in change.findings]

    def states(self) -> dict[int, Triage]:
        """Give where each finding stands that somebody has touched."""
        return fold(self.history())

    def change(
        self,
        findings: Sequence[int],
        *,
        who: str,
        state: TriageState | None = None,
        note: str | None = None,
        tags: Iterable[str] | None = None,
        assignee: str | None = None,
        now: datetime | None = None,
    ) -> TriageChange:
        """Write one change of one or several findings; returns once it is on the disk.

        Raises CallWrong for a note or a tag that is too long, StoreBroken where nothing can be written.
        """
        made = TriageChange(
            id=secrets.token_hex(6),
            when=self._when(now),
            who=who,
            findings=tuple(sorted(set(findings))),
            state=state,
            note=None if note is None else _checked_note(note),
            tags=None if tags is None else clean_tags(tags),
            assignee=assignee,
        )
        self._append(made)
        return made

    def undo(self, *, who: str, number: int | None = None, now: datetime | None = None) -> TriageChange | None:
        """Take back the newest change of a finding, or of the run; None where there is nothing to take back.

        A change of several findings is taken back as a whole. The history keeps both.
        """
        changes = self.history()
        undone = {change.undoes for change in changes if change.undoes}
        for change in reversed(changes):
            if not change.undoes and change.id not in undone and (number is None or number in change.findings):
                return self.take_back(change, who=who, now=now)
        return None

    def take_back(self, change: TriageChange, *, who: str, now: datetime | None = None) -> TriageChange:
        """Write that a change does not count any more."""
        made = TriageChange(secrets.token_hex(6), self._when(now), who, change.findings, undoes=change.id)
        self._append(made)
        return made

    def _when(self, now: datetime | None) -> str:
        """Give the time, later than every change before: clocks are set back, the order of changes is not."""
        time = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="microseconds")
        last = max(_last_when(path) for path in self.paths)
        return time if time > last else _just_after(last)

    def _append(self, change: TriageChange) -> None:
        line = (json.dumps(_plain(change), ensure_ascii=False) + "\n").encode()
        try:
            _append_line(self._beside, line)
        except FileNotFoundError as failure:
            raise StoreBroken(f"the run folder {self._beside.parent} is gone; was it moved?") from failure
        except OSError:  # read-only media, or somebody else's folder
            try:
                self._at_home.parent.mkdir(parents=True, exist_ok=True)
                _append_line(self._at_home, line)
            except OSError as failure:
                raise StoreBroken(
                    f"the decision cannot be written, neither to {self._beside} nor to {self._at_home}:"
                    f" {failure.strerror or failure}; is the disk full?",
                    path=self._at_home,
                ) from failure


def fold(changes: Iterable[TriageChange]) -> dict[int, Triage]:
    """Work out where findings stand after a history; what was taken back has never been."""
    changes = list(changes)
    undone = {change.undoes for change in changes if change.undoes}
    standing: dict[int, Triage] = {}
    for change in changes:
        if change.undoes or change.id in undone:
            continue
        given = {
            name: value
            for name in ("state", "note", "tags", "assignee")
            if (value := getattr(change, name)) is not None
        }
        for number in change.findings:
            standing[number] = replace(standing.get(number, Triage()), **given)
    return standing


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Bring tags into their one form: lower case, sorted, once; raises CallWrong where one is no tag."""
    found = sorted({tag.strip().lower() for tag in tags if tag.strip()})
    for tag in found:
        if len(tag) > MAX_TAG or any(letter in tag for letter in ',|\n\t"'):
            raise CallWrong(f"{tag[:60]!r} is no tag; a tag has at most {MAX_TAG} letters and no comma")
    if len(found) > MAX_TAGS:
        raise CallWrong(f"a finding has at most {MAX_TAGS} tags")
    return tuple(found)


def state_named(text: str) -> TriageState:
    """Turn what was typed into a state; raises CallWrong naming those that exist."""
    name = text.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in set(TriageState):
        raise CallWrong(f"there is no state {text!r}; the states are {', '.join(TriageState)}")
    return TriageState(name)


def change_json(change: TriageChange) -> dict[str, Any]:
    """Give the plain values of a change."""
    return _plain(change)


def _checked_note(note: str) -> str:
    if len(note) > MAX_NOTE:
        raise CallWrong(f"the note has {len(note)} letters; {MAX_NOTE} fit")
    return note


def _plain(change: TriageChange) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": change.id, "when": change.when, "who": change.who, "findings": list(change.findings),
    }  # fmt: skip
    for name in ("state", "note", "tags", "assignee"):
        value = getattr(change, name)
        if value is not None:
            plain[name] = list(value) if isinstance(value, tuple) else value
    if change.undoes:
        plain["undoes"] = change.undoes
    return plain


def _append_line(path: Path, line: bytes) -> None:
    is_new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":  # a crash cut the last line off
            line = b"\n" + line
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)
    if is_new:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file as safe as its content, where the system lets one."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> list[TriageChange]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as failure:
        raise StoreBroken(f"{path} cannot be read: {failure.strerror or failure}", path=path) from failure
    found = (_change(line) for line in text.split("\n") if line.strip())
    return [change for change in found if change is not None]


def _last_when(path: Path) -> str:
    """Give the time of the newest whole line, "" where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - 2 * _LONGEST, 0))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return max((change.when for line in lines if (change := _change(line)) is not None), default="")


def _change(line: str) -> TriageChange | None:
    """Read one line; None for one that is cut off or was written by something else."""
    try:
        plain = json.loads(line)
        return TriageChange(
            id=str(plain["id"]),
            when=str(plain["when"]),
            who=str(plain.get("who", "")),
            findings=tuple(int(number) for number in plain["findings"]),
            state=TriageState(plain["state"]) if "state" in plain else None,
            note=str(plain["note"]) if "note" in plain else None,
            tags=tuple(str(tag) for tag in plain["tags"]) if "tags" in plain else None,
            assignee=str(plain["assignee"]) if "assignee" in plain else None,
            undoes=str(plain.get("undoes", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _just_after(when: str) -> str:
    try:
        return (datetime.fromisoformat(when) + timedelta(microseconds=1)).isoformat(timespec="microseconds")
    except ValueError:  # somebody wrote by hand what is no time
        return when + "~"
