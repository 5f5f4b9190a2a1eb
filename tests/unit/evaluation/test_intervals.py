"""Every resampled figure equals the figure of the drawn drives judged anew; what has no interval says why."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hilgui.evaluation import DetectionQuality, Scorecard, clusters_of
from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.classification_quality import ClassificationQuality
from hilgui.evaluation.clusters import DRIVE, PICTURES, RESAMPLES, SEED, Clusters, percentile_interval, why_no_interval
from hilgui.evaluation.depth_quality import DepthQuality
from hilgui.evaluation.detection_intervals import belief_values, coco_values, gain_values
from hilgui.evaluation.figure import Interval
from hilgui.evaluation.kitti import KittiQuality
from hilgui.evaluation.lane_quality import LaneQuality
from hilgui.evaluation.protocols import InclusiveQuality
from hilgui.evaluation.segmentation_quality import SegmentationQuality
from hilgui.evaluation.track_parts import track_values
from hilgui.evaluation.tracking_quality import TrackingQuality
from hilgui.evaluation.voc import VocQuality
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
from hilgui.report.behind import frames_of
from tests.unit.cornercases import drive
from tests.unit.store.rows import header

from .drawn import SUBJECT, moment, noisy

DRIVES = 6
DRAW = np.array([[2, 0, 1, 1, 0, 2], [1, 1, 1, 1, 1, 1], [0, 3, 0, 0, 3, 0]], np.int64)


def judged(make: Callable[[], Any], drives: list[list[Moment]], weights: list[int]) -> Any:
    """Judge every drive as often as it was drawn."""
    quality = make()
    for number, (moments, times) in enumerate(zip(drives, weights, strict=True)):
        for again in range(times):
            quality.start_drive(f"{number}/{again}")
            for each in moments:
                quality.add(each)
    return quality


def same(values: dict[str, Any], row: int, figures: dict[str, Any], names: list[str]) -> None:
    for name in names:
        expected = figures[name].value
        found = values[name][row]
        assert math.isnan(found) if expected is None else found == pytest.approx(expected, abs=1e-9), name


def test_all_figures_of_a_detector_are_those_of_the_drawn_drives() -> None:
    drives = [[moment(seq, *frame) for seq, frame in enumerate(noisy(12, seed))] for seed in range(DRIVES)]
    whole = judged(lambda: DetectionQuality(SUBJECT), drives, [1] * DRIVES)
    clusters = whole.clusters()
    assert (clusters.unit, len(clusters)) == (DRIVE, DRIVES)
    values = coco_values(whole.precision, clusters, DRAW) | belief_values(whole.precision, 0.5, clusters, DRAW)
    values |= gain_values(whole.errors().mended, 100, clusters, DRAW)
    for row, weights in enumerate(DRAW.tolist()):
        figures = judged(lambda: DetectionQuality(SUBJECT), drives, weights).figures()
        same(values, row, figures, [name for name in values if not name.endswith(".")])
        for name in ("map_50_95", "map_75", "map_medium", "ar_1", "ar_100", "ar_small"):
            for column, label in enumerate(("car", "person")):
                same({f"{name}.{label}": values[f"{name}."][:, column]}, row, figures, [f"{name}.{label}"])


def test_every_figure_of_a_detector_has_an_interval_or_a_reason() -> None:
    drives = [[moment(seq, *frame) for seq, frame in enumerate(noisy(12, seed))] for seed in range(DRIVES)]
    figures = judged(lambda: DetectionQuality(SUBJECT), drives, [1] * DRIVES).with_intervals(100)
    for name, figure in figures.items():
        assert (figure.interval is None) == bool(figure.why_no_interval), name
        if figure.interval is not None:
            assert figure.interval.low <= figure.interval.high
    sure = [name for name, figure in figures.items() if figure.interval is not None]
    assert {"ar_1", "ar_100", "map_medium", "tide.background", "calibration_error", "best_f1", "recall"} <= set(sure)
    short = judged(lambda: DetectionQuality(SUBJECT), drives[:1], [1]).with_intervals(100)
    assert "only 1 × block of 100 frames" in short["ar_100"].why_no_interval
    assert short["ar_100"].as_json()["why_no_interval"] == short["ar_100"].why_no_interval


@pytest.mark.parametrize(
    ("made", "names"),
    [
        (VocQuality, ("voc.ap_11", "voc.ap_all")),
        (InclusiveQuality, ("scalabel.map_50_95", "scalabel.ar_10")),
        (KittiQuality, ("kitti.moderate", "kitti.hard")),
    ],
)
def test_figures_of_other_protocols_are_those_of_the_drawn_drives(
    made: type[VocQuality], names: tuple[str, ...]
) -> None:
    drives = [[moment(seq, *frame) for seq, frame in enumerate(noisy(12, seed))] for seed in range(DRIVES)]
    sure = judged(lambda: made(SUBJECT), drives, [1] * DRIVES).with_intervals()
    draws = np.random.default_rng(SEED).multinomial(DRIVES, np.full(DRIVES, 1 / DRIVES), RESAMPLES)[:150]
    for name in names:
        interval = sure[name].interval
        assert interval is not None
        assert (interval.unit, interval.clusters) == (DRIVE, DRIVES)
        repeated = [judged(lambda: made(SUBJECT), drives, row).figures()[name].value for row in draws[:20].tolist()]
        assert interval.low <= float(np.median(repeated)) <= interval.high
    few = judged(lambda: made(SUBJECT), drives[:1], [1]).with_intervals()
    assert "an interval needs 5 at least" in few[names[0]].why_no_interval


def test_voc_reads_weights_as_repeated_frames() -> None:
    drives = [[moment(seq, *frame) for seq, frame in enumerate(noisy(12, seed))] for seed in range(3)]
    once = judged(lambda: VocQuality(SUBJECT), drives, [1, 1, 1])
    again = judged(lambda: VocQuality(SUBJECT), drives, [0, 2, 1])
    weights = np.repeat([0, 2, 1], 12)
    for number, rows in once._classes.items():
        assert rows.averages(weights) == pytest.approx(again._classes[number].averages(), abs=1e-12)
        assert rows.averages(weights * 0) is None


def test_four_clusters_are_too_few_for_an_interval() -> None:
    clusters = Clusters(np.arange(4), tuple("abcd"), DRIVE)
    assert percentile_interval(np.linspace(0, 1, 1000), clusters) is None
    assert why_no_interval(clusters) == (
        "only 4 × drive: an interval needs 5 at least; judge longer drives, or more of them"
    )
    assert percentile_interval(np.linspace(0, 1, 1000), Clusters(np.arange(5), tuple("abcde"), DRIVE)) is not None


def test_pictures_of_an_unordered_set_are_resampled_in_tens() -> None:
    def book(ordered: list[bool], frames: int) -> FrameBook:
        made = FrameBook()
        for number, is_ordered in enumerate(ordered):
            made.start_drive(f"d{number}")
            for seq in range(frames):
                plain = drive.moment(seq, ordered=is_ordered).ref
                made.add(plain)
        return made

    pictures = clusters_of(book([False], 100))
    assert (pictures.unit, len(pictures)) == (PICTURES, 10)
    assert np.bincount(pictures.of_frame).tolist() == [10] * 10
    several = clusters_of(book([False] * 7, 20))
    assert (several.unit, len(several)) == (PICTURES, 14)
    mixed = clusters_of(book([True, False], 100))
    assert (mixed.unit, len(mixed)) == ("block of 10 pictures or block of 100 frames", 11)
    assert clusters_of(book([False] * 3, 20), DRIVE).names == ("d0", "d1", "d2")


def walk(seed: int, frames: int = 15) -> list[Moment]:
    """Three objects that pass each other while a model loses, swaps and invents some."""
    rng = np.random.default_rng(seed)
    moments = []
    for seq in range(frames):
        boxes = [(10.0 + 9 * seq, 20.0, 60.0 + 9 * seq, 90.0), (200.0 - 9 * seq, 25.0, 250.0 - 9 * seq, 95.0)]
        boxes.append((300.0, 30.0 + 3 * seq, 340.0, 90.0 + 3 * seq))
        truth = [drive.Known(drive.PERSON if k < 2 else drive.CAR, box, k) for k, box in enumerate(boxes)]
        seen = []
        for known, box in zip(truth, boxes, strict=True):
            if rng.random() > 0.3:
                shift = rng.normal(0, 4)
                seen.append((known.classed, (box[0] + shift, box[1], box[2] + shift, box[3]), 0.9))
        if rng.random() < 0.3:
            seen.append((drive.CAR, (500.0, 300.0, 560.0, 340.0), 0.8))
        moments.append(drive.moment(seq, truth=truth, seen={Role.BASELINE: seen}))
    return moments


def tracking() -> TrackingQuality:
    return TrackingQuality(Subject(Role.BASELINE, Vocabulary(drive.NAMES, drive.JUDGED), drive.THRESHOLD))


def test_all_tracking_figures_are_those_of_the_drawn_drives() -> None:
    drives = [walk(seed) for seed in range(DRIVES)]
    whole = judged(tracking, drives, [1] * DRIVES)
    parts = whole._judge.parts()
    values = track_values(list(parts.values()), clusters_of(whole.book), DRAW)
    persons = track_values([parts[drive.PERSON]], clusters_of(whole.book), DRAW)
    for row, weights in enumerate(DRAW.tolist()):
        figures = judged(tracking, drives, weights).figures()
        same(values, row, figures, list(values))
        same({f"{name}.person": each for name, each in persons.items()}, row, figures, [f"{n}.person" for n in persons])
    sure = whole.with_intervals()
    assert sure["hota"].interval is not None and sure["mota.car"].interval is not None
    assert sure["hota"].interval.low < sure["hota"].value < sure["hota"].interval.high


def test_the_frames_behind_tracking_figures_add_up_to_their_counts() -> None:
    whole = judged(tracking, [walk(seed) for seed in range(DRIVES)], [1] * DRIVES)
    clear = whole.details()["tracking"]["clear"]
    identity = whole.details()["tracking"]["identity"]

    def blamed(figure: str) -> float:
        found = whole.behind(figure)
        assert found is not None
        return float(found[1].sum())

    assert blamed("mota") == clear["misses"] + clear["false_positives"] + clear["switches"]
    assert blamed("id_switches") == clear["switches"]
    assert blamed("fragmentations") == clear["fragmentations"]
    assert blamed("idf1") == identity["misses"] + identity["false_positives"]
    assert (blamed("idp"), blamed("idr")) == (identity["false_positives"], identity["misses"])
    assert whole.behind("recall") is None


NAMES = ("background", "road", "car")


def other(seq: int, truths: dict[str, Any], **output: Any) -> Moment:
    plain = drive.moment(seq)
    return replace(plain, inferences={Role.BASELINE: replace(plain.inferences[Role.BASELINE], **output)}, **truths)


def pixels(rng: np.random.Generator, seq: int) -> Moment:
    said, truth = (rng.choice([0, 0, 1, 2], (6, 7)).astype(np.uint8) for _ in range(2))
    return other(
        seq,
        {"mask_truth": MaskTruth(truth, NAMES)},
        segmentation=Segmentation((LabelMap("seg", (*NAMES[:2], "mark"), said),)),
    )


def lanes(rng: np.random.Generator, seq: int) -> Moment:
    def line(across: float) -> np.ndarray[Any, Any]:
        rows = np.arange(300.0, 540.0, 10.0)
        return np.column_stack([np.full(len(rows), across), rows]).astype(np.float32)

    said = tuple(line(x) for x in rng.uniform(100, 800, int(rng.integers(1, 4))))
    truth = tuple(line(x) for x in (200.0, 500.0, 700.0))
    return other(seq, {"lane_truth": LaneTruth(truth)}, lanes=Lanes(said, np.ones(len(said), np.float32)))


def depth(rng: np.random.Generator, seq: int) -> Moment:
    raw = rng.integers(256, 9000, (6, 7)).astype(np.uint16)
    values = (raw / 256 * rng.uniform(0.6, 1.5, raw.shape)).astype(np.float32)
    return other(seq, {"depth_truth": DepthTruth(raw)}, depth=Depth(values, DepthUnit.METRES))


def picture(rng: np.random.Generator, seq: int) -> Moment:
    said = Classification(rng.permutation(9)[:6].astype(np.int32), np.sort(rng.random(6).astype(np.float32))[::-1])
    truth = ClassTruth(np.array([rng.integers(9)], np.int32), tuple("abcdefghi"))
    return other(seq, {"class_truth": truth}, classification=said)


@pytest.mark.parametrize(
    ("task", "kind", "draw"),
    [
        (Task.SEGMENTATION, SegmentationQuality, pixels),
        (Task.LANES, LaneQuality, lanes),
        (Task.DEPTH, DepthQuality, depth),
        (Task.CLASSIFICATION, ClassificationQuality, picture),
    ],
)
def test_other_tasks_have_intervals_that_hold_their_figures_and_frames_behind_them(
    task: Task, kind: Callable[[Subject], Any], draw: Callable[[np.random.Generator, int], Moment]
) -> None:
    subject = Subject(Role.BASELINE, Vocabulary(drive.NAMES, drive.JUDGED), 0.5, task, tuple("abcdefghi"))
    drives = [[draw(np.random.default_rng(seed), seq) for seq in range(5)] for seed in range(DRIVES)]
    whole = judged(lambda: kind(subject), drives, [1] * DRIVES)
    figures = whole.with_intervals()
    assert figures and {name: replace(each, interval=None) for name, each in figures.items()} == whole.figures()
    for name, figure in figures.items():
        assert figure.interval is not None, name
        assert (figure.interval.unit, figure.interval.clusters) == (DRIVE, DRIVES)
        if name != "ece":  # the mean of resampled gaps lies above the gap
            assert figure.interval.low <= figure.value <= figure.interval.high, name
        frames, sizes = whole.behind(name)
        assert len(frames) == len(sizes) == 5 * DRIVES
        assert (sizes >= 0).all()
    assert whole.behind("recall") is None
    lonely = judged(lambda: kind(subject), drives[:1], [1]).with_intervals()
    assert all(each.why_no_interval for each in lonely.values())


def test_miou_of_drawn_drives_is_that_of_their_pixels() -> None:
    subject = Subject(Role.BASELINE, Vocabulary(drive.NAMES, drive.JUDGED), 0.5, Task.SEGMENTATION)
    drives = [[pixels(np.random.default_rng(seed), seq) for seq in range(5)] for seed in range(DRIVES)]
    whole = judged(lambda: SegmentationQuality(subject), drives, [1] * DRIVES)
    values = whole._values("seg", clusters_of(whole.book), DRAW)
    assert "iou.road+mark" in values
    for row, weights in enumerate(DRAW.tolist()):
        same(values, row, judged(lambda: SegmentationQuality(subject), drives, weights).figures(), list(values))


def test_frames_behind_a_figure_are_listed_once_worst_first() -> None:
    card = Scorecard(replace(header(), run_id="one"))
    for each in walk(3):
        card.add(each)
    found = frames_of(card, Role.BASELINE, "mota")
    assert len({(each.drive, each.seq) for each in found}) == len(found)
    assert [each.contribution for each in found] == sorted((each.contribution for each in found), reverse=True)
    for figure in card.figures()[Role.BASELINE]:
        told = frames_of(card, Role.BASELINE, figure)
        assert len({(each.drive, each.seq) for each in told}) == len(told), figure


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.4371, 0.49749, "0.437 … 0.497"),
        (0.0, 1.0, "0.000 … 1.000"),
        (11.0, 56.0, "11 … 56"),
        (4.975, 17.0, "5.0 … 17.0"),
        (895.53, 3065.109, "896 … 3,065"),
    ],
)
def test_an_interval_has_the_digits_that_it_deserves(low: float, high: float, words: str) -> None:
    assert Interval(low, high, 0.95, DRIVE, 6, "percentile bootstrap").words == words
