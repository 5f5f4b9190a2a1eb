"""Small changes of a picture, each from nothing (severity 0) to the hardest that is tried (1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.explanations.target import Box, Image

_BASE_WIDTH = 640  # px of a picture for which blur and sharpening are stated
_STEP_PX = 24.0  # of a picture of that width, at severity 1: more than half the coarsest stride of the usual networks


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a picture went: new = old · scale + offset, px."""

    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def box(self, box: Box) -> Box:
        """Move a box along."""
        return (
            box[0] * self.scale + self.x,
            box[1] * self.scale + self.y,
            box[2] * self.scale + self.x,
            box[3] * self.scale + self.y,
        )

    def boxes(self, boxes: NDArray[np.floating]) -> NDArray[np.float64]:
        """Move boxes (N, 4) along."""
        moved: NDArray[np.float64] = boxes * self.scale + np.array([self.x, self.y] * 2)
        return moved


UNMOVED = Placing()
Changed = tuple[Image, Placing]


@dataclass(frozen=True, slots=True)
class Change:
    """One way to change a picture; `do(image, box, severity)` and `words(severity)` speak of the same amount."""

    name: str
    do: Callable[[Image, Box, float], Changed]
    words: Callable[[float], str]


def _tone(image: Image, curve: NDArray[np.floating]) -> Changed:
    table = np.clip(np.rint(curve), 0, 255).astype(np.uint8)
    return cv2.LUT(image, table).astype(np.uint8, copy=False), UNMOVED


_LEVELS = np.arange(256, dtype=np.float64)


def _gamma(direction: int) -> Change:
    def power(severity: float) -> float:
        return float(2.0 ** (-2.0 * direction * severity))

    return Change(
        "brighter" if direction > 0 else "darker",
        lambda image, _box, severity: _tone(image, 255 * (_LEVELS / 255) ** power(severity)),
        lambda severity: f"gamma {power(severity):.2f}",
    )


def _gain(direction: int) -> Change:
    def factor(severity: float) -> float:
        return float(2.0 ** (2.0 * direction * severity))

    return Change(
        "more exposure" if direction > 0 else "less exposure",
        lambda image, _box, severity: _tone(image, _LEVELS * factor(severity)),
        lambda severity: f"gain {factor(severity):.2f}",
    )


def _contrast(direction: int) -> Change:
    def factor(severity: float) -> float:
        return float((3.0 if direction > 0 else 0.25) ** severity)

    def do(image: Image, _box: Box, severity: float) -> Changed:
        middle = float(image.mean())
        return _tone(image, (_LEVELS - middle) * factor(severity) + middle)

    return Change(
        "more contrast" if direction > 0 else "less contrast", do, lambda severity: f"factor {factor(severity):.2f}"
    )


def _blurred(image: Image, sigma: float) -> Image:
    sigma *= image.shape[1] / _BASE_WIDTH
    return cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8, copy=False) if sigma > 0.05 else image


def _smoother() -> Change:
    return Change(
        "smoother",
        lambda image, _box, severity: (_blurred(image, 3.0 * severity), UNMOVED),
        lambda severity: f"blur σ {3.0 * severity:.2f} px of {_BASE_WIDTH} across",
    )


def _sharper() -> Change:
    def do(image: Image, _box: Box, severity: float) -> Changed:
        soft = _blurred(image, 1.0)
        return cv2.addWeighted(image, 1 + 3 * severity, soft, -3 * severity, 0).astype(np.uint8, copy=False), UNMOVED

    return Change("sharper", do, lambda severity: f"unsharp mask {3 * severity:.2f}")


def _warped(image: Image, placing: Placing) -> Changed:
    matrix = np.array([[placing.scale, 0, placing.x], [0, placing.scale, placing.y]], np.float64)
    size = (image.shape[1], image.shape[0])
    how = cv2.INTER_AREA if placing.scale < 1 else cv2.INTER_LINEAR
    moved = cv2.warpAffine(image, matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.uint8, copy=False), placing


def _zoomed(larger: bool) -> Change:
    def scale(severity: float) -> float:
        return float((2.5 if larger else 0.4) ** severity)

    def do(image: Image, box: Box, severity: float) -> Changed:
        factor = scale(severity)
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return _warped(image, Placing(factor, x * (1 - factor), y * (1 - factor)))  # the object stays where it is

    return Change("larger" if larger else "smaller", do, lambda severity: f"{scale(severity):.2f} times the size")


def _shifted(name: str, across: int, down: int) -> Change:
    def do(image: Image, _box: Box, severity: float) -> Changed:
        step = round(_STEP_PX * severity * image.shape[1] / _BASE_WIDTH)
        return _warped(image, Placing(1.0, across * step, down * step))

    return Change(f"moved {name}", do, lambda severity: f"{_STEP_PX * severity:.1f} px of {_BASE_WIDTH} across")


CHANGES: tuple[Change, ...] = (
    _gamma(1),
    _gamma(-1),
    _gain(1),
    _gain(-1),
    _contrast(1),
    _contrast(-1),
    _sharper(),
    _smoother(),
    _zoomed(True),
    _zoomed(False),
    _shifted("left", -1, 0),
    _shifted("right", 1, 0),
    _shifted("up", 0, -1),
    _shifted("down", 0, 1),
)
