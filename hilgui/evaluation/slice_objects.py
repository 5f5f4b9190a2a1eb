"""Objects of frames on their way to slices: what their bins come from, coded some hundred frames at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.criticality import criticality_of
from hilgui.evaluation.geometry import CameraGeometry
from hilgui.evaluation.slice_bins import OF_OBJECTS, object_codes
from hilgui.evaluation.slice_columns import SliceColumns
from hilgui.settings import CriticalityLimits

_FRAMES = 512  # coded together; the codes do not depend on it


@dataclass(frozen=True, slots=True)
class View:
    """How the frames of one camera look at the road."""

    camera: CameraGeometry | None
    size: tuple[int, int]  # px
    limits: CriticalityLimits


@dataclass(frozen=True, slots=True, eq=False)
class FrameObjects:
    """The labels or detections of one frame, a row each."""

    frame: int
    view: View
    classes: NDArray[np.int32]  # (N,)
    boxes: NDArray[np.floating]  # (N, 4) px
    counts: NDArray[np.bool_]  # (N,)
    hit: NDArray[np.bool_]  # (N,)
    occlusion: NDArray[np.floating] | None = None  # (N,) None: nobody knows it
    distance_m: NDArray[np.floating] | None = None  # (N,) as labelled, None: nobody knows it


class SliceObjects:
    """Collects the objects of frames in order and gives them as rows with codes."""

    def __init__(self) -> None:
        self._coded = SliceColumns()
        self._waiting: list[FrameObjects] = []

    def add(self, objects: FrameObjects) -> None:
        """Take the objects of the next frame."""
        self._waiting.append(objects)
        if len(self._waiting) == _FRAMES:
            self._code()

    def columns(self) -> SliceColumns:
        """Give the rows of all frames so far."""
        self._code()
        return self._coded

    def _code(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        lengths = [len(each.classes) for each in waiting]
        codes = np.empty((sum(lengths), len(OF_OBJECTS)), np.int16)
        view_of = [id(each.view) for each in waiting]
        row_of = np.repeat(np.array(view_of), lengths)
        for view in dict.fromkeys(view_of):
            mine = [each for each, its_view in zip(waiting, view_of, strict=True) if its_view == view]
            codes[row_of == view] = _codes(mine)
        self._coded.add(
            np.repeat(np.array([each.frame for each in waiting], np.int32), lengths),
            codes,
            np.concatenate([each.counts for each in waiting]),
            np.concatenate([each.hit for each in waiting]),
        )


def _codes(objects: list[FrameObjects]) -> NDArray[np.int16]:
    """Code the objects of frames that look at the road in the same way."""
    view = objects[0].view
    boxes = np.concatenate([each.boxes for each in objects]).astype(np.float64)
    count = len(boxes)
    known = criticality_of(
        boxes,
        np.zeros(count, np.bool_),
        np.full(count, np.nan),  # distance and corridor do not depend on how things move
        view.size,
        view.limits,
        camera=view.camera,
        labelled_m=_told([each.distance_m for each in objects], count),
    )
    occlusion = _told([each.occlusion for each in objects], count)
    classes = np.concatenate([each.classes for each in objects])
    return object_codes(classes, boxes, known, np.full(count, np.nan) if occlusion is None else occlusion)


def _told(values: list[NDArray[np.floating] | None], count: int) -> NDArray[np.float64] | None:
    """Join what is known of objects; all frames of one side know it, or none does."""
    told = [each for each in values if each is not None]
    joined = np.concatenate(told).astype(np.float64) if told else None
    assert joined is None or len(joined) == count
    return joined
