"""The plots of a report: the whole drive in lanes, and the scores of both models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hilgui.records import Finding, Kind, Role
from hilgui.report.svg import Bars, Curves, Numbers, Span, Spans, histogram, lanes
from hilgui.report.tally import RoleTally
from hilgui.store import RunReader, Timeline

_SMOOTH_S = 0.5  # moving mean of the disagreement


def drive_plot(reader: RunReader, findings: list[Finding]) -> Markup | None:
    """Draw misses, phantoms, losses, findings, disagreement and latency over the drive; None without frames."""
    timeline = reader.timeline()
    if not len(timeline.seq):
        return None
    is_ordered = reader.header.source.ordered and not np.isnan(timeline.time_s).any()
    positions = timeline.time_s if is_ordered else timeline.seq.astype(np.float64)
    rate = reader.header.source.fps or 30.0
    rows: list[Bars | Spans | Curves] = [
        *_counts(timeline),
        *_losses(timeline),
        *_findings(findings, timeline, positions),
        *_disagreement(timeline, max(1, round(rate * _SMOOTH_S)) if is_ordered else 1),
        *_latency(timeline),
    ]
    return lanes(positions, rows, "s" if is_ordered else "frame")


def score_plots(facts: dict[str, Any], tallies: dict[Role, RoleTally]) -> dict[str, Markup]:
    """Draw what scores right and wrong detections have, by model on one scale."""
    known = {role: one for role, one in tallies.items() if one.matched_scores.any() or one.phantom_scores.any()}
    top = max((int(max(one.matched_scores.max(), one.phantom_scores.max())) for one in known.values()), default=0)
    return {
        role.value: histogram(one.matched_scores, one.phantom_scores, top, facts["models"][role.value]["threshold"])
        for role, one in known.items()
    }


def _counts(timeline: Timeline) -> Iterator[Bars]:
    if not timeline.with_truth.any():
        return
    for name, colour in (("missed", "missed"), ("phantoms", "phantom")):
        counts = {role: getattr(line, name).astype(np.float64) for role, line in timeline.roles.items()}
        top = max(float(values.max()) for values in counts.values())
        for role, values in counts.items():
            yield Bars(f"{name} · {role.value}", colour, values, top)


def _losses(timeline: Timeline) -> Iterator[Bars]:
    lost = (timeline.fate > 0).astype(np.float64)
    if lost.any():
        yield Bars("lost frames", "warning", lost, 1.0)


def _findings(findings: list[Finding], timeline: Timeline, positions: Numbers) -> Iterator[Spans]:
    groups: dict[tuple[int, str, str], list[Finding]] = {}
    kinds = list(Kind)
    for finding in findings:
        role = finding.role.value if finding.role else ""
        groups.setdefault((kinds.index(finding.kind), finding.kind.value, role), []).append(finding)
    for _, kind, role in sorted(groups):
        spans = [_span(finding, timeline, positions) for finding in groups[kinds.index(Kind(kind)), kind, role]]
        name = kind.replace("_", " ") + (f" · {role}" if role else "")
        yield Spans(name, role or "text-soft", spans)


def _span(finding: Finding, timeline: Timeline, positions: Numbers) -> Span:
    rows = np.searchsorted(timeline.seq, [finding.first_seq, finding.last_seq]).clip(0, len(positions) - 1)
    first, last = positions[rows].tolist()
    return Span(first, last, f"{finding.number}: {finding.why}")


def _disagreement(timeline: Timeline, window: int) -> Iterator[Curves]:
    values = timeline.disagreement.astype(np.float64)
    if not np.isnan(values).all():
        yield Curves("disagreement", "", [("text-soft", _moving_mean(values, window))], 1.0)


def _latency(timeline: Timeline) -> Iterator[Curves]:
    curves = [(role.value, line.latency_ms.astype(np.float64)) for role, line in timeline.roles.items()]
    known = np.concatenate([values[~np.isnan(values)] for _, values in curves])
    if len(known):
        top = float(np.percentile(known, 99.5)) * 1.15
        yield Curves("latency", "ms", curves, top)


def _moving_mean(values: Numbers, window: int) -> Numbers:
    """Smooth with a centred window; frames without a value count as absent."""
    known = ~np.isnan(values)
    kernel = np.ones(min(window, len(values)))
    sums: NDArray[np.float64] = np.convolve(np.where(known, values, 0.0), kernel, "same")
    counts = np.convolve(known.astype(np.float64), kernel, "same")
    return np.where(known, sums / np.maximum(counts, 1.0), np.nan)
