"""Part of a recording, and a camera whose exposure steps."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.errors import SourceBroken
from hilgui.records import Frame
from hilgui.resources import shipped
from hilgui.sources import source_for
from hilgui.sources.excerpt import Excerpt
from hilgui.stream import StopToken

DAY = shipped("assets/demo/day.mp4")


def test_frames_of_an_excerpt_keep_their_numbers() -> None:
    whole, part = source_for(DAY), Excerpt(source_for(DAY), 3, 6)
    whole.open()
    facts = part.open()
    try:
        frames = [item for item in part.frames(StopToken()) if isinstance(item, Frame)]
        assert facts.frames == 4 and "frames 3 to 6" in facts.notes[-1]
        assert [frame.ref.seq for frame in frames] == [ref.seq for ref in part.refs()] == [3, 4, 5, 6]
        assert np.array_equal(frames[0].image, whole.frame_at(3).image)
        assert np.array_equal(part.frame_at(6).image, frames[-1].image)
        with pytest.raises(IndexError, match="3 to 6"):
            part.frame_at(7)
    finally:
        whole.close()
        part.close()


def test_an_excerpt_beyond_the_end_is_refused() -> None:
    part = Excerpt(source_for(DAY), 0, 100_000)
    with pytest.raises(SourceBroken, match="not 0 to 100000"):
        part.open()


def test_the_exposure_steps_at_its_frame() -> None:
    part = Excerpt(source_for(DAY), 0, 3, ((2, 4.0),))
    part.open()
    try:
        means = [float(item.image.mean()) for item in part.frames(StopToken()) if isinstance(item, Frame)]
        assert means[2] > 1.5 * means[1] and abs(means[1] - means[0]) < 5
        assert not part.frame_at(2).image.flags.writeable
    finally:
        part.close()
