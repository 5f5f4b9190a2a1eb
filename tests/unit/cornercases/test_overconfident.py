"""Overconfident: wrong and sure of it, once or as a habit."""

from __future__ import annotations

import pytest

from hilgui.cornercases.overconfident import Overconfident
from hilgui.records import Suspect
from hilgui.settings import CornerCaseLimits
from tests.unit.cornercases.drive import CAR, PERSON, B, C, Known, context, look, moment

BOX = (300.0, 200.0, 340.0, 300.0)
ELSEWHERE = (600.0, 200.0, 640.0, 300.0)
TRUTH = [Known(PERSON, BOX, track=1)]


def test_a_sure_false_positive_is_reported_at_once() -> None:
    (hit,) = look(Overconfident(context(candidate=False)), [moment(0, truth=TRUTH, seen={B: [(CAR, ELSEWHERE, 0.9)]})])
    assert hit.why == "the baseline is sure of a car with score 0.90 for {duration}, but no label is there"
    assert hit.suspect is None


def test_a_doubtful_one_a_true_one_and_a_frame_without_labels_are_not() -> None:
    detector = Overconfident(context(candidate=False))
    assert look(detector, [moment(0, truth=TRUTH, seen={B: [(CAR, ELSEWHERE, 0.89), (PERSON, BOX, 0.95)]})]) == []
    assert look(detector, [moment(1, seen={B: [(CAR, ELSEWHERE, 0.99)]})]) == []


def test_where_both_models_are_sure_the_labels_are_suspected() -> None:
    seen = {B: [(CAR, ELSEWHERE, 0.95)], C: [(CAR, ELSEWHERE, 0.8)]}
    (hit,) = look(Overconfident(context()), [moment(0, truth=TRUTH, seen=seen)])
    assert hit.suspect is Suspect.LABEL
    assert hit.suspect_why == "both models agree against the labels: they report it with scores 0.95 and 0.80"


def habit(score: float, right: int, of: int) -> list[float]:
    limits = CornerCaseLimits.model_validate({"overconfident": {"detections": 100, "score": 1.0}})
    moments = (
        moment(seq, truth=TRUTH, seen={B: [(PERSON, BOX if seq % of < right else ELSEWHERE, score)]})
        for seq in range(100)
    )
    return [hit.evidence["calibration_error"] for hit in look(Overconfident(context(limits)), moments)]


def test_scores_that_promise_more_than_they_keep_are_reported_once_there_are_enough() -> None:
    assert habit(0.85, right=7, of=10) == [pytest.approx(0.15, abs=1e-6)]
    assert habit(0.75, right=7, of=10) == []


def test_bins_that_err_in_opposite_ways_do_not_cancel() -> None:
    limits = CornerCaseLimits.model_validate({"overconfident": {"detections": 100, "score": 1.0}})
    moments = (
        moment(seq, truth=TRUTH, seen={B: [(PERSON, ELSEWHERE, 0.95) if seq % 2 else (PERSON, BOX, 0.45)]})
        for seq in range(100)
    )
    (hit,) = look(Overconfident(context(limits)), moments)
    assert hit.evidence["calibration_error"] == pytest.approx((0.95 + 0.55) / 2, abs=1e-6)
    assert hit.evidence["lean"] == pytest.approx(0.2, abs=1e-6)
