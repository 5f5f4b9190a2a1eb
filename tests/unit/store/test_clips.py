from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from hilgui.records import Finding, Frame, Severity
from hilgui.settings import ClipSettings
from hilgui.store import ClipKeeper, Picture
from hilgui.store.pictures import CUT_OFF, DROPPED, NO_ROOM, SHORTENED
from tests.unit.store.rows import finding, ref

FPS = 30
LOW, MEDIUM, HIGH = Severity
TIGHT = ClipSettings(before_s=0.11, after_s=0.11, budget_mb=1)  # 7 pictures a clip, 17 on the disk


def frame(seq: int) -> Frame:
    image = np.full((48, 64, 3), seq % 256, np.uint8)
    image.flags.writeable = False
    return Frame(ref(seq), image)


def play(keeper: ClipKeeper, first: int, last: int, hits: tuple[int, ...] = ()) -> list[int]:
    """Push frames `first`..`last` with hits at some; give the numbers of the pictures that were written."""
    kept: list[Picture] = []
    for seq in range(first, last + 1):
        kept += keeper.push(frame(seq))
        if seq in hits:
            kept += keeper.keep_around(seq / FPS, Severity.LOW)
    return [picture.seq for picture in kept]


def test_a_clip_spans_one_second_before_to_one_second_after() -> None:
    keeper = ClipKeeper(ClipSettings())
    assert play(keeper, 0, 150, (60,)) == list(range(30, 91))


def test_pictures_are_jpegs_of_their_frames() -> None:
    keeper = ClipKeeper(ClipSettings())
    keeper.push(frame(200))
    (picture,) = keeper.keep_around(200 / FPS, Severity.LOW)
    image = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (48, 64, 3)
    assert abs(int(image.mean()) - 200) <= 1


def test_overlapping_clips_share_their_pictures() -> None:
    keeper = ClipKeeper(ClipSettings())
    kept = play(keeper, 0, 200, (60, 75, 76, 130))
    assert kept == list(range(30, 161))


def test_distant_clips_leave_out_what_lies_between() -> None:
    keeper = ClipKeeper(ClipSettings())
    assert play(keeper, 0, 300, (60, 200)) == [*range(30, 91), *range(170, 231)]


def test_a_clip_at_the_start_or_end_is_shorter() -> None:
    keeper = ClipKeeper(ClipSettings())
    assert play(keeper, 0, 20, (3, 18)) == list(range(21))
    keeper.wait_for_end([finding(1, 3, 18)])
    (done,) = keeper.ripe()
    assert (done.clip_first, done.clip_last) == (0, 20)


def test_a_finding_waits_until_the_seconds_after_it_have_played() -> None:
    keeper = ClipKeeper(ClipSettings())
    play(keeper, 0, 66, (60,))
    keeper.wait_for_end([finding(1, 60, 60)])
    assert keeper.ripe(66 / FPS) == []
    play(keeper, 67, 90)
    (done,) = keeper.ripe(90 / FPS)
    assert (done.clip_first, done.clip_last) == (30, 90)
    assert keeper.ripe() == []


def test_overlapping_findings_get_their_own_range() -> None:
    keeper = ClipKeeper(ClipSettings())
    play(keeper, 0, 200, (60, 80))
    keeper.wait_for_end([finding(1, 60, 60), finding(2, 80, 80)])
    ranges = [(done.clip_first, done.clip_last) for done in keeper.ripe()]
    assert ranges == [(30, 90), (50, 110)]


def test_the_budget_bounds_the_disk_and_later_findings_have_no_clip() -> None:
    keeper = ClipKeeper(ClipSettings(budget_mb=0))
    assert play(keeper, 0, 120, (60,)) == []
    keeper.wait_for_end([finding(1, 60, 60)])
    (done,) = keeper.ripe()
    assert (done.clip_first, done.clip_last, done.clip_note) == (None, None, NO_ROOM)


def test_a_clip_never_shows_another_findings_pictures_alone() -> None:
    """The budget ends in the clip of finding 1; of finding 2 only the overlap with it was kept."""
    keeper = ClipKeeper(ClipSettings())
    kept = play(keeper, 0, 80, (60,))
    keeper._left = 0
    kept += play(keeper, 81, 200, (105,))
    assert max(kept) == 80
    keeper.wait_for_end([finding(1, 60, 60), finding(2, 105, 105)])
    first, second = keeper.ripe()
    assert (first.clip_first, first.clip_last) == (30, 80)
    assert (second.clip_first, second.clip_last) == (None, None)


def test_the_ring_is_bounded_in_memory() -> None:
    keeper = ClipKeeper(ClipSettings(before_s=1000, ring_mb=16))
    image = np.zeros((1000, 1000, 3), np.uint8)
    for seq in range(20):
        keeper.push(Frame(ref(seq), image))
    assert [picture.seq for picture in keeper.keep_around(19 / FPS, Severity.LOW)] == [15, 16, 17, 18, 19]


def test_findings_of_an_unordered_set_pass_without_a_clip() -> None:
    keeper = ClipKeeper(ClipSettings())
    keeper.wait_for_end([finding(1, 4, 4, first_s=math.nan)])
    (done,) = keeper.ripe()
    assert done.clip_first is None


class Drive:
    """Plays frames of 57 kB each and knows what lies on the disk."""

    def __init__(self, settings: ClipSettings = TIGHT) -> None:
        noise = np.random.default_rng(1).integers(0, 256, (192, 328, 3), dtype=np.uint8)
        noise.flags.writeable = False
        self._noise = noise
        self.keeper = ClipKeeper(settings)
        self.disk: set[int] = set()
        self.told: dict[int, Finding] = {}
        self.seq = 0

    def play(self, last: int, *, hits: dict[int, Severity] | None = None) -> None:
        """Play until frame `last`; findings close one by one, of one frame each, where a hit is."""
        for seq in range(self.seq, last + 1):
            written = self.keeper.push(Frame(ref(seq), self._noise))
            severity = (hits or {}).get(seq)
            if severity is not None:
                written += self.keeper.keep_around(seq / FPS, severity)
                self.keeper.wait_for_end([of(seq, severity)])
            self.disk |= {picture.seq for picture in written}
            self.told |= {each.first_seq: each for each in self.keeper.ripe(seq / FPS)}
            evicted = self.keeper.evicted()
            assert set(evicted.pictures) <= self.disk
            self.disk -= set(evicted.pictures)
            for clip in evicted.clips:  # the number of a finding here is that of its frame
                now = {"clip_first": clip.first, "clip_last": clip.last, "clip_note": clip.note}
                self.told[clip.number] = replace(self.told[clip.number], **now)
        self.seq = last + 1


def of(seq: int, severity: Severity) -> Finding:
    return replace(finding(seq, seq, seq), severity=severity)


def clip(finding: Finding) -> tuple[int | None, int | None, str]:
    return finding.clip_first, finding.clip_last, finding.clip_note


def test_a_worse_finding_displaces_the_oldest_of_the_least() -> None:
    drive = Drive()
    drive.play(100, hits={10: LOW, 30: MEDIUM, 60: HIGH})
    assert {*range(27, 34), *range(57, 64)} <= drive.disk
    assert clip(drive.told[10]) == (None, None, DROPPED)
    assert clip(drive.told[30]) == (27, 33, "")
    assert clip(drive.told[60]) == (57, 63, "")
    assert len(drive.disk) <= 17


def test_a_clip_that_loses_its_first_pictures_says_so() -> None:
    drive = Drive(TIGHT.model_copy(update={"before_s": 0.21}))  # 10 pictures a clip
    drive.play(60, hits={20: LOW, 40: HIGH})
    assert clip(drive.told[20]) == (17, 23, SHORTENED)
    assert clip(drive.told[40]) == (34, 43, "")
    assert drive.disk == {*range(17, 24), *range(34, 44)}


def test_of_equals_the_first_stays() -> None:
    drive = Drive()
    drive.play(100, hits={10: MEDIUM, 30: MEDIUM, 60: MEDIUM})
    assert clip(drive.told[10]) == (7, 13, "")
    assert clip(drive.told[30]) == (27, 33, "")
    assert clip(drive.told[60]) == (None, None, NO_ROOM)


def test_a_clip_whose_later_pictures_found_no_room_says_so() -> None:
    drive = Drive(TIGHT.model_copy(update={"before_s": 0.04}))  # 5 pictures a clip
    drive.play(100, hits={10: MEDIUM, 25: MEDIUM, 40: MEDIUM, 60: MEDIUM})
    assert [clip(drive.told[seq])[2] for seq in (10, 25, 40)] == ["", "", ""]
    assert clip(drive.told[60]) == (59, 60, CUT_OFF)


def test_a_lesser_finding_displaces_nothing() -> None:
    drive = Drive()
    drive.play(100, hits={10: HIGH, 30: MEDIUM, 60: LOW})
    assert [finding.clip_note for finding in drive.told.values()] == ["", "", NO_ROOM]


def test_pictures_shared_with_a_worse_finding_stay() -> None:
    drive = Drive()
    drive.play(200, hits={10: LOW, 14: HIGH, 60: HIGH, 100: HIGH})
    assert set(range(11, 18)) <= drive.disk  # of the one at 14
    assert clip(drive.told[14]) == (11, 17, "")
    assert clip(drive.told[10]) == (None, None, DROPPED)
    assert clip(drive.told[60]) == (57, 63, "")


def test_a_finding_that_turns_out_worse_takes_its_pictures_along() -> None:
    """Its hits were LOW at first; as a whole it is HIGH, and so are its pictures."""
    drive = Drive()
    drive.play(11, hits={10: LOW})
    drive.keeper.wait_for_end([of(10, HIGH)])
    drive.play(100, hits={30: HIGH, 60: HIGH})
    assert set(range(7, 14)) <= drive.disk
    assert clip(drive.told[60])[0] is None


def test_pictures_that_lie_in_the_ring_stay() -> None:
    drive = Drive(TIGHT.model_copy(update={"before_s": 1.0, "after_s": 0.0}))
    drive.play(40, hits={17: LOW, 30: HIGH, 40: HIGH})
    assert min(drive.disk) == 0  # 17 pictures of the lesser one fill the disk; all were in the ring of 45 frames
    assert not any(finding.first_seq == 30 and finding.clip_first for finding in drive.told.values())


def test_what_is_not_enough_room_costs_nobody_a_picture() -> None:
    drive = Drive()
    drive.play(40, hits={10: HIGH, 25: HIGH})
    drive.keeper._left = 0
    drive.play(100, hits={60: MEDIUM})
    assert drive.disk == {*range(7, 14), *range(22, 29)}
    assert drive.keeper.evicted().pictures == ()


def test_an_hour_of_ever_worse_findings_stays_within_the_budget() -> None:
    drive = Drive()
    drive.play(600, hits={seq: (LOW, MEDIUM, LOW, HIGH)[seq // 20 % 4] for seq in range(20, 600, 20)})
    assert len(drive.disk) <= 17
    for each in drive.told.values():
        if each.clip_first is not None and each.clip_last is not None:
            assert set(range(each.clip_first, each.clip_last + 1)) <= drive.disk
            assert each.worst_seq in drive.disk
        else:
            assert each.clip_note
