"""The JSON document of one run: what `replay --json` and `runs show --json` print, and what the GUI reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.records import Finding, Role
from hilgui.store import RoleTimeline, RunReader, Timeline

SCHEMA = "hilgui/summary.v1"


def summary(reader: RunReader) -> dict[str, Any]:
    """Sum up a run, finished or not, as plain JSON values; a number that is not known is None.

    `fps` is evaluated frames over wall time, `detections` counts those at or above the card's threshold, `findings`
    names only the kinds that occurred. Raises StoreBroken where the run cannot be read.
    """
    header, ledger, verdict = reader.header, reader.ledger, reader.verdict
    timeline, findings = reader.timeline(), reader.findings()
    wall_s = _wall_s(reader, timeline)
    return {
        "schema": SCHEMA,
        "run": str(reader.folder),
        "run_id": header.run_id,
        "created": header.created,
        "state": reader.state,
        "verdict": None if verdict is None else verdict.outcome.value,
        "reasons": [] if verdict is None else list(verdict.reasons),
        "frames": {
            "captured": ledger.captured,
            "evaluated": ledger.evaluated,
            "dropped": ledger.dropped,
            "skipped": ledger.skipped,
            "with_truth": ledger.with_truth,
            "candidate_skipped": ledger.candidate_skipped,
            "reasons": dict(ledger.reasons),
            "closes": ledger.closes,
        },
        "wall_s": wall_s,
        "fps": ledger.evaluated / wall_s if wall_s else None,
        "models": {role.value: _model(reader, timeline, role) for role in Role},
        "findings": count_kinds(findings),
        "findings_by_role": {
            role.value: count_kinds(finding for finding in findings if finding.role is role) for role in header.models
        },
        "disagreement": {"mean": _mean(timeline.disagreement)} if Role.CANDIDATE in header.models else None,
        "source": asdict(header.source),
        "truth": None if header.truth is None else asdict(header.truth),
        "classes": [header.vocabulary.names[index] for index in sorted(header.vocabulary.judged)],
        "speed": header.speed,
        "staffing": header.staffing,
        "noise": header.noise,
        "bench_check": header.bench_check,
        "people": asdict(header.people),
        "notes": reader.meta("notes") or [],
        "left_out": dict(reader.meta("left_out") or []),
        "version": header.version,
        "commit": header.commit,
        "command": list(header.command),
    }


def count_kinds(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings by kind, in the order of the names."""
    return dict(sorted(Counter(finding.kind.value for finding in findings).items()))


def percentiles(values: NDArray[np.float32]) -> dict[str, float | None]:
    """Give p50 and p99 of the values that are numbers, None where there is none."""
    known = values[~np.isnan(values)].astype(np.float64)
    if not len(known):
        return {"p50": None, "p99": None}
    p50, p99 = np.percentile(known, (50, 99))
    return {"p50": float(p50), "p99": float(p99)}


def _model(reader: RunReader, timeline: Timeline, role: Role) -> dict[str, Any] | None:
    facts = reader.header.models.get(role)
    if facts is None:
        return None
    line = timeline.roles[role]
    return {
        "name": facts.name,
        "path": facts.path,
        "sha256": facts.sha256,
        "adapter": facts.adapter,
        "provider": facts.provider,
        "device": facts.device,
        "threads": facts.threads,
        "runs_on": facts.runs_on,
        "attestation": None if facts.attestation is None else asdict(facts.attestation),
        "threshold": facts.threshold,
        "licence": facts.licence,
        "frames": int(line.ran.sum()),
        "latency_ms": percentiles(line.latency_ms) | {"stages": _stages(line)},
        "detections": int(line.detections.sum()),
        "matched": _judged(timeline, line.matched),
        "missed": _judged(timeline, line.missed),
        "phantoms": _judged(timeline, line.phantoms),
        "detection": reader.figures().get(role),
    }


def _stages(line: RoleTimeline) -> dict[str, dict[str, float | None]]:
    stages = {"preprocess": line.preprocess_ms, "run": line.run_ms, "postprocess": line.postprocess_ms}
    return {name: percentiles(values) for name, values in stages.items()}


def _judged(timeline: Timeline, counts: NDArray[np.int32]) -> int | None:
    return int(counts.sum()) if timeline.with_truth.any() else None


def _mean(values: NDArray[np.float32]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean(dtype=np.float64)) if len(known) else None


def _wall_s(reader: RunReader, timeline: Timeline) -> float | None:
    """Read the measured wall time; of a run that was not finished, the time from its first to its last frame."""
    measured = reader.meta("wall_s")
    if measured is not None:
        return float(measured)
    evaluated = timeline.seq[timeline.fate == 0]
    if len(evaluated) < 2:
        return None
    first, last = reader.moment(int(evaluated[0])), reader.moment(int(evaluated[-1]))
    if first is None or last is None:
        return None
    return (last.ref.captured_ns - first.ref.captured_ns) / 1e9 or None
