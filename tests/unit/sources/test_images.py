"""Image folders: an unordered set unless a rate is given."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.errors import SourceBroken
from hilgui.records import Frame, Loss
from hilgui.sources import open_source, source_for
from hilgui.stream import StopToken


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give three images of two sizes, named so that numbers matter."""
    for name, size in (("2.png", 20), ("10.png", 30), ("1.png", 20)):
        cv2.imwrite(str(tmp_path / name), np.full((size, size, 3), size, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_numbers_in_names_sort_as_numbers(folder: Path) -> None:
    assert [ref.key for ref in open_source(folder).refs()] == ["1.png", "2.png", "10.png"]


def test_a_folder_without_a_rate_is_an_unordered_set(folder: Path) -> None:
    source = source_for(folder)
    facts = source.open()
    assert (facts.ordered, facts.fps, facts.frames) == (False, None, 3)
    assert all(math.isnan(ref.time_s) for ref in source.refs())


def test_a_given_rate_makes_a_drive(folder: Path) -> None:
    source = source_for(folder, fps=10)
    assert source.open().ordered
    assert [ref.time_s for ref in source.refs()] == pytest.approx([0, 0.1, 0.2])


def test_an_image_that_cannot_be_read_is_a_loss_with_a_reason(folder: Path) -> None:
    (folder / "3.png").write_bytes(b"\x89PNG but no more")
    items = list(open_source(folder).frames(StopToken()))
    losses = [item for item in items if isinstance(item, Loss)]
    assert [loss.ref.key for loss in losses] == ["3.png"]
    assert losses[0].reason == "could not be read"
    assert "3.png is not an image" in losses[0].detail
    assert [item.image.shape[0] for item in items if isinstance(item, Frame)] == [20, 20, 30]


def test_the_hash_follows_the_content(folder: Path) -> None:
    before = source_for(folder).open().sha256
    cv2.imwrite(str(folder / "1.png"), np.zeros((20, 20, 3), np.uint8))
    assert source_for(folder).open().sha256 != before


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceBroken, match="no images"):
        open_source(tmp_path)


def test_a_video_refuses_a_rate(tmp_path: Path) -> None:
    from .clips import write_clip

    with pytest.raises(SourceBroken, match="own time stamps"):
        source_for(write_clip(tmp_path / "clip.mp4", [0, 1]), fps=5)


def test_pictures_that_are_decoded_ahead_come_in_order_and_equal_those_asked_for_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(15):
        height = 500 if number % 4 == 0 else 20  # the slow ones are overtaken
        cv2.imwrite(str(tmp_path / f"{number}.png"), rng.integers(0, 256, (height, 30, 3), np.uint8))
    source = source_for(tmp_path, fps=10)
    source.open()
    frames = [item for item in source.frames(StopToken()) if isinstance(item, Frame)]
    assert [frame.ref.seq for frame in frames] == list(range(15))
    assert [frame.ref.captured_ns for frame in frames] == sorted(frame.ref.captured_ns for frame in frames)
    for frame in frames:
        alone = source.frame_at(frame.ref.seq)
        np.testing.assert_array_equal(frame.image, alone.image)
        assert replace(frame.ref, captured_ns=0) == replace(alone.ref, captured_ns=0)


def test_who_stops_in_the_middle_leaves_no_thread_behind(folder: Path) -> None:
    source = open_source(folder)
    for _ in source.frames(StopToken()):
        break
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]
