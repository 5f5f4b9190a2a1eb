"""Digital corruptions of Hendrycks & Dietterich: contrast, elastic, pixelate, JPEG; and a starved encoder."""

from __future__ import annotations

import cv2
import numpy as np

from hilgui.corruptions.steps import Picture, between, one


def contrast(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Pull each channel towards its mean; .4 down to .05 of the contrast stays."""
    kept = one((0.4, 0.3, 0.2, 0.1, 0.05), severity)
    means = np.array(cv2.mean(image)[:3], np.float64)
    table = np.clip((np.arange(256)[:, None] - means) * kept + means + 0.5, 0, 255).astype(np.uint8)
    return cv2.LUT(image, table.reshape(1, 256, 3)).astype(np.uint8, copy=False)


def elastic(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Move pixels by a smooth field of chance."""
    strength = 250 * one((0.05, 0.065, 0.085, 0.1, 0.12), severity)
    height, width = image.shape[:2]
    most = height * 0.005
    sigmas = (max(height * 0.01, 0.3), max(width * 0.01, 0.3))
    size = (2 * int(3 * sigmas[1] + 0.5) + 1, 2 * int(3 * sigmas[0] + 0.5) + 1)
    fields = [
        cv2.GaussianBlur(
            (rng.random((height, width), np.float32) * 2 - 1) * np.float32(most * strength),
            size,
            sigmaX=sigmas[1],
            sigmaY=sigmas[0],
            borderType=cv2.BORDER_REFLECT,
        )
        for _ in range(2)
    ]
    across = fields[0] + np.arange(width, dtype=np.float32)
    down = fields[1] + np.arange(height, dtype=np.float32)[:, None]
    return cv2.remap(image, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT).astype(np.uint8, copy=False)


def pixelate(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Shrink to .6 down to .25 and enlarge without smoothing."""
    kept = one((0.6, 0.5, 0.4, 0.3, 0.25), severity)
    height, width = image.shape[:2]
    small = (max(1, int(width * kept)), max(1, int(height * kept)))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)


def jpeg(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Compress as JPEG of quality 25 down to 7."""
    return compressed(image, round(one((25, 18, 15, 10, 7), severity)))


def low_bit_rate(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Show what an encoder leaves that is short of bits: fewer pixels, coarse blocks, colours that bleed.

    A picture by itself: what a video encoder carries over from frame to frame is not shown.
    """
    kept, quality = between(((0.75, 25), (0.6, 18), (0.45, 12), (0.33, 8), (0.25, 5)), severity)
    height, width = image.shape[:2]
    small = (max(1, round(width * kept)), max(1, round(height * kept)))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    coarse = compressed(shrunk, round(quality))
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def compressed(image: Picture, quality: int) -> Picture:
    """Encode and decode a JPEG."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded.astype(np.uint8, copy=False)
