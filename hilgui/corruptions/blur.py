"""Blur of Hendrycks & Dietterich: defocus, glass, motion, zoom."""

from __future__ import annotations

import math

import cv2
import numpy as np

from hilgui.corruptions.steps import Picture, between, one, to_picture

_GLASS = ((0.7, 1), (0.9, 2), (1.0, 2), (1.1, 3), (1.5, 4))  # σ, farthest pixel
_GLASS_ROUNDS = (2, 1, 3, 2, 2)
_MOTION = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))  # radius, σ
_ZOOM = (1.11, 1.15, 1.20, 1.24, 1.30)
_ZOOM_LAYERS = (12, 16, 11, 13, 11)


def defocus_blur(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Spread each point over a disc of radius 3 to 10 px."""
    radius = one((3, 4, 6, 8, 10), severity)
    reach = math.ceil(radius)
    across = np.arange(-reach, reach + 1, dtype=np.float32)
    disc = np.clip(radius + 0.5 - np.hypot(across[:, None], across[None, :]), 0, 1)
    return cv2.filter2D(image, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101).astype(np.uint8, copy=False)


def glass_blur(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Blur, let each pixel take the value of one nearby, blur again: frosted glass.

    The pixels are taken from the last to the first, so a value may travel on; these chains are followed by doubling.
    """
    sigma, reach = between(_GLASS, severity)
    picture = cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8, copy=False)
    for _ in range(_GLASS_ROUNDS[min(round(severity), 5) - 1]):
        picture = _exchanged(picture, reach, rng)
    return cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.uint8, copy=False)


def motion_blur(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Smear along a line within 45° of the horizontal, 21 to 41 px long, fading."""
    radius, sigma = between(_MOTION, severity)
    return smeared(image, radius, sigma, float(rng.uniform(-45, 45)))


def zoom_blur(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Average the picture with itself zoomed up to 1.1 to 1.3 times."""
    layers = _ZOOM_LAYERS[min(round(severity), 5) - 1]
    height, width = image.shape[:2]
    total = image.astype(np.float32)
    for factor in np.linspace(1, one(_ZOOM, severity), layers).tolist():
        rows, columns = math.ceil(height / factor), math.ceil(width / factor)
        top, left = (height - rows) // 2, (width - columns) // 2
        part = image[top : top + rows, left : left + columns]
        cv2.accumulate(cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR), total)
    return to_picture(total / (layers + 1))


def smeared(values: Picture, radius: float, sigma: float, angle_deg: float) -> Picture:
    """Smear a picture or a layer (H, W) over 2·radius + 1 px to one side, weights of half a bell."""
    length = 2 * round(radius) + 1
    along = np.arange(length)
    weights = np.exp(-(along**2) / (2 * sigma**2))
    down = np.ceil(along * math.sin(math.radians(angle_deg)) - 0.5).astype(int)
    right = np.ceil(along * math.cos(math.radians(angle_deg)) - 0.5).astype(int)
    kernel = np.zeros((int(np.ptp(down)) + 1, int(np.ptp(right)) + 1), np.float32)
    np.add.at(kernel, (down - down.min(), right - right.min()), weights / weights.sum())
    anchor = (-int(right.min()), -int(down.min()))
    result = cv2.filter2D(values, -1, kernel, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
    return result.astype(np.uint8, copy=False)


def _exchanged(picture: Picture, reach: float, rng: np.random.Generator) -> Picture:
    height, width = picture.shape[:2]
    edge = math.ceil(reach)
    if height <= 2 * edge or width <= 2 * edge:
        return picture
    inner = (height - 2 * edge, width - 2 * edge)
    moves = [np.floor(rng.random(inner, np.float32) * (2 * reach) - reach).astype(np.int32) for _ in range(2)]
    source = np.arange(height * width, dtype=np.int32).reshape(height, width)
    source[edge:-edge, edge:-edge] += moves[0] * width + moves[1]
    flat = source.ravel()
    goes_on = flat > np.arange(len(flat), dtype=np.int32)  # that pixel had been changed before
    while (places := np.flatnonzero(goes_on)).size:
        at = flat[places]
        flat[places], goes_on[places] = flat[at], goes_on[at]
    return picture.reshape(height * width, -1).take(flat, axis=0).reshape(picture.shape)
