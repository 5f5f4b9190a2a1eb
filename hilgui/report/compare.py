"""Two runs beside each other: figures, latency, and findings that are new, gone or the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from hilgui.records import Finding, Role
from hilgui.report.summary import count_kinds, summary
from hilgui.store import RunReader
from hilgui.store.codec import finding_json

SCHEMA = "hilgui/compare.v1"

_FIGURES = ("map_50_95", "map_50", "map_75")
_COUNTS = ("detections", "matched", "missed", "phantoms")

_TOLD = 10  # findings that are told in words

_Key = tuple[str, str | None, str]


def compare_runs(a: RunReader, b: RunReader) -> dict[str, Any]:
    """Compare run `b` with run `a` as plain JSON values; differences are b minus a. Raises StoreBroken.

    Runs of different drives, labels or classes may be compared: `same` and `notes` say what that means, and the
    findings are then only counted, because frames of different drives have nothing to do with each other.
    """
    first, second = summary(a), summary(b)
    same = _same(a, b)
    return {
        "schema": SCHEMA,
        "a": _brief(first),
        "b": _brief(second),
        "same": same,
        "notes": _notes(same),
        "frames": {
            name: _pair(first["frames"][name], second["frames"][name])
            for name in ("captured", "evaluated", "dropped", "skipped", "with_truth", "candidate_skipped")
        },
        "fps": _pair(first["fps"], second["fps"]),
        "disagreement": _pair((first["disagreement"] or {}).get("mean"), (second["disagreement"] or {}).get("mean")),
        "models": {role.value: _model(first["models"][role.value], second["models"][role.value]) for role in Role},
        "findings": _findings(a.findings(), b.findings(), is_same_drive=same["source"]),
    }


def compared_in_words(compared: dict[str, Any]) -> list[str]:
    """Say what `compare_runs` found, one line each, the notes first."""
    a, b = compared["a"], compared["b"]
    lines = [*compared["notes"], f"A: {a['run_id']} ({a['verdict']})", f"B: {b['run_id']} ({b['verdict']})"]
    for role, model in compared["models"].items():
        if model is not None:
            lines.extend(_model_in_words(role, model))
    findings = compared["findings"]
    if findings["same"] is None:
        counts = findings["counts"]
        lines.append(f"findings: {sum(counts['a'].values())} in A, {sum(counts['b'].values())} in B")
        return lines
    new, gone, same = (findings[name] for name in ("new", "gone", "same"))
    lines.append(f"findings: {len(new)} new in B, {len(gone)} gone, {len(same)} in both")
    for word, group in (("new", new), ("gone", gone)):
        lines.extend(
            f"  {word}: {finding['kind']} ({finding['role'] or '–'}), {finding['why']}" for finding in group[:10]
        )
        if len(group) > 10:
            lines.append(f"  {word}: and {len(group) - 10} more; --json lists all")
    return lines


def _model_in_words(role: str, model: dict[str, Any]) -> Iterator[str]:
    names = model["name"]
    yield f"{role}: {names['a'] or '–'}" + ("" if names["a"] == names["b"] else f" → {names['b'] or '–'}")
    figures = {name: (model["detection"] or {}).get(name) for name in _FIGURES}
    named = (*zip(("AP", "AP50", "AP75"), figures.values(), strict=True), ("missed", model["missed"]))
    for name, pair in (*named, ("phantoms", model["phantoms"]), ("p50 ms", model["latency_ms"]["p50"])):
        if pair is not None and pair["difference"] is not None:
            digits = 3 if name.startswith("AP") else 1 if name.endswith(" ms") else 0
            yield f"  {name}: {pair['a']:.{digits}f} → {pair['b']:.{digits}f} ({pair['difference']:+z.{digits}f})"


def match_findings(a: list[Finding], b: list[Finding]) -> list[tuple[Finding, Finding]]:
    """Pair findings of two runs of the same drive.

    Two are the same when kind, role and class agree and their frames overlap; the largest overlap goes first and
    each finding is used once.
    """
    theirs: dict[_Key, list[Finding]] = defaultdict(list)
    for finding in sorted(b, key=lambda finding: finding.first_seq):
        theirs[_key(finding)].append(finding)
    overlaps: list[tuple[int, Finding, Finding]] = []
    for finding in a:
        for other in theirs[_key(finding)]:
            if other.first_seq > finding.last_seq:
                break
            shared = min(finding.last_seq, other.last_seq) - max(finding.first_seq, other.first_seq) + 1
            if shared > 0:
                overlaps.append((shared, finding, other))
    overlaps.sort(key=lambda overlap: -overlap[0])
    pairs: dict[int, tuple[Finding, Finding]] = {}
    taken: set[int] = set()
    for _, finding, other in overlaps:
        if finding.number not in pairs and other.number not in taken:
            pairs[finding.number] = (finding, other)
            taken.add(other.number)
    return list(pairs.values())


def _key(finding: Finding) -> _Key:
    label = finding.objects[0].label if finding.objects else ""
    return (finding.kind.value, finding.role.value if finding.role else None, label)


def _brief(facts: dict[str, Any]) -> dict[str, Any]:
    models = {role: None if model is None else model["name"] for role, model in facts["models"].items()}
    names = ("run", "run_id", "created", "state", "verdict", "reasons", "version", "commit", "speed")
    return {name: facts[name] for name in names} | {"source": facts["source"]["name"], "models": models}


def _same(a: RunReader, b: RunReader) -> dict[str, bool]:
    """Say what both runs have in common; files by their hashes, not by their names."""
    first, second = a.header, b.header
    hashes = [None if header.truth is None else header.truth.sha256 for header in (first, second)]
    judged = [{header.vocabulary.names[index] for index in header.vocabulary.judged} for header in (first, second)]
    providers = [[model.provider for _, model in sorted(header.models.items())] for header in (first, second)]
    return {
        "source": first.source.sha256 == second.source.sha256,
        "truth": hashes[0] == hashes[1],
        "classes": judged[0] == judged[1],
        "provider": providers[0] == providers[1],
        "host": first.host == second.host,
        "speed": first.speed == second.speed,
        **{role.value: _sha256(a, role) == _sha256(b, role) for role in Role},
    }


def _sha256(reader: RunReader, role: Role) -> str | None:
    facts = reader.header.models.get(role)
    return None if facts is None else facts.sha256


def _notes(same: dict[str, bool]) -> list[str]:
    notes = []
    if not same["source"]:
        notes.append("The runs are of different drives: figures are not comparable and findings are only counted.")
    elif not same["truth"]:
        notes.append("The runs were judged with different labels: differences in misses and AP may come from these.")
    if not same["classes"]:
        notes.append("The runs judge different classes: only figures of the same class can be compared.")
    if not (same["provider"] and same["host"] and same["speed"]):
        notes.append("Provider, host or speed differ: do not compare latencies.")
    if same["source"] and same["baseline"] and same["candidate"]:
        notes.append("Both runs have the same drive and the same models: differences come from settings or software.")
    return notes


def _model(first: dict[str, Any] | None, second: dict[str, Any] | None) -> dict[str, Any] | None:
    if first is None and second is None:
        return None
    one, other = first or {}, second or {}
    return {
        "name": _pair(one.get("name"), other.get("name")),
        "sha256": _pair(one.get("sha256"), other.get("sha256")),
        "latency_ms": {
            name: _pair((one.get("latency_ms") or {}).get(name), (other.get("latency_ms") or {}).get(name))
            for name in ("p50", "p99")
        },
        **{name: _pair(one.get(name), other.get(name)) for name in _COUNTS},
        "detection": _detection(one.get("detection"), other.get("detection")),
    }


def _detection(first: dict[str, Any] | None, second: dict[str, Any] | None) -> dict[str, Any] | None:
    if first is None and second is None:
        return None
    one, other = first or {}, second or {}
    classes = [one.get("per_class", {}), other.get("per_class", {})]
    names = list(dict.fromkeys([*classes[0], *classes[1]]))
    return {
        **{figure: _pair(one.get(figure), other.get(figure)) for figure in _FIGURES},
        "per_class": {
            name: {
                figure: _pair(*((per_class.get(name) or {}).get(figure) for per_class in classes))
                for figure in _FIGURES
            }
            for name in names
        },
    }


def _findings(a: list[Finding], b: list[Finding], *, is_same_drive: bool) -> dict[str, Any]:
    counts = {"a": count_kinds(a), "b": count_kinds(b)}
    if not is_same_drive:
        return {"counts": counts, "new": None, "gone": None, "same": None}
    pairs = match_findings(a, b)
    known, found = {one.number for one, _ in pairs}, {other.number for _, other in pairs}
    return {
        "counts": counts,
        "new": [finding_json(finding) for finding in b if finding.number not in found],
        "gone": [finding_json(finding) for finding in a if finding.number not in known],
        "same": [{"a": one.number, "b": other.number, "kind": one.kind.value} for one, other in pairs],
    }


def _pair(a: Any, b: Any) -> dict[str, Any]:
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    return {"a": a, "b": b, "difference": b - a if numbers else None}
