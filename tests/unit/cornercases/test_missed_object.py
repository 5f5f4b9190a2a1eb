"""Missed object: who is asked for, how long, how bad, and what the sentence says."""

from __future__ import annotations

import pytest

from hilgui.records import Severity
from hilgui.settings import CornerCaseLimits
from tests.unit.cornercases.drive import CAR, PERSON, TREE, TRUCK, B, C, Known, Misses, context, look, moment, seqs

BOX = (100.0, 200.0, 140.0, 300.0)  # 100 px tall in a picture of 540
AHEAD = (460.0, 200.0, 500.0, 300.0)
WALKER = Known(PERSON, BOX, track=23, distance_m=12.4)
FOUND = [(PERSON, BOX, 0.71)]


def test_a_miss_becomes_a_finding_at_its_third_frame_and_covers_the_first() -> None:
    detector = Misses(context())
    first, second, third, fourth = (detector.look(moment(seq, truth=[WALKER])) for seq in range(4))
    assert (seqs(first), seqs(second), seqs(third), seqs(fourth)) == ([], [], [0, 1, 2], [3])


def test_two_frames_are_not_enough() -> None:
    moments = [moment(seq, truth=[WALKER], seen={B: FOUND if seq == 2 else []}) for seq in range(5)]
    assert look(Misses(context()), moments) == []


def test_a_hit_names_the_object_the_distance_and_the_model_that_found_it() -> None:
    moments = [moment(seq, truth=[WALKER], seen={B: FOUND, C: [(PERSON, BOX, 0.21)]}) for seq in range(3)]
    hit = look(Misses(context()), moments)[-1]
    assert hit.why == (
        "person 23 at 12.4 m missed by the candidate for {duration}: its best score there is 0.21, "
        "below the threshold of 0.40; the baseline found it with score 0.71; "
        "critical: 12.4 m ahead (distance of the label)"
    )
    assert (hit.role, hit.thread, hit.severity) == (C, "truth 23", Severity.HIGH)
    assert hit.evidence == pytest.approx(
        {
            "height_px": 100,
            "best_overlapping_score": 0.21,
            "best_iou": 1.0,
            "critical": 1.0,
            "in_corridor": 0.0,
            "distance_m": 12.4,
            "other_found": 1.0,
        }
    )
    (found,) = hit.objects
    assert (found.label, found.track, found.box, found.score) == ("person", 23, BOX, None)


LOW_BOX = (100.0, 255.0, 140.0, 300.0)
INSTEAD = [
    ("nothing", [], "it reports nothing there above a score of 0.01"),
    ("another class", [(CAR, BOX, 0.8)], "it reports car there"),
    (
        "another class, faintly",
        [(CAR, BOX, 0.16)],
        "it reports no person there above a score of 0.01, but a car with 0.16",
    ),
    ("a poor box", [(PERSON, LOW_BOX, 0.8)], "its box with score 0.80 fits by IoU 0.45 only"),
]


@pytest.mark.parametrize(("seen", "reason"), [row[1:] for row in INSTEAD], ids=[row[0] for row in INSTEAD])
def test_the_sentence_says_what_the_model_reported_instead(seen: list[object], reason: str) -> None:
    hits = look(Misses(context()), [moment(seq, truth=[WALKER], seen={B: seen}) for seq in range(3)])  # type: ignore[dict-item]
    assert reason in hits[-1].why


def test_both_models_missing_it_give_a_hit_each_and_say_so() -> None:
    hits = look(Misses(context()), [moment(seq, truth=[WALKER], seen={B: [], C: []}) for seq in range(3)])
    assert {hit.role for hit in hits} == {B, C}
    assert all("missed it too" in hit.why for hit in hits)


EXCUSED = [
    ("too small", Known(PERSON, (100, 200, 140, 219.9), track=1)),
    ("too narrow", Known(PERSON, (100, 200, 105.9, 240), track=1)),
    ("a sliver at the left border", Known(PERSON, (0, 200, 8, 240), track=1, distance_m=3.0)),
    ("a sliver at the right border", Known(PERSON, (950, 200, 959, 240), track=1, distance_m=3.0)),
    ("a strip at the lower border", Known(CAR, (100, 510, 200, 540), track=1, distance_m=3.0)),
    ("too hidden", Known(PERSON, BOX, track=1, occlusion=0.61)),
    ("ignored", Known(PERSON, BOX, track=1, ignore=True)),
    ("a crowd", Known(PERSON, BOX, track=1, crowd=True)),
    ("not judged", Known(TREE, BOX, track=1)),
]


@pytest.mark.parametrize("known", [row[1] for row in EXCUSED], ids=[row[0] for row in EXCUSED])
def test_nobody_is_asked_for_an_excused_object(known: Known) -> None:
    assert look(Misses(context()), [moment(seq, truth=[known]) for seq in range(6)]) == []


ASKED = [
    ("just tall enough", Known(PERSON, (100, 200, 140, 220), track=1)),
    ("just visible enough", Known(PERSON, BOX, track=1, occlusion=0.5)),
    ("close, with its feet below the picture", Known(PERSON, (400, 240, 520, 540), track=1)),
    ("a car half out of the picture", Known(CAR, (860, 300, 960, 400), track=1)),
    ("occlusion unknown", Known(PERSON, BOX, track=1)),
]


@pytest.mark.parametrize("known", [row[1] for row in ASKED], ids=[row[0] for row in ASKED])
def test_an_object_at_the_limit_is_asked_for(known: Known) -> None:
    assert seqs(look(Misses(context()), [moment(seq, truth=[known]) for seq in range(3)])) == [0, 1, 2]


SEVERITIES = [
    (Known(PERSON, BOX, 1, distance_m=15.0), Severity.HIGH),
    (Known(PERSON, BOX, 1, distance_m=15.1), Severity.MEDIUM),
    (Known(PERSON, BOX, 1, distance_m=30.1), Severity.LOW),
    (Known(PERSON, (50, 0, 80, 64.8), 1), Severity.HIGH),
    (Known(PERSON, (50, 0, 80, 64.0), 1), Severity.MEDIUM),
    (Known(PERSON, (50, 0, 80, 32.0), 1), Severity.LOW),
    (Known(CAR, AHEAD, 1, distance_m=8.0), Severity.HIGH),
    (Known(CAR, AHEAD, 1, distance_m=8.1), Severity.MEDIUM),
    (Known(CAR, BOX, 1, distance_m=8.0), Severity.MEDIUM),  # beside the corridor
    (Known(CAR, BOX, 1, distance_m=8.1), Severity.MEDIUM),
    (Known(TRUCK, BOX, 1, distance_m=20.0), Severity.LOW),
    (Known(CAR, BOX, 1), Severity.MEDIUM),
]


@pytest.mark.parametrize(("known", "severity"), SEVERITIES)
def test_severity_follows_distance_else_height(known: Known, severity: Severity) -> None:
    hits = look(Misses(context()), [moment(seq, truth=[known]) for seq in range(3)])
    assert {hit.severity for hit in hits} == {severity}


def test_the_closer_and_the_longer_the_worse() -> None:
    known = [Known(PERSON, BOX, 1, distance_m=distance) for distance in (20, 20, 20, 10, 20)]
    hits = look(Misses(context()), [moment(seq, truth=[one]) for seq, one in enumerate(known)])
    weights = [hit.weight for hit in hits]
    assert weights[:3] == sorted(weights[:3])
    assert max(hits, key=lambda hit: hit.weight).seq == 3


def test_an_object_that_leaves_the_picture_continues_its_miss_but_is_never_its_worst_frame() -> None:
    boxes = [(60, 200, 100, 300), (40, 195, 82, 300), (20, 190, 64, 300), (0, 185, 40, 300), (0, 180, 12, 300)]
    known = [Known(PERSON, box, 1, distance_m=20 - 4 * nth) for nth, box in enumerate(boxes)]
    hits = look(Misses(context()), [moment(seq, truth=[one]) for seq, one in enumerate(known)])
    assert seqs(hits) == [0, 1, 2, 3, 4]
    assert max(hits, key=lambda hit: hit.weight).seq == 2
    assert [hit.severity for hit in hits[3:]] == [Severity.LOW, Severity.LOW]


def test_the_less_is_hidden_the_worse() -> None:
    known = [Known(PERSON, BOX, 1, distance_m=12, occlusion=hidden) for hidden in (0.5, 0.0, 0.5)]
    hits = look(Misses(context()), [moment(seq, truth=[one]) for seq, one in enumerate(known)])
    assert max(hits, key=lambda hit: hit.weight).seq == 1


def test_a_frame_without_labels_pauses_a_miss() -> None:
    moments = [moment(seq, truth=None if seq in (1, 2) else [WALKER]) for seq in range(5)]
    assert seqs(look(Misses(context()), moments)) == [0, 3, 4]


def test_a_frame_that_the_candidate_skipped_pauses_its_miss() -> None:
    moments = [moment(seq, truth=[WALKER], seen={B: FOUND} if seq == 1 else {B: FOUND, C: []}) for seq in range(4)]
    assert seqs(look(Misses(context()), moments)) == [0, 2, 3]


def test_a_labelled_frame_without_the_object_ends_a_miss() -> None:
    moments = [moment(seq, truth=[] if seq == 2 else [WALKER]) for seq in range(5)]
    assert look(Misses(context()), moments) == []


def test_truths_without_identity_are_followed_by_overlap() -> None:
    moments = [moment(seq, truth=[Known(PERSON, (100 + 5 * seq, 200, 140 + 5 * seq, 300))]) for seq in range(4)]
    hits = look(Misses(context()), moments)
    assert {hit.thread for hit in hits} == {"object 0"}
    assert seqs(hits) == [0, 1, 2, 3]
    assert hits[0].why.startswith("person 100 px tall missed by the baseline")


def test_in_an_unordered_set_every_miss_counts_at_once() -> None:
    detector = Misses(context(ordered=False))
    known = [Known(PERSON, BOX), Known(CAR, (300, 200, 400, 300))]
    assert seqs(look(detector, [moment(seq, truth=known, ordered=False) for seq in range(2)])) == [0, 0, 1, 1]


def test_the_limits_come_from_the_settings() -> None:
    limits = CornerCaseLimits.model_validate({"missed_object": {"frames": 1, "min_height_px": 101}})
    assert look(Misses(context(limits)), [moment(0, truth=[WALKER])]) == []
    limits = CornerCaseLimits.model_validate({"missed_object": {"frames": 1}})
    assert seqs(look(Misses(context(limits)), [moment(0, truth=[WALKER])])) == [0]
