"""Writes what was decided on the Findings page into the journals of the runs, and takes it back."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hilgui.evidence import Intake, keep_up
from hilgui.records.triage import Triage, TriageChange, TriageState
from hilgui.settings import Settings
from hilgui.triage import FindingRow, Journal
from hilgui.triage.journal import clean_tags

_Stamp = tuple[tuple[int, int], ...]  # size and time of each file of a journal


class Decisions:
    """One decision may be about findings of several runs; undo takes it back as a whole. Raises what `Journal` raises.

    A decision is on the disk when a method returns (one append and one sync for each run); one thread at a time.
    """

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._intake = Intake(settings.home)
        self._who = settings.operator or _user()
        self._made: list[list[tuple[Path, str, TriageChange]]] = []
        self._read: dict[Path, tuple[_Stamp, dict[int, list[TriageChange]]]] = {}  # histories, by run

    @property
    def can_undo(self) -> bool:
        """Say whether there is something to take back."""
        return bool(self._made)

    def preview(self, rows: Iterable[FindingRow], **given: Any) -> dict[int, Triage]:
        """Say where findings will stand, by id of the index; raises CallWrong for tags that are none."""
        touched = {name: value for name, value in given.items() if value is not None}
        if "tags" in touched:
            touched["tags"] = clean_tags(touched["tags"])
        return {row.id: replace(row.triage, **touched) for row in rows}

    def write(
        self,
        rows: Iterable[FindingRow],
        *,
        state: TriageState | None = None,
        note: str | None = None,
        tags: Sequence[str] | None = None,
        assignee: str | None = None,
    ) -> list[tuple[Path, tuple[int, ...]]]:
        """Decide about findings; returns which findings of which runs it was about."""
        cleaned = None if tags is None else clean_tags(tags)
        by_run: dict[tuple[Path, str], list[int]] = {}
        for row in rows:
            by_run.setdefault((row.folder, row.run_id), []).append(row.finding.number)
        made = []
        for (folder, run_id), numbers in by_run.items():
            change = self._journal(folder, run_id).change(
                numbers, who=self._who, state=state, note=note, tags=cleaned, assignee=assignee
            )
            made.append((folder, run_id, change))
        self._made.append(made)
        keep_up(self._intake, [folder for folder, _ in by_run])
        return [(folder, change.findings) for folder, _, change in made]

    def undo(self) -> list[tuple[Path, tuple[int, ...]]]:
        """Take back the newest decision of this session; returns which findings of which runs it was about."""
        if not self._made:
            return []
        made = self._made.pop()
        for folder, run_id, change in made:
            self._journal(folder, run_id).take_back(change, who=self._who)
        keep_up(self._intake, [folder for folder, _, _ in made])
        return [(folder, change.findings) for folder, _, change in made]

    def history(self, row: FindingRow) -> tuple[TriageChange, ...]:
        """Give what was decided about a finding; a journal is read again only after it changed."""
        journal = self._journal(row.folder, row.run_id)
        stamp = tuple(_stamp(path) for path in journal.paths)
        if row.folder not in self._read or self._read[row.folder][0] != stamp:
            by_number: dict[int, list[TriageChange]] = {}
            for change in journal.history():
                for number in change.findings:
                    by_number.setdefault(number, []).append(change)
            self._read[row.folder] = (stamp, by_number)
        return tuple(self._read[row.folder][1].get(row.finding.number, ()))

    def _journal(self, folder: Path, run_id: str) -> Journal:
        return Journal(folder, self._home, run_id=run_id)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except OSError:  # not written yet
        return (0, 0)
    return (facts.st_size, facts.st_mtime_ns)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without user names
        return "unknown"
