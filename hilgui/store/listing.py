"""What a list of runs shows of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from hilgui.errors import StoreBroken
from hilgui.store.folder import campaign, run_folders
from hilgui.store.reader import RunReader


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the library; `problem` says why a run cannot be read."""

    folder: Path
    run_id: str
    created: str = ""
    source: str = ""
    state: str = ""
    outcome: str = ""
    frames: int = 0
    findings: int = 0
    baseline: str = ""
    candidate: str = ""
    problem: str = ""
    campaign: str = ""  # folder among the runs that it lies in

    @property
    def name(self) -> str:
        """Name the run as it can be typed, with its campaign."""
        return f"{self.campaign}/{self.run_id}" if self.campaign else self.run_id


def list_runs(root: Path) -> list[RunSummary]:
    """List the runs of a folder and of the campaigns in it, newest first; a damaged one is listed with its problem."""
    return [replace(summarise(folder), campaign=campaign(folder, root)) for folder in run_folders(root)]


def summarise(folder: Path) -> RunSummary:
    """Read the line of one run."""
    try:
        reader = RunReader(folder)
    except StoreBroken as failure:
        return RunSummary(folder, folder.name, state="damaged", problem=str(failure))
    try:
        verdict = reader.verdict
        names = {role.value: facts.name for role, facts in reader.header.models.items()}
        return RunSummary(
            folder=folder,
            run_id=reader.header.run_id,
            created=reader.header.created,
            source=reader.header.source.name,
            state=reader.state,
            outcome="" if verdict is None else verdict.outcome.value,
            frames=reader.ledger.evaluated,
            findings=len(reader.findings()),
            baseline=names.get("baseline", ""),
            candidate=names.get("candidate", ""),
        )
    except StoreBroken as failure:
        return RunSummary(folder, folder.name, state="damaged", problem=str(failure))
    finally:
        reader.close()
