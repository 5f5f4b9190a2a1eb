"""Intervals, corrections and sample sizes against published formulae and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from hilgui.gate import statistics
from tests.unit.gate.evidence import mean

NUMBERS = some.lists(some.floats(-1, 1), min_size=3, max_size=30)


@given(NUMBERS)
def test_pseudo_values_of_a_mean_are_the_values(values: list[float]) -> None:
    assert statistics.pseudo_values(mean, values) == pytest.approx(np.array(values), abs=1e-9)


def test_pseudo_values_of_a_ratio_weigh_drives_by_their_objects() -> None:
    """One object missed in a tiny drive costs little: the pooled recall counts objects, the mean of drives does not."""
    drives = [(90, 100)] * 11 + [(0, 1)]

    values = statistics.pseudo_values(lambda parts: sum(a for a, _ in parts) / sum(b for _, b in parts), drives)

    assert values.mean() == pytest.approx(990 / 1101, abs=0.001)
    assert np.mean([found / asked for found, asked in drives]) < 0.83


@given(NUMBERS)
def test_student_equals_scipy(values: list[float]) -> None:
    array = np.array(values)
    interval = statistics.student(array, 0.05)
    assert interval is not None
    if array.std() > 1e-9:
        expected = stats.ttest_1samp(array, 0.0).confidence_interval(0.90)
        assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
        assert statistics.p_below(array, 0.1) == pytest.approx(stats.ttest_1samp(array, 0.1, alternative="less").pvalue)
        assert statistics.p_above(array, 0.1) == pytest.approx(
            stats.ttest_1samp(array, 0.1, alternative="greater").pvalue
        )


@pytest.mark.parametrize("values", [[0.5], [0.5, math.nan], []])
def test_too_little_says_nothing(values: list[float]) -> None:
    array = np.array(values)

    assert statistics.student(array, 0.05) is None
    assert statistics.p_below(array, 0.0) == statistics.p_above(array, 0.0) == 1.0


@given(some.lists(some.floats(0, 1), min_size=1, max_size=12))
def test_holm_and_benjamini_hochberg_equal_scipy_and_the_definition(p_values: list[float]) -> None:
    adjusted = stats.false_discovery_control(p_values)
    assert statistics.benjamini_hochberg(p_values, 0.1) == [
        bool(one <= 0.1) if abs(one - 0.1) > 1e-12 else said
        for one, said in zip(adjusted, statistics.benjamini_hochberg(p_values, 0.1), strict=True)
    ]
    rejected = statistics.holm(p_values, 0.05)
    assert all(one <= 0.05 for one, is_rejected in zip(p_values, rejected, strict=True) if is_rejected)
    if min(p_values) <= 0.05 / len(p_values):
        assert any(rejected)


def test_drives_needed_give_the_power_they_promise() -> None:
    random = np.random.default_rng(7)
    needed = statistics.drives_needed(0.01, 0.005, 0.05)
    assert needed is not None
    campaigns = random.normal(0.005, 0.01, (4000, needed))
    power = np.mean([statistics.p_above(one, 0.0) < 0.05 for one in campaigns])
    assert power == pytest.approx(0.80, abs=0.03)


def test_drives_needed_agree_with_the_rule_of_thumb() -> None:
    needed = statistics.drives_needed(0.02, 0.005, 0.05)
    assert needed is not None
    assert statistics.smallest_detectable(0.02, needed, 0.05) == pytest.approx(0.005, rel=0.03)
    assert statistics.smallest_detectable(1.0, 1, 0.05) == pytest.approx(2.49, abs=0.005)


@pytest.mark.parametrize(("room", "needed"), [(0.0, None), (-1.0, None), (1e-9, None), (math.inf, None)])
def test_without_room_no_number_of_drives_suffices(room: float, needed: int | None) -> None:
    assert statistics.drives_needed(0.01, room, 0.05) == needed


def test_the_confidence_sequence_holds_at_all_looks_together() -> None:
    random = np.random.default_rng(3)
    runs = [statistics.upper_sequence(random.normal(0, 1, 40), 0.05, 20) for _ in range(300)]
    ever_wrong = np.mean([bool((bounds[4:] < 0).any()) for bounds in runs])
    assert ever_wrong <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)


def test_the_confidence_sequence_finds_a_clear_loss() -> None:
    bounds = statistics.upper_sequence(np.random.default_rng(3).normal(-2, 1, 40), 0.05, 20)
    assert (bounds[10:] < 0).all()
    assert math.isinf(bounds[0])
