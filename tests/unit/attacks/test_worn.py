"""Two patches on the same objects: the better one is told from one that only had luck."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.attacks.worn import ALPHA, Worn, check, gain
from hilgui.evaluation import Clusters


def pictures(count: int, each: int = 1) -> tuple[NDArray[np.int64], Clusters]:
    """Give `count` pictures of `each` objects; only every second picture of the set is tested."""
    of_frame = np.arange(2 * count)
    names = tuple(f"set#{place}" for place in of_frame)
    return np.repeat(of_frame[1::2], each), Clusters(of_frame, names, "picture")


def test_a_patch_that_hides_what_the_control_shows_is_good() -> None:
    places, clusters = pictures(12)
    control = np.arange(12) < 2
    found = gain(Worn("optimised", np.arange(12) < 9), Worn("random", control), places, clusters)
    assert (found.only_optimised, found.only_control) == (7, 0)
    assert found.difference == pytest.approx(7 / 12)
    assert found.p == pytest.approx(0.5**7)
    assert found.interval is not None
    assert found.interval.low > 0
    assert found.interval.clusters == 12
    assert check(Worn("optimised", np.arange(12) < 9), (found,)).is_good is True


def test_three_more_of_fifteen_may_be_chance() -> None:
    places, clusters = pictures(15)
    better = Worn("optimised", np.arange(15) < 3)
    found = gain(better, Worn("grey", np.zeros(15, np.bool_)), places, clusters)
    assert found.p == pytest.approx(0.125)
    told = check(better, (found,))
    assert told.is_good is None
    assert "3 more and 0 fewer than grey (p = 0.12)" in told.sentence


def test_a_patch_that_is_no_better_than_one_of_its_controls_was_too_weak() -> None:
    places, clusters = pictures(20)
    better = Worn("optimised", np.arange(20) < 10)
    gains = tuple(
        gain(better, Worn(name, np.arange(20) < lost), places, clusters) for name, lost in (("grey", 0), ("random", 10))
    )
    assert check(better, gains).is_good is False


def test_objects_of_one_picture_are_one_witness() -> None:
    """Twenty objects fall in one picture: as single objects that looks sure, as one picture it says nothing."""
    places, clusters = pictures(6, each=20)
    better = Worn("optimised", places == places[0])
    found = gain(better, Worn("grey", np.zeros(len(places), np.bool_)), places, clusters)
    assert found.only_optimised == 20
    assert found.p == 0.5
    assert check(better, (found,)).is_good is None


def test_a_patch_without_power_is_called_good_no_more_often_than_stated() -> None:
    """Both patches hide by chance alone, and objects of a picture fall together, as they do in one light."""
    random, count = np.random.default_rng(5), 400
    places, clusters = pictures(20, each=2)
    alarms = 0
    for _ in range(count):
        sides = [np.repeat(random.random(20) < 0.3, 2) ^ (random.random(40) < 0.05) for _ in range(2)]
        better = Worn("optimised", sides[0])
        alarms += check(better, (gain(better, Worn("random", sides[1]), places, clusters),)).is_good is True
    assert alarms <= ALPHA * count + 3 * np.sqrt(ALPHA * count)
    assert alarms > 0  # a test that never speaks would pass as well


def test_a_planted_weakness_is_found() -> None:
    random = np.random.default_rng(6)
    places, clusters = pictures(30)
    better = Worn("optimised", random.random(30) < 0.7)
    assert check(better, (gain(better, Worn("random", random.random(30) < 0.2), places, clusters),)).is_good is True
