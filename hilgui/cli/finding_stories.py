"""`hilgui findings --stories`: what many findings come down to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from hilgui.cli.console import print_json, results
from hilgui.cornercases import Story, stories
from hilgui.numerals import number_of
from hilgui.report.story_cards import told

if TYPE_CHECKING:
    from hilgui.triage import FindingRow

_NAMED = 4  # findings of a story that are named
_SHOWN = 30


def show_stories(rows: list[FindingRow], *, as_json: bool) -> None:
    """Print the stories of some findings, the worst first."""
    found = stories(told(row) for row in rows)
    if as_json:
        print_json({"findings": len(rows), "stories": [_plain(story) for story in found]})
        return
    if not found:
        results.print("No findings, no stories.")
        return
    table = Table("severity", "story", "sights", "worst", box=None)
    for story in found[:_SHOWN]:
        worst = ", ".join(f"{each.drive} #{each.finding.number}" for each in story.told[:_NAMED])
        table.add_row(story.severity.label, escape(story.title), str(story.sights), escape(worst))
    results.print(table)
    counts = f"{number_of(len(rows), 'finding')} in {number_of(len(found), 'story', 'stories')}"
    results.print(f"{counts}; a sight is one object, or pictures that look alike.")
    if len(found) > _SHOWN:
        results.print(f"… and {len(found) - _SHOWN} more; --json lists all")


def _plain(story: Story) -> dict[str, object]:
    return {
        "title": story.title,
        "severity": story.severity.label,
        "sights": story.sights,
        "drives": story.drives,
        "findings": [{"run": each.run, "number": each.finding.number} for each in story.told],
    }
