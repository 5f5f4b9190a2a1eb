"""Checks an evidence bundle of hilgui; needs Python 3.11 and `cryptography`, nothing of hilgui.

    python3 verify.py BUNDLE.zip [--trust KEY]... [--json]

KEY is the file of a public key or a key id that you got another way than with the bundle. Exit codes: 0 everything
fits and a key that you trust signed it · 1 something was changed, and what · 3 everything fits, but nobody whom you
trust has signed it · 2 the call is wrong, or the file is no bundle at all.

Canonical JSON is JSON in UTF-8 with sorted keys, no spaces, no NaN, numbers as Python writes them (shortest form that
reads back the same). A line of `events.jsonl` is the canonical JSON of an event; its `hash` is the sha256 of the
canonical JSON of the event without `hash`, and `previous` is the hash of the event before. Signatures are Ed25519 over
the pre-authentication encoding of DSSE (https://github.com/secure-systems-lab/dsse); a key id is the sha256 of the 32
bytes of the public key. The zip is stored, not compressed, and no byte of it is free: what is not as it would be
written is found.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hilgui.evidence.chain import (
    CHECKPOINT,
    IN_TOTO,
    MOST_PROBLEMS,
    Chain,
    canonical,
    check_chain,
    check_checkpoint,
    open_envelope,
    public_key,
    strict_json,
)
from hilgui.evidence.stored_zip import Container, Damaged, NoBundle


@dataclass
class Found:
    """What a look at a bundle gave."""

    no_bundle: str = ""  # what the file is instead
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    signers: dict[str, dict[str, Any]] = field(default_factory=dict)  # key id → name, signed, trusted
    counts: dict[str, int] = field(default_factory=dict)
    decision: dict[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """Give the exit code of the command."""
        return {"PASS": 0, "FAIL": 1, "NO BUNDLE": 2}.get(self.verdict, 3)

    @property
    def verdict(self) -> str:
        """PASS, FAIL, INCONCLUSIVE where nobody whom the reader trusts has signed, or NO BUNDLE."""
        if self.no_bundle:
            return "NO BUNDLE"
        if self.problems:
            return "FAIL"
        return (
            "PASS"
            if any("manifest.json" in one["signed"] and one["trusted"] for one in self.signers.values())
            else ("INCONCLUSIVE")
        )

    def as_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "schema": "hilgui/verification.v1",
            "verdict": self.verdict,
            "problems": self.problems,
            "no_bundle": self.no_bundle,
            "notes": self.notes,
            "decision": self.decision,
            "signers": [{"keyid": keyid, **one} for keyid, one in sorted(self.signers.items())],
            "counts": self.counts,
        }


def verify_bundle(path: Path, trusted: set[str]) -> Found:
    """Check everything in a bundle against its hashes, chain, signatures and counts; raises OSError.

    `trusted` are ids of keys that the reader has another way; without one the verdict is INCONCLUSIVE at best.
    """
    found = Found()
    try:
        container = Container(path)
    except NoBundle as other:
        found.no_bundle = str(other)
        return found
    except Damaged as damage:
        found.problems.append(str(damage))
        return found
    try:
        _Check(container, trusted, found).run()
    except Damaged as damage:
        found.problems.append(str(damage))
    except (ValueError, KeyError, TypeError, AttributeError) as failure:
        found.problems.append(f"a document of the bundle is not as hilgui writes it: {failure!r}")
    finally:
        container.close()
    return found


class _Check:
    def __init__(self, container: Container, trusted: set[str], found: Found) -> None:
        self._container, self._trusted, self._found = container, trusted, found
        self._keys: dict[str, Ed25519PublicKey] = {}

    def run(self) -> None:
        self._read_keys()
        manifest = self._document("manifest.json")
        self._signed_manifest()
        self._files(manifest)
        chain = self._journal(manifest)
        self._checkpoints(chain)
        self._decision(manifest, chain)
        self._vouched()

    def _document(self, name: str) -> Any:
        try:
            return strict_json(self._container.read(name))
        except ValueError as failure:
            raise Damaged(f"{name} was changed: it is no JSON ({failure})") from failure

    def _complain(self, sentence: str) -> None:
        if len(self._found.problems) < MOST_PROBLEMS:
            self._found.problems.append(sentence)

    def _read_keys(self) -> None:
        for name in self._container.entries:
            if not name.startswith("keys/"):
                continue
            try:
                person, keyid, key = public_key(self._document(name))
            except ValueError as failure:
                raise Damaged(f"{name} was changed: {failure}") from failure
            self._keys[keyid] = key
            self._found.signers[keyid] = {"name": person, "signed": [], "trusted": keyid in self._trusted}

    def _open(self, name: str, envelope: Any, wanted: str) -> bytes | None:
        try:
            payload, signers = open_envelope(envelope, self._keys, wanted)
        except ValueError as failure:
            self._complain(f"{name}: {failure}")
            return None
        for keyid in signers:
            if name not in self._found.signers[keyid]["signed"]:
                self._found.signers[keyid]["signed"].append(name)
        return payload

    def _signed_manifest(self) -> None:
        envelope = self._document("manifest.dsse.json")
        if canonical(envelope) != self._container.read("manifest.dsse.json"):
            self._complain("manifest.dsse.json was changed: it is not in the form in which it was written")
        payload = self._open("manifest.json", envelope, IN_TOTO)
        digest = self._container.entries["manifest.json"].sha256
        if payload is not None:
            subjects = {one["name"]: one["digest"]["sha256"] for one in strict_json(payload)["subject"]}
            if subjects.get("manifest.json") != digest:
                self._complain("manifest.json was changed: it is not the one that was signed")

    def _files(self, manifest: Any) -> None:
        listed = manifest["files"]
        outside = {"manifest.json", "manifest.dsse.json"}
        for name, facts in sorted(listed.items()):
            entry = self._container.entries.get(name)
            if entry is None:
                self._complain(f"{name} was removed")
            elif entry.sha256 != facts["sha256"] or entry.size != facts["size"]:
                self._complain(f"{name} was changed: it does not fit its hash in the manifest")
        for name in sorted(self._container.entries.keys() - listed.keys() - outside):
            self._complain(f"{name} was added: the manifest does not know it")
        self._found.counts["files"] = len(listed)
        if manifest["closing"]["files"] != len(listed):
            self._complain("manifest.json: its closing count of files does not fit")

    def _journal(self, manifest: Any) -> Chain:
        lines = self._container.read("events.jsonl")
        chain = check_chain(iter(lines.splitlines()))
        for problem in chain.problems:
            self._complain(problem)
        if not lines.endswith(b"\n"):
            self._complain("events.jsonl is cut off in its last line")
        closing = manifest["closing"]
        if (len(chain.events), chain.head) != (closing["events"], closing["head"]):
            self._complain(
                f"events.jsonl has {len(chain.events)} events, the signed closing count is {closing['events']}: "
                "its tail was removed, added to or changed"
            )
        self._found.counts["events"] = len(chain.events)
        return chain

    def _checkpoints(self, chain: Chain) -> None:
        lines = self._container.read("checkpoints.jsonl").splitlines()
        for number, line in enumerate(lines, 1):
            try:
                payload = self._open(f"checkpoints.jsonl line {number}", strict_json(line), CHECKPOINT)
            except ValueError as failure:
                self._complain(f"checkpoints.jsonl line {number} was changed: {failure}")
                continue
            if payload is not None:
                for problem in check_checkpoint(payload, chain.events, number):
                    self._complain(problem)
        for one in self._found.signers.values():
            marks = [name for name in one["signed"] if name.startswith("checkpoints")]
            if marks:
                one["signed"] = [name for name in one["signed"] if name not in marks] + [f"{len(marks)} checkpoints"]
        self._found.counts["checkpoints"] = len(lines)

    def _decision(self, manifest: Any, chain: Chain) -> None:
        name = "decisions/decision.json"
        recorded = self._document(name)
        decision, digest = recorded["decision"], self._container.entries[name].sha256
        envelope = self._document("decisions/statement.dsse.json")
        payload = self._open("decisions/statement.dsse.json", envelope, IN_TOTO)
        if payload is not None:
            subjects = {one["name"]: one["digest"]["sha256"] for one in strict_json(payload)["subject"]}
            if subjects.get("decision.json") != digest:
                self._complain(f"{name} was edited: it is not the one that was signed")
            for role, model in sorted(decision["models"].items()):
                if subjects.get(f"model:{role}") != model:
                    self._complain(f"the {role} model was swapped: the signed statement names another one")
        if manifest["models"] != decision["models"]:
            self._complain("the models of manifest.json are not those of the decision")
        if not any(e["kind"] == "decision" and e["facts"].get("sha256") == digest for e in chain.events):
            self._complain(f"{name} was edited: the journal recorded no decision with its hash")
        self._signatures(recorded, envelope, chain)
        self._found.decision = {
            "id": recorded["id"], "action": decision["action"], "sentence": decision["sentence"],
            "models": decision["models"], "drives": decision["drives"], "frames": decision["frames"],
        }  # fmt: skip

    def _signatures(self, recorded: Any, envelope: Any, chain: Chain) -> None:
        signed = {one["keyid"] for one in envelope["signatures"]} - {recorded["bench"]}
        noted = {
            e["facts"]["keyid"]
            for e in chain.events
            if e["kind"] == "sign_off" and e["facts"].get("decision") == recorded["id"]
        }
        for keyid in sorted(noted - signed):
            self._complain(f"decisions/statement.dsse.json: the signature of key {keyid[:12]} was removed")
        for keyid in sorted(signed - noted):
            self._complain(f"the journal does not know that key {keyid[:12]} signed the decision")
        names = {self._found.signers[keyid]["name"] for keyid in signed if keyid in self._found.signers}
        self._found.counts["people"] = len(names)
        if len(names) < recorded["people_needed"]:
            self._found.notes.append(
                f"the decision takes the agreement of {recorded['people_needed']} people, {len(names)} have signed"
            )

    def _vouched(self) -> None:
        """Say what is missing where somebody is trusted, who signed the decision and not the whole."""
        known = [one for one in self._found.signers.values() if one["trusted"] and one["signed"]]
        if known and not any("manifest.json" in one["signed"] for one in known):
            names = ", ".join(sorted(one["name"] for one in known))
            whole = sorted(one["name"] for one in self._found.signers.values() if "manifest.json" in one["signed"])
            self._found.notes.append(
                f"{names} signed the decision, not manifest.json, which holds the hash of every file; "
                f"trust a key that did ({', '.join(whole) or 'nobody'})"
            )


def main(arguments: list[str]) -> int:
    """Check a bundle from the command line."""
    trusted: set[str] = set()
    as_json, places = False, []
    rest = iter(arguments)
    for one in rest:
        if one == "--json":
            as_json = True
        elif one == "--trust":
            key = next(rest, "")
            try:
                trusted.add(
                    key if re.fullmatch("[0-9a-f]{64}", key) else public_key(strict_json(Path(key).read_bytes()))[1]
                )
            except (OSError, ValueError) as failure:
                sys.stderr.write(f"verify.py: {key} is neither a key id nor the file of a public key: {failure}\n")
                return 2
        else:
            places.append(one)
    if len(places) != 1 or places[0].startswith("-"):
        sys.stderr.write(f"{(__doc__ or '').split('KEY is')[0]}")
        return 2
    try:
        found = verify_bundle(Path(places[0]), trusted)
    except OSError as failure:
        sys.stderr.write(f"verify.py: {places[0]} cannot be read: {failure}\n")
        return 2
    if as_json:
        sys.stdout.write(json.dumps(found.as_json(), indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in in_words(found)))
    return found.exit_code


def in_words(found: Found) -> Iterator[str]:
    """Say what was found, for a terminal."""
    yield (
        f"{found.verdict}  "
        + {
            "PASS": "everything fits, and a key that you trust has signed it",
            "FAIL": "something was changed",
            "INCONCLUSIVE": "everything fits; whose keys these are, only you can say (--trust KEY)",
            "NO BUNDLE": f"this file is no evidence bundle: {found.no_bundle}",
        }[found.verdict]
    )
    if found.no_bundle:
        return
    for problem in found.problems:
        yield f"  ! {problem}"
    if found.decision:
        yield f"  {found.decision['action']}: {found.decision['sentence']}"
    for keyid, one in sorted(found.signers.items()):
        trust = "trusted" if one["trusted"] else "not known here"
        yield f"  {one['name']} {keyid[:16]} ({trust}): {', '.join(one['signed']) or 'signed nothing'}"
    for note in found.notes:
        yield f"  · {note}"
    if found.counts:
        yield "  " + ", ".join(f"{count} {name}" for name, count in found.counts.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
