"""Labels beside their pictures: recognised when everything moves, not when one object is found late."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hilgui.cornercases import Watch
from hilgui.records import Finding, Kind, Moment, Suspect
from tests.unit.cornercases.drive import CAR, PERSON, B, Corners, Known, context, moment

LANES = (60.0, 180.0, 300.0, 420.0)


def box(lane: int, frame: float) -> Corners:
    """Four cars that cross the picture, 12 px a frame and 60 px wide; they enter and leave at different times."""
    left = (lane * 97.0 + 12.0 * frame) % 840.0 + 20.0
    return (left, LANES[lane], left + 60.0, LANES[lane] + 50.0)


def drive(shift: int, frames: int = 90) -> Iterator[Moment]:
    """Labels show what the camera saw `shift` frames before."""
    for seq in range(frames):
        truth = [Known(CAR, box(lane, seq - shift), track=lane) for lane in range(len(LANES))]
        yield moment(seq, truth=truth, seen={B: [(CAR, box(lane, seq), 0.8) for lane in range(len(LANES))]})


def findings(moments: Iterator[Moment]) -> list[Finding]:
    watch = Watch(context(candidate=False))
    return [finding for each in moments for finding in watch.look(each).closed] + watch.finish()


@pytest.mark.parametrize(("shift", "said"), [(4, "4 frames (133 ms) behind"), (-5, "5 frames (167 ms) ahead of")])
def test_labels_beside_their_pictures_are_a_time_fault_and_explain_the_misses(shift: int, said: str) -> None:
    found = findings(drive(shift))
    fault = next(finding for finding in found if finding.kind is Kind.TIME_FAULT)
    assert said in fault.why
    assert fault.evidence["offset_frames"] == shift
    missed = [finding for finding in found if finding.kind is Kind.MISSED_OBJECT and finding.frames > 40]
    assert missed
    assert {finding.suspect for finding in missed} == {Suspect.TIMING}
    assert f"by {abs(shift)} frames" in missed[0].suspect_why


def test_labels_at_their_place_are_no_fault() -> None:
    assert {finding.kind for finding in findings(drive(0))} <= {Kind.IDENTITY_SWITCH}  # cars that begin anew


def test_one_frame_beside_is_below_the_limit() -> None:
    assert Kind.TIME_FAULT not in {finding.kind for finding in findings(drive(1))}


def test_an_object_that_is_found_late_is_no_shift() -> None:
    """Two people walk one behind the other; the second is found only after a while, where the first was before."""

    def walkers() -> Iterator[Moment]:
        for seq in range(80):
            boxes = [(100.0 + 4 * seq + x, 200.0, 130.0 + 4 * seq + x, 290.0) for x in (0.0, 40.0)]
            shown = boxes[:1] if seq < 50 else boxes
            truth = [Known(PERSON, each, track=nth) for nth, each in enumerate(boxes)]
            yield moment(seq, truth=truth, seen={B: [(PERSON, each, 0.8) for each in shown]})

    found = findings(walkers())
    assert Kind.TIME_FAULT not in {finding.kind for finding in found}
    assert {finding.suspect for finding in found} == {Suspect.MODEL}
