"""Where everything lies on the screen: the recorded picture, markers in the corners, frame code and grey patches.

Places are continuous pixels: the first pixel of a row spans 0 to 1, as the boxes of labels do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import CallWrong

LEVELS = (0, 36, 73, 109, 146, 182, 219, 255)  # grey levels of the patches, as they are written to the screen
HEIGHTS = 4  # the code stands this often one below the other, on each side of the picture
MARKER_IDS = (3, 40, 17, 37, 2, 38)  # of DICT_4X4_50: those read best when blurred; upper left, then clockwise
MARKER_CELLS = 6  # four by four bits and a black border
PAIRS_A_ROW, ROWS = 4, 16

_MARGIN = 0.12  # of the shorter side of the screen
_SMALLEST = 480  # the shorter side of a screen whose cells a camera can still resolve

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScreenLayout:
    """A screen with a picture in its middle; every place in pixels of the screen."""

    width: int
    height: int
    frame_width: int
    frame_height: int
    margin: int  # width of the border in which everything but the picture lies
    picture: tuple[int, int, int, int]  # left, top, width, height
    markers: Floats  # (6, 4, 2) corners of the markers from the upper left, clockwise, each clockwise
    codes: Floats  # (HEIGHTS, 2, 4) left, top, width, height of each copy; left and right of the picture
    patches: Floats  # (2, levels, 4) left, top, width, height; above in rising order, below in falling order

    @property
    def frame_to_screen(self) -> Floats:
        """Give the homography from pixels of the recorded frame to pixels of the screen."""
        left, top, width, height = self.picture
        across, down = width / self.frame_width, height / self.frame_height
        return np.array([[across, 0, left], [0, down, top], [0, 0, 1]], np.float64)


def lay_out(width: int, height: int, frame_width: int, frame_height: int) -> ScreenLayout:
    """Place a frame of this size on a screen of this size; raises CallWrong where the screen is too small."""
    if min(width, height) < _SMALLEST:
        raise CallWrong(f"a screen of {width} x {height} is too small for markers and code; take one of 640 x 480 up")
    margin = round(_MARGIN * min(width, height))
    scale = min((width - 2 * margin) / frame_width, (height - 2 * margin) / frame_height)
    shown_width, shown_height = max(1, round(frame_width * scale)), max(1, round(frame_height * scale))
    return ScreenLayout(
        width=width,
        height=height,
        frame_width=frame_width,
        frame_height=frame_height,
        margin=margin,
        picture=((width - shown_width) // 2, (height - shown_height) // 2, shown_width, shown_height),
        markers=_markers(width, height, margin),
        codes=_codes(width, height, margin),
        patches=_patches(width, height, margin),
    )


def _markers(width: int, height: int, margin: int) -> Floats:
    side = margin * 3 // 4 // MARKER_CELLS * MARKER_CELLS
    quiet = (margin - side) // 2
    far_x, far_y = width - quiet - side, height - quiet - side
    middle = (width - side) // 2  # without those in the middle a bent lens could not be told from a blurred picture
    places = ((quiet, quiet), (middle, quiet), (far_x, quiet), (far_x, far_y), (middle, far_y), (quiet, far_y))
    square = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float64)
    return np.array([square + place for place in places])


def _codes(width: int, height: int, margin: int) -> Floats:
    """Stack the copies without a gap over the whole height between the markers, beside every row of the picture."""
    columns = 2 * PAIRS_A_ROW
    across = margin * 3 // 4 // columns * columns
    quiet = (margin - across) // 2
    tall = (height - 2 * margin) / HEIGHTS
    edges = (quiet, width - quiet - across)
    return np.array([[[edge, margin + row * tall, across, tall] for edge in edges] for row in range(HEIGHTS)])


def _patches(width: int, height: int, margin: int) -> Floats:
    first = 1.3 * margin  # beside the white around a marker stays a gap, else a blurred marker runs into a dark patch
    half = len(LEVELS) // 2
    across = (width / 2 - first - 0.8 * margin) / half
    starts = (first, width / 2 + 0.8 * margin)
    lefts = [start + index * across for start in starts for index in range(half)]
    tops, tall = (0.2 * margin, height - 0.8 * margin), margin * 0.6
    return np.array([[[left, top, across, tall] for left in lefts] for top in tops])
