"""One camera picture understood: where the screen is, which frame it shows, how well."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.sources.screen.finder import Pose, ScreenFinder
from hilgui.sources.screen.frame_code import BITS, FrameCode, Sight, read_copies
from hilgui.sources.screen.layout import HEIGHTS, PAIRS_A_ROW, ROWS, ScreenLayout
from hilgui.sources.screen.transfer import Transfer, grid_in, measure, sample

__all__ = ["Glimpse", "Sight", "look_at"]

_POINTS = 3  # samples across a cell and down it
_SHARP = 0.3  # of the width of a cell is the most that the blur may have as its standard deviation
_INSIDE = 0.3  # of a cell stays free on each side


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """What was made of a picture in which the screen was found."""

    pose: Pose
    sight: Sight
    code: FrameCode | None  # None unless the sight is clean
    transfer: Transfer


def look_at(picture: NDArray[np.uint8], layout: ScreenLayout, finder: ScreenFinder) -> Glimpse | str:
    """Find, measure and read; in words where the screen is not found."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    pose = finder.find(grey)
    if isinstance(pose, str):
        return pose
    transfer = measure(grey, layout, pose)
    cell_px = layout.codes[0, 0, 2] / (2 * PAIRS_A_ROW) * layout.frame_width / layout.picture[2]
    is_sharp = transfer.blur_px <= _SHARP * cell_px
    sight, code = read_copies(differences(grey, layout, pose), transfer.contrast, is_sharp=is_sharp)
    return Glimpse(pose, sight, code, transfer)


def differences(grey: NDArray[np.uint8], layout: ScreenLayout, pose: Pose) -> NDArray[np.float64]:
    """Give for every copy and bit how much brighter the first cell of its pair is: (heights, 2, 64)."""
    copies = layout.codes.reshape(-1, 4)
    cell = copies[:, None, 2:] / (2 * PAIRS_A_ROW, ROWS)
    places = np.stack(np.meshgrid(np.arange(2 * PAIRS_A_ROW), np.arange(ROWS)), axis=-1).reshape(-1, 2)
    corners = copies[:, None, :2] + places * cell
    boxes = np.concatenate([corners, np.broadcast_to(cell, corners.shape)], axis=-1).reshape(-1, 4)
    cells = sample(grey, pose, grid_in(boxes, _POINTS, _POINTS, _INSIDE)).mean(axis=1)
    pairs = cells.reshape(HEIGHTS, 2, BITS, 2)
    return np.asarray(pairs[..., 0] - pairs[..., 1], np.float64)
