"""Every corruption by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from hilgui.corruptions import blur, camera, digital, noise, weather
from hilgui.corruptions.steps import LEAST, MOST, Picture

REVISION = 1  # of what the corruptions do to a picture; figures of another one are not compared

Change = Callable[[Picture, float, np.random.Generator], Picture]


@dataclass(frozen=True, slots=True)
class Corruption:
    """One way in which pictures go bad."""

    name: str
    family: str
    change: Change  # picture, severity 1 to 5, chance
    stays: bool = False  # on the lens or in the sensor: the same in every frame of a drive

    def apply(self, image: Picture, severity: float, rng: np.random.Generator) -> Picture:
        """Corrupt a picture, BGR uint8 (H, W, 3) of any size; the picture that was given is left alone.

        `severity` from 0 (nothing) to 5; 1 to 5 are the published steps, straight lines between their parameters;
        below 1 the picture is mixed with that of severity 1. Raises ValueError.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f"a picture is BGR uint8 (height, width, 3), not {image.dtype} {image.shape}")
        if not LEAST <= severity <= MOST:
            raise ValueError(f"the severity is a number from {LEAST:g} to {MOST:g}, not {severity}")
        if severity == LEAST:
            return image.copy()
        changed = self.change(image, max(severity, 1.0), rng)
        if severity >= 1:
            return changed
        return cv2.addWeighted(image, 1 - severity, changed, severity, 0).astype(np.uint8, copy=False)


def _by_name(*corruptions: Corruption) -> dict[str, Corruption]:
    return {each.name: each for each in corruptions}


COMMON = _by_name(
    Corruption("gaussian_noise", "noise", noise.gaussian_noise),
    Corruption("shot_noise", "noise", noise.shot_noise),
    Corruption("impulse_noise", "noise", noise.impulse_noise),
    Corruption("defocus_blur", "blur", blur.defocus_blur),
    Corruption("glass_blur", "blur", blur.glass_blur),
    Corruption("motion_blur", "blur", blur.motion_blur),
    Corruption("zoom_blur", "blur", blur.zoom_blur),
    Corruption("snow", "weather", weather.snow),
    Corruption("frost", "weather", weather.frost, stays=True),
    Corruption("fog", "weather", weather.fog),
    Corruption("brightness", "weather", weather.brightness),
    Corruption("contrast", "digital", digital.contrast),
    Corruption("elastic_transform", "digital", digital.elastic),
    Corruption("pixelate", "digital", digital.pixelate),
    Corruption("jpeg_compression", "digital", digital.jpeg),
)
"""The fifteen of Hendrycks & Dietterich, in their order."""

BENCH = _by_name(
    Corruption("rain", "weather", weather.rain),
    Corruption("depth_fog", "weather", weather.depth_fog),
    Corruption("lens_drops", "lens", camera.lens_drops, stays=True),
    Corruption("dirt", "lens", camera.dirt, stays=True),
    Corruption("sun_glare", "light", camera.sun_glare, stays=True),
    Corruption("headlight_bloom", "light", camera.headlight_bloom, stays=True),
    Corruption("low_light", "light", camera.low_light),
    Corruption("exposure", "light", camera.exposure),
    Corruption("rolling_shutter", "sensor", camera.rolling_shutter, stays=True),
    Corruption("dead_pixels", "sensor", camera.dead_pixels, stays=True),
    Corruption("white_balance", "sensor", camera.white_balance, stays=True),
    Corruption("low_bit_rate", "link", digital.low_bit_rate),
)
"""What a bench and a road add."""

STREAM = {
    "frame_drop": "a share of the frames, 2 to 40 %, does not arrive",
    "freeze": "the picture stands still for spells of 2 to 30 frames",
    "latency": "the picture is 1 to 15 frames old",
}
"""Faults of the stream, in which the pictures are sound."""

CORRUPTIONS = COMMON | BENCH
