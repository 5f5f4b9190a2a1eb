"""Phantom: what counts as nothing, how long it must last, and whether the other model saw it too."""

from __future__ import annotations

import pytest

from hilgui.cornercases.phantom import Phantom
from hilgui.records import NO_CLASS, Moment, Role, Severity
from hilgui.settings import CornerCaseLimits
from tests.unit.cornercases.drive import CAMERA, CAR, PERSON, TREE, B, C, Known, Seen, context, look, moment, seqs

BOX = (430.0, 200.0, 530.0, 300.0)  # in the middle of the picture: in the corridor
BESIDE = (100.0, 200.0, 200.0, 300.0)
GHOST = (CAR, BOX, 0.83)


def haunted(*frames: int, ghost: Seen = GHOST, truth: tuple[Known, ...] = (), role: Role = B) -> list[Moment]:
    """Give six labelled frames; the ghost is seen in the named ones."""
    return [
        moment(seq, truth=truth, seen={B: [], C: []} | {role: [ghost] if seq in frames else []}) for seq in range(6)
    ]


def test_three_frames_in_a_row_are_a_phantom() -> None:
    hits = look(Phantom(context()), haunted(1, 2, 3, 4))
    assert seqs(hits) == [1, 2, 3, 4]
    assert {(hit.thread, hit.role, hit.severity) for hit in hits} == {("track 0", B, Severity.MEDIUM)}
    assert hits[0].why == (
        "car with score 0.83 reported by the baseline for {duration} where the labels have nothing; "
        "the candidate reports no car there"
    )
    assert hits[0].evidence == pytest.approx(
        {"score": 0.83, "best_iou": 0.0, "height_px": 100, "critical": 0.0, "in_corridor": 1.0, "other_reports": 0.0}
    )


def test_two_and_two_frames_are_not() -> None:
    assert look(Phantom(context()), haunted(0, 1, 3, 4)) == []


HARMLESS = [
    ("a low score", (CAR, BOX, 0.49), ()),
    ("a class that is not judged", (TREE, BOX, 0.9), ()),
    ("an ignore region", GHOST, (Known(NO_CLASS, (300, 0, 700, 400), ignore=True),)),
]


@pytest.mark.parametrize(("ghost", "truth"), [row[1:] for row in HARMLESS], ids=[row[0] for row in HARMLESS])
def test_these_are_no_phantoms(ghost: Seen, truth: tuple[Known, ...]) -> None:
    assert look(Phantom(context()), haunted(*range(6), ghost=ghost, truth=truth)) == []


def test_the_overlap_with_any_truth_decides() -> None:
    barely = (Known(PERSON, (515, 200, 615, 300)),)  # 15 of 185 columns: IoU .08
    enough = (Known(PERSON, (510, 200, 610, 300)),)  # 20 of 180: IoU .11
    assert len(look(Phantom(context()), haunted(*range(6), truth=barely))) == 6
    assert look(Phantom(context()), haunted(*range(6), truth=enough)) == []


def test_an_object_that_both_models_report_may_lack_a_label() -> None:
    moments = [moment(seq, truth=[], seen={B: [GHOST], C: [(CAR, BOX, 0.66)]}) for seq in range(3)]
    why = next(hit.why for hit in look(Phantom(context()), moments) if hit.role is C)
    assert why.endswith("the baseline reports it too with score 0.83: perhaps an object without label")


def test_frames_without_labels_pause_a_phantom() -> None:
    moments = [moment(seq, truth=None if seq == 1 else [], seen={B: [GHOST]}) for seq in range(4)]
    assert seqs(look(Phantom(context()), moments)) == [0, 2, 3]


def test_without_truth_there_are_no_phantoms() -> None:
    assert look(Phantom(context()), [moment(seq, seen={B: [GHOST]}) for seq in range(6)]) == []


def test_in_an_unordered_set_one_frame_is_enough() -> None:
    frames = [moment(seq, truth=[], seen={B: [GHOST]}, ordered=False) for seq in range(2)]
    assert seqs(look(Phantom(context(ordered=False)), frames)) == [0, 1]


def test_the_limits_come_from_the_settings() -> None:
    limits = CornerCaseLimits.model_validate({"phantom": {"frames": 1, "score": 0.84}})
    assert look(Phantom(context(limits)), haunted(0)) == []


def test_beside_the_corridor_it_is_none_unless_somebody_asks_for_it() -> None:
    beside = haunted(*range(6), ghost=(CAR, BESIDE, 0.83))
    assert look(Phantom(context()), beside) == []
    limits = CornerCaseLimits.model_validate({"phantom": {"corridor": False}})
    assert seqs(look(Phantom(context(limits)), beside)) == [0, 1, 2, 3, 4, 5]


def test_through_a_calibrated_camera_a_person_who_is_not_there_is_high() -> None:
    bottom = 270 + 640 * 1.4 / 12  # 12 m ahead
    ghost = (PERSON, (470.0, bottom - 90, 500.0, bottom), 0.8)
    hits = look(Phantom(context(camera=CAMERA)), haunted(*range(6), ghost=ghost))
    assert {hit.severity for hit in hits} == {Severity.HIGH}
    assert "critical: in the corridor, 12.0 m ahead" in hits[0].why
    assert {hit.severity for hit in look(Phantom(context()), haunted(*range(6), ghost=ghost))} == {Severity.MEDIUM}
