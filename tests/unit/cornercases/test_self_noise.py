"""Noise: what a model differs from itself by is no finding, a little more is one."""

from __future__ import annotations

import pytest

from hilgui.cornercases import SelfNoise
from hilgui.cornercases.class_flip import ClassFlip
from hilgui.cornercases.disagreement import ModelDisagreement
from hilgui.cornercases.flicker import Flicker
from hilgui.cornercases.jitter import Jitter
from hilgui.cornercases.short_lived import ShortLived
from hilgui.records import Hit
from hilgui.settings import CornerCaseLimits
from tests.unit.cornercases.drive import CAR, PERSON, TRUCK, B, C, Known, Seen, context, look, moment, seqs

BOX = (300.0, 200.0, 380.0, 300.0)
ELSEWHERE = (600.0, 200.0, 640.0, 300.0)


def flickers(noise: SelfNoise | None) -> list[Hit]:
    limits = CornerCaseLimits.model_validate({"flicker": {"changes_low": 2}})
    moments = [moment(seq, seen={B: [(CAR, BOX, 0.38 if seq in (10, 11) else 0.42)]}) for seq in range(20)]
    return look(Flicker(context(limits, noise=noise)), moments)


def test_a_score_that_falls_below_the_threshold_by_less_than_the_noise_does_not_flicker() -> None:
    assert seqs(flickers(None)) == [10, 11, 12]
    assert seqs(flickers(SelfNoise(score=0.01))) == [10, 11, 12]
    assert flickers(SelfNoise(score=0.03)) == []


def test_an_object_of_which_nothing_is_left_flickers_whatever_the_noise() -> None:
    limits = CornerCaseLimits.model_validate({"flicker": {"changes_low": 2}})
    moments = [moment(seq, seen={B: [] if seq in (10, 11) else [(CAR, BOX, 0.42)]}) for seq in range(20)]
    assert seqs(look(Flicker(context(limits, noise=SelfNoise(score=0.5))), moments)) == [10, 11, 12]


def flips(noise: SelfNoise | None) -> list[Hit]:
    usual: list[Seen] = [(CAR, BOX, 0.62), (TRUCK, BOX, 0.60)]
    odd: list[Seen] = [(TRUCK, BOX, 0.62), (CAR, BOX, 0.60)]
    moments = [moment(seq, seen={B: odd if seq in (8, 9) else usual}) for seq in range(14)]
    return look(ClassFlip(context(noise=noise)), moments)


def test_two_classes_whose_scores_lie_within_the_noise_do_not_flip() -> None:
    assert seqs(flips(None)) == [8, 9]
    assert seqs(flips(SelfNoise(score=0.01))) == [8, 9]
    assert flips(SelfNoise(score=0.03)) == []


def trembling(noise: SelfNoise | None) -> list[Hit]:
    left, top, right, bottom = BOX
    moments = []
    for seq in range(12):
        x = 8.0 if seq % 2 else -8.0
        truth = [Known(PERSON, BOX, track=1, distance_m=20.0)]
        moments.append(moment(seq, truth=truth, seen={B: [(PERSON, (left + x, top, right + x, bottom), 0.8)]}))
    return look(Jitter(context(candidate=False, noise=noise)), moments)


def test_a_box_that_trembles_by_less_than_it_moves_from_replay_to_replay_is_quiet() -> None:
    assert seqs(trembling(None)) == [9, 10, 11]
    assert seqs(trembling(SelfNoise(box_px=7.0))) == [9, 10, 11]
    assert trembling(SelfNoise(box_px=9.0)) == []


def brief(noise: SelfNoise | None) -> list[Hit]:
    steady: Seen = (PERSON, ELSEWHERE, 0.9)
    moments = [moment(seq, seen={B: [steady, (PERSON, BOX, 0.55)] if seq == 10 else [steady]}) for seq in range(60)]
    return look(ShortLived(context(candidate=False, noise=noise)), moments)


def test_what_shows_for_a_moment_within_the_noise_of_the_threshold_is_nothing() -> None:
    assert seqs(brief(None)) == [10]
    assert seqs(brief(SelfNoise(score=0.12))) == [10]
    assert brief(SelfNoise(score=0.2)) == []


@pytest.mark.parametrize(("measured", "found"), [(0.0, [4, 5]), (0.5, [4, 5]), (0.61, [])])
def test_models_that_differ_no_more_than_one_from_itself_agree(measured: float, found: list[int]) -> None:
    cars: list[Seen] = [(CAR, (100.0 * nth, 200.0, 100.0 * nth + 50, 230.0), 0.8) for nth in range(4)]
    moments = [moment(seq, seen={B: cars, C: cars[:1]}) for seq in range(6)]
    assert seqs(look(ModelDisagreement(context(noise=SelfNoise(disagreement=measured))), moments)) == found


def test_a_header_without_noise_has_none() -> None:
    assert SelfNoise.of_header({}) == SelfNoise()
    plain = {"run_id": "r", "score": 0.1, "box_px": 2.0, "disagreement": 0.3}
    assert SelfNoise.of_header(plain) == SelfNoise(0.1, 2.0, 0.3)
