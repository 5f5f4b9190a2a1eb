"""The frames behind any figure of a run: its errors where they are counted, else the findings that it speaks of."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hilgui.errors import CallWrong
from hilgui.evaluation import Behind, Scorecard, frames_behind
from hilgui.evaluation.explanation import EXPLAINED
from hilgui.records import Finding, Kind, Role

_TOLD_BY: dict[str, tuple[Kind, ...]] = {
    "critical_recall": (Kind.MISSED_CRITICAL, Kind.LATE_DETECTION, Kind.GAP),
    "missed_critical": (Kind.MISSED_CRITICAL,),
    "missed_critical_per_hour": (Kind.MISSED_CRITICAL,),
    "never_detected_critical": (Kind.MISSED_CRITICAL,),
    "time_to_first_detection_s": (Kind.LATE_DETECTION,),
    "longest_gap_s": (Kind.GAP,),
    "phantoms_per_minute": (Kind.PHANTOM,),
}
"""Figures over time, and the corner cases that speak of them where no frame is counted."""

_NEAR = 0.5  # of 1: how alike a name must be
_LOOKED_AT, _NAMED, _MANY = 8, 3, 12  # names
_AS_RATE = {"best_f1": "f1", "best_threshold": "f1"}
"""Figures that are made of misses and phantoms together."""


def frames_of(
    scorecard: Scorecard, role: Role, figure: str, findings: Sequence[tuple[str, Sequence[Finding]]] = ()
) -> list[Behind]:
    """Give the frames that make a figure worse, each once, the worst first; `findings` are those of each run by its id.

    Raises CallWrong for a figure that no single frame is to blame for.
    """
    found = scorecard.behind(role, figure)
    parts = figure.split(".")
    kinds = _TOLD_BY.get(parts[0], ())
    if found is not None and (found or not kinds):
        return found
    if kinds:
        label = ".".join(parts[1:])
        told = _once(_of_findings(findings, role, kinds, label))
        return sorted(told, key=lambda behind: -behind.contribution)
    head = _AS_RATE.get(parts[0], parts[0])
    if role not in scorecard.detectors or head not in EXPLAINED:
        raise _unknown(scorecard, role, figure)
    return frames_behind(scorecard.detection(role), head + "".join(f".{part}" for part in parts[1:]))


def _unknown(scorecard: Scorecard, role: Role, figure: str) -> CallWrong:
    """Say that a figure leads to no frames, and name those with the nearest names that do."""
    known = dict.fromkeys([*scorecard.figures()[role], *(_TOLD_BY if role in scorecard.detectors else ())])
    near = difflib.get_close_matches(figure, known, n=_LOOKED_AT, cutoff=_NEAR)
    leading = [name for name in (*near, *known) if _leads(scorecard, role, name)]
    shown = list(dict.fromkeys(leading))[: _NAMED if near else _MANY]
    words = f"try {', '.join(shown)}" if shown else "the run has no labels for it"
    return CallWrong(f"no frames can be shown for a figure {figure!r} of the {role.value}; {words}")


def _leads(scorecard: Scorecard, role: Role, name: str) -> bool:
    head = name.partition(".")[0]
    if head in _TOLD_BY or (role in scorecard.detectors and head in EXPLAINED):
        return True
    return scorecard.behind(role, name) is not None


def _once(found: Iterable[Behind]) -> list[Behind]:
    """Keep each frame once, with what all its findings contribute."""
    frames: dict[tuple[str, int], Behind] = {}
    for each in found:
        before = frames.get((each.drive, each.seq))
        both = each.contribution + (0.0 if before is None else before.contribution)
        frames[each.drive, each.seq] = replace(before or each, contribution=both)
    return list(frames.values())


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
