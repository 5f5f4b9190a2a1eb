"""Intervals: from whole drives or blocks, deterministic, and as wide as statistics ask."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.evaluation import DetectionQuality, clusters_of, paired, t_interval
from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.evaluation.clusters import BLOCK, DRIVE, jackknife, resample
from hilgui.records import Role

from .drawn import SUBJECT, moment, noisy, quality


def driven(drives: int, frames: int, miss: float = 0.2, seed: int = 5) -> DetectionQuality:
    made = DetectionQuality(SUBJECT)
    for drive in range(drives):
        made.start_drive(f"drive{drive}")
        for seq, (shown, there) in enumerate(noisy(frames, seed + drive, miss)):
            made.add(moment(seq, shown, there))
    return made


def test_few_drives_are_cut_into_blocks_and_many_are_whole() -> None:
    few, many = clusters_of(driven(2, 250).book), clusters_of(driven(6, 20).book)
    assert (few.unit, len(few)) == (BLOCK, 4)
    assert np.bincount(few.of_frame).tolist() == [125, 125, 125, 125]
    assert (many.unit, many.names) == (DRIVE, tuple(f"drive{number}" for number in range(6)))


@pytest.mark.parametrize("seed", range(4))
def test_weights_read_as_the_drives_repeated(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = noisy(60, seed)
    weights = rng.integers(0, 3, 60)
    once, repeated = AveragePrecision([0, 1]), AveragePrecision([0, 1])
    for times, (shown, there) in zip(weights.tolist(), frames, strict=True):
        one = moment(0, shown, there)
        assert one.truth is not None
        once.add(one.inferences[Role.BASELINE].detections, one.truth)
        for _ in range(times):
            repeated.add(one.inferences[Role.BASELINE].detections, one.truth)
    weighted, plain = once.ranked().averages(weights), repeated.ranked().averages()
    assert weighted.precision == pytest.approx(plain.precision, abs=1e-9, nan_ok=True)
    assert once.ranked().recalls(10, weights) == pytest.approx(repeated.ranked().recalls(10), nan_ok=True)


@pytest.mark.parametrize("seed", range(4))
def test_rows_by_cluster_read_as_rows_by_frame_to_the_last_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made, of_frame = AveragePrecision([0, 1]), np.sort(rng.integers(0, 5, 60))
    for shown, there in noisy(60, seed):
        one = moment(0, shown, there)
        assert one.truth is not None
        made.add(one.inferences[Role.BASELINE].detections, one.truth)
    for area in range(4):
        ranked = made.ranked(area)
        for weights in rng.integers(0, 4, (10, 5)):
            by_cluster, by_frame = ranked.grouped(of_frame).averages(weights), ranked.averages(weights[of_frame])
            assert np.array_equal(by_cluster.precision, by_frame.precision, equal_nan=True)


def test_a_draw_that_comes_twice_is_read_once() -> None:
    asked: list[tuple[int, ...]] = []

    def read(weights: np.ndarray) -> np.ndarray:
        asked.append(tuple(weights.tolist()))
        return weights * 2.0

    draws = np.array([[2, 0], [1, 1], [2, 0], [0, 2]])
    assert np.array_equal(resample(read, draws), draws * 2.0)
    assert sorted(asked) == [(0, 2), (1, 1), (2, 0)]


def test_intervals_are_the_same_each_time_and_hold_their_figure() -> None:
    drawn = driven(8, 25)
    first, second = drawn.with_intervals(200), drawn.with_intervals(200)
    assert first == second
    for name in ("map_50_95", "map_50.car", "recall", "precision.person"):
        figure = first[name]
        assert figure.interval is not None and figure.value is not None
        assert figure.interval.low <= figure.value <= figure.interval.high
        assert (figure.interval.unit, figure.interval.clusters) == (DRIVE, 8)
    assert drawn.with_intervals(200, seed=1)["map_50"].interval != first["map_50"].interval


def test_one_block_alone_has_no_interval() -> None:
    assert quality(noisy(60, 1)).with_intervals(50)["recall"].interval is None


def test_a_paired_difference_is_much_surer_than_its_sides() -> None:
    """Both models see the same drives: what makes a drive hard drops out."""
    better, worse = driven(8, 25, miss=0.1), driven(8, 25, miss=0.3)
    for name in ("recall", "map_50"):
        difference = paired(worse.per_cluster(name), better.per_cluster(name)).interval()
        assert difference is not None
        assert difference.low > 0, name


def test_pairing_other_clusters_is_refused() -> None:
    with pytest.raises(ValueError, match="clusters"):
        paired(driven(6, 20).per_cluster("recall"), driven(7, 20).per_cluster("recall"))


def test_pseudo_values_of_a_mean_are_its_values() -> None:
    values = np.array([1.0, 4.0, 2.0, 7.0])
    pseudo = jackknife(lambda weights: np.array([weights @ values / weights.sum()]), 4)
    assert pseudo[:, 0] == pytest.approx(values)


def test_students_interval_of_four_values() -> None:
    interval = t_interval(np.array([1.0, 2.0, 3.0, 4.0]), DRIVE)
    assert interval is not None
    # t(.975, 3) = 3.1824, s = 1.2910, half width = 2.0543
    assert (interval.low, interval.high) == pytest.approx((2.5 - 2.0543, 2.5 + 2.0543), abs=1e-4)
