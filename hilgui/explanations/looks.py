"""How an object looks, in figures that two objects can be compared by."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from hilgui.cornercases.picture_hash import BITS, distance, hash_of_crop
from hilgui.explanations.target import Box, Image

_RING = 0.3  # of the box on each side: the surroundings
_LIKE = 64  # rows to which crops are brought before sharpness is measured, so that size does not decide
_SCALES = {"height_px": 0.5, "bottom": 0.15, "across": 0.3, "brightness": 30.0, "spread": 15.0, "stands_out": 20.0,
           "sharpness": 1.0, "hash": 20.0}  # fmt: skip  # how far apart two objects of one class usually are


@dataclass(frozen=True, slots=True)
class Looks:
    """One object in one picture; grey levels are of 0..255."""

    height_px: float
    across: float  # middle of the box, share of the picture's width
    bottom: float  # lower side of the box, share of the picture's height
    brightness: float  # mean grey level
    spread: float  # standard deviation of the grey levels: contrast within
    stands_out: float  # absolute difference of its mean to that of a ring around it: contrast with what is behind
    sharpness: float  # variance of the Laplacian at one size, over the variance of the grey levels
    hash: str  # perceptual hash of the crop, "" where it is too small

    def unlike(self, other: Looks) -> float:
        """Say how far two objects are from looking alike; sizes and sharpness by their ratio."""
        differences = {
            "height_px": math.log2(max(self.height_px, 1.0) / max(other.height_px, 1.0)),
            "bottom": self.bottom - other.bottom,
            "across": self.across - other.across,
            "brightness": self.brightness - other.brightness,
            "spread": self.spread - other.spread,
            "stands_out": self.stands_out - other.stands_out,
            "sharpness": math.log2(max(self.sharpness, 1e-3) / max(other.sharpness, 1e-3)),
            "hash": 0.0 if not (self.hash and other.hash) else distance(self.hash, other.hash) / BITS * 20,
        }
        return math.sqrt(sum((value / _SCALES[name]) ** 2 for name, value in differences.items()))


def looks_of(image: Image, box: Box) -> Looks | None:
    """Measure an object; None where less than 3×3 px of it lie in the picture."""
    height, width = image.shape[:2]
    x1, y1 = max(round(box[0]), 0), max(round(box[1]), 0)
    x2, y2 = min(round(box[2]), width), min(round(box[3]), height)
    if x2 - x1 < 3 or y2 - y1 < 3:
        return None
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    crop = grey[y1:y2, x1:x2]
    x, y = max(round((x2 - x1) * _RING), 2), max(round((y2 - y1) * _RING), 2)
    around = grey[max(y1 - y, 0) : min(y2 + y, height), max(x1 - x, 0) : min(x2 + x, width)]
    rest = around.size - crop.size
    mean = float(crop.mean())
    behind = mean if rest <= 0 else (float(around.sum()) - float(crop.sum())) / rest
    like = cv2.resize(crop, (max(3, round(_LIKE * crop.shape[1] / crop.shape[0])), _LIKE)).astype(np.float32)
    edges = float(cv2.Laplacian(like, cv2.CV_32F).var()) / max(float(like.var()), 1.0)
    return Looks(
        height_px=box[3] - box[1],
        across=(box[0] + box[2]) / 2 / width,
        bottom=box[3] / height,
        brightness=mean,
        spread=float(crop.std()),
        stands_out=abs(mean - behind),
        sharpness=edges,
        hash=hash_of_crop(image, box),
    )


def differences(one: Looks, other: Looks) -> tuple[str, ...]:
    """Say what is different about the first, the most telling first; only what an eye would notice."""
    told: list[tuple[float, str]] = []
    ratio = one.height_px / max(other.height_px, 1.0)
    if not 0.8 <= ratio <= 1.25:
        told.append((abs(math.log2(ratio)) / 0.5, f"{ratio:.2g} times the size"))
    for name, words in (("brightness", ("darker", "brighter")), ("spread", ("flatter", "richer in contrast"))):
        change = getattr(one, name) - getattr(other, name)
        if abs(change) >= 8:
            told.append((abs(change) / _SCALES[name], f"{words[change > 0]} by {abs(change):.0f} grey levels"))
    change = one.stands_out - other.stands_out
    if abs(change) >= 8:
        verb = "more" if change > 0 else "less"
        told.append(
            (
                abs(change) / _SCALES["stands_out"],
                f"stands out {verb} ({one.stands_out:.0f} grey levels against {other.stands_out:.0f})",
            )
        )
    blur = math.log2(max(one.sharpness, 1e-3) / max(other.sharpness, 1e-3))
    if abs(blur) >= 0.6:
        told.append((abs(blur), "sharper" if blur > 0 else "more blurred"))
    return tuple(words for _, words in sorted(told, reverse=True))


def rarer(one: float, others: list[float]) -> float:
    """Give the share of the others that lie below."""
    return float(np.mean([other < one for other in others])) if others else math.nan
