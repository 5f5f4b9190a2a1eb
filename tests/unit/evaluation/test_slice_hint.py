"""A slice search says when its drives cannot confirm anything, and how many could."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hilgui.evaluation.clusters import PICTURES
from hilgui.evaluation.slice_search import search
from hilgui.evaluation.slices import SliceRows


def drives(count: int, blocks: int) -> SliceRows:
    """Give drives of some blocks of 100 truths each; by night a third of them is missed."""
    rows = count * blocks * 100
    place = np.arange(rows)
    by_night = place % 2
    return SliceRows(
        ("day_part",),
        (("day", "night"),),
        by_night[:, None].astype(np.int16),
        (by_night == 0) | (place % 3 > 0),
        place // 100,
        place // (blocks * 100),
        place,
        tuple(f"drive {number}" for number in range(count)),
    )


def test_three_short_drives_confirm_nothing_and_the_search_says_how_many_would() -> None:
    found = search(drives(3, 3))
    assert [each.confirmed for each in found.weak] == [False]
    assert found.blocks_needed == 5  # ½⁵ is the first below .05
    assert found.hint == (
        "nothing can be confirmed with these drives: the others hold 3 × block of 100 frames, a slice must lie in 5 of "
        "them; take 4 drives like these or more"
    )
    assert found.as_json()["hint"] == found.hint


def test_the_blocks_of_an_unordered_set_are_of_pictures() -> None:
    assert f"the others hold 3 × {PICTURES}, " in search(replace(drives(3, 3), unit=PICTURES)).hint


def test_with_as_many_as_it_asked_for_the_same_slice_is_confirmed() -> None:
    found = search(drives(4, 3))
    assert found.hint == ""
    assert [each.confirmed for each in found.weak] == [True]


def test_one_drive_has_no_other() -> None:
    assert search(drives(1, 6)).hint.startswith("nothing can be confirmed with one drive")
