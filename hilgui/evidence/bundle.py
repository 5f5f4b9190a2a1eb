"""Writes the bundle of a decision: one zip that a stranger can check. The same inputs give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hilgui import __version__
from hilgui.errors import CallWrong, EvidenceBroken
from hilgui.evidence import gsn
from hilgui.evidence.cards import bench_facts, data_sheet, model_card
from hilgui.evidence.cases import case_files, choose
from hilgui.evidence.chain import canonical, sha256, strict_json
from hilgui.evidence.clauses import clause_map
from hilgui.evidence.container import write_container
from hilgui.evidence.decisions import Recorded
from hilgui.evidence.dsse import result_statement, seal_statement
from hilgui.evidence.incidents import Incidents
from hilgui.evidence.intake import take_in
from hilgui.evidence.journal import EventKind, Journal
from hilgui.evidence.keys import KeyRing, Signer
from hilgui.evidence.page import decision_page
from hilgui.evidence.postmortem import draft
from hilgui.evidence.runs import finite, run_facts
from hilgui.evidence.sbom import sbom
from hilgui.evidence.script import verify_script
from hilgui.evidence.tool_validation import validations
from hilgui.inference.card import card_beside
from hilgui.report import summary
from hilgui.store import RunReader

SCHEMA = "hilgui/bundle.v1"
_WORDS = {"PROMOTE": "PASSED", "ROLL BACK": "FAILED"}
_LARGEST_ATTACHMENT = 64 << 20


@dataclass(frozen=True, slots=True)
class Extras:
    """What somebody adds to a bundle."""

    cases: int = 12  # worst findings with their clips
    signers: tuple[Signer, ...] = ()  # people, beside the bench
    robustness: Path | None = None  # JSON
    monitoring: Path | None = None  # JSON
    models: Mapping[str, Path] = field(default_factory=dict)  # role → ONNX file that goes in
    lineage: Mapping[str, dict[str, Any]] = field(default_factory=dict)  # hash of the ONNX file → what is known of it


def write_bundle(
    home: Path,
    recorded: Recorded,
    readers: Sequence[RunReader],
    out: Path,
    extras: Extras | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """Write the bundle of a decision from the runs that it rests on; give its manifest.

    Raises EvidenceBroken where a run is no longer what was decided about, or where the journal does not hold.
    """
    extras = extras or Extras()
    if not out.parent.is_dir():
        raise CallWrong(f"there is no folder {out.parent} for the bundle {out.name}; make it or choose another place")
    files: dict[str, bytes] = {}
    absent = _attachments(files, {"robustness.json": extras.robustness, "monitoring.json": extras.monitoring})
    readers = _same_runs(recorded, readers)
    changed = take_in(home, [reader.folder for reader in readers])
    closing = _journal(home, recorded, files)
    for name in ("decision.json", "statement.dsse.json"):
        files[f"decisions/{name}"] = (recorded.folder / name).read_bytes()
    files["metrics.json"] = _json(_metrics(recorded, readers))
    cases = choose(readers, extras.cases)
    for case in cases:
        files.update(case_files(case))
        progress(case.number, len(cases))
    incidents = Incidents(home).about(recorded.id, recorded.runs)
    for incident in incidents:
        files[f"incidents/{incident.id}.json"] = _json(incident.as_json())
        files[f"incidents/{incident.id}.md"] = draft(home, incident).encode()
    checks = validations(home)
    files["tool_validation.json"] = _json(
        {"checks": checks} if checks else _nothing("no check of this bench was kept; `hilgui rig selftest` makes one")
    )
    absent |= set() if checks else {"tool_validation.json"}
    absent |= set() if files["states.jsonl"] else {"states.jsonl"}
    for role, path in sorted(extras.models.items()):
        files[f"models/{role}/model.onnx"] = _model(recorded, role, path)
        card = card_beside(path)
        if card is not None:  # without it the same file answers otherwise
            files[f"models/{role}/model.yaml"] = card.read_bytes()
    bench = bench_facts(readers)
    files["model_card.md"] = model_card(recorded, readers, dict(extras.lineage)).encode()
    files["data_sheet.md"] = data_sheet(recorded, readers).encode()
    files["sbom.cdx.json"] = sbom()
    files["verify.py"] = verify_script()
    files["report.html"] = decision_page(recorded, readers, cases, incidents, changed)
    hashes = {name: sha256(content) for name, content in files.items()}
    nodes = gsn.assurance_case(recorded, hashes, absent)
    files["gsn.yaml"], files["gsn.svg"] = gsn.as_yaml(nodes), gsn.as_svg(nodes)
    files["clauses.md"] = clause_map({*files, "manifest.json"}, absent).encode()
    return _seal(home, recorded, out, files, extras.signers, {**bench, "closing": closing, "changed": list(changed)})


def find_runs(recorded: Recorded, folders: Mapping[str, Path]) -> list[Path]:
    """Give the folders of the runs of a decision, by their ids; raises CallWrong naming one that is missing."""
    missing = [run for run in recorded.runs if run not in folders]
    if missing:
        raise CallWrong(
            f"the decision {recorded.id} rests on the run {missing[0]}, which is not there; name its folder with --runs"
        )
    return [folders[run] for run in recorded.runs]


def _same_runs(recorded: Recorded, readers: Sequence[RunReader]) -> list[RunReader]:
    by_id = {reader.header.run_id: reader for reader in readers}
    same = []
    for told in recorded.plain["runs"]:
        reader = by_id.get(told["run_id"])
        if reader is None:
            raise CallWrong(f"the run {told['run_id']} of the decision {recorded.id} was not given")
        facts = run_facts(reader)
        whats = (("header_sha256", "header"), ("results_sha256", "results"), ("frames_sha256", "frames"))
        for name, what in whats:
            if facts[name] != told.get(name, facts[name]):  # older decisions tell no hash of the frames
                raise EvidenceBroken(
                    f"the {what} of run {told['run_id']} changed since the decision {recorded.id}; decide anew",
                    path=reader.folder,
                )
        same.append(reader)
    return same


def _journal(home: Path, recorded: Recorded, files: dict[str, bytes]) -> dict[str, Any]:
    """Put in the journal from its first event to the last one that is about this decision."""
    journal = Journal(home)
    chain = journal.checked()
    if chain.problems:
        raise EvidenceBroken(f"the journal of this bench does not hold: {chain.problems[0]}; open an S1 incident")
    runs = set(recorded.runs)
    incidents = {one.id for one in Incidents(home).about(recorded.id, recorded.runs)}

    def is_about(event: dict[str, Any]) -> bool:
        facts = event["facts"]
        return (
            facts.get("decision") == recorded.id
            or facts.get("run_id") in runs
            or facts.get("incident") in incidents
            or event["kind"] in (EventKind.ARMING.value, EventKind.SELF_TEST.value)
        )

    last = max(event["seq"] for event in chain.events if is_about(event))
    events = chain.events[: last + 1]
    files["events.jsonl"] = b"".join(canonical(event) + b"\n" for event in events)
    points = journal.checkpoints(last + 1)
    files["checkpoints.jsonl"] = b"".join(line + b"\n" for line in points)
    states = [
        {"rig": event["facts"]["rig"], **event["facts"]["state"]} for event in events if event["kind"] == "arming"
    ]
    files["states.jsonl"] = b"".join(canonical(state) + b"\n" for state in states)
    return {"events": len(events), "head": events[-1]["hash"], "checkpoints": len(points), "at": events[-1]["at"]}


def _metrics(recorded: Recorded, readers: Sequence[RunReader]) -> dict[str, Any]:
    decision = recorded.plain["decision"]
    kept = ("run_id", "verdict", "reasons", "frames", "models", "findings", "findings_by_role", "disagreement")
    runs = []
    for reader in readers:
        told = finite(summary(reader))
        runs.append({name: told[name] for name in kept})
    return {
        "schema": "hilgui/metrics.v1",
        "decision": recorded.id,
        "unit": decision["unit"],
        **{name: decision[name] for name in ("gates", "invariants", "slices", "integrity", "drives", "frames", "seed")},
        "runs": runs,
    }


def _attachments(files: dict[str, bytes], given: Mapping[str, Path | None]) -> set[str]:
    absent = set()
    for name, path in given.items():
        if path is None:
            absent.add(name)
            files[name] = _json(_nothing("nobody gave one to this bundle"))
            continue
        try:
            if path.stat().st_size > _LARGEST_ATTACHMENT:
                raise ValueError("larger than 64 MiB")
            files[name] = _json(strict_json(path.read_bytes()))
        except (OSError, ValueError) as failure:
            raise CallWrong(f"{path} cannot go in as {name}: {failure}; it has to be a JSON document") from failure
    return absent


def _nothing(why: str) -> dict[str, Any]:
    return {"present": False, "why": why}


def _model(recorded: Recorded, role: str, path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as failure:
        raise CallWrong(f"the {role} model {path} cannot be read: {failure.strerror or failure}") from failure
    if sha256(content) != recorded.models.get(role):
        raise EvidenceBroken(f"{path} is not the {role} that the decision {recorded.id} is about", path=path)
    return content


def _seal(
    home: Path, recorded: Recorded, out: Path, files: dict[str, bytes], people: Sequence[Signer], facts: dict[str, Any]
) -> dict[str, Any]:
    ring = KeyRing(home)
    signers = [ring.bench(), *people]
    wanted = _keys_of(files["decisions/statement.dsse.json"]) | {one.key.keyid for one in signers}
    for line in files["checkpoints.jsonl"].splitlines():
        wanted |= _keys_of(line)
    for key in ring.all():
        if key.keyid in wanted:
            files[f"keys/{key.name}-{key.keyid[:8]}.json"] = _json(key.as_json())
    manifest = {
        "schema": SCHEMA,
        "hilgui": __version__,
        "decision": recorded.id,
        "action": recorded.action.value,
        "stage": recorded.plain["stage"],
        "slot": recorded.slot,
        "models": recorded.models,
        "specification": recorded.plain["specification"],
        **facts,
        "closing": {**facts["closing"], "files": len(files)},
        "files": {name: {"sha256": sha256(files[name]), "size": len(files[name])} for name in sorted(files)},
    }
    files["manifest.json"] = _json(finite(manifest))
    subjects = {"manifest.json": sha256(files["manifest.json"]), "decision.json": recorded.sha256}
    statement = result_statement(subjects, _WORDS.get(recorded.action.value, "WARNED"))
    files["manifest.dsse.json"] = canonical(seal_statement(statement, signers))
    write_container(out, files)
    return manifest


def _keys_of(envelope: bytes) -> set[str]:
    return {str(one["keyid"]) for one in strict_json(envelope)["signatures"]}


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
