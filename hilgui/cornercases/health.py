"""Health of an image: eight cheap figures from a sample of its pixels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hilgui.records import FrameHealth

STRIDE = 8
SATURATED = 250
_SPREAD = 0.6745 * math.sqrt(20.0)  # median of |Laplacian| of white noise of deviation 1: weights 4, -1, -1, -1, -1


class HealthMeter:
    """Measures the images of one source in order; keeps the previous sample for `change`.

    The sample is every eighth pixel of every eighth row of the green channel, from the middle of an 8×8 block, because
    codecs leave their edges on the block borders. Sharpness is the variance of the Laplacian (four neighbours;
    Pech-Pacheco et al., ICPR 2000) at every second sample of every second row, from the pixels beside it. Noise is the
    median of the same Laplacian in deviations of white noise; colour is measured at those samples too. One thread.
    """

    def __init__(self) -> None:
        self._before: NDArray[np.int16] | None = None

    def measure(self, image: NDArray[np.uint8]) -> FrameHealth:
        """Measure a BGR image (height, width, 3); `change` is NaN on the first and where the size differs."""
        height, width = image.shape[:2]
        sample = image[min(STRIDE // 2, height // 2) :: STRIDE, min(STRIDE // 2, width // 2) :: STRIDE, 1].astype(
            np.int16
        )
        before, self._before = self._before, sample
        change = math.nan
        if before is not None and before.shape == sample.shape:
            change = float(np.abs(sample - before).mean())
        mean = float(sample.mean())
        wide = sample.ravel().astype(np.float32)
        square = float(np.dot(wide, wide)) / len(wide)
        sharpness, noise = _laplacian(image)
        saturation, warmth = _colour(image)
        return FrameHealth(
            mean=mean,
            deviation=math.sqrt(max(square - mean * mean, 0.0)),
            saturated=int(np.count_nonzero(sample >= SATURATED)) / sample.size,
            change=change,
            sharpness=sharpness,
            saturation=saturation,
            warmth=warmth,
            noise=noise,
        )


def _colour(image: NDArray[np.uint8]) -> tuple[float, float]:
    """Give the mean of largest minus smallest channel, and of red minus blue."""
    step = 2 * STRIDE
    sample = image[min(STRIDE // 2, image.shape[0] // 2) :: step, min(STRIDE // 2, image.shape[1] // 2) :: step]
    blue, green, red = (sample[:, :, channel].astype(np.int16) for channel in range(3))
    spread = np.maximum(np.maximum(blue, green), red) - np.minimum(np.minimum(blue, green), red)
    return float(spread.mean()), float((red - blue).mean())


def _laplacian(image: NDArray[np.uint8]) -> tuple[float, float]:
    """Give variance of the Laplacian and deviation of the noise; NaN for a picture too small to have samples."""
    green = image[:, :, 1]
    height, width = green.shape
    start, step = STRIDE // 2, 2 * STRIDE
    if height < 2 * STRIDE or width < 2 * STRIDE:
        return math.nan, math.nan
    last_row, last_column = height - 1, width - 1
    rows, columns = slice(start, last_row, step), slice(start, last_column, step)
    beside = green[rows, start - 1 : last_column - 1 : step].astype(np.int32)
    beside += green[rows, start + 1 : last_column + 1 : step]
    beside += green[start - 1 : last_row - 1 : step, columns]
    beside += green[start + 1 : last_row + 1 : step, columns]
    beside -= 4 * green[rows, columns].astype(np.int32)
    wide = beside.ravel().astype(np.float32)
    mean = float(wide.mean())
    noise = _median(np.abs(beside)) / _SPREAD
    return float(np.dot(wide, wide)) / len(wide) - mean * mean, noise


def _median(heights: NDArray[np.int32]) -> float:
    """Give the median of small whole numbers, by counting them."""
    upto = np.bincount(heights.ravel()).cumsum()
    lower, upper = np.searchsorted(upto, ((heights.size - 1) // 2, heights.size // 2), side="right")
    return float(lower + upper) / 2.0
