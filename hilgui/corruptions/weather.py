"""Weather of Hendrycks & Dietterich: snow, frost, fog, brightness; and of the road: rain, fog by distance."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.corruptions.blur import smeared
from hilgui.corruptions.steps import Picture, between, one, to_picture
from hilgui.corruptions.texture import clouds, crystals

_SNOW = (  # mean, spread, zoom, threshold, radius, σ, share of the picture
    (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
_FROST = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))  # weight of the picture, of the ice
_FOG = ((1.5, 2), (2.0, 2), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))  # weight; fading of finer clouds, twice a step
_HORIZON = 0.45  # of the height, for a street without a depth map
_CAMERA_M = 1.4  # above the road
_ABOVE_M = 9.0  # what the street is lined with, above the camera
_FAR_M = 100.0  # what stands before the horizon is nearer than the end of the street
_AIR = np.array([205, 200, 195], np.float32)


def snow(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Whiten the picture and let flakes fall across it, smeared by their motion."""
    mean, spread, zoom, threshold, radius, sigma, kept = between(_SNOW, severity)
    height, width = image.shape[:2]
    small = (math.ceil(height / zoom), math.ceil(width / zoom))
    noise = np.asarray(mean + spread * rng.standard_normal(small, np.float32), np.float32)
    noise = np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    bright = 255 * np.clip(np.where(noise < threshold, 0, noise), 0, 1)
    flakes = smeared(bright.astype(np.uint8), radius, sigma, float(rng.uniform(-135, -45)))
    falling = cv2.add(flakes, np.ascontiguousarray(flakes[::-1, ::-1]))
    white = np.clip(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) * 1.5 + 127.5, 0, 382.5).astype(np.float32)
    result = np.maximum(image, white[:, :, None])
    result *= 1 - kept
    result += kept * image.astype(np.float32)
    result += falling[:, :, None]
    return to_picture(result)


def frost(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Lay ice over the picture; its texture is grown, not a photograph."""
    kept, weight = between(_FROST, severity)
    height, width = image.shape[:2]
    ice = 255 * weight * crystals(height, width, rng)
    return to_picture(kept * image + cv2.merge([ice, ice * 0.96, ice * 0.92]))


def fog(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Add clouds and bring the sum back to the range of the picture."""
    weight, fading = between(_FOG, severity)
    height, width = image.shape[:2]
    brightest = max(float(image.max()) / 255, 1 / 255)
    layer = clouds(height, width, fading**2, rng) * (255 * weight)
    result = image.astype(np.float32)
    result += layer[:, :, None]
    result *= brightest / (brightest + weight)
    return to_picture(result)


def brightness(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Raise the value (of hue, saturation, value) by .1 to .5."""
    more = 255 * one((0.1, 0.2, 0.3, 0.4, 0.5), severity)
    value = image.max(axis=2)
    levels = np.arange(256, dtype=np.float32)
    factors = np.minimum(levels + more, 255) / np.maximum(levels, 1)
    result = image * factors[value][:, :, None]
    result[value == 0] = more
    return to_picture(result)


def rain(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Draw falling streaks, 60 to 1200 at 640×360, and veil the picture a little."""
    count, veil, length = between(
        ((60, 0.03, 10), (160, 0.06, 14), (350, 0.1, 18), (700, 0.15, 24), (1200, 0.22, 30)), severity
    )
    height, width = image.shape[:2]
    drops = max(1, round(count * height * width / (640 * 360)))
    layer = np.zeros((height, width), np.uint8)
    slant = math.tan(math.radians(float(rng.uniform(-20, 20))))
    starts = rng.random((drops, 2)) * (width, height)
    lengths = length * height / 360 * rng.uniform(0.5, 1.5, drops)
    ends = starts + np.stack([lengths * slant, lengths], axis=1)
    lines = np.stack([starts, ends], axis=1).round().astype(np.int32)
    cv2.polylines(layer, list(lines), False, 130, 1, cv2.LINE_AA)
    streaks = cv2.blur(layer, (1, 3)).astype(np.uint8, copy=False)
    result = image * np.float32(1 - veil) + np.float32(veil * 170)
    result += streaks[:, :, None] * np.float32(0.7)
    return to_picture(result)


def depth_fog(
    image: Picture, severity: float, rng: np.random.Generator, depth_m: NDArray[np.floating] | None = None
) -> Picture:
    """Let distance vanish by Koschmieder's law; sight (5 % contrast) falls from 400 to 25 m.

    `depth_m`: (H, W) in metres where it is known; else a flat street seen from 1.4 m, its horizon at .45 of the height.
    """
    sight = 1 / one((1 / 400, 1 / 200, 1 / 100, 1 / 50, 1 / 25), severity)
    height, width = image.shape[:2]
    distance = flat_road_m(height, width) if depth_m is None else np.asarray(depth_m, np.float32)
    if distance.shape != (height, width):
        raise ValueError(f"the depth map is {distance.shape}, the picture {(height, width)}; bring it to that size")
    seen = np.exp(np.float32(-3.0 / sight) * np.nan_to_num(distance, nan=1000.0, posinf=1000.0))[:, :, None]
    return to_picture(image * seen + _AIR * (1 - seen))


def flat_road_m(height: int, width: int) -> NDArray[np.float32]:
    """Give the distance of each row of a flat road lined with houses or trees, 100 m at most."""
    below = (np.arange(height, dtype=np.float32) + 0.5) / height - _HORIZON
    metres = np.where(below > 0, _CAMERA_M, _ABOVE_M) / np.maximum(np.abs(below), 1e-6)
    return np.repeat(np.minimum(metres, _FAR_M).astype(np.float32)[:, None], width, axis=1)
