"""Counted nouns."""

from __future__ import annotations

import pytest

from hilgui.numerals import number_of


@pytest.mark.parametrize(
    ("count", "nouns", "words"),
    [
        (0, ("frame",), "0 frames"),
        (1, ("frame",), "1 frame"),
        (1204, ("frame",), "1,204 frames"),
        (1, ("frame is", "frames are"), "1 frame is"),
        (2, ("frame is", "frames are"), "2 frames are"),
    ],
)
def test_a_count_goes_with_its_noun(count: int, nouns: tuple[str, ...], words: str) -> None:
    assert number_of(count, *nouns) == words
