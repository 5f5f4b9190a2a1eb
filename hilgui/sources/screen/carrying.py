"""Carries boxes from the recorded frame into the camera picture, and pictures back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.sources.screen.finder import Pose, mapped, straightened
from hilgui.sources.screen.layout import Floats, ScreenLayout

_BLOCK = 8


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """Boxes of the recorded frame in pixels of the camera picture."""

    quads: Floats  # (n, 4, 2) corners, clockwise from the upper left
    boxes: Floats  # (n, 4) xyxy around each quad


def carry_boxes(boxes: Floats, layout: ScreenLayout, pose: Pose) -> Carried:
    """Carry boxes (n, 4) xyxy of the recorded frame: its place on the screen, the perspective, the lens."""
    quads = pose.place(on_screen(box_corners(boxes), layout)).reshape(-1, 4, 2)
    return Carried(quads, np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1).reshape(-1, 4))


def on_screen(points: Floats, layout: ScreenLayout) -> Floats:
    """Give where points (n, 2) of the recorded frame lie on the screen."""
    return mapped(layout.frame_to_screen, points)


def into_frame(points: Floats, layout: ScreenLayout, pose: Pose) -> Floats:
    """Carry points (n, 2) of the camera picture back into the recorded frame."""
    back: Floats = np.asarray(np.linalg.inv(pose.screen_to_straight @ layout.frame_to_screen), np.float64)
    return mapped(back, straightened(points, pose.lens, pose.size))


def corner_errors_px(boxes: Floats, layout: ScreenLayout, pose: Pose, true_corners: Floats) -> Floats:
    """Say how far carried corners are from where they really are in the camera picture, in pixels of the frame.

    `true_corners` is (4 n, 2); the distance is measured in the recorded frame, so that it can be compared with boxes.
    """
    back = into_frame(true_corners, layout, pose)
    return np.asarray(np.linalg.norm(back - box_corners(boxes), axis=1), np.float64)


def map_to_pixels(points: Floats) -> NDArray[np.int32]:
    """Round continuous points (n, 2) to the pixels that OpenCV draws."""
    return np.asarray(np.floor(points), np.int32)


def box_corners(boxes: Floats) -> Floats:
    """Give the corners (4 n, 2) of boxes (n, 4) xyxy, clockwise from the upper left."""
    return np.asarray(boxes, np.float64).reshape(-1, 4)[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)


def rectify(picture: NDArray[np.uint8], layout: ScreenLayout, pose: Pose) -> NDArray[np.uint8]:
    """Undo perspective and lens: the camera picture (height, width, 3) in the recorded frame's geometry."""
    width, height = layout.frame_width, layout.frame_height
    # Perspective and lens are smooth: every eighth place is enough, with a block to spare on each side.
    columns, rows = -(-width // _BLOCK) + 2, -(-height // _BLOCK) + 2
    x, y = np.meshgrid((np.arange(columns) - 0.5) * _BLOCK, (np.arange(rows) - 0.5) * _BLOCK)
    points = np.stack([x.ravel(), y.ravel()], axis=-1)
    places = (pose.place(on_screen(points, layout)) - 0.5).astype(np.float32).T.reshape(2, rows, columns)
    inside = (slice(_BLOCK, _BLOCK + height), slice(_BLOCK, _BLOCK + width))
    across, down = (cv2.resize(each, (columns * _BLOCK, rows * _BLOCK))[inside] for each in places)
    return np.asarray(cv2.remap(picture, across, down, cv2.INTER_LINEAR), np.uint8)
