"""Merging: which hits become one finding, and what it says."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hilgui.cornercases import Watch
from hilgui.cornercases.merge import Calendar, Merger
from hilgui.records import Finding, FoundObject, Hit, Kind, Role, Severity, Telling
from tests.unit.cornercases.drive import PERSON, B, C, Known, context, moment

GAP = 5
BOX = (100.0, 200.0, 140.0, 300.0)


def hit(
    seq: int,
    kind: Kind = Kind.FLICKER,
    *,
    role: Role | None = B,
    thread: str = "track 1",
    severity: Severity = Severity.LOW,
    weight: float = 1.0,
) -> Hit:
    found = FoundObject("car", (0.0, 0.0, float(seq), 1.0))
    return Hit(kind, seq, thread, severity, weight, f"frame {seq}, {{duration}}", role, (found,), {"seq": float(seq)})


def merged(hits: list[Hit], frames: int = 60, patience: int = 0) -> list[Finding]:
    """Run over `frames` frames, each bringing its own hits."""
    merger = Merger(GAP, patience, 1 / 30)
    findings = []
    for seq in range(frames):
        merger.calendar.turn(moment(seq, truth=[]))
        findings += merger.take([each for each in hits if each.seq == seq])
    return findings + merger.finish()


def spans(findings: list[Finding]) -> list[tuple[int, int, int]]:
    return [(finding.first_seq, finding.last_seq, finding.frames) for finding in findings]


def test_neighbouring_hits_become_one_finding_that_shows_its_worst_frame() -> None:
    hits = [hit(10), hit(11, weight=3.0), hit(12, severity=Severity.HIGH, weight=2.0)]
    (finding,) = merged(hits)
    assert spans([finding]) == [(10, 12, 3)]
    assert (finding.number, finding.worst_seq, finding.severity) == (1, 11, Severity.HIGH)
    assert (finding.first_s, finding.worst_s, finding.last_s) == pytest.approx((10 / 30, 11 / 30, 12 / 30))
    assert finding.why == "frame 11, 3 frames (0.1 s)"
    assert finding.evidence == {"seq": 11.0}
    assert finding.objects == hits[1].objects
    assert (finding.kind, finding.role, finding.clip_first) == (Kind.FLICKER, B, None)


def test_only_the_worst_hit_is_told() -> None:
    asked = []

    def late(seq: int, weight: float) -> Hit:
        def tell() -> Telling:
            asked.append(seq)
            return Telling(f"frame {seq} for {{duration}}", (FoundObject("car", BOX),), {"seq": float(seq)})

        return replace(hit(seq, weight=weight), why="", objects=(), evidence={}, telling=tell)

    (finding,) = merged([late(10, 1.0), late(11, 3.0), late(12, 2.0)])
    assert asked == [11]
    assert (finding.why, finding.evidence) == ("frame 11 for 3 frames (0.1 s)", {"seq": 11.0})
    assert finding.objects == (FoundObject("car", BOX),)


def test_a_hit_that_cannot_be_told_is_still_a_finding() -> None:
    def tell() -> Telling:
        raise KeyError("figure")

    merger = Merger(GAP, 0, 1 / 30)
    merger.calendar.turn(moment(0, truth=[]))
    merger.take([replace(hit(0, severity=Severity.HIGH), telling=tell)])
    (finding,) = merger.finish()
    assert finding.severity is Severity.HIGH
    assert finding.why == "flicker that its detector could not describe: 'figure'"
    assert [kind for kind, _ in merger.untold] == [Kind.FLICKER]


def test_a_gap_of_five_frames_does_not_end_a_finding_and_one_of_six_does() -> None:
    assert spans(merged([hit(10), hit(16)])) == [(10, 16, 2)]
    assert spans(merged([hit(10), hit(17)])) == [(10, 10, 1), (17, 17, 1)]


APART = [
    ("kind", hit(11, Kind.CLASS_FLIP)),
    ("role", hit(11, role=C)),
    ("thread", hit(11, thread="track 2")),
]


@pytest.mark.parametrize("other", [row[1] for row in APART], ids=[row[0] for row in APART])
def test_hits_of_another_thread_are_another_finding(other: Hit) -> None:
    assert len(merged([hit(10), other])) == 2


def test_findings_are_numbered_in_the_order_in_which_they_close() -> None:
    long = [hit(seq, thread="long") for seq in range(5, 40)]
    findings = merged([*long, hit(10, thread="short")])
    assert [(finding.number, finding.first_seq) for finding in findings] == [(1, 10), (2, 5)]


def test_a_finding_closes_when_the_gap_and_the_patience_are_over() -> None:
    merger = Merger(GAP, 3, 1 / 30)
    closed_at = []
    for seq in range(30):
        merger.calendar.turn(moment(seq))
        closed_at += [seq for _ in merger.take([hit(10)] if seq == 10 else [])]
    assert closed_at == [19]


def test_hits_may_come_after_their_frames() -> None:
    merger = Merger(GAP, 3, 1 / 30)
    for seq in range(13):
        merger.calendar.turn(moment(seq))
        assert merger.take([hit(10), hit(11), hit(12)] if seq == 12 else []) == []
    assert spans(merger.finish()) == [(10, 12, 3)]


def test_a_late_hit_may_extend_a_finding_to_the_front() -> None:
    merger = Merger(GAP, 3, 1 / 30)
    for seq in range(13):
        merger.calendar.turn(moment(seq))
    merger.take([hit(12), hit(9)])
    assert spans(merger.finish()) == [(9, 12, 2)]


def test_what_is_open_at_the_end_closes_then() -> None:
    assert spans(merged([hit(58), hit(59)])) == [(58, 59, 2)]


def test_lost_frames_are_no_gap() -> None:
    merger = Merger(GAP, 0, 1 / 30)
    for seq in (0, 1, 50):
        merger.calendar.turn(moment(seq))
        merger.take([hit(seq)])
    assert spans(merger.finish()) == [(0, 50, 3)]


def test_frames_without_labels_are_no_gap_for_what_needs_labels() -> None:
    def run(kind: Kind) -> list[Finding]:
        merger = Merger(GAP, 0, 1 / 30)
        findings = []
        for seq in range(31):
            is_labelled = seq % 10 == 0
            merger.calendar.turn(moment(seq, truth=[Known(0, (0, 0, 9, 9))] if is_labelled else None))
            findings += merger.take([hit(seq, kind)] if is_labelled else [])
        return findings + merger.finish()

    assert spans(run(Kind.MISSED_OBJECT)) == [(0, 30, 4)]
    assert len(run(Kind.FLICKER)) == 4


def test_frames_that_the_candidate_skipped_are_no_gap_for_the_candidate() -> None:
    merger = Merger(GAP, 0, 1 / 30)
    findings = []
    for seq in range(31):
        runs = seq % 10 == 0
        merger.calendar.turn(moment(seq, seen={B: [], C: []} if runs else {B: []}))
        findings += merger.take([hit(seq, role=C)] if runs else [])
    assert spans(findings + merger.finish()) == [(0, 30, 4)]


def test_hits_of_an_unordered_frame_become_one_finding_per_kind_and_role() -> None:
    merger = Merger(GAP, 0, None)
    merger.calendar.turn(moment(7, truth=[], ordered=False))
    miss = Kind.MISSED_OBJECT
    worst = hit(7, miss, thread="row 1", weight=4.0)
    findings = merger.gathered([hit(7, miss, severity=Severity.HIGH), worst, hit(7, miss, role=C)])
    assert [(finding.role, len(finding.objects), finding.severity) for finding in findings] == [
        (B, 2, Severity.HIGH),
        (C, 1, Severity.LOW),
    ]
    assert findings[0].why == "frame 7, 1 frame; 1 more in this frame"
    assert findings[0].objects[0] == worst.objects[0]
    assert math.isnan(findings[0].worst_s)


def test_frames_come_in_order() -> None:
    merger = Merger(GAP, 0, 1 / 30)
    merger.calendar.turn(moment(3))
    with pytest.raises(ValueError, match="frame 3 comes after frame 3"):
        merger.calendar.turn(moment(3))


def test_the_calendar_counts_as_one_by_one_over_many_frames() -> None:
    calendar, shown = Calendar(), 0
    positions = []
    for seq in range(300):
        labelled = seq % 3 > 0
        calendar.turn(moment(2 * seq, truth=[] if labelled else None, seen={B: [], C: []} if seq % 5 else {B: []}))
        shown += labelled and seq % 5 > 0
        positions.append(shown)
    hits = [hit(2 * seq, Kind.PHANTOM, role=C) for seq in range(300)]
    assert [calendar.position(each) for each in hits] == positions
    assert calendar.now[C, True] == shown
    assert calendar.now[None, False] == 300
    assert calendar.knows(598)
    assert not calendar.knows(599)
    assert calendar.count(0, 20) == 11


def test_what_is_about_one_object_is_one_finding_when_its_spells_are_within_two_seconds() -> None:
    watch = Watch(context())
    lost = {*range(10, 14), *range(60, 64), *range(200, 204)}
    known = Known(PERSON, BOX, track=5, distance_m=20.0)
    found = [(PERSON, BOX, 0.8)]
    moments = [moment(seq, truth=[known], seen={B: [] if seq in lost else found}) for seq in range(300)]
    findings = [each for one in moments for each in watch.look(one).closed] + watch.finish()
    misses = [(each.first_seq, each.last_seq, each.frames) for each in findings if each.kind is Kind.MISSED_OBJECT]
    assert misses == [(10, 63, 8), (200, 203, 4)]


def test_a_miss_that_a_match_ended_is_one_finding_and_not_two() -> None:
    watch = Watch(context())
    known = Known(PERSON, BOX, track=5, distance_m=20.0)
    found = [(PERSON, BOX, 0.8)]
    moments = [moment(seq, truth=[known], seen={B: [] if 10 <= seq < 30 else found}) for seq in range(60)]
    findings = [each for one in moments for each in watch.look(one).closed] + watch.finish()
    assert [(each.kind, each.first_seq, each.last_seq, each.frames) for each in findings] == [(Kind.GAP, 10, 29, 20)]
