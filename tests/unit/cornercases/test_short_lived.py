"""Short-lived: shown for a moment and gone."""

from __future__ import annotations

from hilgui.cornercases.short_lived import ShortLived
from hilgui.records import Hit, Severity
from tests.unit.cornercases.drive import PERSON, B, Corners, context, look, moment, seqs

BOX = (300.0, 200.0, 340.0, 300.0)
STEADY = (600.0, 200.0, 640.0, 300.0)


def shown(*frames: int, box: Corners = BOX, score: float = 0.7, of: int = 60) -> list[Hit]:
    moments = [
        moment(seq, seen={B: [(PERSON, STEADY, 0.9)] + ([(PERSON, box, score)] if seq in frames else [])})
        for seq in range(of)
    ]
    return look(ShortLived(context(candidate=False)), moments)


def test_an_object_seen_on_two_frames_only_is_reported_on_both() -> None:
    hits = shown(10, 11)
    assert seqs(hits) == [10, 11]
    assert hits[0].why == "the baseline shows a person for {duration} only, with score 0.70 at its best"
    assert hits[0].severity is Severity.LOW


def test_three_frames_are_not_short() -> None:
    assert shown(10, 11, 12) == []


def test_one_that_comes_back_is_no_short_life() -> None:
    assert shown(10, 11, 14, 15) == []


def test_at_the_border_in_the_first_frames_or_faint_it_comes_and_goes_by_right() -> None:
    assert shown(10, box=(0.0, 200.0, 40.0, 300.0)) == []
    assert shown(0, 1) == []
    assert shown(10, 11, score=0.45) == []


def test_until_a_track_has_ended_nobody_knows() -> None:
    assert shown(58, 59) == []
