"""Recorded decisions: what a gate said, about which runs and models, and who agreed.

decisions/<id>/decision.json         canonical JSON; never changed
decisions/<id>/statement.dsse.json   an in-toto test result about it, signed by the bench and by people
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hilgui.durable import sync_folder, write_whole
from hilgui.errors import CallWrong, EvidenceBroken
from hilgui.evidence.chain import IN_TOTO, canonical, open_envelope, sha256, strict_json
from hilgui.evidence.dsse import countersign, result_statement, seal_statement
from hilgui.evidence.journal import EventKind, Journal
from hilgui.evidence.keys import BENCH, KeyRing, Signer
from hilgui.evidence.loosening import loosened
from hilgui.evidence.runs import finite, note_run
from hilgui.records import Action, Decision, GateVerdict
from hilgui.records.decision import SIGN_FIRST
from hilgui.store import RunReader

SCHEMA = "hilgui/recorded-decision.v1"
LAST = "last"
_TO_LOOSEN = 2  # people
_RESULTS = {Action.PROMOTE: "PASSED", Action.ROLL_BACK: "FAILED"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as it was stored, and who agreed to it so far."""

    folder: Path
    plain: dict[str, Any]  # decision.json
    sha256: str
    agreed: tuple[str, ...]  # names of people whose keys are known here, in the order of their signatures

    @property
    def id(self) -> str:
        """Give its name."""
        return str(self.plain["id"])

    @property
    def action(self) -> Action:
        """Give its word."""
        return Action(self.plain["decision"]["action"])

    @property
    def models(self) -> dict[str, str]:
        """Give the sha256 of the ONNX files by role."""
        return dict(self.plain["decision"]["models"])

    @property
    def runs(self) -> tuple[str, ...]:
        """Name the runs that it rests on."""
        return tuple(str(one["run_id"]) for one in self.plain["runs"])

    @property
    def slot(self) -> str:
        """Give the slot of the registry that it is about, "" where its plan names none."""
        return str(self.plain["slot"])

    @property
    def people_needed(self) -> int:
        """Say how many people have to agree before anything comes of it."""
        return int(self.plain["people_needed"])

    @property
    def is_agreed(self) -> bool:
        """Say whether enough people have."""
        return len(self.agreed) >= self.people_needed

    def as_json(self) -> dict[str, Any]:
        """Give what the command line prints."""
        told = {"sha256": self.sha256, "agreed": list(self.agreed), "is_agreed": self.is_agreed}
        return {**self.plain, **told, "next_steps": list(self.next_steps)}

    @property
    def next_steps(self) -> tuple[str, ...]:
        """Give what is left to do: where enough people have signed, the promotion alone."""
        steps = tuple(str(step) for step in self.plain["decision"]["next_steps"])
        if not (self.action is Action.PROMOTE and self.people_needed and self.is_agreed):
            return steps
        promote = f"promote: hilgui models promote {self.slot or 'SLOT'} --decision {self.id}"
        return tuple(promote if step.endswith(SIGN_FIRST) else step for step in steps)


class Decisions:
    """The recorded decisions of a home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / "decisions"
        self._journal = Journal(home)
        self._ring = KeyRing(home)

    def record(
        self,
        decision: Decision,
        specification: Mapping[str, Any],
        readers: Sequence[RunReader],
        *,
        by: str,
        entries: Mapping[str, str] | None = None,
        notes: Iterable[str] = (),
        now: datetime | None = None,
    ) -> Recorded:
        """Store a decision, signed by the bench, and note it in the journal; raises EvidenceBroken.

        `specification` is the plan as plain JSON with every default; `entries` are the hashes of the models in the
        registry by role, where the plan named them there. Runs that are not in the journal yet go in first.
        """
        at = (now or datetime.now(UTC)).astimezone(UTC)
        runs = [_run(self._home, reader) for reader in sorted(readers, key=lambda one: one.header.run_id)]
        before = self._previous(str(specification["name"]))
        looser = () if before is None else loosened(before.plain["specification"], specification)
        bench = self._ring.bench()
        body = finite(decision.as_json())
        digest = sha256(canonical(body))
        stem = re.sub(r"[^a-z0-9]+", "-", decision.specification.lower()).strip("-")[:40] or "gate"
        plain = {
            "schema": SCHEMA,
            "id": f"{at:%Y%m%d-%H%M%S}-{stem}-{digest[:6]}",
            "at": at.isoformat(timespec="seconds"),
            "by": by,
            "bench": bench.key.keyid,
            "decision": body,
            "specification": dict(specification),
            "previous": "" if before is None else before.id,
            "loosened": list(looser),
            "people_needed": max(decision.signatures_needed, _TO_LOOSEN)
            if looser and _binds(decision)
            else (decision.signatures_needed),
            "slot": _slot(specification),
            "stage": specification["subject"]["stage"],
            "entries": dict(entries or {}),
            "runs": runs,
            "notes": list(notes),
        }
        content = canonical(plain)
        folder = self._folder / str(plain["id"])
        envelope = seal_statement(_statement(plain, sha256(content)), [bench])
        try:
            folder.mkdir(parents=True, exist_ok=False)
            write_whole(folder / "decision.json", content)
            _put_envelope(folder, envelope)
            sync_folder(self._folder)
        except OSError as failure:
            raise EvidenceBroken(f"the decision {folder} cannot be stored: {failure.strerror or failure}") from failure
        facts = {"decision": plain["id"], "sha256": sha256(content), "action": body["action"], "runs": runs}
        self._journal.append(EventKind.DECISION, facts, by=by)
        return self._load(folder, self._known())

    def all(self) -> list[Recorded]:
        """Give every decision, the newest first; raises EvidenceBroken for one that was changed."""
        if not self._folder.is_dir():
            return []
        folders = [folder for folder in self._folder.iterdir() if (folder / "decision.json").is_file()]
        known = self._known()
        return [self._load(folder, known) for folder in sorted(folders, key=lambda one: one.name, reverse=True)]

    def find(self, wanted: str) -> Recorded:
        """Find a decision by the beginning of its id, or "last"; raises CallWrong, and EvidenceBroken where changed."""
        names = sorted((one.name for one in self._folder.iterdir()), reverse=True) if self._folder.is_dir() else []
        fitting = names[:1] if wanted == LAST else [name for name in names if name == wanted] or [
            name for name in names if wanted and name.startswith(wanted)
        ]  # fmt: skip
        if len(fitting) != 1:
            what = f"{wanted!r} fits {len(fitting)} decisions" if fitting else f"there is no decision {wanted!r}"
            raise CallWrong(f"{what}; `hilgui decisions list` shows them, `hilgui decide` records one")
        return self._load(self._folder / fitting[0], self._known())

    def sign(self, recorded: Recorded, signer: Signer) -> Recorded:
        """Add the agreement of a person and note it in the journal; raises CallWrong where it is there already."""
        if signer.key.name == BENCH:
            raise CallWrong("the key of the bench agrees to nothing; sign with the key of a person")
        if signer.key.name in recorded.agreed:
            raise CallWrong(f"{signer.key.name} has signed {recorded.id} already; it takes another person's key")
        envelope = strict_json((recorded.folder / "statement.dsse.json").read_bytes())
        _put_envelope(recorded.folder, countersign(envelope, signer))
        facts = {"decision": recorded.id, "sha256": recorded.sha256, "keyid": signer.key.keyid}
        self._journal.append(EventKind.SIGN_OFF, facts, by=signer.key.name)
        return self._load(recorded.folder, self._known())

    def _previous(self, name: str) -> Recorded | None:
        """Give the newest decision by a plan of that name whose looseness was agreed to."""
        same = (one for one in self.all() if one.plain["specification"]["name"] == name)
        return next((one for one in same if not one.plain["loosened"] or len(one.agreed) >= _TO_LOOSEN), None)

    def _known(self) -> frozenset[str]:
        """Give the hashes of the decisions that the journal tells of."""
        return frozenset(str(one.facts.get("sha256")) for one in self._journal.events(EventKind.DECISION))

    def _load(self, folder: Path, known: frozenset[str]) -> Recorded:
        place = folder / "decision.json"
        try:
            content = place.read_bytes()
            envelope = strict_json((folder / "statement.dsse.json").read_bytes())
            plain = strict_json(content)
            keys = {key.keyid: key for key in self._ring.all()}
            payload, signers = open_envelope(envelope, {one: key.public for one, key in keys.items()}, IN_TOTO)
            subjects = {one["name"]: one["digest"]["sha256"] for one in strict_json(payload)["subject"]}
            if subjects["decision.json"] != sha256(content) or plain["id"] != folder.name:
                raise ValueError("it is not the one that was signed")
            if plain["bench"] not in signers:
                raise ValueError("the bench that made it has not signed it")
            names = [keys[one].name for one in signers if keys[one].name != BENCH and one != plain["bench"]]
        except (OSError, ValueError, KeyError, TypeError) as failure:
            raise EvidenceBroken(
                f"the decision {place} was changed or is damaged: {failure}; record it again from its runs", path=place
            ) from failure
        if sha256(content) not in known:
            raise EvidenceBroken(f"the journal knows no decision with the hash of {place}; was it edited?", path=place)
        return Recorded(folder, plain, sha256(content), tuple(dict.fromkeys(names)))


def _binds(decision: Decision) -> bool:
    """Say whether a plan's limits made this decision kinder: stopping and rolling back take nobody's agreement."""
    return decision.action in (Action.PROMOTE, Action.HOLD)


def _run(home: Path, reader: RunReader) -> dict[str, Any]:
    event = note_run(home, reader)
    names = ("run_id", "outcome", "header_sha256", "verdict_sha256", "results_sha256", "frames_sha256")
    return {**{name: event.facts[name] for name in names}, "event": event.seq}


def _slot(specification: Mapping[str, Any]) -> str:
    for role in ("candidate", "baseline"):
        side = specification["subject"][role]
        slot, at, _ = (side or {"model": ""})["model"].partition("@")
        if at:
            return str(slot)
    return ""


def _statement(plain: Mapping[str, Any], digest: str) -> dict[str, Any]:
    decision = plain["decision"]
    subjects = {"decision.json": digest, f"specification:{decision['specification']}": decision["specification_sha256"]}
    subjects |= {f"model:{role}": model for role, model in decision["models"].items()}
    subjects |= {f"run:{one['run_id']}": one["results_sha256"] for one in plain["runs"]}
    bad = (GateVerdict.HARM.value,)
    return result_statement(
        subjects,
        _RESULTS.get(Action(decision["action"]), "WARNED"),
        passedTests=[one["id"] for one in decision["invariants"] if one["holds"]]
        + [one["id"] for one in decision["gates"] if one["verdict"] == GateVerdict.PASSED.value],
        warnedTests=[one["id"] for one in decision["invariants"] if one["holds"] is None]
        + [one["id"] for one in decision["gates"] if one["verdict"] not in (*bad, GateVerdict.PASSED.value)],
        failedTests=[one["id"] for one in decision["invariants"] if one["holds"] is False]
        + [one["id"] for one in decision["gates"] if one["verdict"] in bad],
    )


def _put_envelope(folder: Path, envelope: dict[str, Any]) -> None:
    write_whole(folder / "statement.dsse.json", (json.dumps(envelope, indent=1, sort_keys=True) + "\n").encode())
