"""The one order of findings, worst first: on the screen, on the command line and in reports."""

from __future__ import annotations

from hilgui.records import Finding, Kind, Role

_KIND_RANK = {kind: rank for rank, kind in enumerate(Kind)}


def badness(finding: Finding) -> tuple[int, int, int, int, int]:
    """Give a sort key: severity, what the candidate alone lost, kind, how long it lasts, number."""
    return (-int(finding.severity), _blame(finding), _KIND_RANK[finding.kind], -finding.frames, finding.number)


def _blame(finding: Finding) -> int:
    """Put first what only the candidate does wrong, then what it does wrong too, then the baseline's faults."""
    if finding.role is not Role.CANDIDATE:
        return 2
    return 0 if finding.evidence.get("other_found") else 1
