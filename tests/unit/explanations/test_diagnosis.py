"""Why in one sentence: each reason from the boxes and labels that make it."""

import numpy as np
import pytest

from hilgui.explanations.diagnosis import Reason, diagnosed
from hilgui.explanations.target import Target, best_score, similarity
from hilgui.explanations.words import diagnosis_words
from hilgui.records import Detections, Role, Truth, Vocabulary

NAMES = Vocabulary(("person", "car"), frozenset({0, 1}))
BOX = (10.0, 10.0, 30.0, 50.0)
MISSED = Target(BOX, "person", 0, True, 0.3)
PHANTOM = Target(BOX, "person", 0, False, 0.3)
LOOSE = (10.0, 10.0, 30.0, 26.0)  # IoU .4


def said(*rows: tuple[tuple[float, float, float, float], float, int]) -> Detections:
    rows = tuple(sorted(rows, key=lambda row: -row[1]))
    return Detections(
        np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], np.int32),
    )


def labels(*rows: tuple[tuple[float, float, float, float], int]) -> Truth:
    return Truth.of(np.array([row[0] for row in rows]).reshape(-1, 4), np.array([row[1] for row in rows], np.int32))


@pytest.mark.parametrize(
    ("detections", "reason", "words"),
    [
        (said((BOX, 0.21, 0)), Reason.SCORE, "its score of 0.21 is below the threshold of 0.30"),
        (said((LOOSE, 0.8, 0)), Reason.LOCALISATION, "IoU 0.40 and 0.5 is asked"),
        (said((BOX, 0.6, 1), (BOX, 0.05, 0)), Reason.CLASS, "takes this person for a car (score 0.60; person: 0.05)"),
        (said((BOX, 0.1, 1)), Reason.CLASS, "car (score 0.10"),
        (said(((80, 80, 99, 99), 0.9, 0)), Reason.NOTHING, "no box here above a score of 0.01"),
        (said(), Reason.NOTHING, "of any class"),
        (said((BOX, 0.4, 0)), Reason.SHOWN, "shows this person: score 0.40"),
        (said((BOX, 0.2999, 0)), Reason.SCORE, "its score of 0.300 is below the threshold of 0.30"),
    ],
)
def test_a_miss_has_a_reason(detections: Detections, reason: Reason, words: str) -> None:
    found = diagnosed(detections, labels((BOX, 0)), MISSED, NAMES)
    assert found.reason is reason
    assert words in diagnosis_words(found, MISSED, Role.CANDIDATE)


@pytest.mark.parametrize(
    ("detections", "truth", "reason", "words"),
    [
        (said((BOX, 0.6, 0)), labels(), Reason.UNLABELLED, "labels have nothing here"),
        (said((BOX, 0.6, 0)), None, Reason.UNLABELLED, "sure by 0.60"),
        (said((BOX, 0.6, 0)), labels((BOX, 1)), Reason.CLASS, "A labelled car that the baseline takes for a person"),
        (said((BOX, 0.6, 0)), labels((LOOSE, 0)), Reason.LABELLED, "fits by IoU 0.40"),
        (said((BOX, 0.6, 0)), labels((BOX, 0)), Reason.TWICE, "another box"),
        (said((BOX, 0.1, 0)), labels(), Reason.GONE, "does not show this person"),
    ],
)
def test_a_phantom_has_a_reason(detections: Detections, truth: Truth | None, reason: Reason, words: str) -> None:
    found = diagnosed(detections, truth, PHANTOM, NAMES)
    assert found.reason is reason
    assert words in diagnosis_words(found, PHANTOM, Role.BASELINE)


def test_similarity_is_iou_times_score_of_the_own_class() -> None:
    assert similarity(said((LOOSE, 0.8, 0), (BOX, 0.9, 1)), MISSED) == pytest.approx(0.4 * 0.8)
    assert similarity(said(), MISSED) == 0.0
    assert best_score(said((LOOSE, 0.8, 0)), MISSED) == 0.0  # it does not fit
