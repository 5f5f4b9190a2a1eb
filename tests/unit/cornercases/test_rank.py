"""The one order of findings, worst first."""

import random

from hilgui.cornercases.rank import badness
from hilgui.records import Finding, Kind, Role, Severity


def finding(
    number: int,
    *,
    severity: Severity = Severity.HIGH,
    role: Role | None = Role.CANDIDATE,
    kind: Kind = Kind.MISSED_OBJECT,
    other_found: float | None = None,
    frames: int = 10,
) -> Finding:
    evidence = {} if other_found is None else {"other_found": other_found}
    return Finding(
        number=number,
        kind=kind,
        severity=severity,
        role=role,
        first_seq=0,
        last_seq=frames - 1,
        worst_seq=0,
        frames=frames,
        first_s=0.0,
        last_s=1.0,
        worst_s=0.0,
        why="",
        objects=(),
        evidence=evidence,
    )


def test_what_only_the_candidate_lost_comes_before_what_both_lost_and_the_baselines_faults() -> None:
    order = [
        finding(9, other_found=1.0, frames=20),
        finding(8, other_found=1.0, frames=5),
        finding(7, other_found=0.0, frames=90),
        finding(6, role=Role.BASELINE, other_found=1.0, frames=99),
        finding(5, role=None, kind=Kind.DISAGREEMENT, frames=99),
        finding(4, severity=Severity.MEDIUM, other_found=1.0, frames=99),
        finding(3, severity=Severity.LOW, other_found=1.0, frames=99),
    ]
    shuffled = random.Random(1).sample(order, len(order))
    assert sorted(shuffled, key=badness) == order
