"""How long runs are kept: pins, archives, pruning by a policy. What a decision or an open incident needs stays.

schema: hilgui/retention.v1
max_age_days: 90         # older runs may go
max_total_gb: 200        # beyond, the oldest may go
verdicts: [PASS]         # only runs that ended so; leave it away for all
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hilgui.documents import read_document
from hilgui.durable import write_whole
from hilgui.errors import CallWrong, EvidenceBroken
from hilgui.evidence.chain import strict_json
from hilgui.evidence.decisions import Decisions
from hilgui.evidence.incidents import Incidents
from hilgui.evidence.journal import EventKind, Journal
from hilgui.records import Outcome
from hilgui.store import RunSummary, list_runs, summarise


class Policy(BaseModel):
    """Which runs may go; a run goes where any limit says so and none keeps it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["hilgui/retention.v1"] = Field(alias="schema")
    max_age_days: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    max_total_gb: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    verdicts: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Doomed:
    """A run that a policy lets go, or would let go if nothing kept it."""

    folder: Path
    run_id: str
    size: int  # bytes
    why: str
    kept_by: str  # what keeps it, "" where nothing does


def read_policy(path: Path) -> Policy:
    """Read a policy; raises EvidenceBroken naming file, line and key."""
    return read_document(path, Policy, what="retention policy", broken=EvidenceBroken, guide="docs/evidence.md")


class Retention:
    """Pins, archives and prunes the runs of a home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._journal = Journal(home)
        self._pins = home / "pins.json"

    def pin(self, run_id: str, *, by: str, reason: str) -> None:
        """Keep a run whatever a policy says."""
        self._change_pins({**self.pins(), run_id: {"by": by, "reason": reason}})
        self._note("pinned", run_id, by, reason=reason)

    def unpin(self, run_id: str, *, by: str) -> None:
        """Let a run go with the others again; raises CallWrong where it is not pinned."""
        pins = self.pins()
        if run_id not in pins:
            raise CallWrong(f"{run_id} is not pinned")
        del pins[run_id]
        self._change_pins(pins)
        self._note("unpinned", run_id, by)

    def pins(self) -> dict[str, dict[str, str]]:
        """Give what is pinned, by whom and why."""
        try:
            return dict(strict_json(self._pins.read_bytes()))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError) as failure:
            raise EvidenceBroken(
                f"{self._pins} cannot be read: {failure}; nothing is pruned until it can", path=self._pins
            ) from failure

    def keepers(self) -> dict[str, str]:
        """Say of each run that must stay what keeps it: a pin, a decision, an open incident."""
        kept: dict[str, str] = {}
        for decision in Decisions(self._home).all():
            kept |= dict.fromkeys(decision.runs, f"decision {decision.id}")
        for incident in Incidents(self._home).all():
            if not incident.is_closed:
                kept |= dict.fromkeys(incident.runs, f"open incident {incident.id}")
        for run_id, pin in self.pins().items():
            kept[run_id] = f"pinned by {pin['by']}: {pin['reason']}"
        return kept

    def plan(self, root: Path, policy: Policy, now: datetime | None = None) -> list[Doomed]:
        """Say which runs a policy lets go, the oldest first, also those that something keeps. Changes nothing."""
        now = now or datetime.now(UTC)
        kept = self.keepers()
        runs = [run for run in reversed(list_runs(root)) if run.state != "running"]
        sizes = {run.folder: _size(run.folder) for run in runs}
        surplus = -1.0 if policy.max_total_gb is None else sum(sizes.values()) - policy.max_total_gb * 1e9
        found = []
        for run in runs:
            if policy.verdicts and run.outcome not in policy.verdicts:
                continue
            why = _too_old(run, policy, now) or (f"more than {policy.max_total_gb:g} GB" if surplus > 0 else "")
            if not why:
                continue
            keeper = _keeper(kept, run.run_id, run.folder)
            if not keeper:
                surplus -= sizes[run.folder]
            found.append(Doomed(run.folder, run.run_id, sizes[run.folder], why, keeper))
        return found

    def remove(self, doomed: Iterable[Doomed], *, by: str) -> list[Doomed]:
        """Remove runs, each after one more look at what keeps it; give those that are gone."""
        gone = []
        for one in doomed:
            if one.kept_by or _keeper(self.keepers(), one.run_id, one.folder):
                continue
            self._note("pruned", one.run_id, by, reason=one.why)
            _remove(one.folder)
            gone.append(one)
        return gone

    def archive(self, folder: Path, run_id: str, out: Path, *, by: str, remove: bool) -> Path:
        """Pack a run into a zip, read it back, note its hash; remove the folder where told and nothing keeps it."""
        if summarise(folder).state == "running":
            raise CallWrong(f"{run_id} is still being written; archive it when it has ended")
        keeper = _keeper(self.keepers(), run_id, folder)
        if remove and keeper:
            raise CallWrong(f"{run_id} stays where it is: {keeper}; archive it without --remove")
        place = out / f"{run_id}.zip"
        if place.exists():
            raise CallWrong(f"{place} exists; give another folder with --out")
        unfinished = out / f".{run_id}.zip.part"
        try:
            out.mkdir(parents=True, exist_ok=True)
            files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in files:
                    archive.write(path, f"{run_id}/{path.relative_to(folder).as_posix()}")
            with zipfile.ZipFile(unfinished) as archive:
                broken = archive.testzip()
                if broken is not None or len(archive.namelist()) != len(files):
                    raise EvidenceBroken(f"{place} cannot be read back ({broken}); the run stays where it is")
            unfinished.replace(place)
        except (OSError, zipfile.BadZipFile) as failure:
            raise EvidenceBroken(f"{place} cannot be written: {failure}; the run stays where it is") from failure
        finally:
            unfinished.unlink(missing_ok=True)
        with place.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._note("archived", run_id, by, archive=str(place), sha256=digest, removed=remove)
        if remove:
            _remove(folder)
        return place

    def _note(self, action: str, run_id: str, by: str, **more: Any) -> None:
        self._journal.append(EventKind.RETENTION, {"action": action, "run": run_id, **more}, by=by)

    def _change_pins(self, pins: dict[str, dict[str, str]]) -> None:
        try:
            self._pins.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._pins, (json.dumps(pins, indent=1, sort_keys=True) + "\n").encode())
        except OSError as failure:
            raise EvidenceBroken(f"{self._pins} cannot be written: {failure.strerror or failure}") from failure


def _keeper(kept: dict[str, str], run_id: str, folder: Path) -> str:
    """Say what keeps a run, by its id or, of a damaged one, by its folder."""
    return kept.get(run_id) or kept.get(folder.name, "")


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as failure:
        raise EvidenceBroken(f"{folder} cannot be removed whole: {failure.strerror or failure}", path=folder) from (
            failure
        )


def _too_old(run: RunSummary, policy: Policy, now: datetime) -> str:
    if policy.max_age_days is None or not run.created:
        return ""  # of a damaged run nobody knows the age
    age = now - datetime.fromisoformat(run.created)
    return f"{age.days} days old" if age > timedelta(days=policy.max_age_days) else ""


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
