"""PSI by hand and ADWIN against river."""

from __future__ import annotations

import math

import numpy as np
import pytest
from river.drift import ADWIN

from hilgui.drift import Adwin, psi


def test_equal_samples_have_no_shift() -> None:
    values = np.random.default_rng(1).uniform(0, 1, 1000)
    assert psi(values, values) == pytest.approx(0.0, abs=1e-12)


def test_the_index_is_what_the_formula_gives_by_hand() -> None:
    reference, current = [0.1] * 50 + [0.9] * 50, [0.1] * 20 + [0.9] * 80
    before, now = np.array([50.5, 50.5]) / 101, np.array([20.5, 80.5]) / 101
    assert psi(reference, current, bins=2) == pytest.approx(float(np.sum((now - before) * np.log(now / before))))


def test_a_shift_by_half_a_deviation_is_large_and_a_small_one_is_not() -> None:
    random = np.random.default_rng(2)
    reference = random.normal(0, 1, 1000)
    assert psi(reference, random.normal(0.5, 1, 1000)) > 0.2
    assert psi(reference, random.normal(0.05, 1, 1000)) < 0.1


def test_values_outside_the_reference_are_finite() -> None:
    assert math.isfinite(psi([0.5] * 100, [7.0] * 100))


def test_an_empty_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="both sides"):
        psi([], [1.0])


def stream(kind: str, seed: int) -> list[float]:
    random = np.random.default_rng(seed)
    if kind == "steady":
        return random.uniform(0, 1, 3000).tolist()
    if kind == "step":
        return np.clip(np.concatenate([random.normal(0.3, 0.1, 1500), random.normal(0.6, 0.1, 1500)]), 0, 1).tolist()
    return (random.uniform(0, 1, 3000) < np.linspace(0.2, 0.8, 3000)).astype(float).tolist()


@pytest.mark.parametrize("kind", ["steady", "step", "slow"])
@pytest.mark.parametrize("seed", range(4))
def test_the_window_is_cut_where_river_cuts_it(kind: str, seed: int) -> None:
    values = stream(kind, seed)
    ours, theirs = Adwin(0.002), ADWIN(delta=0.002)
    cuts, known, is_cut = [], [], False
    for place, value in enumerate(values):
        if is_cut:
            ours = Adwin(0.002)  # river begins anew after a change; ours goes on with what it kept
        theirs.update(value)
        if is_cut := ours.add(value):
            cuts.append(place)
        if theirs.drift_detected:
            known.append(place)
    assert cuts == known
    assert ours.count == theirs.width
    assert ours.mean == pytest.approx(theirs.estimation)
    assert ours.variance == pytest.approx(theirs.variance / theirs.width, rel=1e-6)  # river gives the sum of squares
    assert bool(cuts) is (kind != "steady")


def test_the_memory_of_a_long_window_is_small() -> None:
    adwin = Adwin()
    for value in np.random.default_rng(3).uniform(0.4, 0.6, 20_000).tolist():
        adwin.add(value)
    assert adwin.count == 20_000
    assert sum(len(row.sums) for row in adwin._rows) < 100
