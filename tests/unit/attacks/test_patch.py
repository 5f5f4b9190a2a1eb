"""A patch: where it lies, in which size it is printed, and that the search makes it worse for the model."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from pypdf import PdfReader

from hilgui.attacks import patch
from hilgui.attacks.aims import Goal, Target
from hilgui.attacks.gallery import Gallery, Shot
from hilgui.attacks.patch import CELLS, Placement, apply, height_mm, placed, search
from hilgui.attacks.patch_pdf import MARGIN_MM, write_pdf
from hilgui.attacks.patch_run import patch_attack
from hilgui.attacks.worn import ALPHA
from hilgui.evaluation import Clusters
from hilgui.records import Detections, FrameRef, Inference, Role, Truth
from hilgui.robustness import Drive, Subject, read_result

TARGET = Target(Goal.HIDE, np.array([[100.0, 50.0, 160.0, 200.0]]), np.array([0], np.int32))


def test_a_patch_has_its_share_of_the_object_and_lies_on_it() -> None:
    for seed in range(20):
        corners = placed(0, TARGET, 0.3, np.random.default_rng(seed)).corners
        size = corners.max(axis=0) - corners.min(axis=0)
        assert 0.3 * 150 * 0.7 < size.max() < 0.3 * 150 * 1.45
        centre = corners.mean(axis=0)
        assert 100 < centre[0] < 160
        assert 50 < centre[1] < 200


def test_a_patch_changes_nothing_outside_its_corners() -> None:
    image = np.zeros((120, 120, 3), np.uint8)
    corners = np.array([(30, 30), (70, 34), (68, 76), (28, 70)], np.float32)
    made = apply(image, np.full((CELLS, CELLS, 3), 200, np.uint8), Placement(0, TARGET, corners, 1.0, 0.0))
    rows, columns = np.nonzero(made[..., 0])
    assert (rows.min(), rows.max()) == pytest.approx((30, 76), abs=2)
    assert (columns.min(), columns.max()) == pytest.approx((28, 70), abs=2)
    assert made[50, 50].tolist() == [200, 200, 200]


def test_the_search_finds_the_colour_that_the_model_cannot_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    def score(gallery: Any, grid: Any, placements: Any) -> float:
        return float(np.abs(grid.astype(int) - (255, 0, 255)).mean())  # the model is blind for magenta

    monkeypatch.setattr(patch, "score", score)
    objects = [(0, TARGET)]
    found = search(cast("Gallery", None), objects, 0.3, 300, np.random.default_rng(1))
    assert found.end < 0.35 * found.start
    assert found.kept > 5


def test_the_pdf_has_the_size_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "patch.pdf"
    write_pdf(path, np.zeros((CELLS, CELLS, 3), np.uint8), 400.0, "test")
    page = PdfReader(str(path)).pages[0]
    point_mm = 25.4 / 72
    assert float(page.mediabox.width) * point_mm == pytest.approx(400 + 2 * MARGIN_MM, abs=0.01)
    content = page.get_contents()
    assert content is not None
    drawn = re.search(r"([\d.]+) 0 0 ([\d.]+) [\d.]+ [\d.]+ cm\s+/FormXob", content.get_data().decode())
    assert drawn is not None
    assert [float(side) * point_mm for side in drawn.groups()] == pytest.approx([400, 400], abs=0.01)


def test_usual_heights_give_the_true_size() -> None:
    assert height_mm("Person") == 1700.0
    assert height_mm("zeppelin") == 1500.0


class Watcher:
    """Stands for gallery and model: forty pictures of one object, and what colour makes the model lose it."""

    is_classifier = False
    model = SimpleNamespace(threshold=0.5, facts=SimpleNamespace(name="watcher", sha256="0" * 64))

    def __init__(self, is_blind_for_red: bool) -> None:
        """Draw pictures that differ a little."""
        self._is_blind = is_blind_for_red
        random = np.random.default_rng(3)
        stamp = datetime(2026, 1, 1, tzinfo=UTC)
        refs = [FrameRef(seq, f"{seq}", seq / 10, stamp, seq, 240, 240) for seq in range(40)]
        self.shots = [Shot(ref, random.integers(90, 120, (240, 240, 3), np.uint8), Truth.none()) for ref in refs]

    def target(self, shot: Shot, goal: Goal, name: str) -> Target:
        """Give the one object."""
        return TARGET

    def look(self, image: NDArray[np.uint8], shot: Shot) -> Any:
        """Doubt the object the more, the more red there is; a model without a weakness never does."""
        _, green, red = image[50:200, 100:160].reshape(-1, 3).T
        share = float(((red > 180) & (green < 150)).mean()) if self._is_blind else 0.0
        score = np.float32(np.clip(0.8 - 3 * share, 0, 1))
        found = Detections(TARGET.boxes.astype(np.float32), np.array([score]), np.array([0], np.int32))
        return SimpleNamespace(inference=Inference(found, 0, 0, 0))

    def clusters(self) -> Clusters:
        """Resample the pictures."""
        return Clusters(np.arange(40), tuple(map(str, range(40))), "picture")

    def facts(self) -> tuple[Drive, ...]:
        """Name the pictures."""
        return (Drive("watched", "watched", "0" * 64, "", 40),)

    def subjects(self) -> tuple[Subject, ...]:
        """Name the model."""
        return (Subject(Role.BASELINE, "watcher", "watcher.onnx", "0" * 64),)


@pytest.mark.parametrize("is_blind", [True, False])
def test_a_patch_is_good_only_where_there_is_a_weakness(tmp_path: Path, is_blind: bool) -> None:
    folder, made = patch_attack(
        cast("Gallery", Watcher(is_blind)), tmp_path, class_name="person", side_mm=600, tries=60, seed=2,
        command=(), tell=lambda done, total: None,
    )  # fmt: skip
    assert made.check.is_good is is_blind
    assert max(each.lost for each in made.worn[:2]) <= 2
    assert [each.p < ALPHA for each in made.gains] == [is_blind, is_blind]
    told = read_result(folder)
    assert [each.name for each in told.headlines][-2:] == ["optimised − grey", "optimised − random"]
    assert len(told.cells[-1].examples) == (6 if is_blind else 0)
