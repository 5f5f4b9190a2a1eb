"""What people decided about the findings of a run, for the exports."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hilgui.records.triage import Triage
from hilgui.settings import load_settings
from hilgui.store import RunReader
from hilgui.triage import Journal


def decided(reader: RunReader) -> defaultdict[int, Triage]:
    """Give where each finding of a run stands, open where nobody has touched it. Raises StoreBroken."""
    states = Journal(reader.folder, load_settings().home, run_id=reader.header.run_id).states()
    return defaultdict(Triage, states)


def triage_json(triage: Triage) -> dict[str, Any]:
    """Give plain values, the same in `hilgui findings --json`, JSON Lines and data sets."""
    return {
        "state": triage.state.value,
        "note": triage.note,
        "tags": list(triage.tags),
        "assignee": triage.assignee,
    }
