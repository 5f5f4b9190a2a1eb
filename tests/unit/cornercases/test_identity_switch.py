"""Identity switch: two labelled objects are taken for one another."""

from __future__ import annotations

from hilgui.cornercases.identity_switch import IdentitySwitch
from hilgui.records import NO_TRACK, Hit, Severity
from tests.unit.cornercases.drive import PERSON, B, Known, context, look, moment, seqs

LEFT, RIGHT = (100.0, 200.0, 140.0, 300.0), (400.0, 200.0, 440.0, 300.0)


def exchanged(at: int, tracks: tuple[int, int] = (7, 8), pause: int = 0) -> list[Hit]:
    """The labels of two walkers change places at a frame; the boxes of the model do not."""
    moments = []
    for seq in range(60):
        ids = tracks if seq < at else tracks[::-1]
        truth = [
            Known(PERSON, box, track=track, distance_m=20.0) for box, track in zip((LEFT, RIGHT), ids, strict=True)
        ]
        shown = [] if at <= seq < at + pause else [(PERSON, LEFT, 0.8), (PERSON, RIGHT, 0.7)]
        moments.append(moment(seq, truth=truth, seen={B: shown}))
    return look(IdentitySwitch(context(candidate=False)), moments)


def test_two_objects_that_are_taken_for_one_another_are_reported_once_each() -> None:
    hits = exchanged(20)
    assert [(hit.seq, hit.severity) for hit in hits] == [(20, Severity.LOW)] * 2
    assert {hit.thread for hit in hits} == {"truth 7", "truth 8"}
    assert "and was track 1 0.03 s ago: two objects are taken for one another" in " ".join(hit.why for hit in hits)


def test_steady_tracks_and_labels_without_ids_are_not_reported() -> None:
    assert exchanged(99) == []
    assert exchanged(20, tracks=(NO_TRACK, NO_TRACK)) == []


def test_what_was_not_matched_for_a_fifth_of_a_second_is_a_new_track_by_right() -> None:
    assert seqs(exchanged(20, pause=4)) == [24, 24]
    assert exchanged(20, pause=8) == []


def test_a_track_that_breaks_is_no_switch() -> None:
    moments = []
    for seq in range(60):
        left = 100.0 + (300.0 if seq >= 20 else 0.0)  # a jump, too far for its track
        box = (left, 200.0, left + 40.0, 300.0)
        moments.append(moment(seq, truth=[Known(PERSON, box, track=7)], seen={B: [(PERSON, box, 0.8)]}))
    assert look(IdentitySwitch(context(candidate=False)), moments) == []
