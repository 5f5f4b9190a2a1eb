"""A patch: where it lies, in which size it is printed, and that the search makes it worse for the model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from pypdf import PdfReader

from hilgui.attacks import patch
from hilgui.attacks.aims import Goal, Target
from hilgui.attacks.gallery import Gallery
from hilgui.attacks.patch import CELLS, Placement, apply, height_mm, placed, search
from hilgui.attacks.patch_pdf import MARGIN_MM, write_pdf

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
