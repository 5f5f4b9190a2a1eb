"""What has to survive a crash: the latch, and the journal of arming states. Both are on the disk before they count."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hilgui.durable import FileLock
from hilgui.errors import RigBusy, StoreBroken
from hilgui.rigs.arming import Arming, State
from hilgui.rigs.profile import DeviceWish, RigProfile

LATCHES = "latches"
JOURNAL = "states.jsonl"

_LOOK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Noted:
    """What the last process left: outputs may be on, or a latch with its reason."""

    was_live: bool = False
    latch_reason: str | None = None


def latch_names(profile: RigProfile) -> tuple[str, ...]:
    """Name the latches of a rig: one for each device, after what it is found by.

    So a profile that is renamed, copied, or given another device beside this one finds the latch again. A simulated
    device is nobody's but its profile's.
    """
    return tuple(_latch_name(profile, device) for device in profile.devices)


def _latch_name(profile: RigProfile, device: DeviceWish) -> str:
    wish = device.port
    if wish.simulator:
        return f"simulator-{profile.slug}-{device.name}"
    kind, found_by = next((name, value) for name, value in wish.model_dump().items() if value is not None)
    readable = re.sub(r"[^A-Za-z0-9]+", "-", str(found_by)).strip("-")[:40]
    return f"{kind}-{readable}-{hashlib.sha256(str(found_by).encode()).hexdigest()[:8]}"


class RigHold:
    """Keeps a second program off the devices of a rig, its latches and its journal, until this process ends."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self._rig = folder.name
        self._latches = folder.parent / LATCHES
        self._locks = [FileLock(self._latches / f"{name}.lock") for name in names]

    def take(self, patience_s: float) -> None:
        """Take it; whoever had it may still be stopping the rig, so wait a little. Raises RigBusy, StoreBroken."""
        deadline = time.monotonic() + patience_s
        try:
            self._latches.mkdir(parents=True, exist_ok=True)
            for lock in self._locks:
                while not lock.take():
                    if time.monotonic() > deadline:
                        raise RigBusy(
                            f"another hilgui holds the rig {self._rig}; close the rig there, then open it here"
                        )
                    time.sleep(_LOOK_AGAIN_S)
        except OSError as failure:
            sentence = f"{self._latches} cannot be written: {failure}; a rig needs it for its latch"
            raise StoreBroken(sentence, path=self._latches) from failure

    def release(self) -> None:
        """Let go; a process that ends does so by itself."""
        for lock in self._locks:
            lock.release()


class RigRecord:
    """The latches of a rig's devices, and its journal in `folder`; raises StoreBroken where it cannot be written."""

    def __init__(self, folder: Path, names: tuple[str, ...] = ("rig",)) -> None:
        self._folder = folder
        self._latches = folder.parent / LATCHES
        self._paths = [self._latches / f"{name}.json" for name in names]
        for each in (folder, self._latches):
            try:
                each.mkdir(parents=True, exist_ok=True)
            except OSError as failure:
                sentence = f"{each} cannot be made: {failure}; a rig needs it for its latch"
                raise StoreBroken(sentence, path=each) from failure

    def read(self) -> Noted:
        """Read what is noted of any of the devices; what cannot be read is a latch."""
        noted = [_read(path) for path in self._paths]
        reasons = [each.latch_reason for each in noted if each.latch_reason is not None]
        return Noted(any(each.was_live for each in noted), reasons[0] if reasons else None)

    def note(self, state: State, reason: str, by: str) -> None:
        """Note SAFE, ARMED or LATCHED for all devices; returns when it is on the disk."""
        fields = {"state": state.value, "reason": reason, "by": by, "utc": datetime.now(UTC).isoformat()}
        for path in self._paths:
            fresh = path.with_suffix(".new")
            try:
                with fresh.open("w", encoding="utf-8") as file:
                    file.write(json.dumps(fields))
                    file.flush()
                    os.fsync(file.fileno())
                fresh.replace(path)
            except OSError as failure:
                raise StoreBroken(f"{path} cannot be written: {failure}; free the disk", path=path) from failure
        _sync_folder(self._latches)

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


def _read(path: Path) -> Noted:
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


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
