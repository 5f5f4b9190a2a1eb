"""Flicker: presence that changes twice within half a second."""

from __future__ import annotations

import pytest

from hilgui.cornercases.flicker import Flicker
from hilgui.records import Hit, Severity
from hilgui.settings import CornerCaseLimits
from tests.unit.cornercases.drive import CAR, PERSON, B, C, context, look, moment, seqs


def blinking(gone: range | tuple[int, ...], frames: int = 30, step: float = 0.0, score: float = 0.1) -> list[Hit]:
    """Show a car that stays below the threshold in the frames of `gone`, moving by `step` px a frame."""
    moments = []
    for seq in range(frames):
        box = (100 + step * seq, 200.0, 180 + step * seq, 260.0)
        moments.append(moment(seq, seen={B: [(CAR, box, score if seq in gone else 0.8)]}))
    limits = CornerCaseLimits.model_validate({"flicker": {"changes_low": 2}})
    return look(Flicker(context(limits)), moments)


def test_an_object_that_returns_is_reported_from_its_first_missing_frame_on() -> None:
    hits = blinking(gone=(10, 11, 12))
    assert seqs(hits) == [10, 11, 12, 13]
    worst = max(hits, key=lambda hit: hit.weight)
    assert worst.seq == 10
    assert worst.why == (
        "car (track 0) flickers in the output of the baseline for {duration}: score 0.80 before, 0.10 while gone"
    )
    assert worst.evidence == pytest.approx(
        {"frames_gone": 3, "height_px": 60, "score_before": 0.8, "score_while_gone": 0.1}
    )
    assert hits[-1].objects[0].score == pytest.approx(0.8)


def test_an_object_that_goes_for_good_is_no_flicker() -> None:
    assert blinking(gone=range(10, 30)) == []


def test_an_object_that_appears_is_no_flicker() -> None:
    assert blinking(gone=range(10)) == []


def test_half_a_second_is_the_limit() -> None:
    assert seqs(blinking(gone=range(5, 20))) == list(range(5, 21))  # gone for 15 periods: .5 s between the changes
    assert blinking(gone=range(5, 21)) == []


def test_a_moving_object_is_expected_where_it_would_be() -> None:
    hits = blinking(gone=range(10, 18), step=20.0)  # 160 px further, twice its width
    assert {hit.thread for hit in hits} == {"track 0"}
    assert seqs(hits) == list(range(10, 19))
    assert hits[4].objects[0].box == pytest.approx((380, 200, 460, 260), abs=0.5)  # where it would be


def test_every_frame_is_reported_once_however_often_it_blinks() -> None:
    assert seqs(blinking(gone=(5, 7, 9, 11))) == list(range(5, 13))


def test_two_overlapping_boxes_of_different_classes_are_one_object() -> None:
    box, same = (100.0, 200.0, 180.0, 260.0), (101.0, 200.0, 181.0, 261.0)
    moments = []
    for seq in range(10):
        truck = [(PERSON, same, 0.7)] if seq % 2 else []
        moments.append(moment(seq, seen={B: [(CAR, box, 0.8), *truck]}))
    assert look(Flicker(context()), moments) == []


def test_an_object_is_not_gone_while_another_one_is_shown_in_its_place() -> None:
    one, other, both = (100.0, 200.0, 180.0, 260.0), (150.0, 200.0, 230.0, 260.0), (110.0, 195.0, 225.0, 262.0)
    moments = []
    for seq in range(20):
        rows = [(CAR, both, 0.8)] if seq in (8, 9) else [(CAR, one, 0.8), (CAR, other, 0.7)]
        moments.append(moment(seq, seen={B: rows}))
    assert look(Flicker(context()), moments) == []


def test_frames_that_the_candidate_skipped_are_no_flicker() -> None:
    rows = [(CAR, (100.0, 200.0, 180.0, 260.0), 0.8)]
    moments = [moment(seq, seen={B: rows} if seq in (4, 5) else {B: rows, C: rows}) for seq in range(10)]
    assert look(Flicker(context()), moments) == []


def test_severity_never_exceeds_medium_because_the_object_came_back() -> None:
    near = [(PERSON, (100.0, 100.0, 200.0, 400.0), 0.8)]
    moments = [moment(seq, seen={B: [] if seq == 5 else near}) for seq in range(10)]
    assert {hit.severity for hit in look(Flicker(context()), moments)} == {Severity.MEDIUM}


def test_the_number_of_changes_comes_from_the_settings() -> None:
    rows = [(CAR, (100.0, 200.0, 180.0, 260.0), 0.8)]
    limits = CornerCaseLimits.model_validate({"flicker": {"changes": 3}})
    moments = [moment(seq, seen={B: [] if seq in (5, 8) else rows}) for seq in range(20)]
    assert seqs(look(Flicker(context(limits)), moments)) == [5, 6, 7, 8, 9]
    assert look(Flicker(context(limits)), moments[:7]) == []


def test_an_object_that_matters_little_must_blink_twice_and_a_tiny_one_never_counts() -> None:
    def blinks(gone: tuple[int, ...], height: float) -> list[Hit]:
        box = (100.0, 200.0, 180.0, 200.0 + height)
        moments = [moment(seq, seen={B: [] if seq in gone else [(CAR, box, 0.8)]}) for seq in range(30)]
        return look(Flicker(context()), moments)

    assert blinks((10,), 60) == []
    assert blinks((10, 14), 60)
    assert blinks((10,), 70)  # more than an eighth of the picture
    assert blinks((10, 14), 19) == []
