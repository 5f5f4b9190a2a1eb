"""Poor localisation: a critical object whose box fits badly."""

from __future__ import annotations

import pytest

from hilgui.cornercases.poor_localisation import PoorLocalisation
from hilgui.records import Hit, Suspect
from tests.unit.cornercases.drive import PERSON, B, C, Corners, Known, context, look, moment, seqs

BOX = (300.0, 200.0, 340.0, 300.0)
HALF = (300.0, 255.0, 340.0, 300.0)  # IoU .45


def boxed(box: Corners, *, frames: int = 4, distance_m: float = 10.0, both: bool = False) -> list[Hit]:
    seen = {B: [(PERSON, box, 0.8)]} | ({C: [(PERSON, box, 0.76)]} if both else {})
    truth = [Known(PERSON, BOX, track=1, distance_m=distance_m)]
    return look(PoorLocalisation(context()), [moment(seq, truth=truth, seen=seen) for seq in range(frames)])


def test_a_bad_box_on_a_close_person_is_reported_with_how_it_is_wrong() -> None:
    hits = boxed(HALF)
    assert seqs(hits) == [0, 1, 2, 3]
    assert hits[0].why == (
        "the box of the baseline fits person 1 at 10.0 m badly for {duration}: IoU 0.45, 1.0 × as wide, "
        "0.5 × as high, 0% of its width beside"
    )
    assert hits[0].evidence["iou"] == pytest.approx(0.45)


def test_a_fitting_box_a_far_person_a_box_elsewhere_and_two_frames_are_not() -> None:
    assert boxed((300.0, 249.0, 340.0, 300.0)) == []
    assert boxed(HALF, distance_m=16.0) == []
    assert boxed((334.0, 200.0, 374.0, 300.0)) == []
    assert boxed(HALF, frames=2) == []


def test_where_both_models_agree_on_another_box_the_label_is_suspected() -> None:
    hit = boxed((300.0, 265.0, 340.0, 300.0), both=True)[0]
    assert hit.suspect is Suspect.LABEL
    assert hit.suspect_why.startswith("both models agree against the label: their boxes fit each other by IoU 1.00")
