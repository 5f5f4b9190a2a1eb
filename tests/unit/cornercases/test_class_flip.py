"""Class flip: another class than the usual one."""

from __future__ import annotations

from hilgui.cornercases.class_flip import ClassFlip
from hilgui.records import Hit, Severity
from hilgui.settings import CornerCaseLimits
from tests.unit.cornercases.drive import CAR, PERSON, TREE, TRUCK, B, C, context, look, moment, seqs

BOX = (100.0, 200.0, 180.0, 260.0)
ONE = CornerCaseLimits.model_validate({"class_flip": {"frames": 1}})


def called(classes: list[int], limits: CornerCaseLimits | None = None) -> list[Hit]:
    moments = [moment(seq, seen={B: [(classed, BOX, 0.61)]}) for seq, classed in enumerate(classes)]
    return look(ClassFlip(context(limits or ONE)), moments)


def test_one_frame_of_another_class_is_a_flip() -> None:
    (hit,) = called([CAR] * 6 + [TRUCK] + [CAR] * 6)
    assert (hit.seq, hit.thread, hit.severity) == (6, "track 0", Severity.LOW)
    assert hit.why == "track 0, usually car, is truck with score 0.61 for the baseline for {duration}"


def test_a_vulnerable_road_user_taken_for_a_vehicle_weighs_more() -> None:
    (hit,) = called([PERSON] * 6 + [CAR, PERSON])
    assert hit.severity is Severity.MEDIUM


def test_a_class_that_stays_becomes_the_usual_one() -> None:
    assert seqs(called([CAR] * 10 + [TRUCK] * 20)) == [10, 11, 12, 13, 14]


def test_nothing_is_usual_after_two_frames() -> None:
    assert called([CAR, CAR, TRUCK]) == []


def test_the_same_class_is_no_flip() -> None:
    assert called([CAR] * 30) == []


def test_a_tie_is_no_flip() -> None:
    assert seqs(called([CAR, CAR, TRUCK, TRUCK, TRUCK])) == [3]  # before the last: two and two


def test_a_class_that_is_not_judged_hides_the_object_instead() -> None:
    assert called([CAR] * 6 + [TREE] + [CAR] * 3) == []


def test_the_models_are_looked_at_apart() -> None:
    moments = [
        moment(seq, seen={B: [(CAR, BOX, 0.6)], C: [(TRUCK if seq == 7 else CAR, BOX, 0.6)]}) for seq in range(10)
    ]
    (hit,) = look(ClassFlip(context(ONE)), moments)
    assert (hit.role, hit.seq) == (C, 7)


def test_the_window_comes_from_the_settings() -> None:
    limits = CornerCaseLimits.model_validate({"class_flip": {"window": 4, "frames": 1}})
    assert seqs(called([CAR] * 10 + [TRUCK] * 20, limits)) == [10, 11]


def test_by_default_it_must_be_called_otherwise_twice_in_a_row() -> None:
    twice = CornerCaseLimits()
    assert called([CAR] * 6 + [TRUCK] + [CAR] * 6, twice) == []
    assert seqs(called([CAR] * 6 + [TRUCK] * 3 + [CAR] * 6, twice)) == [6, 7, 8]
