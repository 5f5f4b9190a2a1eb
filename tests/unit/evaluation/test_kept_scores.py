"""What a slider shows at once is what judging the run again would give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgui.evaluation import AveragePrecision, compare
from hilgui.evaluation.kept_scores import KeptScores
from hilgui.records import NO_CLASS, Detections, Judgement, Role, Truth
from hilgui.report import Changes, evaluate_runs
from hilgui.store import RunReader
from tests.gui.replay_run import make_run


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    reader = RunReader(make_run(tmp_path_factory.mktemp("kept")).folder)
    yield reader
    reader.close()


@pytest.mark.parametrize("threshold", [0.0, 0.15, 0.3, 0.5, 0.7, 0.81, 0.95, 1.0])
@pytest.mark.parametrize("role", list(Role))
def test_the_slider_counts_what_judging_again_counts(reader: RunReader, threshold: float, role: Role) -> None:
    quality = evaluate_runs([reader]).scorecard.detection(role)
    kept = KeptScores(quality.precision.scored(), len(quality.subject.judged))
    again = evaluate_runs([reader], Changes(threshold=threshold)).scorecard.figures()[role]
    for column, label in ((None, ""), *((column, f".{name}") for column, name in enumerate(("person", "car")))):
        counted = kept.at(threshold, column)
        for name in ("recall", "precision", "f1"):
            assert getattr(counted, name) == pytest.approx(again[f"{name}{label}"].value), (name, label)
        assert counted.matched + counted.missed == again[f"recall{label}"].count
        assert counted.matched + counted.phantoms == again[f"precision{label}"].count


def test_a_class_without_truths_has_no_recall(reader: RunReader, tmp_path: Path) -> None:
    quality = evaluate_runs([reader]).scorecard.detection(Role.BASELINE)
    kept = KeptScores(quality.precision.scored(), 5)
    assert kept.at(0.5, 4).recall is None and kept.at(0.5, 4).precision is None and kept.at(0.5, 4).f1 is None


JUDGED = (0, 2)  # of the classes 0..3
SCORES = (0.1, 0.25, 0.4, 0.55, 0.7)  # few, so that there are ties


def crowded(rng: np.random.Generator, most: int) -> tuple[Detections, Truth]:
    """Draw a frame: boxes, crowds, ignored labels, regions and classes that are not judged lie on each other."""
    labels, shown = int(rng.integers(0, 8)), int(rng.integers(0, most + 1))
    corner = rng.integers(0, 4, (labels, 2)) * 10.0
    boxes = np.hstack([corner, corner + rng.integers(2, 5, (labels, 2)) * 10.0])
    classes = rng.choice((NO_CLASS, 0, 1, 2, 3), labels).astype(np.int32)
    crowd, ignore = rng.random(labels) < 0.2, rng.random(labels) < 0.3
    truth = Truth.of(boxes, classes, crowd=crowd, ignore=ignore | (classes == NO_CLASS))
    place = rng.integers(0, 4, (shown, 2)) * 10.0
    found = np.hstack([place, place + rng.integers(2, 5, (shown, 2)) * 10.0]).astype(np.float32)
    scores = np.sort(rng.choice(SCORES, shown))[::-1].astype(np.float32)
    return Detections(found, scores, rng.choice((0, 1, 2, 3), shown).astype(np.int32)), truth


def assert_the_slider_agrees(frames: list[tuple[Detections, Truth]]) -> None:
    """Compare its counts with those of judging again, at and around every score, for each class and all together."""
    precision = AveragePrecision(JUDGED, with_scored=True)
    for found, truth in frames:
        precision.add(found, truth)
    kept = KeptScores(precision.scored(), len(JUDGED))
    for threshold in (0.0, *SCORES, *(score + 0.01 for score in SCORES), 1.0):
        again = np.zeros((3, len(JUDGED)), np.int64)
        for found, truth in frames:
            judged = compare(found, truth, threshold, frozenset(JUDGED))
            shown = found.classes[: len(judged.detections)]
            for column, number in enumerate(JUDGED):
                mine, theirs = judged.truths[truth.classes == number], judged.detections[shown == number]
                again[0, column] += np.count_nonzero(mine == Judgement.MATCHED)
                again[1, column] += np.count_nonzero(mine == Judgement.UNMATCHED)
                again[2, column] += np.count_nonzero(theirs == Judgement.UNMATCHED)
        for column in (None, *range(len(JUDGED))):
            counted = kept.at(threshold, column)
            expected = again.sum(axis=1) if column is None else again[:, column]
            assert (counted.matched, counted.missed, counted.phantoms) == tuple(expected), (threshold, column)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_crowds_regions_and_classes_that_are_not_judged_excuse_alike(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    assert_the_slider_agrees([crowded(rng, 25) for _ in range(count)])


def test_more_than_a_hundred_detections_of_a_class_count_all() -> None:
    rng = np.random.default_rng(3)
    frames = [crowded(rng, 12), *(crowded(rng, 1500) for _ in range(3)), crowded(rng, 12)]
    assert max(np.bincount(found.classes).max() for found, _ in frames if len(found)) > 200
    assert_the_slider_agrees(frames)
