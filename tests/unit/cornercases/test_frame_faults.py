"""Faults of a whole frame: late, frozen, black."""

from __future__ import annotations

import math

import pytest

from hilgui.cornercases.black_frame import BlackFrame
from hilgui.cornercases.deadline_miss import DeadlineMiss
from hilgui.cornercases.frozen_frame import FrozenFrame
from hilgui.records import Hit, Severity
from hilgui.settings import CornerCaseLimits
from tests.unit.cornercases.drive import B, C, context, look, moment, seqs


def late(*latencies_ms: float, limits: CornerCaseLimits | None = None) -> list[Hit]:
    moments = [moment(seq, latency_ms=latency) for seq, latency in enumerate(latencies_ms)]
    return look(DeadlineMiss(context(limits, real_time=True)), moments)


def test_a_baseline_slower_than_the_frame_period_misses_its_deadline() -> None:
    hit, again = late(10.0, 33.3, 33.4, 20.0, 40.0)
    assert (hit.seq, hit.role, hit.severity, again.seq) == (2, B, Severity.LOW, 4)
    assert hit.why == (
        "the baseline missed its deadline of 33.3 ms for {duration}: 33.4 ms here, of which run took 31.4 ms"
    )
    assert hit.evidence["limit_ms"] == pytest.approx(1000 / 30)


def test_a_limit_of_the_settings_replaces_the_period() -> None:
    limits = CornerCaseLimits.model_validate({"deadline_miss": {"limit_ms": 50}})
    assert seqs(late(49.0, 50.0, 51.0, 52.0, limits=limits)) == [2, 3]


def test_one_late_frame_in_a_thousand_is_nobodys_fault_unless_it_is_very_late() -> None:
    assert late(*[10.0] * 500, 40.0, *[10.0] * 999, 40.0, *[10.0] * 400) == []
    assert seqs(late(*[10.0] * 500, 40.0, *[10.0] * 998, 40.0, *[10.0] * 400)) == [500, 1499]
    assert seqs(late(10.0, 170.0, 10.0)) == [1]


def test_the_later_the_worse() -> None:
    assert [hit.severity for hit in late(60.0, 70.0, 170.0)] == [Severity.LOW, Severity.MEDIUM, Severity.HIGH]


def test_a_slow_candidate_misses_no_deadline() -> None:
    fast, slow = moment(0, latency_ms=10.0), moment(0, seen={B: [], C: []}, latency_ms=90.0)
    slow.inferences[B] = fast.inferences[B]
    assert look(DeadlineMiss(context(real_time=True)), [slow]) == []


def changing(*changes: float) -> list[Hit]:
    return look(FrozenFrame(context()), [moment(seq, change=change) for seq, change in enumerate(changes)])


def test_a_picture_that_repeats_while_moving_is_frozen() -> None:
    hits = changing(math.nan, *[4.0] * 30, 0.0, 0.1, 0.0, 0.0, 5.0)
    assert seqs(hits) == [31, 32, 33, 34]
    assert hits[0].why.endswith("it changes by 0.00 grey levels, by 4.0 in the second before")


def test_two_repeated_pictures_are_not_frozen() -> None:
    assert changing(*[4.0] * 30, 0.0, 0.0, 4.0, 0.0, 0.0, 4.0) == []


def test_a_scene_that_never_moves_is_not_frozen() -> None:
    assert changing(math.nan, *[0.1] * 60) == []


def test_a_car_that_comes_to_rest_is_not_frozen() -> None:
    slowing = [4.0 * 0.9**frame for frame in range(40)]
    assert changing(*[4.0] * 30, *slowing, *[0.05] * 60) == []


def test_a_key_frame_that_renews_the_frozen_picture_does_not_end_the_freeze() -> None:
    assert seqs(changing(*[4.0] * 30, *[0.0] * 5, 0.6, *[0.0] * 4)) == [30, 31, 32, 33, 34, 36, 37, 38, 39]


def test_a_recording_that_begins_with_repeated_pictures_is_not_frozen() -> None:
    assert changing(math.nan, 0.0, 0.0, 0.0, 0.0, 4.0) == []


def test_a_change_at_the_limit_is_not_frozen() -> None:
    assert changing(*[4.0] * 30, *[0.5] * 10) == []


def test_a_change_of_size_ends_a_freeze() -> None:
    assert changing(*[4.0] * 30, 0.0, 0.0, math.nan, 0.0, 0.0, 4.0) == []


def test_a_long_freeze_is_high() -> None:
    hits = changing(*[4.0] * 30, *[0.0] * 20)
    assert (hits[0].severity, hits[-1].severity) == (Severity.MEDIUM, Severity.HIGH)
    assert max(hits, key=lambda hit: hit.weight).seq == 49


def brightness(*means: float, ordered: bool = True) -> list[Hit]:
    moments = [moment(seq, mean=mean, ordered=ordered) for seq, mean in enumerate(means)]
    return look(BlackFrame(context(ordered=ordered)), moments)


def test_a_dark_picture_is_reported() -> None:
    (hit,) = brightness(40.0, 9.9, 10.0)
    assert (hit.seq, hit.severity, hit.role) == (1, Severity.MEDIUM, None)
    assert hit.why == "the picture is dark for {duration}: mean grey level 9.9 of 255, the limit is 10"


def test_a_picture_that_stays_dark_is_high() -> None:
    assert [hit.severity for hit in brightness(*[2.0] * 16)][13:15] == [Severity.MEDIUM, Severity.HIGH]


def test_dark_pictures_of_an_unordered_set_are_reported_too() -> None:
    assert seqs(brightness(2.0, 50.0, 3.0, ordered=False)) == [0, 2]


def test_an_unknown_brightness_is_not_dark() -> None:
    assert brightness(math.nan) == []
