"""Pixels, lanes, depth, whole pictures: each figure against a plain second way of working it out."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.classification_quality import ClassificationQuality
from hilgui.evaluation.confusion import PixelConfusion
from hilgui.evaluation.depth_errors import DepthRule, depth_errors
from hilgui.evaluation.depth_quality import DepthQuality
from hilgui.evaluation.lane_quality import LaneQuality
from hilgui.evaluation.lane_scores import culane_counts, tusimple_score
from hilgui.evaluation.segmentation_quality import SegmentationQuality
from hilgui.records import (
    Classification,
    ClassTruth,
    Depth,
    DepthTruth,
    DepthUnit,
    LabelMap,
    Lanes,
    LaneTruth,
    MaskTruth,
    Moment,
    Role,
    Segmentation,
    Task,
    Vocabulary,
)
from tests.unit.cornercases import drive

NAMES = ("background", "road", "car")


def subject(task: Task, *classes: str) -> Subject:
    return Subject(Role.BASELINE, Vocabulary(drive.NAMES, drive.JUDGED), 0.5, task, classes)


def moment(truths: dict[str, Any], **output: Any) -> Moment:
    plain = drive.moment(0)
    inference = replace(plain.inferences[Role.BASELINE], **output)
    return replace(plain, inferences={Role.BASELINE: inference}, **truths)


# Pixels


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_iou_equals_counting_pixel_by_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    confusion, said, truth = PixelConfusion(NAMES, NAMES), [], []
    for _ in range(3):
        said.append(rng.integers(0, 3, (6, 7)).astype(np.uint8))
        truth.append(rng.choice([0, 1, 2, 255], (6, 7)).astype(np.uint8))
        confusion.add(said[-1], truth[-1])
    all_said, all_truth = np.array(said), np.array(truth)
    known = all_truth != 255
    figures = confusion.figures()
    expected = []
    for place, name in enumerate(NAMES):
        both = np.count_nonzero((all_said == place) & (all_truth == place) & known)
        either = np.count_nonzero(((all_said == place) | (all_truth == place)) & known)
        expected.append(both / either)
        assert figures.iou[name] == pytest.approx(both / either, abs=1e-12)
    assert figures.mean_iou == pytest.approx(np.mean(expected), abs=1e-12)
    assert figures.pixel_accuracy == pytest.approx((all_said == all_truth)[known].mean(), abs=1e-12)
    shares = [np.count_nonzero(all_truth[known] == place) / known.sum() for place in range(3)]
    assert figures.frequency_weighted_iou == pytest.approx(float(np.dot(shares, expected)), abs=1e-12)


def test_a_class_that_never_occurs_is_left_out_of_the_mean() -> None:
    confusion = PixelConfusion(NAMES, NAMES)
    confusion.add(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8))
    figures = confusion.figures()
    assert figures.iou == {"background": 1.0, "road": None, "car": None}
    assert figures.mean_iou == 1.0


def test_one_matrix_over_the_data_set_is_no_mean_over_frames() -> None:
    confusion = PixelConfusion(("a", "b"), ("a", "b"))
    confusion.add(np.array([[0, 0, 0, 1]], np.uint8), np.array([[0, 0, 0, 0]], np.uint8))
    confusion.add(np.array([[0]], np.uint8), np.array([[1]], np.uint8))
    assert confusion.figures().iou["a"] == 3 / 5


def test_classes_of_the_labels_alone_are_background_and_parts_are_joined() -> None:
    confusion = PixelConfusion(("background", "drivable area", "mark"), ("road", "sky"))
    confusion.add(np.array([[1, 2, 0, 1]], np.uint8), np.array([[0, 0, 1, 1]], np.uint8))
    figures = confusion.figures()
    assert figures.iou == {"background": 1 / 2, "drivable area": 1 / 3}
    assert confusion.with_parts() == {"drivable area+mark": (2 / 3, 2)}


def test_several_heads_have_figures_of_their_own() -> None:
    quality = SegmentationQuality(subject(Task.SEGMENTATION))
    maps = tuple(
        LabelMap(head, ("background", name), np.array([[0, 1]], np.uint8))
        for head, name in (("da", "road"), ("ll", "pole"))
    )
    truth = MaskTruth(np.array([[0, 1]], np.uint8), ("road", "pole"))
    quality.add(moment({"mask_truth": truth}, segmentation=Segmentation(maps)))
    figures = quality.figures()
    assert figures["da.iou.road"].value == 0.0
    assert figures["ll.iou.pole"].value == 1.0
    assert quality.details()["pixel_confusion"]["ll"]["counts"] == [[1, 0], [0, 1]]


def test_maps_without_a_class_of_the_labels_are_told_from_those_that_have_one() -> None:
    quality = SegmentationQuality(subject(Task.SEGMENTATION))
    assert quality.has_common_class
    truth = MaskTruth(np.array([[0, 1]], np.uint8), ("road", "pole"))
    for name, is_common in (("sky", False), ("pole", True)):
        maps = (LabelMap(name, (name,), np.array([[0, 0]], np.uint8)),)
        quality.add(moment({"mask_truth": truth}, segmentation=Segmentation(maps)))
        assert quality.has_common_class is is_common


# Lanes

ROWS = np.arange(160.0, 720.0, 10.0)


def lane(across: float, slope: float = 0.0, first: float = 250.0) -> NDArray[np.float64]:
    rows = ROWS[ROWS >= first]
    return np.column_stack([across + slope * (rows - 710), rows])[::-1]


def test_lanes_that_lie_on_the_labels_are_perfect() -> None:
    lanes = [lane(300, -0.8), lane(900, 0.8)]
    score = tusimple_score(lanes, lanes, 1280, 720)
    assert (score.accuracy, score.false_positive, score.false_negative) == (1.0, 0.0, 0.0)


def test_twenty_pixels_over_the_cosine_are_near() -> None:
    steep = 1.0  # 45 degrees: 28.3 px
    near = tusimple_score([lane(328, steep)], [lane(300, steep)], 1280, 720)
    far = tusimple_score([lane(329, steep)], [lane(300, steep)], 1280, 720)
    assert (near.accuracy, near.false_negative) == (1.0, 0.0)
    assert far.false_negative == far.false_positive == 1.0
    assert far.accuracy == pytest.approx(9 / 56)  # rows without a point on both sides


def test_a_lane_matches_from_85_percent_of_its_rows() -> None:
    short = tusimple_score([lane(300, first=330)], [lane(300)], 1280, 720)  # 8 of 56 rows are lost
    assert short.accuracy == pytest.approx(48 / 56)
    assert short.false_negative == 0.0
    assert tusimple_score([lane(300, first=340)], [lane(300)], 1280, 720).false_negative == 1.0


def test_of_five_lanes_one_is_forgiven_and_too_many_score_nothing() -> None:
    five = [lane(200.0 * k) for k in range(1, 6)]
    forgiven = tusimple_score(five[:4], five, 1280, 720)
    assert (forgiven.accuracy, forgiven.false_negative) == (1.0, 0.0)
    flooded = tusimple_score(five, five[:2], 1280, 720)
    assert (flooded.accuracy, flooded.false_positive, flooded.false_negative) == (0.0, 0.0, 1.0)


def test_pictures_of_another_size_are_scaled() -> None:
    half = [lane(300) / 2]
    assert tusimple_score(half, half, 640, 360).accuracy == 1.0


def test_culane_counts_lanes_thirty_pixels_wide() -> None:
    def upright(across: float) -> NDArray[np.float64]:
        return np.array([[across, 0.0], [across, 589.0]])

    same = culane_counts([upright(400)], [upright(400)], 1640, 590)
    assert (same.true_positives, same.false_positives, same.misses) == (1, 0, 0)
    # Two strips 30 px wide that lie d apart share 30 − d of 30 + d: IoU .5 at 10 px.
    assert culane_counts([upright(408)], [upright(400)], 1640, 590).true_positives == 1
    assert culane_counts([upright(412)], [upright(400)], 1640, 590).true_positives == 0
    assert culane_counts([upright(204)], [upright(200)], 820, 590).true_positives == 1
    none = culane_counts([], [upright(400)], 1640, 590)
    assert (none.true_positives, none.misses) == (0, 1)


def test_lane_figures_are_means_over_frames_and_counts_over_all() -> None:
    quality = LaneQuality(subject(Task.LANES))
    line = lane(300).astype(np.float32) * np.float32(0.75)  # the drive is 960×540
    said = Lanes((line,), np.ones(1, np.float32))
    quality.add(moment({"lane_truth": LaneTruth((line,))}, lanes=said))
    quality.add(moment({"lane_truth": LaneTruth((line,))}, lanes=Lanes((), np.empty(0, np.float32))))
    figures = quality.figures()
    assert figures["tusimple_accuracy"].value == 0.5
    assert figures["culane_f1"].value == pytest.approx(2 / 3)
    assert figures["culane_recall"].count == 2


# Depth


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_depth_errors_equal_their_formulas(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1, 100, (8, 9)).astype(np.float32)
    truth[rng.random((8, 9)) < 0.3] = np.nan
    said = (np.nan_to_num(truth, nan=20.0) * rng.lognormal(0, 0.3, (8, 9))).astype(np.float32)
    found = depth_errors(said, truth, DepthUnit.METRES)
    pairs = [
        (min(max(float(p), 1e-3), 80.0), float(t))
        for p, t in zip(said.ravel(), truth.ravel(), strict=True)
        if not math.isnan(t) and t <= 80
    ]
    assert found is not None
    assert found.pixels == len(pairs)
    logs = [math.log(p) - math.log(t) for p, t in pairs]
    mean = sum(logs) / len(logs)
    near = {"rel": 1e-9}
    assert found.abs_rel == pytest.approx(sum(abs(p - t) / t for p, t in pairs) / len(pairs), **near)
    assert found.sq_rel == pytest.approx(sum((p - t) ** 2 / t for p, t in pairs) / len(pairs), **near)
    assert found.rmse == pytest.approx(math.sqrt(sum((p - t) ** 2 for p, t in pairs) / len(pairs)), **near)
    assert found.rmse_log == pytest.approx(math.sqrt(sum(x * x for x in logs) / len(logs)), **near)
    silog = 100 * math.sqrt(max(sum(x * x for x in logs) / len(logs) - mean**2, 0))
    assert found.silog == pytest.approx(silog, rel=1e-6)
    for power, value in enumerate((found.delta_1, found.delta_2, found.delta_3), 1):
        assert value == sum(max(p / t, t / p) < 1.25**power for p, t in pairs) / len(pairs)


def test_relative_and_inverse_depth_are_scaled_to_the_median() -> None:
    truth = np.linspace(2, 60, 100, dtype=np.float32).reshape(10, 10)
    for said, unit in ((truth * 0.01, DepthUnit.RELATIVE), (7 / truth, DepthUnit.INVERSE)):
        found = depth_errors(said, truth, unit)
        assert found is not None
        assert found.abs_rel == pytest.approx(0, abs=1e-5)
    raw = depth_errors(truth * 0.5, truth, DepthUnit.METRES)
    assert raw is not None
    assert (raw.abs_rel, raw.silog) == (pytest.approx(0.5), pytest.approx(0, abs=1e-4))


def test_cap_and_crop_leave_pixels_out() -> None:
    truth = np.full((100, 100), 10.0, np.float32)
    truth[:50] = 90.0
    whole, cropped = (depth_errors(truth, truth, DepthUnit.METRES, DepthRule(crop=crop)) for crop in ("none", "garg"))
    assert whole is not None
    assert cropped is not None
    assert whole.pixels == 50 * 100
    assert cropped.pixels == 49 * 93
    assert depth_errors(truth[:50], truth[:50], DepthUnit.METRES) is None


def test_depth_of_kitti_with_a_map_that_is_a_tenth_too_far(shared_data: Path) -> None:
    """No real depth model is at hand: the map is the lidar's own, ten percent too far, on real sparse truth."""
    import cv2

    folder = shared_data / "drives" / "kitti_2011_09_26_drive_0052" / "lidar_depth_keyframes"
    quality = DepthQuality(subject(Task.DEPTH))
    for path in sorted(folder.glob("*.png")):
        raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert raw is not None
        truth = DepthTruth(np.asarray(raw, np.uint16))
        said = Depth(np.nan_to_num(truth.metres, nan=5.0) * np.float32(1.1), DepthUnit.METRES)
        quality.add(moment({"depth_truth": truth}, depth=said))
    figures = quality.figures()
    assert figures["abs_rel"].count == 4
    assert figures["abs_rel"].value == pytest.approx(0.1, abs=2e-3)  # what is clipped at 80 m is a little less
    assert figures["delta_1"].value == 1.0
    assert figures["silog"].value == pytest.approx(0.0, abs=0.2)
    assert quality.details()["depth"]["rule"] == ["up to 80 m, crop none, as given"]
    assert quality.details()["depth"]["pixels"] > 10_000


# Whole pictures


def test_top_1_top_5_and_calibration_error() -> None:
    quality = ClassificationQuality(subject(Task.CLASSIFICATION, *"abcdefg"))
    for right, score in ((0, 0.9), (0, 0.9), (3, 0.6), (6, 0.6)):
        said = Classification(np.arange(6, dtype=np.int32), np.array([score, *[0.01] * 5], np.float32))
        truth = ClassTruth(np.array([right], np.int32), tuple("ABCDEFG"))
        quality.add(moment({"class_truth": truth}, classification=said))
    figures = quality.figures()
    assert (figures["top_1"].value, figures["top_5"].value, figures["top_1"].count) == (0.5, 0.75, 4)
    assert figures["ece"].value == pytest.approx((2 * 0.1 + 2 * 0.6) / 4, abs=1e-6)


@pytest.mark.parametrize(
    ("quality", "output"),
    [
        (SegmentationQuality, "segmentation"),
        (LaneQuality, "lanes"),
        (DepthQuality, "depth"),
        (ClassificationQuality, "classification"),
    ],
)
def test_without_truth_there_are_no_figures(quality: Any, output: str) -> None:
    mine = quality(subject(Task.SEGMENTATION))
    mine.start_drive("one")
    mine.add(moment({}))
    assert (mine.figures(), mine.details()) == ({}, {})
