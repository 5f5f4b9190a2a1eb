"""The tracker: identities by overlap."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgui.cornercases.boxes import Box, overlap
from hilgui.evaluation.tracker import Association, Tracker, assign

LEFT, RIGHT = (0.0, 0.0, 20.0, 20.0), (100.0, 0.0, 120.0, 20.0)


def moved(box: Box, x: float, y: float = 0.0) -> Box:
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def test_identities_count_from_zero_and_do_not_depend_on_the_order_of_rows() -> None:
    tracker = Tracker(keep=3)
    assert tracker.update([LEFT, RIGHT]) == [0, 1]
    assert tracker.update([moved(RIGHT, 2), moved(LEFT, 2)]) == [1, 0]


def test_a_box_far_away_is_a_new_track() -> None:
    tracker = Tracker(keep=3)
    tracker.update([LEFT])
    assert tracker.update([RIGHT]) == [1]


def test_a_track_is_kept_for_some_frames() -> None:
    tracker = Tracker(keep=3)
    tracker.update([LEFT])
    for _ in range(3):
        tracker.update([])
    assert tracker.ended == []
    assert tracker.update([LEFT]) == [0]


def test_a_track_ends_after_that() -> None:
    tracker = Tracker(keep=3)
    tracker.update([LEFT])
    for _ in range(4):
        tracker.update([])
    assert tracker.ended == [0]
    assert tracker.update([LEFT]) == [1]


def test_a_track_moves_on_while_it_is_not_seen() -> None:
    tracker = Tracker(keep=5)
    for frame in range(3):
        tracker.update([moved(LEFT, 10.0 * frame)])
    tracker.update([])
    tracker.update([])
    assert tracker.update([moved(LEFT, 50.0), LEFT]) == [0, 1]


def test_the_better_overlap_takes_the_track() -> None:
    tracker = Tracker(keep=3)
    tracker.update([LEFT])
    assert tracker.update([moved(LEFT, 5), moved(LEFT, 1)]) == [1, 0]


def test_two_objects_that_pass_each_other_keep_their_identities() -> None:
    tracker = Tracker(keep=3)
    numbers = [tracker.update([moved(LEFT, 8.0 * frame), moved(RIGHT, -8.0 * frame, 6.0)]) for frame in range(13)]
    assert numbers == [[0, 1]] * 13


def test_overlap_of_boxes() -> None:
    assert overlap(LEFT, LEFT) == 1.0
    assert overlap(LEFT, moved(LEFT, 10)) == 1 / 3
    assert overlap(LEFT, moved(LEFT, 20)) == 0.0
    assert overlap(LEFT, moved(LEFT, 0, 25)) == 0.0


def test_a_faint_box_continues_a_track_but_starts_none() -> None:
    tracker = Tracker(3, Association(high_score=0.5))
    assert tracker.update([LEFT, RIGHT], np.array([0.9, 0.2])) == [0, -1]
    assert tracker.update([LEFT], np.array([0.2])) == [0]


def test_a_faint_box_does_not_bring_back_a_track_that_was_lost() -> None:
    tracker = Tracker(3, Association(high_score=0.5))
    tracker.update([LEFT], np.array([0.9]))
    tracker.update([], np.array([]))
    assert tracker.update([LEFT], np.array([0.2])) == [-1]
    assert tracker.update([LEFT], np.array([0.9])) == [0]


def test_a_track_takes_only_boxes_of_its_class_where_classes_are_given() -> None:
    tracker = Tracker(3)
    tracker.update([LEFT], classes=np.array([1], np.int32))
    assert tracker.update([LEFT, LEFT], classes=np.array([2, 1], np.int32)) == [1, 0]


def test_the_sum_of_overlaps_decides_not_the_best_pair() -> None:
    overlap = np.array([[0.8, 0.7], [0.75, 0.0]])
    assert assign(overlap, 0.3).tolist() == [1, 0]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_the_same_boxes_give_the_same_numbers_and_no_number_twice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(12):
        corner = rng.uniform(0, 60, (rng.integers(0, 6), 2))
        frames.append((np.hstack([corner, corner + rng.uniform(5, 40, corner.shape)]), rng.uniform(0, 1, len(corner))))
    one, other = (Tracker(2, Association(high_score=0.4)) for _ in range(2))
    for boxes, scores in frames:
        numbers = one.update(boxes, scores)
        assert numbers == other.update(boxes, scores)
        given_out = [number for number in numbers if number >= 0]
        assert len(set(given_out)) == len(given_out)
        unseen = one.unseen()
        assert set(unseen).isdisjoint(given_out)
        hidden = {
            number for number, box in unseen.items() if any(overlap(box, tuple(each)) >= 0.3 for each in boxes.tolist())
        }
        assert one.covered(0.3) == hidden
