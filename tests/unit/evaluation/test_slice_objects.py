"""Objects on their way to slices: blocks of frames give the codes that each frame gives alone."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.evaluation import slice_objects
from hilgui.evaluation.geometry import CameraGeometry
from hilgui.evaluation.slice_objects import FrameObjects, SliceObjects, View
from hilgui.settings import CriticalityLimits

LIMITS = CriticalityLimits()
VIEWS = (
    View(None, (1280, 720), LIMITS),
    View(CameraGeometry(1000.0, 1000.0, 640.0, 360.0, 1.4), (1280, 720), LIMITS),
    View(CameraGeometry(1000.0, 1000.0, 640.0, 360.0, 1.4), (640, 360), LIMITS),
)


def frames(*, labelled: bool) -> list[FrameObjects]:
    chance = np.random.default_rng(3)
    made = []
    for frame in range(40):
        count = int(chance.integers(0, 6))
        corner = chance.uniform(0, 500, (count, 2))
        boxes = np.concatenate([corner, corner + chance.uniform(5, 200, (count, 2))], axis=1)
        known = chance.uniform(0, 90, count) if labelled else None
        hidden = chance.uniform(0, 1, count) if labelled else None
        classes = chance.integers(0, 3, count).astype(np.int32)
        marks = chance.random(count) < 0.5
        made.append(FrameObjects(frame, VIEWS[frame % 3], classes, boxes, marks, ~marks, hidden, known))
    return made


@pytest.mark.parametrize("labelled", [True, False])
def test_codes_do_not_depend_on_the_block(labelled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    for block in (1, 7, 512):
        monkeypatch.setattr(slice_objects, "_FRAMES", block)
        objects = SliceObjects()
        for each in frames(labelled=labelled):
            objects.add(each)
        found = objects.columns()
        rows.append((found.frames, found.codes, found.counts, found.hit))
    assert len(rows[0][0]) > 50
    assert len(np.unique(rows[0][1], axis=0)) > 10
    for others in rows[1:]:
        for mine, other in zip(rows[0], others, strict=True):
            assert np.array_equal(mine, other)


def test_nothing_gives_no_rows() -> None:
    assert len(SliceObjects().columns().frames) == 0
