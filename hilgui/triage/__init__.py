"""What people make of findings: a journal beside each run, an index over all runs, corrections of the labels."""

from hilgui.triage.index import FindingsIndex
from hilgui.triage.journal import Journal
from hilgui.triage.query import Query
from hilgui.triage.row import FindingRow

__all__ = ["FindingRow", "FindingsIndex", "Journal", "Query"]
