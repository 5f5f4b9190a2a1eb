"""What a camera at a bench or on a road suffers: lens, light and sensor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.corruptions.noise import counted
from hilgui.corruptions.steps import Picture, between, one, to_picture
from hilgui.corruptions.texture import blobs, clouds


def lens_drops(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Put drops on the lens, 8 to 90 of them; through each the scene is blurred and upside down."""
    height, width = image.shape[:2]
    radius = height / 360
    count = round(one((8, 18, 35, 60, 90), severity))
    cover = blobs(height, width, count, (4 * radius + 0.5, 14 * radius + 1), rng)[:, :, None]
    small = cv2.resize(image, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    through = cv2.resize(np.ascontiguousarray(small[::-1]), (width, height), interpolation=cv2.INTER_LINEAR)
    return to_picture(image * (1 - cover) + cover * (through * np.float32(0.9) + np.float32(12)))


def dirt(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Cover 6 to 55 % of the lens with soft brown dirt."""
    share = one((0.06, 0.14, 0.25, 0.38, 0.55), severity)
    height, width = image.shape[:2]
    layer = clouds(height, width, 1.6, rng, finest_px=8)
    edge = float(np.quantile(layer[::4, ::4], 1 - share))
    cover = np.clip((layer - edge) * 12, 0, 0.92)[:, :, None]
    return to_picture(image * (1 - cover) + cover * np.array([38, 54, 70], np.float32))


def sun_glare(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Let a low sun shine into the lens: a blinding spot, a halo and a veil over everything."""
    spot, halo, veil = between(
        ((0.04, 0.25, 12), (0.06, 0.4, 25), (0.08, 0.6, 45), (0.11, 0.85, 70), (0.15, 1.2, 100)), severity
    )
    height, width = image.shape[:2]
    x, y = rng.uniform(0.2, 0.8) * width, rng.uniform(0.15, 0.45) * height
    across = np.arange(width, dtype=np.float32) - np.float32(x)
    down = np.arange(height, dtype=np.float32) - np.float32(y)
    squared = across[None, :] ** 2 + down[:, None] ** 2
    inner, outer = np.float32((spot * width) ** 2 + 1), np.float32((halo * width / 2) ** 2 + 1)
    light = 255 * np.exp(-squared / inner) + 130 * np.exp(-squared / outer) + np.float32(veil)
    return to_picture(image + light[:, :, None] * np.array([0.85, 0.95, 1.0], np.float32))


def headlight_bloom(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Let oncoming headlights bleed over their surroundings: pairs of lights at the height of the road."""
    pairs, radius, strength = between(
        ((1, 0.015, 170), (1, 0.025, 230), (2, 0.035, 260), (2, 0.05, 300), (3, 0.07, 360)), severity
    )
    height, width = image.shape[:2]
    light = np.zeros((height, width), np.float32)
    for number in range(3):  # always drawn, so that a pair stays where it is while the severity grows
        x, y, gap = rng.uniform(0.15, 0.85), rng.uniform(0.45, 0.6), rng.uniform(0.02, 0.06)
        part = min(1.0, max(0.0, pairs - number))
        for side in (-0.5, 0.5):
            _shine(light, (x + side * gap) * width, y * height, max(radius * width, 0.5), part * strength)
    return to_picture(image + light[:, :, None] * np.array([1.0, 0.98, 0.94], np.float32))


def low_light(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Take the light away, half of it down to a fiftieth, as a sensor sees it: photons counted, read noise added.

    Works on linear light (sRGB's gamma taken as 2.2); the gain stays, so the picture is dark and noisy.
    """
    share, photons, read = between(
        ((0.5, 600, 1.0), (0.25, 300, 1.5), (0.12, 150, 2.0), (0.05, 80, 2.5), (0.02, 40, 3.0)), severity
    )
    levels = (np.arange(256) / 255) ** 2.2 * share
    dark = cv2.LUT(image, np.clip(255 * levels ** (1 / 2.2) + 0.5, 0, 255).astype(np.uint8))
    seen = counted(dark.astype(np.uint8, copy=False), photons, rng)
    noise = rng.standard_normal(image.shape[:2], np.float32)
    return to_picture(seen + (noise * np.float32(read))[:, :, None])


def exposure(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Expose for 1.5 to 8 times too long; what is bright saturates."""
    gain = one((1.5, 2, 3, 5, 8), severity)
    return cv2.convertScaleAbs(image, alpha=gain).astype(np.uint8, copy=False)


def rolling_shutter(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Shear the picture: its rows are read while the scene moves sideways, by 2 to 20 % of the width."""
    height, width = image.shape[:2]
    shift = one((0.02, 0.04, 0.08, 0.13, 0.2), severity) * width * (1 if rng.random() < 0.5 else -1)
    matrix = np.array([[1, shift / max(height - 1, 1), -shift / 2], [0, 1, 0]], np.float32)
    moved = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.uint8, copy=False)


def dead_pixels(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Let a share of the pixels, .02 to 5 %, be black or stuck at white, and above severity 2 whole columns."""
    share, columns = between(((0.0002, 0), (0.001, 0), (0.004, 0.002), (0.015, 0.006), (0.05, 0.015)), severity)
    height, width = image.shape[:2]
    chance = rng.random((height, width), np.float32)
    lines = rng.random(width, np.float32)
    result = image.copy()
    result[chance < share] = 0
    result[chance < share / 2] = 255
    result[:, lines < columns] = 0
    return result


def white_balance(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Weigh red against blue wrongly, by 1.15 to 2.2, one way or the other."""
    factor = one((1.15, 1.3, 1.5, 1.8, 2.2), severity)
    gains = np.array([1 / factor, 1, factor]) if rng.random() < 0.5 else np.array([factor, 1, 1 / factor])
    table = np.clip(np.arange(256)[:, None] * gains + 0.5, 0, 255).astype(np.uint8)
    return cv2.LUT(image, table.reshape(1, 256, 3)).astype(np.uint8, copy=False)


def _shine(light: NDArray[np.float32], x: float, y: float, radius: float, strength: float) -> None:
    """Add a round glow and the streak beside it."""
    across, down = np.arange(light.shape[1]) - x, np.arange(light.shape[0]) - y
    for weight, tall, wide in ((1.0, radius, radius), (0.25, radius / 3, 6 * radius)):
        rows, columns = np.exp(-((down / tall) ** 2)), np.exp(-((across / wide) ** 2))
        light += (strength * weight * np.outer(rows, columns)).astype(np.float32)
