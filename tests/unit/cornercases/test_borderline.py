"""Borderline: a score that stays near the threshold of .40."""

from __future__ import annotations

from hilgui.cornercases.borderline import Borderline
from hilgui.records import Hit
from hilgui.settings import CornerCaseLimits
from tests.unit.cornercases.drive import PERSON, B, context, look, moment, seqs

BOX = (300.0, 200.0, 340.0, 300.0)
LIMITS = CornerCaseLimits.model_validate({"borderline": {"margin": 0.1, "frames": 5}})


def scored(*scores: float) -> list[Hit]:
    moments = [moment(seq, seen={B: [(PERSON, BOX, score)]}) for seq, score in enumerate(scores)]
    return look(Borderline(context(LIMITS, candidate=False)), moments)


def test_five_frames_near_the_threshold_are_reported_from_the_first_on() -> None:
    hits = scored(0.9, 0.45, 0.44, 0.42, 0.41, 0.45, 0.48, 0.9)
    assert seqs(hits) == [1, 2, 3, 4, 5, 6]
    assert "stays near the threshold for {duration}: 0.45 here, the threshold is 0.40" in hits[0].why


def test_frames_just_below_the_threshold_count() -> None:
    hits = scored(0.45, 0.38, 0.42, 0.37, 0.44, 0.9)
    assert seqs(hits) == [0, 1, 2, 3, 4]
    assert hits[-1].evidence["frames_below"] == 2
    assert hits[-1].why.endswith("2 × below it so far")


def test_four_frames_are_not_enough_and_a_clear_score_begins_anew() -> None:
    assert scored(0.45, 0.44, 0.42, 0.41, 0.9, 0.45, 0.44, 0.42, 0.41, 0.9) == []


def test_a_score_at_the_margin_or_far_below_is_not_near() -> None:
    assert scored(*[0.51] * 10) == []
    assert scored(0.45, 0.1, 0.45, 0.1, 0.45, 0.1, 0.45, 0.1) == []


def test_by_default_half_a_second_within_a_twentieth_counts_and_a_small_object_never() -> None:
    def seen(score: float, bottom: float, frames: int) -> list[Hit]:
        box = (300.0, 200.0, 340.0, bottom)
        return look(Borderline(context()), [moment(seq, seen={B: [(PERSON, box, score)]}) for seq in range(frames)])

    assert len(seen(0.44, 300.0, 15)) == 15
    assert seen(0.44, 300.0, 14) == seen(0.46, 300.0, 40) == seen(0.44, 219.0, 40) == []
