"""Slices: who belongs where, and a search that finds what was hidden and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.evaluation.disparity import disparity
from hilgui.evaluation.slice_bins import DISTANCE, image_quality
from hilgui.evaluation.slice_figures import SliceFigures
from hilgui.evaluation.slice_search import SearchRule, benjamini_hochberg, holm, search, weaker_p
from hilgui.evaluation.slices import Slicer, SliceRows
from hilgui.records import FrameHealth, Moment, Role, Vocabulary
from tests.unit.cornercases import drive

NEAR, FAR = (100.0, 100.0, 160.0, 200.0), (400.0, 100.0, 412.0, 130.0)  # 100 and 30 px tall


def sliced(*moments: Moment, conditions: dict[str, str] | None = None) -> dict[tuple[str, str], SliceFigures]:
    slicer = Slicer(Subject(Role.BASELINE, Vocabulary(drive.NAMES, drive.JUDGED), drive.THRESHOLD))
    slicer.start_drive("one", conditions or {"day_part": "night"})
    for each in moments:
        slicer.add(each)
    return {(each.dimension, each.value): each for each in slicer.figures()}


def test_borders_belong_to_the_upper_bin_and_what_is_not_known_has_its_own() -> None:
    assert DISTANCE.of(np.array([14.9, 15.0, 49.9, 50.0, math.nan])) == [
        "< 15 m",
        "15–30 m",
        "30–50 m",
        "≥ 50 m",
        "unknown",
    ]


def test_quality_of_an_image_has_one_word() -> None:
    words = [image_quality(FrameHealth(*figures, change=1.0)) for figures in ((20, 30, 0), (120, 5, 0), (200, 50, 0.4))]
    assert words == ["dark", "low contrast", "over-exposed"]
    assert image_quality(FrameHealth(100, 40, 0.01, 1.0)) == "good"


def test_a_truth_belongs_to_its_own_slices_and_a_false_positive_to_its_own() -> None:
    found = sliced(
        drive.moment(
            0,
            truth=[drive.Known(drive.CAR, NEAR, 1, 12.0, 0.0), drive.Known(drive.PERSON, FAR, 2, 60.0, 0.5)],
            seen={Role.BASELINE: [(drive.CAR, NEAR, 0.9), (drive.CAR, (600.0, 300.0, 640.0, 332.0), 0.8)]},
        )
    )
    assert (found["distance", "< 15 m"].recall, found["distance", "≥ 50 m"].recall) == (1.0, 0.0)
    assert found["class", "person"].truths == 1
    assert found["occlusion", "largely"].matched == 0
    assert found["height", "≥ 80 px"].precision == 1.0
    assert found["height", "25–40 px"].false_positives == 1
    assert found["height", "25–40 px"].recall == 0.0
    night = found["day_part", "night"]
    assert (night.truths, night.matched, night.false_positives, night.precision) == (2, 1, 1, 0.5)
    assert found["distance", "≥ 50 m"].examples == (("one", 0),)
    assert night.phantoms == night.holders == (("one", 0),)
    assert found["distance", "< 15 m"].phantoms == ()  # nobody knows
    assert found["camera", "unknown"].drives == 1
    # Nobody knows how far away the false positive is, so no slice of distance has a precision.
    assert (found["distance", "< 15 m"].precision, found["distance", "< 15 m"].map_50) == (None, None)
    assert found["distance", "unknown"].false_positives == 1


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_a_slice_that_holds_everything_has_the_figures_of_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = AveragePrecision(sorted(drive.JUDGED))
    moments = []
    for seq in range(5):
        corners = [(float(x), 50.0, float(x) + 40, 110.0) for x in rng.uniform(0, 800, 4)]
        truth = [drive.Known(int(rng.integers(3)), box) for box in corners]
        seen = [
            (each.classed, (box[0] + 3, *box[1:]), float(rng.uniform(0.05, 1)))
            for each, box in zip(truth, corners, strict=True)
        ]
        moments.append(drive.moment(seq, truth=truth, seen={Role.BASELINE: seen[:3]}))
        known = moments[-1].truth
        assert known is not None
        whole.add(moments[-1].inferences[Role.BASELINE].detections, known)
    found = sliced(*moments)
    assert found["day_part", "night"].map_50 == whole.figures().map_50
    assert found["height", "40–80 px"].map_50 == whole.figures().map_50


def rows_of(seed: int, weak: float = 0.5, *, drives: int = 4, per_drive: int = 600) -> SliceRows:
    """Draw truths with three dimensions; night and rain together have the recall `weak`, all else .9."""
    rng = np.random.default_rng(seed)
    count = drives * per_drive
    codes = rng.integers(0, (2, 2, 3), (count, 3)).astype(np.int16)
    hidden = (codes[:, 0] == 1) & (codes[:, 1] == 1)
    matched = rng.random(count) < np.where(hidden, weak, 0.9)
    place = np.arange(count)
    return SliceRows(
        ("day_part", "weather", "distance"),
        (("day", "night"), ("clear", "rain"), ("15–30 m", "30–50 m", "< 15 m")),
        codes,
        matched,
        place // 60,
        place // per_drive,
        place,
        tuple(f"drive {number}" for number in range(drives)),
    )


def test_the_search_finds_what_was_hidden_and_confirms_it() -> None:
    found = search(rows_of(1))
    best = found.weak[0]
    assert best.conditions[:2] == (("day_part", "night"), ("weather", "rain"))
    assert best.confirmed
    assert best.recall == pytest.approx(0.5, abs=0.1)
    assert best.outside == pytest.approx(0.9, abs=0.05)
    assert (found.discovery, found.others) == (("drive 0", "drive 2"), ("drive 1", "drive 3"))
    # What only contains the hidden slice is told too; a third condition that adds nothing is not.
    assert all(len(each.conditions) <= 2 or each.recall < best.recall for each in found.weak)


def test_the_search_finds_nothing_where_nothing_is() -> None:
    confirmed = [each for seed in range(8) for each in search(rows_of(seed, weak=0.9)).weak if each.confirmed]
    assert confirmed == []


def test_one_drive_confirms_nothing() -> None:
    found = search(rows_of(1, drives=1, per_drive=2000))
    assert found.weak
    assert all(each.confirmed is None for each in found.weak)


def test_small_slices_are_not_looked_at() -> None:
    assert search(rows_of(1, per_drive=60), SearchRule(least_truths=500)).looked_at == 0


def test_frames_that_hang_together_are_no_evidence_of_their_own() -> None:
    """One block in which everything is missed is one coin, however many truths it holds."""
    inside = np.repeat([True, False], 500)
    matched = np.repeat([False, True], 500)
    clusters = np.repeat([0, 1], 500)
    assert weaker_p(matched, inside, clusters)[2] == 0.5
    assert weaker_p(matched, inside, np.arange(1000) // 50)[2] == pytest.approx(0.5**10)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_corrections_equal_scipy_and_the_definition(p: list[float]) -> None:
    values = np.array(p)
    if len(p):
        assert benjamini_hochberg(values) == pytest.approx(stats.false_discovery_control(values, method="bh"))
    adjusted = holm(values)
    order = np.argsort(values, kind="stable")
    running = 0.0
    for rank, place in enumerate(order):
        running = max(running, min((len(p) - rank) * p[place], 1.0))
        assert adjusted[place] == pytest.approx(running)


def test_disparity_names_the_groups_and_its_interval_covers() -> None:
    rng = np.random.default_rng(0)
    groups = [*(["day"] * 600), *(["night"] * 400), *(["dusk"] * 10)]
    hits = rng.random(1010) < np.array([0.9] * 600 + [0.7] * 400 + [0.1] * 10)
    found = disparity(groups, hits, np.arange(1010) // 20)
    assert (found.best, found.worst, found.smallest, found.left_out) == ("day", "night", "dusk", ("dusk",))
    assert found.interval is not None
    assert found.gap is not None
    assert found.interval.low < 0.2 < found.interval.high
    assert found.interval.low <= found.gap <= found.interval.high
    assert (found.interval.clusters, found.counts["dusk"]) == (51, 10)


def test_one_group_has_no_gap() -> None:
    found = disparity(["day"] * 40, np.ones(40, np.bool_), np.arange(40))
    assert (found.gap, found.interval, found.smallest) == (None, None, "day")
