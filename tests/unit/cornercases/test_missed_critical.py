"""Missed critical: the frames of a miss on which the object matters."""

from __future__ import annotations

from hilgui.cornercases import Watch
from hilgui.cornercases.criticality import Grade
from hilgui.cornercases.missed_critical import MissedCritical
from hilgui.cornercases.missed_object import MissedObject
from hilgui.evaluation.criticality import Basis
from hilgui.records import Kind, Severity, Suspect
from tests.unit.cornercases.drive import CAMERA, CAR, PERSON, B, C, Known, context, look, moment, seqs

BOX = (100.0, 200.0, 140.0, 300.0)


def coming(frames: int, from_m: float, step_m: float) -> list[Known]:
    return [Known(PERSON, BOX, track=5, distance_m=from_m - step_m * seq) for seq in range(frames)]


def test_a_person_within_fifteen_metres_is_critical_and_one_beyond_is_not() -> None:
    moments = [moment(seq, truth=[known]) for seq, known in enumerate(coming(10, 15.45, 0.1))]
    assert seqs(look(MissedCritical(context()), moments)) == [5, 6, 7, 8, 9]
    assert seqs(look(MissedObject(context()), moments)) == [0, 1, 2, 3, 4]


def test_both_halves_of_a_miss_are_one_finding_with_the_name_of_its_worst_frame() -> None:
    watch = Watch(context(candidate=False))
    for seq, known in enumerate(coming(30, 20.0, 0.3)):
        assert watch.look(moment(seq, truth=[known], seen={B: []})).closed == []
    (finding,) = watch.finish()
    assert (finding.kind, finding.severity, finding.first_seq, finding.last_seq, finding.frames) == (
        Kind.MISSED_CRITICAL,
        Severity.HIGH,
        0,
        29,
        30,
    )


def test_a_miss_of_two_frames_is_none_however_close() -> None:
    known = Known(PERSON, BOX, track=5, distance_m=4.0)
    moments = [moment(seq, truth=[known], seen={B: [] if seq < 2 else [(PERSON, BOX, 0.8)]}) for seq in range(6)]
    assert look(MissedCritical(context()), moments) == []


def test_where_both_models_are_sure_of_another_class_the_label_is_suspected() -> None:
    seen = {B: [(CAR, BOX, 0.8)], C: [(CAR, BOX, 0.76)]}
    moments = [moment(seq, truth=[Known(PERSON, BOX, 5, 8.0)], seen=seen) for seq in range(3)]
    hit = look(MissedCritical(context()), moments)[0]
    assert hit.suspect is Suspect.LABEL
    assert hit.suspect_why == "both models agree against the label: they report car there with scores 0.80 and 0.76"


def test_a_car_that_comes_closer_in_the_corridor_becomes_critical_three_seconds_before() -> None:
    """It is 40 m away and closes 10 m/s; nobody but its growth says how soon it is reached."""
    moments = []
    for seq in range(60):
        distance = 40.0 - 10.0 * seq / 30
        foot, half = 270 + 640 * 1.4 / distance, 0.9 * 640 / distance
        box = (480 - half, foot - 2 * half, 480 + half, foot)
        moments.append(moment(seq, truth=[Known(CAR, box, track=5)]))
    hits = look(MissedCritical(context(camera=CAMERA)), moments)
    first = 40.0 - 10.0 * hits[0].seq / 30
    assert 27.0 <= first <= 28.0  # 3 s are 30 m at 10 m/s; the growth is that of a quarter of a second ago
    assert hits[0].evidence["ttc_s"] <= 3.0
    assert hits[0].severity is Severity.HIGH
    beside = [moment(seq, truth=[Known(CAR, BOX, track=5, distance_m=40.0 - seq / 3)]) for seq in range(60)]
    assert look(MissedCritical(context()), beside) == []  # does not grow, stands beside the corridor


def test_a_collision_that_is_far_off_is_not_told_as_a_reason() -> None:
    soon = Grade(Severity.HIGH, True, True, None, 2.4, 3.5, Basis.HEIGHT)
    assert soon.words == "critical: in the corridor, 2.4 s to collision (box height and corridor polygon)"
    late = soon._replace(in_corridor=False, ttc_s=33.9)
    assert late.words == "critical: close by (box height and corridor polygon)"
    assert late.evidence["ttc_s"] == 33.9
