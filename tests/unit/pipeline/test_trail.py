"""Following an object through the boxes of a clip, to compare what was seen at different frames."""

from __future__ import annotations

from hilgui.pipeline.trail import Trail

MOVING = {seq: [(10.0 * seq, 0.0, 10.0 * seq + 40, 80.0), (500.0, 0.0, 540.0, 80.0)] for seq in range(20)}


def test_an_object_is_followed_forwards_and_backwards() -> None:
    trail = Trail(MOVING)
    assert trail.follow(MOVING[3][0], 3, 17) == MOVING[17][0]
    assert trail.follow(MOVING[17][0], 17, 3) == MOVING[3][0]
    assert trail.follow(MOVING[5][1], 5, 9) == MOVING[5][1]


def test_an_object_that_nobody_saw_for_a_frame_is_found_again() -> None:
    trail = Trail({seq: boxes for seq, boxes in MOVING.items() if seq != 8})
    assert trail.follow(MOVING[6][0], 6, 12) == MOVING[12][0]


def test_an_object_stays_where_nothing_is_near() -> None:
    assert Trail({}).follow((0.0, 0.0, 9.0, 9.0), 4, 4) == (0.0, 0.0, 9.0, 9.0)
    assert Trail({}).follow((0.0, 0.0, 9.0, 9.0), 4, 40) == (0.0, 0.0, 9.0, 9.0)
