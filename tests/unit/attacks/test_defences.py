"""Defences on arrays, and certificates against scipy's exact intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hilgui.attacks.defences import SMOOTHERS, ensemble
from hilgui.attacks.smoothing import certify, lower_bound, radius_of
from hilgui.records import Detections

PICTURE = np.random.default_rng(1).integers(0, 256, (30, 40, 3), np.uint8)


@pytest.mark.parametrize("name", list(SMOOTHERS))
def test_a_smoother_changes_a_picture_and_keeps_its_size(name: str) -> None:
    made = SMOOTHERS[name](PICTURE)
    assert made.shape == PICTURE.shape
    assert made.dtype == np.uint8
    assert (made != PICTURE).any()


def _boxes(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int32))


def test_what_both_models_see_keeps_its_score_and_what_one_sees_half_of_it() -> None:
    one = _boxes((0, 0, 10, 10, 0.8, 0), (50, 50, 60, 60, 0.9, 0))
    two = _boxes((0, 0, 10, 11, 0.6, 0))
    made = ensemble(one, two)
    assert len(made) == 2
    assert made.scores.tolist() == pytest.approx([0.7, 0.45])
    assert len(ensemble(Detections.none(), Detections.none())) == 0


@pytest.mark.parametrize(("hits", "trials"), [(1, 10), (95, 100), (200, 200)])
def test_the_bound_of_a_share_is_that_of_clopper_and_pearson(hits: int, trials: int) -> None:
    theirs = stats.binomtest(hits, trials).proportion_ci(1 - 2 * 0.001, "exact")
    assert lower_bound(hits, trials, 0.001) == pytest.approx(theirs.low, abs=1e-9)
    assert lower_bound(0, trials, 0.001) == 0.0


def test_a_radius_follows_the_bound_and_is_nothing_up_to_one_half() -> None:
    assert radius_of(0.5, 0.25) == 0.0
    assert radius_of(0.99, 0.25) == pytest.approx(0.25 * 2.3263478740408408)


def test_who_always_says_the_same_is_certified_and_who_tosses_a_coin_abstains() -> None:
    random = np.random.default_rng(2)
    sure = certify(PICTURE, lambda _: 3, 0.5, random, trials=100)
    assert sure.label == 3
    assert sure.radius == pytest.approx(0.5 * stats.norm.ppf(0.001 ** (1 / 100)))
    coin = np.random.default_rng(3)
    torn = certify(PICTURE, lambda _: int(coin.integers(0, 2)), 0.5, random, trials=100)
    assert (torn.label, torn.radius) == (-1, 0.0)


def test_the_certificate_holds_for_a_model_whose_boundary_is_known() -> None:
    """Of a linear classifier of the mean the distance to its boundary is known: no radius is larger."""
    image = np.full((8, 8, 3), 140, np.uint8)
    distance = (140 - 128) / 255 * np.sqrt(image.size)
    found = certify(image, lambda picture: int(picture.mean() > 128), 0.25, np.random.default_rng(4))
    assert found.label == 1
    assert 0 < found.radius <= distance
