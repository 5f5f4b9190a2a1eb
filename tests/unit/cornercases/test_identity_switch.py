"""Identity switch: the track of a labelled object changes."""

from __future__ import annotations

from hilgui.cornercases.identity_switch import IdentitySwitch
from hilgui.records import NO_TRACK, Hit, Severity
from tests.unit.cornercases.drive import PERSON, B, Known, context, look, moment, seqs


def walking(jump: int, track: int = 7, pause: int = 0) -> list[Hit]:
    """A walker jumps aside at a frame, too far for its track; the labels know that it is the same one."""
    moments = []
    for seq in range(60):
        left = 100.0 + 2 * seq + (300.0 if seq >= jump else 0.0)
        box = (left, 200.0, left + 40.0, 300.0)
        shown = [] if jump <= seq < jump + pause else [(PERSON, box, 0.8)]
        moments.append(moment(seq, truth=[Known(PERSON, box, track=track, distance_m=20.0)], seen={B: shown}))
    return look(IdentitySwitch(context(candidate=False)), moments)


def test_an_object_that_gets_another_track_is_reported_once() -> None:
    (hit,) = walking(20)
    assert (hit.seq, hit.thread, hit.severity) == (20, "truth 7", Severity.LOW)
    assert hit.why == "person 7 is track 1 of the baseline here and was track 0 0.03 s ago"


def test_a_steady_track_and_labels_without_ids_are_not_reported() -> None:
    assert walking(99) == []
    assert walking(20, track=NO_TRACK) == []


def test_after_a_second_a_new_track_is_no_switch() -> None:
    assert seqs(walking(20, pause=20)) == [40]
    assert walking(20, pause=35) == []
