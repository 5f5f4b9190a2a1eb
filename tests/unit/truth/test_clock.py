"""The offset between the labels' clock and the recording's: estimated, told, and never invented."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from hilgui.errors import TruthBroken
from hilgui.records import FrameRef, Truth
from hilgui.truth import LabelledFrame, Labels, join
from hilgui.truth.clock import match_times

START = datetime(2024, 5, 1, 12, tzinfo=UTC)


def recording(times_s: np.ndarray) -> list[FrameRef]:
    return [
        FrameRef(k, f"d.mp4#{k:06d}", float(time_s), START + timedelta(seconds=float(time_s)), 0, 640, 480)
        for k, time_s in enumerate(times_s)
    ]


def labels(times_s: np.ndarray) -> Labels:
    frames = tuple(LabelledFrame(Truth.none(), time_s=float(time_s)) for time_s in times_s)
    return Labels(Path("drive.json"), "COCO", ("car",), frames, "")


REGULAR = np.arange(100) * 0.1
UNEVEN = np.cumsum(np.random.default_rng(3).uniform(0.03, 0.17, 100))


@pytest.mark.parametrize(
    ("stamps", "times", "offset_s"),
    [
        pytest.param(REGULAR, REGULAR, 0.0, id="one clock"),
        pytest.param(REGULAR, REGULAR - 0.02, 0.02, id="20 ms behind"),
        pytest.param(REGULAR, REGULAR + 0.04, -0.04, id="40 ms ahead"),
        pytest.param(REGULAR, REGULAR + 0.3, -0.3, id="three frames ahead"),
        pytest.param(REGULAR, REGULAR - 1.23, 1.23, id="over a second behind"),
        pytest.param(UNEVEN, UNEVEN + 0.8, -0.8, id="uneven frames"),
        pytest.param(REGULAR, REGULAR[:50], 0.0, id="half the drive"),
        pytest.param(REGULAR[:50], REGULAR, 0.0, id="half the recording"),
        pytest.param(REGULAR, REGULAR[10:90:10], 0.0, id="every tenth frame"),
        pytest.param(REGULAR, REGULAR[::10] + 0.02, -0.02, id="every tenth frame, 20 ms ahead"),
    ],
)
def test_the_offset_is_found(stamps: np.ndarray, times: np.ndarray, offset_s: float) -> None:
    matched = match_times(stamps, times)
    assert matched.offset_s == pytest.approx(offset_s, abs=2e-3)


def test_every_label_finds_its_own_frame_across_the_offset() -> None:
    rng = np.random.default_rng(5)
    joined = join(labels(REGULAR + 0.3 + rng.normal(0, 0.004, 100)), recording(REGULAR))
    assert (joined.kind, joined.frames, list(joined.truths)) == ("time", 100, list(range(100)))
    assert joined.offset_s == pytest.approx(-0.3, abs=2e-3)


@pytest.mark.parametrize(
    ("shift_s", "sentence"),
    [
        (0.0, ""),
        (0.0004, ""),
        (0.02, "the labels' clock is 20 ms ahead of the recording's (median over 100 frames)"),
        (-0.3, "the labels' clock is 300 ms behind the recording's (median over 100 frames): more than 50 ms, check"),
    ],
)
def test_the_offset_is_told_and_more_than_50_ms_is_told_loudly(shift_s: float, sentence: str) -> None:
    notes = join(labels(REGULAR + shift_s), recording(REGULAR)).notes
    assert bool(notes) == bool(sentence)
    assert all(note.startswith(sentence) for note in notes)


def test_labels_with_seconds_since_1970_meet_the_wall_clock_of_the_recording() -> None:
    joined = join(labels(REGULAR + START.timestamp() + 0.02), recording(REGULAR))
    assert (joined.kind, joined.frames) == ("time", 100)
    assert joined.offset_s == pytest.approx(-0.02, abs=2e-3)


def test_labels_of_another_day_are_refused() -> None:
    with pytest.raises(TruthBroken, match="labels of another recording"):
        join(labels(REGULAR + START.timestamp() + 86_400), recording(REGULAR))


def test_four_labels_are_too_few_to_move_a_clock() -> None:
    matched = match_times(REGULAR, REGULAR[:4] - 0.5)
    assert matched.offset_s == 0.0
    assert (matched.nearest >= 0).sum() == 0


def test_frames_that_were_joined_by_number_have_their_clocks_compared() -> None:
    frames = tuple(LabelledFrame(Truth.none(), index=k, time_s=0.1 * k - 0.08) for k in range(100))
    joined = join(Labels(Path("drive.json"), "COCO", ("car",), frames, ""), recording(REGULAR))
    assert (joined.kind, joined.offset_s) == ("frame", pytest.approx(0.08))
    assert "80 ms behind" in joined.notes[0]


def test_a_set_of_images_without_times_has_no_clock() -> None:
    refs = [FrameRef(k, f"{k}.png", math.nan, START, 0, 0, 0) for k in range(9)]
    frames = tuple(LabelledFrame(Truth.none(), key=f"{k}.png", time_s=k + 0.5) for k in range(9))
    joined = join(Labels(Path("drive.json"), "COCO", ("car",), frames, ""), refs)
    assert (joined.kind, joined.offset_s, joined.notes) == ("key", 0.0, ())


def test_masks_and_lanes_join_without_boxes() -> None:
    class Mask:
        def load(self) -> None: ...

    frames = (LabelledFrame(None, "0.png", mask=Mask()), LabelledFrame(None, "1.png", lanes=Mask()))  # type: ignore[arg-type]
    refs = [FrameRef(k, f"{k}.png", math.nan, START, 0, 0, 0) for k in range(3)]
    joined = join(Labels(Path("labels"), "masks", ("road",), frames, ""), refs)
    assert (joined.truths, list(joined.masks), list(joined.lanes), joined.frames) == ({}, [0], [1], 2)
