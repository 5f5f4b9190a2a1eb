"""Late detection and gap: how long an object waits for a match."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from hilgui.cornercases.gap import Gap
from hilgui.cornercases.late_detection import LateDetection
from hilgui.cornercases.waits import LONGEST
from hilgui.records import Hit, Moment, Severity
from tests.unit.cornercases.drive import PERSON, B, Known, context, look, moment, seqs

BOX = (300.0, 200.0, 340.0, 300.0)
FOUND = [(PERSON, BOX, 0.8)]


def drive(found: Iterable[int], *, frames: int = 60, labelled: Iterable[int] | None = None) -> list[Moment]:
    seen, known = set(found), set(range(frames)) if labelled is None else set(labelled)
    truth = [Known(PERSON, BOX, track=3, distance_m=12.0)]
    return [
        moment(seq, truth=truth if seq in known else [], seen={B: FOUND if seq in seen else []})
        for seq in range(frames)
    ]


def late(found: Iterable[int], **given: object) -> list[Hit]:
    return look(LateDetection(context(candidate=False)), drive(found, **given))  # type: ignore[arg-type]


def gaps(found: Iterable[int], **given: object) -> list[Hit]:
    return look(Gap(context(candidate=False)), drive(found, **given))  # type: ignore[arg-type]


def test_an_object_found_after_more_than_three_tenths_of_a_second_is_late() -> None:
    hits = late(range(10, 60))
    assert seqs(hits) == list(range(11))
    assert hits[0].why == "person 3 was first found by the baseline 0.3 s after it could be seen, at 12.0 m"
    assert hits[0].evidence["delay_s"] == pytest.approx(10 / 30)
    assert max(hits, key=lambda hit: hit.weight).seq == 9
    assert hits[0].severity is Severity.HIGH


def test_nine_frames_are_in_time_and_what_is_never_found_is_missed_not_late() -> None:
    assert late(range(9, 60)) == []
    assert late([]) == []


def test_the_wait_begins_when_the_object_can_be_asked_for() -> None:
    assert late(range(35, 60), labelled=range(30, 60)) == []
    assert seqs(late(range(45, 60), labelled=range(30, 60))) == list(range(30, 46))


def test_an_object_lost_between_two_matches_has_a_gap() -> None:
    hits = gaps([*range(20), *range(30, 60)])
    assert seqs(hits) == list(range(20, 30))
    assert hits[0].why == "person 3 is lost by the baseline for 0.4 s between two matches"
    assert hits[0].severity is Severity.MEDIUM


def test_a_short_loss_the_time_before_the_first_match_and_after_the_last_are_no_gap() -> None:
    assert gaps([*range(20), *range(28, 60)]) == []
    assert gaps(range(30, 60)) == []
    assert gaps(range(30)) == []


def test_an_object_that_leaves_and_comes_back_begins_anew() -> None:
    assert gaps([*range(20), *range(45, 60)], labelled=[*range(20), *range(40, 60)]) == []


def test_of_a_long_wait_the_newest_frames_are_remembered_and_its_length_in_full() -> None:
    hits = late([LONGEST + 200], frames=LONGEST + 201)
    assert seqs(hits) == list(range(200, LONGEST + 201))
    assert hits[0].evidence["delay_s"] == pytest.approx((LONGEST + 200) / 30)
    hits = gaps([0, LONGEST + 200], frames=LONGEST + 201)
    assert seqs(hits) == list(range(200, LONGEST + 200))
    assert hits[0].evidence["frames_lost"] == LONGEST + 199
