"""Duplicate: too many boxes on one object."""

from __future__ import annotations

import pytest

from hilgui.cornercases.duplicate import Duplicate
from tests.unit.cornercases.drive import CAR, PERSON, TREE, TRUCK, B, Seen, context, look, moment

BOX = (300.0, 200.0, 400.0, 300.0)
BESIDE = (310.0, 200.0, 410.0, 300.0)  # IoU .82
LOWER = (300.0, 220.0, 400.0, 320.0)  # IoU .67 and .56
APART = (340.0, 200.0, 440.0, 300.0)  # IoU .43 with the first


@pytest.mark.parametrize("ordered", [True, False])
def test_three_boxes_of_which_every_two_overlap_are_one_object_too_often(ordered: bool) -> None:
    seen: list[Seen] = [(CAR, BOX, 0.9), (TRUCK, BESIDE, 0.6), (CAR, LOWER, 0.5)]
    (hit,) = look(Duplicate(context(candidate=False, ordered=ordered)), [moment(0, seen={B: seen}, ordered=ordered)])
    assert hit.why == "the baseline puts 3 boxes on one object for {duration}: car 0.90, truck 0.60, car 0.50"
    assert hit.evidence == pytest.approx({"boxes": 3, "classes": 2, "score": 0.9})
    assert hit.thread == ("track 0" if ordered else "group 0")


NEAR = [
    ("two boxes", [(CAR, BOX, 0.9), (TRUCK, BESIDE, 0.6)]),
    ("the third is too far from the first", [(CAR, BOX, 0.9), (CAR, BESIDE, 0.6), (CAR, APART, 0.5)]),
    ("the third is below the threshold", [(CAR, BOX, 0.9), (CAR, BESIDE, 0.6), (CAR, LOWER, 0.39)]),
    ("the third is of a class that is not compared", [(CAR, BOX, 0.9), (CAR, BESIDE, 0.6), (TREE, LOWER, 0.5)]),
    ("people apart", [(PERSON, (x, 200.0, x + 40, 300.0), 0.8) for x in (100.0, 150.0, 200.0)]),
]


@pytest.mark.parametrize("seen", [row[1] for row in NEAR], ids=[row[0] for row in NEAR])
def test_less_is_usual(seen: list[Seen]) -> None:
    assert look(Duplicate(context(candidate=False)), [moment(0, seen={B: seen})]) == []
