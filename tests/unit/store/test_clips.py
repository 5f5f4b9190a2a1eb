from __future__ import annotations

import math

import cv2
import numpy as np

from hilgui.records import Frame
from hilgui.settings import ClipSettings
from hilgui.store import ClipKeeper, Picture
from tests.unit.store.rows import finding, ref

FPS = 30


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
            kept += keeper.keep_around(seq / FPS)
    return [picture.seq for picture in kept]


def test_a_clip_spans_one_second_before_to_one_second_after() -> None:
    keeper = ClipKeeper(ClipSettings())
    assert play(keeper, 0, 150, (60,)) == list(range(30, 91))


def test_pictures_are_jpegs_of_their_frames() -> None:
    keeper = ClipKeeper(ClipSettings())
    keeper.push(frame(200))
    (picture,) = keeper.keep_around(200 / FPS)
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
    assert (done.clip_first, done.clip_last) == (None, None)


def test_a_clip_never_shows_another_findings_pictures_alone() -> None:
    """The budget ends in the clip of finding 1; of finding 2 only the overlap with it was kept."""
    keeper = ClipKeeper(ClipSettings())
    kept = play(keeper, 0, 80, (60,))
    keeper._budget = 0
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
    assert [picture.seq for picture in keeper.keep_around(19 / FPS)] == [15, 16, 17, 18, 19]


def test_findings_of_an_unordered_set_pass_without_a_clip() -> None:
    keeper = ClipKeeper(ClipSettings())
    keeper.wait_for_end([finding(1, 4, 4, first_s=math.nan)])
    (done,) = keeper.ripe()
    assert done.clip_first is None
