"""Matching at the operating point, on toys that can be drawn on paper."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.evaluation import compare
from hilgui.evaluation.match_rows import match_block
from hilgui.records import NO_CLASS, Comparison, Detections, Judgement, Truth

CAR, PERSON, TRAM = 0, 1, 2
JUDGED = frozenset({CAR, PERSON})
M, U, I = (int(word) for word in (Judgement.MATCHED, Judgement.UNMATCHED, Judgement.IGNORED))  # noqa: E741

HERE, NEAR, FAR = (0, 0, 10, 10), (0, 1, 10, 11), (50, 50, 60, 60)
WIDE = (0, 0, 100, 100)

Found = tuple[tuple[int, int, int, int], float, int]
Known = tuple[tuple[int, int, int, int], int, str]


def judge(found: list[Found], known: list[Known], threshold: float = 0.5) -> Comparison:
    boxes = np.array([row[0] for row in found], np.float32).reshape(-1, 4)
    scores = np.array([row[1] for row in found], np.float32)
    classes = np.array([row[2] for row in found], np.int32)
    return compare(
        Detections(boxes, scores, classes),
        Truth.of(
            np.array([row[0] for row in known], np.float64),
            np.array([row[1] for row in known], np.int32),
            crowd=np.array([row[2] == "crowd" for row in known], np.bool_),
            ignore=np.array([row[2] == "ignore" for row in known], np.bool_),
        ),
        threshold,
        JUDGED,
    )


@pytest.mark.parametrize(
    ("found", "known", "detections", "truths"),
    [
        pytest.param([], [], [], [], id="nothing at all"),
        pytest.param([], [(HERE, CAR, "")], [], [U], id="a miss"),
        pytest.param([(HERE, 0.9, CAR)], [], [U], [], id="a phantom on an empty frame"),
        pytest.param([(HERE, 0.9, CAR)], [(HERE, CAR, "")], [M], [M], id="a match"),
        pytest.param([(HERE, 0.4, CAR)], [(HERE, CAR, "")], [], [U], id="below the threshold"),
        pytest.param([(HERE, 0.9, PERSON)], [(HERE, CAR, "")], [U], [U], id="the wrong class"),
        pytest.param([(FAR, 0.9, CAR)], [(HERE, CAR, "")], [U], [U], id="elsewhere"),
        pytest.param([(HERE, 0.9, CAR), (HERE, 0.8, CAR)], [(HERE, CAR, "")], [M, U], [M], id="a duplicate"),
        pytest.param([(NEAR, 0.9, CAR), (HERE, 0.8, CAR)], [(HERE, CAR, "")], [M, U], [M], id="the better score wins"),
        pytest.param([(HERE, 0.9, TRAM)], [(HERE, CAR, "")], [I], [U], id="detection of a class that is not judged"),
        pytest.param([(HERE, 0.9, CAR)], [(NEAR, TRAM, "")], [I], [I], id="on a truth that is not judged"),
        pytest.param([(FAR, 0.9, CAR)], [(HERE, TRAM, "")], [U], [I], id="beside a truth that is not judged"),
        pytest.param([(HERE, 0.9, CAR), (NEAR, 0.8, CAR)], [(WIDE, CAR, "crowd")], [I, I], [I], id="crowd takes many"),
        pytest.param([(HERE, 0.9, PERSON)], [(WIDE, CAR, "crowd")], [U], [I], id="crowd of another class"),
        pytest.param([(HERE, 0.9, CAR), (NEAR, 0.8, CAR)], [(HERE, CAR, "ignore")], [I, I], [I], id="ignored truth"),
        pytest.param([(HERE, 0.9, PERSON)], [(HERE, CAR, "ignore")], [U], [I], id="ignored truth of another class"),
        pytest.param([(HERE, 0.9, CAR)], [(WIDE, NO_CLASS, "ignore")], [I], [I], id="in a region without class"),
        pytest.param([(HERE, 0.9, CAR)], [((5, 0, 90, 90), NO_CLASS, "ignore")], [I], [I], id="half in a region"),
        pytest.param([(HERE, 0.9, CAR)], [((6, 0, 90, 90), NO_CLASS, "ignore")], [U], [I], id="less than half in it"),
        pytest.param(
            [(HERE, 0.9, CAR)], [(HERE, CAR, "ignore"), (NEAR, CAR, "")], [M], [I, M], id="countable truth first"
        ),
        pytest.param(
            [(HERE, 0.9, CAR)], [(HERE, CAR, ""), (WIDE, NO_CLASS, "ignore")], [M], [M, I], id="a match in a region"
        ),
    ],
)
def test_judgements(found: list[Found], known: list[Known], detections: list[int], truths: list[int]) -> None:
    comparison = judge(found, known)
    assert comparison.detections.tolist() == detections
    assert comparison.truths.tolist() == truths


def test_counts_are_those_of_the_judgements() -> None:
    comparison = judge([(HERE, 0.9, CAR), (FAR, 0.8, CAR)], [(HERE, CAR, ""), ((80, 80, 90, 90), PERSON, "")])
    assert (comparison.matched, comparison.missed, comparison.phantoms) == (1, 1, 1)


def test_a_match_names_its_truth_and_their_iou() -> None:
    comparison = judge([(NEAR, 0.9, CAR)], [(FAR, CAR, ""), (HERE, CAR, "")])
    assert comparison.partner.tolist() == [1]
    assert comparison.iou[0] == pytest.approx(90 / 110)


def test_an_unmatched_detection_reports_its_best_overlap_with_any_class() -> None:
    comparison = judge([(NEAR, 0.9, CAR), (FAR, 0.8, CAR)], [(HERE, PERSON, "")])
    assert comparison.partner.tolist() == [-1, -1]
    assert comparison.iou.tolist() == pytest.approx([90 / 110, 0.0])


def test_the_best_overlap_is_taken_among_several_truths() -> None:
    comparison = judge([(HERE, 0.9, CAR), (NEAR, 0.8, CAR)], [(NEAR, CAR, ""), (HERE, CAR, "")])
    assert comparison.partner.tolist() == [1, 0]


def test_a_score_equal_to_the_threshold_counts() -> None:
    assert judge([(HERE, 0.35, CAR)], [(HERE, CAR, "")], threshold=0.35).matched == 1


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_the_rows_of_average_precision_at_iou_one_half(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes, known = (_grid_boxes(rng, count) for count in (25, 8))
    scores = np.sort(rng.random(25).astype(np.float32))[::-1]
    found = Detections(boxes.astype(np.float32), scores, rng.integers(0, 2, 25).astype(np.int32))
    classes = rng.choice([CAR, PERSON, NO_CLASS], 8, p=[0.5, 0.4, 0.1]).astype(np.int32)
    truth = Truth.of(known, classes, crowd=rng.random(8) < 0.2, ignore=classes == NO_CLASS)
    comparison = compare(found, truth, 0.0, JUDGED)
    rows, truths = match_block([(found, truth)], np.array([-1, 0, 1, -1], np.int32), 2)
    assert np.count_nonzero(rows.hits[0] & 1) == comparison.matched
    matched = rows.hits[0] & 1 > 0
    assert rows.truths[matched].tolist() == comparison.partner[rows.rows[matched]].tolist()
    assert rows.overlaps[matched].tolist() == comparison.iou[rows.rows[matched]].tolist()
    assert np.count_nonzero(rows.ignored[0] & 1) == np.count_nonzero(comparison.detections == I)
    assert truths.counts(2)[0].sum() == comparison.matched + comparison.missed


def _grid_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corner = rng.integers(0, 8, (count, 2))
    return np.hstack([corner, corner + rng.integers(1, 8, (count, 2))]).astype(np.float64)
