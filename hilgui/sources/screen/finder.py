"""Finds the screen in a camera picture by its markers, and follows it from picture to picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.sources.screen.composer import MARKERS
from hilgui.sources.screen.layout import MARKER_IDS, Floats, ScreenLayout

_AROUND = 0.6  # of a marker's size: how far around its last place it is looked for
_WORST_PX = 4.0  # a marker further from where the others put it is not on a flat screen
_NAMES = ("upper left", "upper middle", "upper right", "lower right", "lower middle", "lower left")
_STEPS = (0.08, 0.02)  # of the distortion, around which a parabola is laid; the second time closer
_MOST_BENT = 0.3
_REMEMBERED = 30  # pictures over which the lens is averaged: it does not change

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where the screen lies in the camera picture, in continuous pixels of both."""

    screen_to_straight: Floats  # (3, 3) homography to the picture as a lens without distortion would give it
    lens: float  # radial distortion at the half diagonal: one term of Brown's model around the middle of the picture
    size: tuple[int, int]  # width and height of the camera picture
    centres: Floats  # (6, 2) of the markers as found, to a fraction of a pixel
    residual_px: float  # root mean square between those and where the pose puts them

    def place(self, points: Floats) -> Floats:
        """Give where points (n, 2) of the screen lie in the camera picture."""
        return bent(mapped(self.screen_to_straight, points), self.lens, self.size)


class ScreenFinder:
    """Looks for all six markers, first where they were last; on the driver's thread."""

    def __init__(self, layout: ScreenLayout) -> None:
        self._layout = layout
        parameters = cv2.aruco.DetectorParameters()
        parameters.adaptiveThreshWinSizeMax = 53
        parameters.polygonalApproxAccuracyRate = 0.05
        parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
        parameters.cornerRefinementWinSize = 4
        parameters.cornerRefinementMaxIterations = 40
        parameters.cornerRefinementMinAccuracy = 0.01
        self._detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(MARKERS), parameters)
        self._last: dict[int, Floats] = {}
        self._lens = 0.0
        self._seen = 0

    def find(self, grey: Grey) -> Pose | str:
        """Give the pose, or in words why there is none: reads after "3 frames"."""
        found = self._follow(grey)
        if len(found) < len(MARKER_IDS):
            found = self._detect(grey, (0, 0))
        missing = [name for number, name in zip(MARKER_IDS, _NAMES, strict=True) if number not in found]
        if missing:
            self._last = {}
            if len(missing) == len(_NAMES):
                return "show no screen: none of its markers is in the picture"
            markers = "marker" if len(missing) == 1 else "markers"
            return f"show the screen without its {' and '.join(missing)} {markers}: covered or out of the picture"
        self._last = found
        return self._pose(_centres(np.stack([found[number] for number in MARKER_IDS])), (grey.shape[1], grey.shape[0]))

    def _pose(self, centres: Floats, size: tuple[int, int]) -> Pose | str:
        places = _centres(self._layout.markers)
        lens = _lens(places, centres, size)
        self._seen = min(self._seen + 1, _REMEMBERED)
        self._lens += (lens - self._lens) / self._seen
        homography, errors = _fitted(places, centres, self._lens, size)
        if errors.max() > _WORST_PX:
            self._lens, self._seen = 0.0, 0
            return "show markers that fit no flat screen: a reflection, or a screen that is bent"
        return Pose(homography, self._lens, size, centres, float(np.sqrt(np.mean(errors**2))))

    def _follow(self, grey: Grey) -> dict[int, Floats]:
        found: dict[int, Floats] = {}
        for number, corners in self._last.items():
            low, high = corners.min(axis=0), corners.max(axis=0)
            around = _AROUND * (high - low)
            x1, y1 = (max(0, int(value)) for value in low - around)
            x2, y2 = (int(value) for value in high + around)
            here = self._detect(grey[y1:y2, x1:x2], (x1, y1))
            if number not in here:
                return {}
            found[number] = here[number]
        return found

    def _detect(self, grey: Grey, origin: tuple[int, int]) -> dict[int, Floats]:
        if min(grey.shape) < 16:
            return {}
        calm = cv2.GaussianBlur(grey, (3, 3), 0)  # noise makes thousands of quads, all of which would be looked at
        quads, found, _ = self._detector.detectMarkers(calm)
        numbers = np.array([] if not quads else found, np.int64).ravel().tolist()
        pairs = zip(numbers, quads, strict=True)
        # OpenCV puts whole numbers into the middle of pixels, we at their edge.
        return {
            int(number): np.asarray(quad, np.float64).reshape(4, 2) + origin + 0.5
            for number, quad in pairs
            if number in MARKER_IDS
        }


def _centres(quads: Floats) -> Floats:
    """Cross the diagonals of quads (n, 4, 2): a blur pulls all corners inwards and leaves the crossing where it is."""
    first, second = quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1]
    between = quads[:, 1] - quads[:, 0]
    along = (between[:, 0] * second[:, 1] - between[:, 1] * second[:, 0]) / (
        first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    )
    return np.asarray(quads[:, 0] + along[:, None] * first, np.float64)


def mapped(homography: Floats, points: Floats) -> Floats:
    """Map points (n, 2) by a homography (3, 3)."""
    x, y = points[:, 0], points[:, 1]
    across, down, depth = (row[0] * x + row[1] * y + row[2] for row in homography)
    return np.asarray(np.stack([across / depth, down / depth], axis=-1), np.float64)


def bent(points: Floats, lens: float, size: tuple[int, int]) -> Floats:
    """Move points (n, 2) of a straight picture to where the lens puts them."""
    middle = np.array(size, np.float64) / 2
    away = points - middle
    squared = (away**2).sum(axis=1, keepdims=True) / (middle**2).sum()
    return np.asarray(middle + away * (1 + lens * squared), np.float64)


def straightened(points: Floats, lens: float, size: tuple[int, int]) -> Floats:
    """Undo `bent`, by its fixed point."""
    straight = points.copy()
    for _ in range(8 if lens else 0):
        straight += points - bent(straight, lens, size)
    return straight


def _fitted(places: Floats, centres: Floats, lens: float, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Fit the homography for one lens; also the distances in the camera picture that it leaves."""
    matrix = np.asarray(cv2.findHomography(places, straightened(centres, lens, size), 0)[0], np.float64)
    if matrix.shape != (3, 3):  # OpenCV gives nothing where the points lie on one line
        return np.eye(3), np.full(len(centres), np.inf)
    return matrix, np.linalg.norm(bent(mapped(matrix, places), lens, size) - centres, axis=1)


def _lens(places: Floats, centres: Floats, size: tuple[int, int]) -> float:
    """Find the distortion with the smallest squares: they are close to a parabola in it."""
    lens = 0.0
    for step in _STEPS:
        below, here, above = (
            float((_fitted(places, centres, lens + change, size)[1] ** 2).sum()) for change in (-step, 0.0, step)
        )
        curve = below + above - 2 * here
        if not np.isfinite(curve) or curve <= 0:
            return 0.0
        lens += float(np.clip(step * (below - above) / (2 * curve), -_MOST_BENT, _MOST_BENT))
    return float(np.clip(lens, -_MOST_BENT, _MOST_BENT))
