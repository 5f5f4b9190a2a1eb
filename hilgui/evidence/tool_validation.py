"""Tool validation: faults that were seeded on this bench, and whether they were caught.

tool-validation/NAME.json   the newest result of each check, such as rig-selftest
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hilgui.durable import write_whole
from hilgui.errors import EvidenceBroken
from hilgui.evidence.chain import canonical, sha256, strict_json
from hilgui.evidence.journal import EventKind, Journal
from hilgui.evidence.runs import finite

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def keep_validation(home: Path, name: str, result: dict[str, Any], *, by: str, now: datetime | None = None) -> None:
    """Keep the result of a check of this bench, and note it in the journal; raises EvidenceBroken.

    `result` holds `holds` (whether everything was caught) and whatever the check tells.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a check")
    at = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    document = finite({"check": name, "at": at, "by": by, **result})
    place = home / "tool-validation" / f"{name}.json"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())
    except OSError as failure:
        raise EvidenceBroken(f"{place} cannot be written: {failure.strerror or failure}", path=place) from failure
    facts = {"check": name, "holds": bool(result.get("holds")), "sha256": sha256(canonical(document))}
    Journal(home).append(EventKind.SELF_TEST, facts, by=by)


def validations(home: Path) -> list[dict[str, Any]]:
    """Give the newest result of each check; one that was changed since it was noted says so."""
    noted = {event.facts["check"]: event.facts["sha256"] for event in Journal(home).events(EventKind.SELF_TEST)}
    found = []
    for path in sorted((home / "tool-validation").glob("*.json")):
        try:
            document = strict_json(path.read_bytes())
            is_known = noted.get(path.stem) == sha256(canonical(document))
        except (OSError, ValueError) as failure:
            raise EvidenceBroken(f"{path} cannot be read: {failure}; run the check again", path=path) from failure
        found.append({**document, "in_journal": is_known})
    return found
