"""Writes what was decided on the Findings page into the journals of the runs, and takes it back."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from hilgui.records.triage import Triage, TriageChange, TriageState
from hilgui.settings import Settings
from hilgui.triage import FindingRow, Journal
from hilgui.triage.journal import clean_tags


class Decisions:
    """One decision may be about findings of several runs; undo takes it back as a whole. Raises what `Journal` raises.

    A decision is on the disk when a method returns (one append and one sync for each run).
    """

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._who = settings.operator or _user()
        self._made: list[list[tuple[Path, str, TriageChange]]] = []

    @property
    def can_undo(self) -> bool:
        """Say whether there is something to take back."""
        return bool(self._made)

    def decide(
        self,
        rows: Iterable[FindingRow],
        *,
        state: TriageState | None = None,
        note: str | None = None,
        tags: Sequence[str] | None = None,
        assignee: str | None = None,
    ) -> dict[int, Triage]:
        """Decide about findings; returns where they stand now, by id of the index."""
        rows = list(rows)
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
        given = {"state": state, "note": note, "tags": cleaned, "assignee": assignee}
        touched = {name: value for name, value in given.items() if value is not None}
        return {row.id: replace(row.triage, **touched) for row in rows}  # type: ignore[arg-type]  # its own fields

    def undo(self) -> list[tuple[Path, tuple[int, ...]]]:
        """Take back the newest decision of this session; returns which findings of which runs it was about."""
        if not self._made:
            return []
        made = self._made.pop()
        for folder, run_id, change in made:
            self._journal(folder, run_id).take_back(change, who=self._who)
        return [(folder, change.findings) for folder, _, change in made]

    def history(self, row: FindingRow) -> tuple[TriageChange, ...]:
        """Give what was decided about a finding."""
        return tuple(self._journal(row.folder, row.run_id).history(row.finding.number))

    def _journal(self, folder: Path, run_id: str) -> Journal:
        return Journal(folder, self._home, run_id=run_id)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without user names
        return "unknown"
