"""Depth errors of one frame as Eigen et al. (NeurIPS 2014) and KITTI define them; pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.records import DepthUnit

Floats = NDArray[np.float64]

LEAST_M = 1e-3
RATIO = 1.25

# Shares of height and width that are looked at: the whole picture, or the crop of Garg et al. (ECCV 2016) on KITTI.
CROPS: dict[str, tuple[float, float, float, float]] = {
    "none": (0.0, 1.0, 0.0, 1.0),
    "garg": (0.40810811, 0.99189189, 0.03594771, 0.96405229),
}


@dataclass(frozen=True, slots=True)
class DepthRule:
    """What the errors are measured on; stated with every figure."""

    cap_m: float = 80.0  # truths further away are left out, said depths are clipped
    crop: str = "none"  # a name of CROPS
    least_pixels: int = 10

    def words(self, unit: DepthUnit) -> str:
        """Say it in words."""
        scaling = "as given" if unit is DepthUnit.METRES else "scaled to the median of each frame"
        return f"up to {self.cap_m:g} m, crop {self.crop}, {scaling}"


@dataclass(frozen=True, slots=True)
class DepthErrors:
    """Errors of one frame."""

    abs_rel: float  # mean |p − t| / t
    sq_rel: float  # mean (p − t)² / t, m
    rmse: float  # m
    rmse_log: float  # of natural logarithms
    silog: float  # 100 · standard deviation of ln p − ln t
    delta_1: float  # share with max(p/t, t/p) < 1.25
    delta_2: float  # ... < 1.25²
    delta_3: float  # ... < 1.25³
    pixels: int


def depth_errors(
    said: NDArray[np.floating], truth: NDArray[np.floating], unit: DepthUnit, rule: DepthRule | None = None
) -> DepthErrors | None:
    """Compare a depth map (height, width) with measured metres, NaN where unknown; None with too few pixels.

    Relative depth is multiplied by the ratio of the medians; inverse depth is turned over first.
    """
    rule = rule or DepthRule()
    metres, known = np.asarray(truth, np.float64), np.zeros(truth.shape, np.bool_)
    height, width = truth.shape
    top, bottom, left, right = CROPS[rule.crop]
    rows, columns = slice(int(top * height), int(bottom * height)), slice(int(left * width), int(right * width))
    known[rows, columns] = True
    known &= np.isfinite(metres) & (metres > LEAST_M) & (metres <= rule.cap_m) & np.isfinite(said)
    if unit is DepthUnit.INVERSE:
        known &= said > 0
    if np.count_nonzero(known) < rule.least_pixels:
        return None
    guess, real = np.asarray(said, np.float64)[known], metres[known]
    if unit is DepthUnit.INVERSE:
        guess = 1.0 / guess
    if unit is not DepthUnit.METRES:
        middle = float(np.median(guess))
        if middle <= 0:
            return None
        guess = guess * (float(np.median(real)) / middle)
    return _errors(np.clip(guess, LEAST_M, rule.cap_m), real)


def _errors(guess: Floats, real: Floats) -> DepthErrors:
    off, logs = guess - real, np.log(guess) - np.log(real)
    ratio = np.maximum(guess / real, real / guess)
    return DepthErrors(
        abs_rel=float((np.abs(off) / real).mean()),
        sq_rel=float((off * off / real).mean()),
        rmse=float(np.sqrt((off * off).mean())),
        rmse_log=float(np.sqrt((logs * logs).mean())),
        silog=float(100 * logs.std()),
        delta_1=float((ratio < RATIO).mean()),
        delta_2=float((ratio < RATIO**2).mean()),
        delta_3=float((ratio < RATIO**3).mean()),
        pixels=len(real),
    )
