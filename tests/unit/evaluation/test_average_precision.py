"""Average precision against the reference implementation, frame by frame."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgui.evaluation import AveragePrecision, ClassFigures, DetectionFigures
from hilgui.evaluation.average_precision import COCO_FIGURES
from hilgui.records import NO_CLASS, Detections, Truth, Vocabulary

from .oracle import pycocotools

CLASSES = (0, 1, 2)
Frame = tuple[Detections, Truth]


def detections(rows: list[tuple[float, float, float, float, float, int]], kind: type = np.float32) -> Detections:
    """Build from (x, y, width, height, score, class) rows in any order."""
    values = np.array(rows, np.float64).reshape(-1, 6)
    values = values[np.argsort(-values[:, 4], kind="stable")]
    boxes = np.hstack([values[:, :2], values[:, :2] + values[:, 2:4]])
    return Detections(boxes.astype(kind), values[:, 4].astype(np.float32), values[:, 5].astype(np.int32))


def truth(rows: list[tuple[float, float, float, float, int, bool, bool]]) -> Truth:
    """Build from (x, y, width, height, class, crowd, ignore) rows."""
    values = np.array(rows, np.float64).reshape(-1, 7)
    boxes = np.hstack([values[:, :2], values[:, :2] + values[:, 2:4]])
    return Truth.of(boxes, values[:, 4].astype(np.int32), crowd=values[:, 5] > 0, ignore=values[:, 6] > 0)


def streamed(frames: list[Frame], judged: tuple[int, ...] = CLASSES) -> DetectionFigures:
    precision = AveragePrecision(judged)
    for found, labelled in frames:
        precision.add(found, labelled)
    return precision.figures()


def read(frames: list[Frame], judged: tuple[int, ...]) -> AveragePrecision:
    precision = AveragePrecision(judged)
    for found, labelled in frames:
        precision.add(found, labelled)
    return precision


def twelve(frames: list[Frame], judged: tuple[int, ...]) -> tuple[float | None, ...]:
    coco = read(frames, judged).coco()
    assert tuple(coco) == COCO_FIGURES
    return tuple(value for value, _ in coco.values())


def assert_equals_oracle(frames: list[Frame], judged: tuple[int, ...] = CLASSES) -> None:
    ours, reference = streamed(frames, judged), pycocotools(frames, judged)
    assert three(ours) == pytest.approx(reference.overall, abs=1e-9)
    assert twelve(frames, judged) == pytest.approx(reference.twelve, abs=1e-9)
    by_class = read(frames, judged).coco_by_class()
    for number in judged:
        assert three(ours.per_class[number]) == pytest.approx(reference.per_class[number], abs=1e-9)
        mine = tuple(value for value, _ in by_class[number].values())
        assert mine == pytest.approx(reference.twelve_of[number], abs=1e-9)


def three(figures: DetectionFigures | ClassFigures) -> tuple[float | None, float | None, float | None]:
    return figures.map_50_95, figures.map_50, figures.map_75


# A coarse grid and few scores make equal boxes, equal overlaps and equal scores common.
_place, _size = st.integers(0, 6).map(lambda step: step * 16), st.sampled_from([0, 16, 32, 48, 96, 112])
_class = st.sampled_from(CLASSES)
_found = st.tuples(_place, _place, _size, _size, st.sampled_from([0.001, 0.25, 0.5, 0.75, 1.0]), _class)
_labelled = st.tuples(_place, _place, _size, _size, _class, st.booleans(), st.booleans())
_frames = st.lists(st.tuples(st.lists(_found, max_size=12), st.lists(_labelled, max_size=8)), max_size=6)


@settings(max_examples=150, deadline=None)
@given(_frames)
def test_equals_pycocotools_with_ties_crowds_and_empty_frames(
    drawn: list[tuple[list[tuple[float, ...]], list[tuple[float, ...]]]],
) -> None:
    assert_equals_oracle([(detections(found), truth(labelled)) for found, labelled in drawn])  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(6))
def test_equals_pycocotools_beyond_a_hundred_detections_and_a_block_of_frames(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = [_random_frame(rng, most=300 if number % 40 == 0 else 8) for number in range(150)]
    assert_equals_oracle(frames)


def test_equals_pycocotools_on_a_part_of_the_classes() -> None:
    rng = np.random.default_rng(11)
    assert_equals_oracle([_random_frame(rng, most=20) for _ in range(20)], judged=(0, 2))


def test_reading_in_between_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    frames = [_random_frame(rng, most=20) for _ in range(40)]
    precision = AveragePrecision(CLASSES)
    for number, (found, labelled) in enumerate(frames, start=1):
        precision.add(found, labelled)
        assert precision.figures() == streamed(frames[:number])


def test_a_long_run_is_read_threshold_by_threshold_with_the_same_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    frames = [_random_frame(rng, most=20) for _ in range(60)]
    at_once = read(frames, CLASSES)
    wanted = (at_once.figures(), at_once.coco(), at_once.coco_by_class())
    monkeypatch.setattr("hilgui.evaluation.ranked._FEW", 0)
    one_by_one = read(frames, CLASSES)

    assert (one_by_one.figures(), one_by_one.coco(), one_by_one.coco_by_class()) == wanted
    assert one_by_one.ranked().average(0) == at_once.ranked().averages().mean[1]


def test_without_any_truth_there_is_no_figure() -> None:
    figures = streamed([(detections([(0, 0, 5, 5, 0.9, 0)]), Truth.none())])
    assert three(figures) == (None, None, None)
    assert (figures.frames, figures.truths) == (1, 0)


def test_before_the_first_frame_there_is_no_figure() -> None:
    assert three(AveragePrecision([]).figures()) == (None, None, None)


def test_a_class_without_detections_counts_as_zero() -> None:
    labelled = truth([(0, 0, 5, 5, 0, False, False), (9, 9, 5, 5, 1, False, False)])
    figures = streamed([(detections([(0, 0, 5, 5, 0.9, 0)]), labelled)], (0, 1))
    assert three(figures) == pytest.approx((0.5, 0.5, 0.5))
    assert figures.per_class[1] == ClassFigures(0.0, 0.0, 0.0, 1)


def test_a_region_without_class_takes_unmatched_detections_out() -> None:
    region = Truth.of(
        np.array([[0.0, 0, 10, 10], [0, 0, 100, 100]]), np.array([0, NO_CLASS]), ignore=np.array([False, True])
    )
    inside, outside = (50, 50, 10, 10, 0.9, 0), (95, 50, 11, 10, 0.9, 0)
    match = (0, 0, 10, 10, 0.5, 0)
    assert streamed([(detections([match, inside]), region)], (0,)).map_50 == pytest.approx(1.0)
    assert streamed([(detections([match, outside]), region)], (0,)).map_50 == pytest.approx(0.5)


def test_a_match_inside_a_region_stays_a_match() -> None:
    both = Truth.of(np.array([[0.0, 0, 10, 10], [0, 0, 99, 99]]), np.array([0, NO_CLASS]), ignore=np.array([0, 1]) > 0)
    assert streamed([(detections([(0, 0, 10, 10, 0.9, 0)]), both)], (0,)).map_50_95 == pytest.approx(1.0)


def test_figures_as_json_name_their_classes() -> None:
    figures = streamed([(detections([(0, 0, 5, 5, 0.9, 0)]), truth([(0, 0, 5, 5, 0, False, False)]))], (0, 1))
    plain = figures.as_json(Vocabulary(("car", "person"), frozenset({0, 1})))
    plain = json.loads(json.dumps(plain))
    assert list(plain) == ["map_50_95", "map_50", "map_75", "frames", "truths", "per_class"]
    assert (plain["frames"], plain["truths"], plain["map_50"]) == (1, 1, pytest.approx(1.0))
    assert plain["per_class"]["car"] == pytest.approx({"map_50_95": 1.0, "map_50": 1.0, "map_75": 1.0, "truths": 1})
    assert plain["per_class"]["person"] == {"map_50_95": None, "map_50": None, "map_75": None, "truths": 0}


def test_the_classic_fake_results_of_coco(shared_data: Path) -> None:
    folder = shared_data / "eval_vectors" / "coco_val2014_fake100"
    frames, judged = _coco_pair(
        folder / "instances_val2014_100.json", folder / "instances_val2014_fakebbox100_results.json"
    )
    expected = json.loads((folder / "EXPECTED.json").read_text())["bbox"]
    figures = streamed(frames, judged)
    assert three(figures) == pytest.approx([expected["AP"], expected["AP50"], expected["AP75"]], abs=1e-9)
    assert (round(expected["AP"], 4), round(expected["AP50"], 4)) == (0.5046, 0.6970)
    assert_equals_oracle(frames, judged)


def _coco_pair(labels: Path, results: Path) -> tuple[list[Frame], tuple[int, ...]]:
    known = json.loads(labels.read_text())
    rows = json.loads(results.read_text())
    numbers = {row["id"]: number for number, row in enumerate(sorted(known["categories"], key=lambda row: row["id"]))}
    frames: list[Frame] = []
    for image in sorted(row["id"] for row in known["images"]):
        mine = [row for row in known["annotations"] if row["image_id"] == image]
        found = [row for row in rows if row["image_id"] == image]
        frames.append(
            (
                # These fake boxes were cut to reach IoU thresholds exactly: rounded to float32 they give AP 0.5041.
                detections([(*row["bbox"], row["score"], numbers[row["category_id"]]) for row in found], np.float64),
                truth([(*row["bbox"], numbers[row["category_id"]], row["iscrowd"], False) for row in mine]),
            )
        )
    return frames, tuple(numbers.values())


def _random_frame(rng: np.random.Generator, most: int) -> Frame:
    count, truths = int(rng.integers(0, most + 1)), int(rng.integers(0, 7))
    corner, size = rng.integers(0, 12, (count, 2)), rng.integers(0, 12, (count, 2))
    scores = np.sort(rng.integers(1, 50, count) / 50)[::-1].astype(np.float32)
    found = Detections(
        np.hstack([corner, corner + size]).astype(np.float32), scores, rng.choice(CLASSES, count).astype(np.int32)
    )
    corner, size = rng.integers(0, 12, (truths, 2)), rng.integers(0, 12, (truths, 2))
    return found, Truth.of(
        np.hstack([corner, corner + size]).astype(np.float64),
        rng.choice(CLASSES, truths),
        crowd=rng.random(truths) < 0.15,
        ignore=rng.random(truths) < 0.15,
    )
