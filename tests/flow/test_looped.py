from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hilgui.records import Frame
from hilgui.sources import source_for
from hilgui.stream import StopToken
from tests.flow.looped import Looped
from tests.unit.sources.clips import write_clip


def test_a_loop_goes_on_counting_where_the_recording_ends(tmp_path: Path) -> None:
    write_clip(tmp_path / "lap.mp4", list(range(10)))
    loop = Looped(source_for(tmp_path / "lap.mp4"), 25)
    facts = loop.open()
    frames = [item for item in loop.frames(StopToken()) if isinstance(item, Frame)]
    assert facts.frames == 25
    assert [frame.ref.seq for frame in frames] == list(range(25))
    assert np.diff([frame.ref.time_s for frame in frames]) == pytest.approx(1 / (facts.fps or 0), abs=1e-6)
    assert [frame.ref.key for frame in frames] == [ref.key for ref in loop.refs()]
    assert np.array_equal(frames[3].image, frames[23].image)
    assert np.array_equal(loop.frame_at(14).image, frames[14].image)
    with pytest.raises(IndexError):
        loop.frame_at(25)
    loop.close()
