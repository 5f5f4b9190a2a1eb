"""Runs in the journal: what a run was asked and what it answered, by their hashes."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hilgui.errors import EvidenceBroken, StoreBroken
from hilgui.evidence.chain import canonical, sha256
from hilgui.evidence.journal import Event, EventKind, Journal
from hilgui.store import RunReader
from hilgui.store.codec import finding_json

log = logging.getLogger(__name__)


def finite(value: Any) -> Any:
    """Give plain JSON values, what is no number as None."""
    if isinstance(value, dict):
        return {str(name): finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def run_facts(reader: RunReader) -> dict[str, Any]:
    """Name a run by hashes: its header, its verdict, what it found (ledger, figures, findings), and its frames."""
    verdict = reader.verdict
    said = None if verdict is None else {"outcome": verdict.outcome.value, "reasons": list(verdict.reasons)}
    results = {
        "ledger": asdict(reader.ledger),
        "verdict": said,
        "figures": reader.meta("figures"),
        "findings": [finding_json(finding) for finding in reader.findings()],
    }
    return {
        "run_id": reader.header.run_id,
        "outcome": "" if verdict is None else verdict.outcome.value,
        "header_sha256": sha256(canonical(finite(reader.meta("header")))),
        "verdict_sha256": sha256(canonical(said)),
        "results_sha256": sha256(canonical(finite(results))),
        "frames_sha256": reader.frames_sha256(),
        "models": {role.value: facts.sha256 for role, facts in reader.header.models.items()},
    }


def note_run(home: Path, reader: RunReader, *, by: str = "") -> Event:
    """Put a finished run into the journal, unless it is there as it is now. Raises EvidenceBroken, StoreBroken."""
    facts = run_facts(reader)
    journal = Journal(home)
    for event in journal.events(EventKind.RUN):
        if event.facts == facts:
            return event
    return journal.append(EventKind.RUN, facts, by=by or reader.header.people.operator)


def note_finished(home: Path, folder: Path) -> None:
    """Put a run into the journal that has just ended; a journal that refuses costs the run nothing but is logged.

    A decision looks whether its runs are in the journal, and says so where they came late.
    """
    try:
        with closing(RunReader(folder)) as reader:
            facts = run_facts(reader)
            Journal(home).append(EventKind.RUN, facts, by=reader.header.people.operator)
    except (EvidenceBroken, StoreBroken) as failure:
        log.error("the run %s is not in the journal: %s", folder.name, failure)


def note_export(home: Path, run_id: str, form: str, written: Path, *, by: str) -> None:
    """Put an export into the journal, by the hash of its file; a folder by its name alone. Raises EvidenceBroken."""
    facts = {"form": form, "file": written.name, "sha256": _digest(written), "of_run": run_id}
    Journal(home).append(EventKind.EXPORT, facts, by=by)


def note_page(home: Path, form: str, written: Path, about: Iterable[str], *, by: str) -> Event:
    """Put a report or a plot that people will show around into the journal, by its hash. Raises EvidenceBroken.

    `about` names the decision, the runs or the result that it shows.
    """
    facts = {"form": form, "file": written.name, "sha256": _digest(written), "about": sorted(set(about))}
    return Journal(home).append(EventKind.EXPORT, facts, by=by)


def note_dataset(home: Path, form: str, out: Path, findings: Mapping[str, int], *, by: str) -> None:
    """Put an export of findings into the journal: folder by name, findings counted by run. Raises EvidenceBroken."""
    facts = {"form": form, "file": out.name, "findings": dict(sorted(findings.items()))}
    Journal(home).append(EventKind.EXPORT, facts, by=by)


def _digest(written: Path) -> str:
    if not written.is_file():
        return ""
    try:
        with written.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as failure:
        raise EvidenceBroken(f"{written} cannot be read back: {failure.strerror or failure}", path=written) from failure
