"""What has to survive a crash: the latch, and the journal of arming states. Both are on the disk before they count."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hilgui.errors import StoreBroken
from hilgui.rigs.arming import Arming, State

LATCH = "latch.json"
JOURNAL = "states.jsonl"


@dataclass(frozen=True, slots=True)
class Noted:
    """What the last process left: outputs may be on, or a latch with its reason."""

    was_live: bool = False
    latch_reason: str | None = None


class RigRecord:
    """The folder of one rig; raises StoreBroken where it cannot be written, and then nothing is armed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise StoreBroken(
                f"{folder} cannot be made: {failure}; a rig needs it for its latch", path=folder
            ) from failure

    def read(self) -> Noted:
        """Read what is noted; what cannot be read is a latch."""
        path = self._folder / LATCH
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            state, reason = State(fields["state"]), str(fields["reason"])
        except FileNotFoundError:
            return Noted()
        except (OSError, ValueError, KeyError, TypeError) as failure:
            return Noted(latch_reason=f"rig state unknown: {path} cannot be read ({type(failure).__name__})")
        if state is State.LATCHED:
            return Noted(latch_reason=reason)
        return Noted(was_live=state is not State.SAFE)

    def note(self, state: State, reason: str, by: str) -> None:
        """Note SAFE, ARMED or LATCHED; returns when it is on the disk."""
        fields = {"state": state.value, "reason": reason, "by": by, "utc": datetime.now(UTC).isoformat()}
        path, fresh = self._folder / LATCH, self._folder / f"{LATCH}.new"
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.write(json.dumps(fields))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            _sync_folder(self._folder)
        except OSError as failure:
            raise StoreBroken(f"{path} cannot be written: {failure}; free the disk", path=path) from failure

    def journal(self, before: Arming, after: Arming, facts: Mapping[str, Any]) -> None:
        """Append who went from where to where, when and why; returns when it is on the disk."""
        line = {
            "utc": datetime.now(UTC).isoformat(),
            "monotonic_ns": after.since_ns,
            "from": before.state.value,
            "to": after.state.value,
            "by": after.by,
            "why": after.reason,
            **facts,
        }
        path = self._folder / JOURNAL
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as failure:
            raise StoreBroken(f"{path} cannot be written: {failure}; free the disk", path=path) from failure


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
