"""One finding as the index knows it: what tables, filters and lists need, without opening its run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hilgui.records import Finding, Kind, Role, Severity
from hilgui.records.triage import Triage


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding of some run, with what people made of it."""

    id: int  # of the row in the index; stays when the run is read again, not when the index is made anew
    folder: Path
    run_id: str
    created: str  # ISO 8601, of the run
    drive: str
    baseline: str
    candidate: str
    conditions: tuple[tuple[str, str], ...]
    finding: Finding
    triage: Triage

    @property
    def label(self) -> str:
        """Give the class of its first object, "" where it is about the whole frame."""
        return self.finding.objects[0].label if self.finding.objects else ""

    @property
    def kind(self) -> Kind:
        """Give the kind of corner case."""
        return self.finding.kind

    @property
    def severity(self) -> Severity:
        """Give how much it matters."""
        return self.finding.severity

    @property
    def role(self) -> Role | None:
        """Give the model it blames."""
        return self.finding.role
