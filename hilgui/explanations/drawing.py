"""Pictures of an explanation: heat over the frame, the object marked, cut so that it can be seen."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.colours import ON_PICTURE
from hilgui.explanations.saliency import Heat
from hilgui.explanations.target import Box, Image, Target

CUT = (640, 360)  # px of a cut
_CONTEXT = 5.0  # object sides that a cut shows
_ALIKE = (240, 240)
_HELPS, _HURTS = (40, 150, 255), (255, 120, 30)  # BGR: warm helps the target, cold hurts it; no meanings of the bench
_STRONGEST = 0.72  # opacity at the peak


def window_of(box: Box, width: int, height: int, context: float = _CONTEXT, shape: tuple[int, int] = CUT) -> Box:
    """Choose a window around an object with the sides of `shape`, within the picture as far as it goes."""
    ratio = shape[0] / shape[1]
    wide = max((box[2] - box[0]) * context, (box[3] - box[1]) * context / 2 * ratio, 48.0)
    wide = min(wide, float(width), height * ratio)
    tall = wide / ratio
    left = min(max((box[0] + box[2]) / 2 - wide / 2, 0), width - wide)
    top = min(max((box[1] + box[3]) / 2 - tall / 2, 0), height - tall)
    return left, top, left + wide, top + tall


def cut(image: Image, window: Box, size: tuple[int, int] = CUT) -> Image:
    """Cut a window and bring it to a size."""
    scale = size[0] / (window[2] - window[0])
    matrix = np.array([[scale, 0, -window[0] * scale], [0, scale, -window[1] * scale]])
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    moved = cv2.warpAffine(image, matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.uint8, copy=False)


def heated(image: Image, heat: Heat, level: float) -> Image:
    """Lay a map over a picture: from `level` on what helps is warm, below −`level` what hurts is cold."""
    height, width = image.shape[:2]
    whole = cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    shown = cv2.addWeighted(grey, 0.75, image, 0.25, 0).astype(np.float32)
    top = max(float(np.abs(whole).max()), level + 1e-6)
    for sign, colour in ((1.0, _HELPS), (-1.0, _HURTS)):
        strength = np.clip((sign * whole - level * 0.6) / (top - level * 0.6), 0, 1) * _STRONGEST
        shown += strength[..., None] * (np.array(colour, np.float32) - shown)
    return np.clip(np.rint(shown), 0, 255).astype(np.uint8)


def marked(image: Image, window: Box, box: Box, target: Target, size: tuple[int, int] = CUT) -> Image:
    """Cut a window and draw the object's box: dashed where it was missed, as on every page."""
    shown = cut(image, window, size)
    scale = size[0] / (window[2] - window[0])
    x1, y1, x2, y2 = (
        round((value - start) * scale) for value, start in zip(box, (window[0], window[1]) * 2, strict=True)
    )
    colour = _bgr(ON_PICTURE["missed" if target.is_missed else "phantom"])
    for tone, thickness in (((12, 12, 12), 4), (colour, 3)):
        _rectangle(shown, (x1, y1, x2, y2), tone, thickness, is_dashed=target.is_missed)
    return shown


def plain(image: Image, box: Box) -> Image:
    """Cut an object tightly, for a row of look-alikes."""
    window = window_of(box, image.shape[1], image.shape[0], 2.4, _ALIKE)
    return cut(image, window, _ALIKE)


def _rectangle(
    image: Image, box: tuple[int, int, int, int], colour: tuple[int, int, int], thickness: int, *, is_dashed: bool
) -> None:
    x1, y1, x2, y2 = box
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]], np.float64)
    for start, end in pairwise(corners):
        length = float(np.hypot(*(end - start)))
        pieces = max(round(length / 9), 1) if is_dashed else 1
        for piece in range(0, pieces, 2):
            first, last = piece / pieces, min((piece + 1) / pieces, 1.0)
            one, other = start + (end - start) * first, start + (end - start) * last
            cv2.line(image, _point(one), _point(other), colour, thickness, cv2.LINE_AA)


def _point(at: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(at[0])), round(float(at[1]))


def _bgr(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return blue, green, red
