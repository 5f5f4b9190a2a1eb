"""What counts as the same finding when the clip of a bundle is played again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hilgui.pipeline.case_replay import _compare
from hilgui.pipeline.trail import Trail
from hilgui.records import Finding, FoundObject, Kind, Role, Severity
from hilgui.store.codec import finding_json

FIRST = 10  # frame of the drive with which the clip begins
BOXES = {seq: (5.0 * seq, 0.0, 5.0 * seq + 30, 60.0) for seq in range(FIRST, 60)}
TRAIL = Trail({seq: [box] for seq, box in BOXES.items()})


class Played:
    """The findings of a clip, numbered from its first picture."""

    def __init__(self, *findings: Finding) -> None:
        self._findings = findings

    def findings(self) -> tuple[Finding, ...]:
        return self._findings


def finding(kind: Kind, first: int, last: int, worst: int, track: int, box: tuple[float, ...]) -> Finding:
    left, top, right, bottom = box
    there = FoundObject("person", (left, top, right, bottom), track)
    severity, role, frames = Severity.HIGH, Role.CANDIDATE, last - first + 1
    return Finding(1, kind, severity, role, first, last, worst, frames, 0.0, 1.0, 0.5, "missed", (there,), {})


def case(wanted: Finding, frames: list[int], note: str = "") -> dict[str, Any]:
    told = {**finding_json(wanted), "clip_note": note}
    return {"finding": told, "frames": frames, "span": [FIRST, 59]}


@pytest.mark.parametrize("kind", [Kind.MISSED_CRITICAL, Kind.FLICKER])
def test_a_finding_is_the_same_where_its_worst_frame_is_another_one(kind: Kind) -> None:
    """The JPEG pictures move the worst frame; the object has moved on by then."""
    wanted = finding(kind, 20, 50, 24, 7, BOXES[24])
    again = finding(kind, 10, 40, 35, 7 if kind is Kind.MISSED_CRITICAL else 1, BOXES[45])
    found = _compare("cases/001", case(wanted, list(BOXES)), TRAIL, Played(again))  # type: ignore[arg-type]
    assert found.came_back is True, found.why


def test_a_miss_of_somebody_else_is_no_witness() -> None:
    wanted = finding(Kind.MISSED_CRITICAL, 20, 50, 24, 7, BOXES[24])
    other = finding(Kind.MISSED_CRITICAL, 10, 40, 14, 8, BOXES[24])
    elsewhere = finding(Kind.MISSED_CRITICAL, 45, 48, 46, 7, BOXES[56])
    baseline = replace(finding(Kind.MISSED_CRITICAL, 10, 40, 14, 7, BOXES[24]), role=Role.BASELINE)
    found = _compare("cases/001", case(wanted, list(BOXES)), TRAIL, Played(other, elsewhere, baseline))  # type: ignore[arg-type]
    assert found.came_back is False
    assert found.why == "did not come back in frames 10 to 59; found missed_critical"


def test_a_clip_whose_pictures_are_gone_cannot_tell() -> None:
    wanted = finding(Kind.MISSED_CRITICAL, 20, 50, 24, 7, BOXES[24])
    kept = [seq for seq in BOXES if seq >= 30]
    found = _compare("cases/001", case(wanted, kept, "the budget was spent"), TRAIL, Played())  # type: ignore[arg-type]
    assert found.came_back is None
    assert "20 of 50 pictures of the clip were not kept (the budget was spent)" in found.why
