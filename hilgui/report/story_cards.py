"""The stories of what a filter lets through, ready to be shown: a question for the process beside the screen."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.cornercases import Told, stories
from hilgui.records import Finding, Severity
from hilgui.report.protocol import Progress
from hilgui.report.words import conditions_in_words
from hilgui.triage import FindingRow, FindingsIndex, Query

_PICTURES = 4
_PAGE = 2000


@dataclass(frozen=True, slots=True, eq=False)
class StoryCard:
    """One story: its sentence, how much stands behind it, its worst findings, and the ids of all."""

    title: str
    severity: Severity
    findings: int
    sights: int
    drives: tuple[str, ...]
    worst: tuple[tuple[Path, Finding], ...]
    ids: frozenset[int]  # of the index


@dataclass(frozen=True, slots=True)
class AskStories:
    """Ask what the findings that pass a filter come down to."""

    home: Path
    query: Query

    def __call__(self, kept: dict[str, Any], tell: Progress) -> list[StoryCard]:
        """Read the index and group; raises StoreBroken."""
        with closing(FindingsIndex(self.home)) as index:
            ids = index.ids(self.query)
            rows: list[FindingRow] = []
            for start in range(0, len(ids), _PAGE):
                rows += index.rows(ids[start : start + _PAGE])
                tell(len(rows), len(ids))
        known = {(str(row.folder), row.finding.number): row.id for row in rows}
        return [
            StoryCard(
                title=story.title,
                severity=story.severity,
                findings=len(story.told),
                sights=story.sights,
                drives=tuple(dict.fromkeys(each.drive for each in story.told)),
                worst=tuple((Path(each.run), each.finding) for each in story.told[:_PICTURES]),
                ids=frozenset(known[each.run, each.finding.number] for each in story.told),
            )
            for story in stories(told(row) for row in rows)
        ]


def told(row: FindingRow) -> Told:
    """Give a finding with the drive and the conditions that it comes from."""
    conditions = conditions_in_words({"truth": {"conditions": dict(row.conditions)}})
    return Told(str(row.folder), row.drive, conditions, row.finding)
