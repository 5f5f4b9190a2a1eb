"""Steps within ε, the search by squares, and the table that says whether an attack was strong."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.attacks.aims import Goal
from hilgui.attacks.measure import Damage, wilson
from hilgui.attacks.pixels import fgsm, levels, noise, pgd, project
from hilgui.attacks.question import FGSM, NOISE, PGD, self_check
from hilgui.attacks.square import share_at, square_attack

SEED = 5


def _picture() -> NDArray[np.uint8]:
    return np.random.default_rng(SEED).integers(0, 256, (24, 32, 3), np.uint8)


def test_epsilon_is_whole_grey_levels_and_never_more_than_was_asked_for() -> None:
    assert levels(0.03) == 7  # 7.65 levels
    assert levels(8 / 255) == 8
    with pytest.raises(ValueError, match=r"0\.004"):
        levels(0.001)


def test_a_picture_comes_back_into_the_ball_and_into_the_range() -> None:
    clean = np.array([[[0, 100, 255]]], np.uint8)
    assert project(np.array([[[-50.0, 200.0, 300.0]]]), clean, 7).tolist() == [[[0, 107, 255]]]


def test_every_attack_stays_within_its_grey_levels() -> None:
    clean, random = _picture(), np.random.default_rng(1)
    slope = random.standard_normal(clean.shape).astype(np.float32)
    made = (
        noise(clean, 7, random),
        fgsm(clean, 7, lambda _: slope),
        pgd(clean, 7, lambda _: slope, 10, random),
        square_attack(clean, 7, lambda image: float((image * slope).sum()), 60, random).image,
    )
    for image in made:
        assert np.abs(image.astype(int) - clean).max() <= 7


def test_on_a_linear_model_fgsm_is_the_best_there_is_and_pgd_gets_there() -> None:
    clean, random = _picture(), np.random.default_rng(2)
    slope = random.standard_normal(clean.shape).astype(np.float32)
    gain = lambda image: float(((image.astype(float) - clean) * slope).sum())  # noqa: E731
    one, many = fgsm(clean, 7, lambda _: slope), pgd(clean, 7, lambda _: slope, 10, random)
    assert gain(one) == pytest.approx(gain(many), rel=1e-6)
    assert gain(one) > 3 * abs(gain(noise(clean, 7, random)))


def test_squares_lower_the_objective_without_a_gradient() -> None:
    clean = np.full((40, 40, 3), 128, np.uint8)
    weights = np.where(np.arange(40)[:, None, None] < 20, 1.0, -1.0)
    objective = lambda image: float((image * weights).sum())  # noqa: E731
    found = square_attack(clean, 10, objective, 400, np.random.default_rng(3))
    assert found.queries == 400
    best = -10.0 * clean.size
    assert found.objective < 0.15 * best
    assert found.objective == pytest.approx(objective(found.image))


def test_squares_end_early_where_it_is_enough_and_shrink_on_the_published_schedule() -> None:
    found = square_attack(_picture(), 4, lambda _: -1.0, 100, np.random.default_rng(4), lambda value: value < 0)
    assert found.queries == 1
    assert [share_at(query, 10_000) for query in (5, 11, 51, 9000)] == [0.05, 0.025, 0.0125, 0.05 / 2**8]


def _damage(name: str, value: float, success: float = 0.5) -> Damage:
    return Damage(name, value, None, None, None, success, None, 40, np.empty(0))


@pytest.mark.parametrize(
    ("noise_value", "fgsm_value", "pgd_value", "verdicts"),
    [
        (0.50, 0.20, 0.05, [True, True]),
        (0.50, 0.20, 0.20, [True, True]),
        (0.20, 0.20, 0.05, [False, True]),  # noise hurts as much: not aimed at anything
        (0.50, 0.10, 0.30, [True, False]),  # many steps hurt less than one: the step is too small
    ],
)
def test_the_self_check_tells_a_weak_attack(
    noise_value: float, fgsm_value: float, pgd_value: float, verdicts: list[bool]
) -> None:
    damages = {NOISE: _damage(NOISE, noise_value), FGSM: _damage(FGSM, fgsm_value), PGD: _damage(PGD, pgd_value)}
    checks = self_check(damages, Goal.HIDE)
    assert [check.is_good for check in checks] == verdicts
    assert all(("too weak" in check.sentence) != check.is_good for check in checks)
    assert not any(check.name in check.sentence for check in checks)


def test_where_nothing_was_at_stake_the_self_check_says_nothing() -> None:
    empty = Damage(FGSM, None, None, None, None, None, None, 0, np.empty(0))
    (check,) = self_check({NOISE: _damage(NOISE, 0.5), FGSM: empty}, Goal.HIDE)
    assert check.is_good is None


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    from scipy import stats

    for hits, trials in ((0, 10), (3, 12), (12, 12)):
        theirs = stats.binomtest(hits, trials).proportion_ci(0.95, "wilson")
        mine = wilson(hits, trials)
        assert mine is not None
        assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert wilson(0, 0) is None
