"""Saliency, occlusion and rescue on a network whose reason is known: it looks at one part of the picture."""

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from hilgui.explanations import insertion, occlusion, words
from hilgui.explanations.eyes import Eyes
from hilgui.explanations.masks import grid_for, mask
from hilgui.explanations.rescue import rescue
from hilgui.explanations.saliency import correlations, peak, saliency, share_within
from hilgui.explanations.target import Target
from hilgui.inference import Model
from hilgui.records import Truth
from tests.unit.explanations import lamp

BOX = tuple(map(float, lamp.SEEN))
PERSON = Target(BOX, "person", 0, True, 0.35)  # type: ignore[arg-type]  # four numbers
CAR = Target(tuple(map(float, lamp.PHANTOM)), "car", 1, False, 0.35)  # type: ignore[arg-type]
JUDGED = frozenset({0, 1})
TRUTH = Truth.of(np.array([BOX]), np.array([0], np.int32))


def nothing(_looks: int) -> None:
    """Hear of progress."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    path = lamp.write_model(tmp_path_factory.mktemp("lamp") / "lamp.onnx")
    with closing(Model.load(path, provider="cpu")) as opened:
        yield opened


@pytest.fixture
def eyes(model: Model) -> Iterator[Eyes]:
    with closing(Eyes(model, np.array([0, 1], np.int32), workers=2)) as opened:
        yield opened


def test_the_map_lies_where_the_network_looks_and_beats_chance(eyes: Eyes) -> None:
    image = lamp.street(lamp.DIM)
    found = saliency(eyes, image, PERSON, 300, 1, nothing)
    assert found.has_signal
    on_object, share = share_within(found, PERSON.box, lamp.WIDTH, lamp.HEIGHT)
    assert on_object > 0.6 and share < 0.25
    x, y = peak(found.heat, lamp.WIDTH, lamp.HEIGHT)
    assert lamp.SEEN[0] <= x <= lamp.SEEN[2] and lamp.SEEN[1] <= y <= lamp.SEEN[3]
    orders = insertion.check(eyes, image, PERSON, (found.heat, *found.shuffled), nothing)
    assert orders[0].deletion < min(one.deletion for one in orders[1:])
    said, is_better = words.saliency_words(found, orders, on_object, share, (x, y), PERSON)
    assert is_better == all(orders[0].insertion > one.insertion for one in orders[1:])
    assert "the person itself carries the answer" in said[0].lower()


def test_the_same_seed_gives_the_same_map_and_another_one_another(eyes: Eyes) -> None:
    image = lamp.street(lamp.DIM)
    one, again, other = (saliency(eyes, image, PERSON, 60, seed, nothing).heat for seed in (3, 3, 4))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_an_answer_that_rests_on_nothing_is_said_to_mean_nothing(eyes: Eyes) -> None:
    found = saliency(eyes, lamp.street(lamp.DIM), CAR, 60, 0, nothing)  # the car is shown whatever there is to see
    assert not found.has_signal and found.helps_p == 1.0
    orders = [insertion.Ordered(0.5, 0.5)] * 5
    said, is_better = words.saliency_words(found, orders, 0.0, 0.1, (0, 0), CAR)
    assert "means nothing" in said[0] and not is_better


def test_answers_that_are_chance_have_no_signal_in_nineteen_of_twenty_maps() -> None:
    from hilgui.explanations.saliency import judged

    signals = 0
    for seed in range(40):
        chance = np.random.default_rng(seed)
        masks = chance.integers(0, 256, (80, 48)).astype(np.uint8)
        signals += judged(chance.random(80), masks, (6, 8), seed, 0.5, (6, 8)).has_signal
    assert signals <= 6  # two are expected; more than six would come once in a hundred such tests


def test_the_map_is_the_correlation_of_visibility_and_answer() -> None:
    chance = np.random.default_rng(5)
    masks, weights = chance.integers(0, 256, (300, 7)).astype(np.uint8), chance.random((2, 300))
    masks[:, 6] = 9  # a place that never changes says nothing
    made = correlations(weights, masks)
    for row in range(2):
        wanted = [np.corrcoef(weights[row], masks[:, place])[0, 1] * np.sqrt(300) for place in range(6)]
        assert made[row, :6] == pytest.approx(wanted, abs=1e-3)
    assert (made[:, 6] == 0).all()


def test_masks_do_not_depend_on_their_order_and_hide_half() -> None:
    later, first = mask(7, 9, (64, 48), (8, 8)), mask(7, 0, (64, 48), (8, 8))
    assert np.array_equal(mask(7, 9, (64, 48), (8, 8)), later) and not np.array_equal(later, first)
    drawn = np.stack([mask(7, number, (64, 48), (8, 8)) for number in range(200)])
    assert drawn.min() >= 0 and drawn.max() <= 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.03)
    assert grid_for((0, 0, 40, 40), 640, 320) == (8, 16) and grid_for((0, 0, 2, 400), 640, 400) == (8, 32)


def test_a_patch_on_the_object_costs_and_one_far_away_does_not(eyes: Eyes) -> None:
    found = occlusion.occlusion(eyes, lamp.street(200), PERSON, 0, nothing)
    assert found.noise == pytest.approx(0.0, abs=1e-6)
    x1, y1, x2, y2 = found.worst.box
    assert -found.worst.change > 0.2 and x1 < 36 and x2 > 24 and y1 < 38 and y2 > 14
    said = words.occlusion_words(found, PERSON)
    assert "costs most" in said[0]
    heat = occlusion.heat_of(found, lamp.WIDTH, lamp.HEIGHT)
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    assert 14 <= row < 38 and 24 <= column < 36
    still = occlusion.occlusion(eyes, lamp.street(200), CAR, 0, nothing)
    assert "means nothing" in words.occlusion_words(still, CAR)[0]


def test_what_would_have_saved_a_dark_person_is_light(eyes: Eyes) -> None:
    tries = rescue(eyes, lamp.street(lamp.DIM), PERSON, TRUTH, JUDGED, nothing)
    found = {one.change.name: one for one in tries}
    brighter = found["brighter"]
    # 90 of 255 are asked for, 85 are there: 255 (1/3)^γ rounds to 90 from γ = .953 on, and γ = 2^(−2 severity).
    assert brighter.severity == pytest.approx(0.0347, abs=0.002)
    assert brighter.score >= 0.35 and (brighter.lost, brighter.gained) == (0, 0)
    assert found["darker"].severity is None and found["less exposure"].severity is None
    said = words.rescue_words(tries, PERSON, False)
    assert said[0].startswith("Would have saved it") and "nothing else in the picture" in said[0]


def test_a_phantom_that_nothing_drives_away_is_said_so(eyes: Eyes) -> None:
    tries = rescue(eyes, lamp.street(200), CAR, TRUTH, JUDGED, nothing)
    still = [one for one in tries if one.change.name in ("brighter", "darker", "smoother", "more contrast")]
    assert all(one.severity is None and one.score == pytest.approx(0.5) for one in still)
    assert "makes it gone" in words.rescue_words(still, CAR, False)[0]


def test_a_rescue_that_costs_others_says_how_many(eyes: Eyes) -> None:
    tries = rescue(eyes, lamp.street(200), CAR, TRUTH, JUDGED, nothing)
    larger = next(one for one in tries if one.change.name == "larger")
    # The network's boxes never move, so one that is enlarged fits by IoU .5 until √2: 2.5 to the severity.
    assert larger.severity == pytest.approx(np.log(2**0.5) / np.log(2.5), abs=0.01)
    assert (larger.lost, larger.gained) == (1, 2)  # person and car are shown where they are not any more
    assert words.elsewhere(larger) == "elsewhere 1 other object lost and 2 phantoms more"
