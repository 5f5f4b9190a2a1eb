from __future__ import annotations

from hilgui.pipeline.right_of_way import RightOfWay

MS = 1_000_000


def known(candidate_ms: int, period_ms: int = 33) -> RightOfWay:
    """Give one that knows how long the candidate takes; frame 0 has just arrived, at 0."""
    way = RightOfWay(period_ms * MS)
    way.took(candidate_ms * MS)
    way.arrived(0, 0)
    return way


def test_a_candidate_that_is_done_before_the_next_frame_may_run() -> None:
    assert known(10).may_run(0, 15 * MS)


def test_a_candidate_that_would_meet_the_next_frame_gives_way() -> None:
    way = known(20)
    assert not way.may_run(0, 15 * MS)
    assert way.given_way == 1
    assert "left 1 of 1 frames out" in way.account()[0]


def test_a_frame_that_is_not_the_newest_gives_way_to_it() -> None:
    way = known(1)
    way.arrived(1, 33 * MS)
    assert not way.may_run(0, 34 * MS)
    assert way.may_run(1, 40 * MS)


def test_one_slow_run_does_not_lock_the_candidate_out() -> None:
    way = known(5)
    for spent_ms in (5, 60, 5):
        way.took(spent_ms * MS)
    assert way.may_run(0, 15 * MS)


def test_before_anything_is_known_the_candidate_runs() -> None:
    way = RightOfWay(33 * MS)
    way.arrived(0, 0)
    assert way.may_run(0, 32 * MS)
    assert way.account() == ()


def test_a_candidate_that_never_fits_is_tried_less_and_less_often() -> None:
    way = known(100)
    ran = [way.may_run(0, 0) for _ in range(1024)]
    assert [place for place, may in enumerate(ran) if may] == [31, 95, 223, 479, 735, 991]
    assert way.given_way == 1018


def test_a_candidate_that_was_slow_for_a_while_runs_again_after_one_good_trial() -> None:
    way = known(100)
    for _ in range(14):
        way.took(100 * MS)
    assert [way.may_run(0, 0) for _ in range(32)].count(True) == 1
    way.took(5 * MS)
    assert all(way.may_run(0, 0) for _ in range(100))
