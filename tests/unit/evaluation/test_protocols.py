"""VOC, KITTI and inclusive boxes: the figures that others published, and rules that can be drawn on paper."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.evaluation.kitti import DIFFICULTIES, KittiQuality, kitti_frame
from hilgui.evaluation.kitti_rows import POINTS, KittiFrame, KittiRows
from hilgui.evaluation.protocols import InclusiveQuality, inclusive
from hilgui.evaluation.voc import VocQuality, VocRows
from hilgui.records import NO_CLASS, Detections, Role, Truth

from .drawn import NAMES, SUBJECT, moment, noisy

CAR = 0


@pytest.mark.parametrize("iou", ["0.1", "0.3", "0.5", "0.75"])
def test_the_toy_case_of_rafael_padilla(shared_data: Path, iou: str) -> None:
    folder = shared_data / "eval_vectors" / "rafaelpadilla_test_case_1"
    expected = json.loads((folder / "EXPECTED.json").read_text())
    rows = VocRows(float(iou))
    for file in sorted((folder / "gts").glob("*.txt")):
        boxes = np.array([line.split()[1:] for line in file.read_text().splitlines()], np.float64).reshape(-1, 4)
        lines = (folder / "dets" / file.name).read_text().splitlines()
        shown = np.array([line.split()[1:] for line in lines], np.float64).reshape(-1, 5)
        shown = shown[np.argsort(-shown[:, 0], kind="stable")]
        truth = Truth.of(np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]), np.zeros(len(boxes), np.int32))
        found = np.hstack([shown[:, 1:3], shown[:, 1:3] + shown[:, 3:]])
        rows.add(found, shown[:, 0].astype(np.float32), truth)
    both = expected["AP_11point"][iou], expected["AP_every_point"][iou]
    assert rows.averages() == pytest.approx(both, abs=1e-9)


def test_scalabels_figures_over_inclusive_boxes(shared_data: Path) -> None:
    folder = shared_data / "eval_vectors" / "scalabel_bdd100k_det"
    expected = json.loads((folder / "EXPECTED.json").read_text())
    numbers = {name: number for number, name in enumerate(expected["categories_order"])}
    shown = {frame["name"]: frame for frame in json.loads((folder / expected["dt"]).read_text())}
    precision = AveragePrecision(range(len(numbers)))
    for frame in json.loads((folder / expected["gt"]).read_text()):
        labels = frame["labels"] or []
        truth = Truth.of(
            np.array([_corners(label) for label in labels]).reshape(-1, 4),
            np.array([numbers[label["category"]] for label in labels], np.int32),
            crowd=np.array([bool((label.get("attributes") or {}).get("crowd")) for label in labels], np.bool_),
        )
        found = (shown.get(frame["name"]) or {}).get("labels") or []
        found = sorted(found, key=lambda label: -label["score"])
        detections = Detections(
            np.array([_corners(label) for label in found]).reshape(-1, 4),  # type: ignore[arg-type]
            np.array([label["score"] for label in found], np.float32),
            np.array([numbers[label["category"]] for label in found], np.int32),
        )
        precision.add(*inclusive(detections, truth))
    figures = dict(zip(expected["overall_percent"].values(), precision.coco().values(), strict=True))
    for wanted, (value, _) in figures.items():
        assert value is not None
        assert value * 100 == pytest.approx(wanted, abs=1e-6)
    assert precision.coco()["map_50_95"][0] == pytest.approx(0.3402939267, abs=1e-9)
    per_class = precision.figures().per_class
    for number, wanted in enumerate(expected["AP_per_category_percent"]):
        value = per_class[number].map_50_95
        assert (value is None) == (wanted is None)
        assert wanted is None or (value is not None and value * 100 == pytest.approx(wanted, abs=1e-6))


def _corners(label: dict[str, dict[str, float]]) -> list[float]:
    box = label["box2d"]
    return [box["x1"], box["y1"], box["x2"], box["y2"]]


def test_voc_a_detection_does_not_look_for_a_second_truth() -> None:
    """COCO would give the second detection the free truth; VOC calls it a duplicate of the one it overlaps most."""
    truth = Truth.of(np.array([[0.0, 0, 100, 100], [0, 0, 100, 70]]), np.array([0, 0]))
    rows = VocRows()
    rows.add(np.array([[0, 0, 100, 100], [0, 0, 100, 95]], np.float32), np.array([0.9, 0.8], np.float32), truth)
    assert (rows.averages() or (0, 0))[1] == pytest.approx(0.5)
    precision = AveragePrecision([0])
    boxes = np.array([[0, 0, 100, 100], [0, 0, 100, 95]], np.float32)
    precision.add(Detections(boxes, np.array([0.9, 0.8], np.float32), np.zeros(2, np.int32)), truth)
    assert precision.figures().map_50 == pytest.approx(1.0)


def test_voc_difficult_truths_count_for_nobody() -> None:
    truth = Truth.of(np.array([[0.0, 0, 50, 50], [80, 0, 99, 50]]), np.array([0, 0]), ignore=np.array([False, True]))
    rows = VocRows()
    rows.add(truth.boxes, np.array([0.5, 0.9], np.float32), truth)
    assert (rows.averages(), rows.truths) == ((1.0, 1.0), 1)


def cars(heights: list[float], **more: np.ndarray) -> Truth:
    boxes = np.array([[100.0 * place, 0, 100 * place + 50, height] for place, height in enumerate(heights)])
    return Truth.of(boxes, np.zeros(len(heights), np.int32), **more)  # type: ignore[arg-type]


def shown(boxes: np.ndarray, scores: list[float]) -> Detections:
    return Detections(boxes.astype(np.float32), np.array(scores, np.float32), np.zeros(len(scores), np.int32))


def kitti(detections: Detections, truth: Truth, level: int, truncation: np.ndarray | None = None) -> float | None:
    rows = KittiRows.of([kitti_frame(detections, truth, CAR, frozenset(), level, truncation)], 0.7)
    return rows.average(np.ones(1, np.int64))


@pytest.mark.parametrize(("level", "counted"), [(0, 1), (1, 3), (2, 4)])
def test_kitti_counts_what_the_difficulty_admits(level: int, counted: int) -> None:
    """One car for all, one too low for easy, one partly hidden, one largely, one unknown, one of 25 px."""
    truth = cars([60, 30, 60, 60, 60, 25], occlusion=np.array([0, 0, 0.25, 0.6, 1, 0], np.float32))
    frame = kitti_frame(Detections.none(), truth, CAR, frozenset(), level)
    assert np.count_nonzero(~frame.ignored) == counted


def test_kitti_truncated_objects_count_where_the_difficulty_admits_them() -> None:
    truncation = np.array([0.0, 0.2, 0.4, 0.6])
    counts = [
        np.count_nonzero(~kitti_frame(Detections.none(), cars([60] * 4), CAR, frozenset(), level, truncation).ignored)
        for level in range(3)
    ]
    assert counts == [1, 2, 3]


def test_kitti_everything_found_is_one_where_there_are_objects_enough() -> None:
    truth = cars([60] * 80)
    good = shown(truth.boxes, [0.9 - place / 100 for place in range(80)])
    assert kitti(good, truth, 0) == pytest.approx(1.0)
    lone = cars([60])
    # One truth: precision is sampled at recall 0 only, which the 40 points leave out, as the benchmark does.
    assert kitti(shown(lone.boxes, [0.9]), lone, 0) == pytest.approx(0.0)


def test_kitti_half_of_the_cars_found_gives_half_of_the_points() -> None:
    truth = cars([60] * 80)
    half = shown(truth.boxes[:40], [0.9 - place / 100 for place in range(40)])
    assert kitti(half, truth, 0) == pytest.approx(0.5, abs=0.026)


def test_kitti_regions_and_low_boxes_make_no_false_positives() -> None:
    cars_there = cars([60] * 80)
    region = Truth.of(
        np.vstack([cars_there.boxes, [[0.0, 200, 300, 400]]]),
        np.array([0] * 80 + [NO_CLASS]),
        ignore=np.array([False] * 80 + [True]),
    )
    extra = np.array([[10, 210, 80, 300], [600, 200, 650, 230]])  # inside the region, and lower than 40 px
    found = shown(np.vstack([extra, cars_there.boxes]), [0.99, 0.98] + [0.9 - place / 100 for place in range(80)])
    assert kitti(found, region, 0) == pytest.approx(1.0)
    assert kitti(found, cars_there, 0) != pytest.approx(1.0)


@pytest.mark.parametrize("made", [VocQuality, KittiQuality, InclusiveQuality])
def test_protocols_stream_like_any_measurement(made: type) -> None:
    often, once = made(SUBJECT), made(SUBJECT)
    for seq, drawn in enumerate(noisy(30, 4)):
        for each in (often, once):
            each.add(moment(seq, *drawn))
        often.figures()
    assert often.figures() == once.figures()
    assert any(NAMES[0] in name and figure.value for name, figure in once.figures().items())
    assert len(DIFFICULTIES) == 3


def counted(frame: KittiFrame, iou: float, threshold: float) -> tuple[int, int]:
    """Count true and false positives with a score of at least `threshold`: truths take their largest overlap."""
    shown = frame.scores >= np.float32(threshold)
    taken = ~shown
    true = 0
    for column, is_ignored in enumerate(frame.ignored.tolist()):
        near = np.flatnonzero((frame.overlap[:, column] > iou) & ~taken)
        if not len(near):
            continue
        tall = near[~frame.small[near]]
        best = tall[np.argmax(frame.overlap[tall, column])] if len(tall) else near[0]
        taken[best] = True
        true += not is_ignored and not frame.small[best]
    false = ~taken & ~frame.small & (frame.covered <= iou)
    return true, int(np.count_nonzero(false))


def by_the_book(frames: list[KittiFrame], iou: float) -> float | None:
    """Walk through the benchmark's steps one after the other: all frames are matched anew at every threshold."""
    truths = sum(frame.truths for frame in frames)
    if not truths:
        return None
    found = sorted((float(score) for frame in frames for score in frame.true_scores(iou)), reverse=True)
    precision: list[float] = []
    recall = 0.0
    for place, score in enumerate(found):
        here, last = (place + 1) / truths, place == len(found) - 1
        if not last and (place + 2) / truths - recall < recall - here:
            continue
        recall += 1.0 / POINTS
        true, false = np.sum([counted(frame, iou, score) for frame in frames], axis=0)
        precision.append(true / (true + false))
    precision = (precision + [0.0] * (POINTS + 1))[: POINTS + 1]
    return sum(max(precision[place:]) for place in range(1, POINTS + 1)) / POINTS


@pytest.mark.parametrize("seed", range(6))
def test_kitti_drawn_frames_count_as_often_as_they_are_drawn(seed: int) -> None:
    """Weights give what the same frames several times give, and what the benchmark's steps give: ties, few, many."""
    generator = np.random.default_rng(seed)
    frames = []
    digits = int(generator.integers(1, 4))
    for seq, (found, there) in enumerate(noisy(25, seed)):
        drawn = moment(seq, [(box, number, round(score, digits)) for box, number, score in found], there)
        truth = drawn.truth
        assert truth is not None
        frames.append(kitti_frame(drawn.inferences[Role.BASELINE].detections, truth, CAR, frozenset(), 2))
    rows = KittiRows.of(frames, 0.5)
    for weights in (np.ones(25, np.int64), *generator.integers(0, 4, (20, 25))):
        repeated = [frame for frame, times in zip(frames, weights, strict=True) for _ in range(times)]
        assert rows.average(weights) == pytest.approx(by_the_book(repeated, 0.5), abs=1e-12)
    assert rows.average(np.zeros(25, np.int64)) is None
