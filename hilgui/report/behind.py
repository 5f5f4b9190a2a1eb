"""The frames behind any figure of a run: its errors where they are counted, else the findings that it speaks of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from hilgui.errors import CallWrong
from hilgui.evaluation import Behind, Scorecard, frames_behind
from hilgui.records import Finding, Kind, Role

_TOLD_BY: dict[str, tuple[Kind, ...]] = {
    "critical_recall": (Kind.MISSED_CRITICAL, Kind.LATE_DETECTION, Kind.GAP),
    "missed_critical": (Kind.MISSED_CRITICAL,),
    "missed_critical_per_hour": (Kind.MISSED_CRITICAL,),
    "never_detected_critical": (Kind.MISSED_CRITICAL,),
    "time_to_first_detection_s": (Kind.LATE_DETECTION,),
    "longest_gap_s": (Kind.GAP,),
    "phantoms_per_minute": (Kind.PHANTOM,),
    "id_switches": (Kind.IDENTITY_SWITCH,),
    "ass_a": (Kind.IDENTITY_SWITCH,),
    "idf1": (Kind.IDENTITY_SWITCH,),
    "fragmentations": (Kind.FLICKER, Kind.GAP),
}
"""Figures over time, and the corner cases whose moments they are made of."""

_AS_RATE = {
    "best_f1": "f1", "best_threshold": "f1", "mota": "f1", "hota": "f1", "det_a": "f1", "motp": "f1",
    "mostly_tracked": "recall", "mostly_lost": "recall",
}  # fmt: skip
"""Figures that are made of misses and phantoms together."""


def frames_of(
    scorecard: Scorecard, role: Role, figure: str, findings: Sequence[tuple[str, Sequence[Finding]]] = ()
) -> list[Behind]:
    """Give the frames that make a figure worse, the worst first; `findings` are those of each run by its id.

    Raises CallWrong for a figure that no single frame is to blame for.
    """
    critical = scorecard.critical(role)
    rows = None if critical is None else critical.behind(figure)
    if rows is not None and len(rows):
        return frames_behind(scorecard.detection(role), figure, critical)
    parts = figure.split(".")
    if not (kinds := next((_TOLD_BY[part] for part in parts if part in _TOLD_BY), ())):
        head = next((part for part in parts if part in _AS_RATE), "")
        if role not in scorecard.detectors:
            raise CallWrong(f"{figure} is measured over whole pictures; the frames in its details say where it is low")
        classes = {scorecard.vocabulary.name(number) for number in scorecard.vocabulary.judged}
        label = f".{parts[-1]}" if parts[-1] in classes else ""
        return frames_behind(scorecard.detection(role), _AS_RATE[head] + label if head else figure)
    label = parts[-1] if parts[-1] not in _TOLD_BY else ""
    return sorted(_of_findings(findings, role, kinds, label), key=lambda behind: -behind.contribution)


def _of_findings(
    findings: Iterable[tuple[str, Sequence[Finding]]], role: Role, kinds: tuple[Kind, ...], label: str
) -> Iterable[Behind]:
    for run, found in findings:
        for finding in found:
            name = finding.objects[0].label if finding.objects else ""
            if finding.kind in kinds and finding.role in (role, None) and label in ("", name):
                frames = float(finding.last_seq - finding.first_seq + 1)
                time_s = finding.first_s if math.isfinite(finding.first_s) else math.nan
                yield Behind(run, finding.worst_seq, f"{finding.kind.value} {name}".strip(), time_s, frames)
