"""Takes into the journal what is written elsewhere: arming states of rigs and triage of runs.

Both are append-only files of rooms that know nothing of evidence. Their lines come in once, with the place of each; a
file whose earlier lines are no longer those that were taken in was changed, and that is told.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hilgui.errors import EvidenceBroken
from hilgui.evidence.chain import sha256
from hilgui.evidence.journal import EventKind, Journal
from hilgui.evidence.runs import finite

_STATES = "states.jsonl"
_TRIAGE = "triage.jsonl"


def take_in(home: Path, runs: Iterable[Path] = ()) -> tuple[str, ...]:
    """Take in what is new; give a sentence for every file whose past was changed. Raises EvidenceBroken."""
    journal = Journal(home)
    known: defaultdict[str, list[str]] = defaultdict(list)
    for event in journal.events(EventKind.ARMING, EventKind.TRIAGE):
        known[f"{event.kind}:{event.facts.get('rig') or event.facts.get('run_id')}"].append(event.facts["line_sha256"])
    changed: list[str] = []
    for path in sorted(home.glob(f"rigs/*/{_STATES}")):
        name = path.parent.name
        seen = known[f"{EventKind.ARMING.value}:{name}"]
        for plain, digest in _new_lines(path, seen, changed):
            facts = {"rig": name, "line_sha256": digest, "state": plain}
            journal.append(EventKind.ARMING, facts, by=str(plain.get("by", "")))
    for folder in sorted(runs):
        seen = known[f"{EventKind.TRIAGE.value}:{folder.name}"]
        for plain, digest in _new_lines(folder / _TRIAGE, seen, changed):
            facts = {"run_id": folder.name, "line_sha256": digest, "change": plain}
            journal.append(EventKind.TRIAGE, facts, by=str(plain.get("who", "")))
    return tuple(changed)


def _new_lines(path: Path, seen: list[str], changed: list[str]) -> list[tuple[dict[str, Any], str]]:
    try:
        lines = [line for line in path.read_bytes().split(b"\n")[:-1] if line.strip()]
    except FileNotFoundError:
        lines = []
    except OSError as failure:
        raise EvidenceBroken(f"{path} cannot be read: {failure.strerror or failure}", path=path) from failure
    digests = [sha256(line) for line in lines]
    if digests[: len(seen)] != seen:
        place = next(
            (k for k, pair in enumerate(zip(digests, seen, strict=False), 1) if pair[0] != pair[1]), len(digests)
        )
        changed.append(f"{path} was changed: line {place} is not what the journal took in")
        return []
    found = []
    for line, digest in zip(lines[len(seen) :], digests[len(seen) :], strict=True):
        try:
            plain = json.loads(line)
        except ValueError:
            plain = {"unreadable": line.decode("utf-8", "replace")[:500]}
        found.append((finite(plain) if isinstance(plain, dict) else {"unreadable": str(plain)[:500]}, digest))
    return found
