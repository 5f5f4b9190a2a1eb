"""Recipes as people write them, and a source that plays one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.corruptions import parse_recipe
from hilgui.records import Fate, Frame, Loss
from hilgui.sources import source_for
from hilgui.sources.corrupted import Corrupted, dropped, shown_instead
from hilgui.stream import StopToken
from tests.unit.corruptions.scene import scene


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"{number:03d}.png"), np.roll(scene(40, 60), 3 * number, axis=1))
    return tmp_path


def played(folder: Path, *texts: str, seed: int = 0) -> tuple[list[Frame | Loss], Corrupted]:
    source = Corrupted(source_for(folder, 10.0, None), parse_recipe(texts, seed))
    source.open()
    return list(source.frames(StopToken())), source


def test_parts_come_in_the_order_of_the_text() -> None:
    recipe = parse_recipe(["fog:3+rain:1.5", "jpeg-compression"], 7)
    assert recipe.parts == (("fog", 3.0), ("rain", 1.5), ("jpeg_compression", 3.0))
    assert recipe.words.startswith("corrupted: fog at severity 3 then rain at severity 1.5 then jpeg_compression")
    assert recipe.words.endswith("; seed 7")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("fogg:3", "did you mean fog"),
        ("fog:6", "from 0 to 5"),
        ("fog:x", "fog:3"),
        ("freeze+freeze:2", "twice"),
        ("", "there are"),
    ],
)
def test_a_mistake_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_recipe([text])


@pytest.mark.parametrize("texts", [("gaussian_noise:2", "dirt:3", "latency:2", "freeze:1"), ("latency:2",)])
def test_frame_at_shows_what_the_stream_delivered_and_the_notes_say_what_was_done(
    folder: Path, texts: tuple[str, ...]
) -> None:
    items, source = played(folder, *texts)
    assert len(items) == 12
    for item in items:
        assert isinstance(item, Frame)
        assert np.array_equal(source.frame_at(item.ref.seq).image, item.image)
        assert not item.image.flags.writeable
    assert "latency at severity 2" in source.open().notes[-1]
    source.close()


def test_a_late_picture_is_that_of_an_earlier_frame(folder: Path) -> None:
    clean, source = played(folder, "latency:0")
    source.close()
    late, source = played(folder, "latency:2")
    source.close()
    pictures = [[item.image for item in items if isinstance(item, Frame)] for items in (clean, late)]
    assert np.array_equal(pictures[1][5], pictures[0][3])
    assert late[5].ref.seq == 5


def test_the_seed_decides(folder: Path) -> None:
    first, same, other = (
        np.concatenate([item.image for item in played(folder, "shot_noise:3", seed=seed)[0] if isinstance(item, Frame)])
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_dirt_stays_on_the_lens_and_noise_does_not() -> None:
    grey = np.full((40, 60, 3), 128, np.uint8)
    dirt, noise = parse_recipe(["dirt:3"]), parse_recipe(["gaussian_noise:3"])
    assert np.array_equal(dirt.apply(grey, 0), dirt.apply(grey, 9))
    assert not np.array_equal(noise.apply(grey, 0), noise.apply(grey, 9))


def test_a_dropped_frame_is_a_loss_that_says_so(folder: Path) -> None:
    items, _ = played(folder, "frame_drop:5")
    losses = [item for item in items if isinstance(item, Loss)]
    assert len(items) == 12
    assert 0 < len(losses) < 12
    assert all(loss.fate is Fate.DROPPED and "on purpose" in loss.reason for loss in losses)


def test_faults_of_the_stream_grow_with_severity() -> None:
    seqs = list(range(4000))
    shares = [len(dropped(seqs, parse_recipe([f"frame_drop:{each}"]))) / 4000 for each in (0, 0.5, 1, 3, 5)]
    assert shares == pytest.approx([0, 0.01, 0.02, 0.1, 0.4], abs=0.02)
    assert shown_instead(seqs, parse_recipe(["latency:3"]))[:6] == [0, 0, 0, 0, 0, 1]
    shown = [shown_instead(seqs, parse_recipe([f"freeze:{severity}"])) for severity in (0, 1, 3)]
    still = [sum(a != b for a, b in zip(seqs, each, strict=True)) for each in shown]
    assert still[0] == 0
    assert 1000 < still[1] < still[2] < 3000
