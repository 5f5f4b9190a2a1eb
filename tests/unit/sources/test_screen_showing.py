"""Showing a drive on a screen: every frame, in order, each for its time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from hilgui.errors import SourceBroken
from hilgui.records import Frame, FrameRef, SourceFacts
from hilgui.sources.excerpt import Excerpt
from hilgui.sources.screen import Showing, lay_out
from hilgui.sources.screen.finder import ScreenFinder
from hilgui.sources.screen.glimpse import Glimpse, look_at
from hilgui.stream import StopToken

LAYOUT = lay_out(800, 600, 64, 48)


class Drive:
    """Three frames, ten a second."""

    suffixes: frozenset[str] = frozenset()

    def __init__(self, fps: float | None = 10.0) -> None:
        self._fps = fps

    @classmethod
    def recognises(cls, path: Path) -> bool:
        return False

    def open(self) -> SourceFacts:
        return SourceFacts("three", "test", "three", "0b4" + 61 * "0", 64, 48, self._fps, 3, ordered=True)

    def refs(self) -> list[FrameRef]:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        return [FrameRef(seq, f"three#{seq}", seq / 10, now, 0, 64, 48) for seq in range(3)]

    def frames(self, stop: StopToken) -> Iterator[Frame]:
        for ref in self.refs():
            yield Frame(ref, np.full((48, 64, 3), 50 * ref.seq, np.uint8))

    def frame_at(self, seq: int) -> Frame:
        raise IndexError(seq)

    def close(self) -> None:
        pass


class Clock:
    """Goes on when it is told."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000

    def __call__(self) -> int:
        return self.now_ns


def numbers(showing: Showing, clock: Clock, steps_ms: list[int]) -> list[int | None]:
    """Ask once after each step; give the frame numbers that the canvases show."""
    told: list[int | None] = []
    for step in steps_ms:
        clock.now_ns += step * 1_000_000
        canvas = showing.canvas()
        if canvas is None:
            told.append(None)
            continue
        glimpse = look_at(canvas, LAYOUT, ScreenFinder(LAYOUT))
        assert isinstance(glimpse, Glimpse) and glimpse.code is not None
        assert glimpse.code.shown_ms == clock.now_ns // 1_000_000 % 2**18
        assert glimpse.code.drive == 0x0B4
        told.append(glimpse.code.number)
    return told


def test_each_frame_stands_for_its_time_and_the_first_one_longer() -> None:
    clock = Clock()
    showing = Showing(Drive(), 800, 600, lead_s=1.0, now_ns=clock)
    showing.open()
    told = numbers(showing, clock, [0, 500, 590, 20, 50, 50, 90, 20])
    assert told == [0, None, None, 1, None, 2, None, None]
    assert showing.is_over


def test_a_screen_that_is_late_leaves_no_frame_out() -> None:
    clock = Clock()
    showing = Showing(Drive(), 800, 600, now_ns=clock)
    showing.open()
    assert numbers(showing, clock, [0, 700, 0, 60]) == [0, 1, None, 2]


def test_an_endless_drive_begins_again() -> None:
    clock = Clock()
    showing = Showing(Drive(), 800, 600, is_endless=True, speed=2, now_ns=clock)
    showing.open()
    assert numbers(showing, clock, [0, 51, 51, 51, 51]) == [0, 1, 2, 0, 1]
    assert not showing.is_over


def test_a_drive_that_was_ended_goes_on_where_it_was() -> None:
    clock = Clock()
    showing = Showing(Excerpt(Drive(), 1), 800, 600, now_ns=clock)
    showing.open()
    assert showing.number is None
    assert numbers(showing, clock, [0, 101, 101]) == [1, 2, None]
    assert showing.number == 2 and showing.is_over


def test_a_set_of_images_without_a_rate_cannot_be_shown() -> None:
    with pytest.raises(SourceBroken, match="no frame rate"):
        Showing(Drive(None), 800, 600).open()
