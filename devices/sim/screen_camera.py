"""A simulated camera in front of a screen: perspective, lens, blur, noise, gain, and a rolling exposure."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.sources.screen import ScreenLayout
from hilgui.sources.screen.finder import bent, mapped, straightened

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

_ROOM = 40.0  # grey level of what lies around the screen
_SPARE = 64
_SMOOTHING = 0.4  # standard deviation in camera pixels of the sensor's own aperture


@dataclass(frozen=True, slots=True)
class View:
    """How the camera looks at the screen, and what its sensor does."""

    width: int = 1280
    height: int = 720
    fill: float = 0.9  # of the picture's width or height is taken by the screen
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    lens: float = 0.0  # radial distortion (Brown's k1) at the half diagonal: -0.02 pulls a corner in by 2 %
    blur_px: float = 0.0  # standard deviation in camera pixels
    noise: float = 0.0  # standard deviation in grey levels
    gain: float = 1.0
    ambient: float = 0.0  # grey levels that the light of the room adds
    covered: int | None = None  # place of the marker, from the upper left clockwise, that something stands in front of


@dataclass(frozen=True, slots=True)
class Seam:
    """A picture whose upper rows were exposed before the screen changed."""

    row: float  # share of the picture's height at which both frames are equally strong
    rows: float = 0.05  # share of the height over which one goes into the other: the exposure time


class ScreenCamera:
    """Takes pictures of a canvas; knows exactly where every point of the screen lies in them."""

    def __init__(self, layout: ScreenLayout, view: View, seed: int = 0) -> None:
        self._layout = layout
        self._view = view
        self._dice = np.random.default_rng(seed)
        grain = self._dice.standard_normal((view.height + _SPARE, view.width + _SPARE, 3), np.float32)
        self._grain = np.float32(view.noise) * grain  # a piece of it, another every time: dicing anew is slow
        self._homography = _homography(layout, view)
        self._places = self._places_on_screen()
        corners = np.array([[0, 0], [layout.width, 0]], np.float64)
        self._scale = float(np.linalg.norm(np.diff(mapped(self._homography, corners), axis=0))) / layout.width

    def place(self, points: Floats) -> Floats:
        """Give where points of the screen (n, 2) lie in the camera picture, exactly."""
        return bent(mapped(self._homography, points), self._view.lens, (self._view.width, self._view.height))

    def film(self, canvas: Image, before: Image | None = None, seam: Seam | None = None) -> Image:
        """Give the picture (height, width, 3) BGR; with a seam its upper rows show the canvas `before`."""
        light = self._seen(canvas)
        if seam is not None and before is not None:
            rows = (np.arange(self._view.height) + 0.5) / self._view.height
            new = np.clip((rows - seam.row) / max(seam.rows, 1e-6) + 0.5, 0, 1).astype(np.float32)[:, None, None]
            light = new * light + (1 - new) * self._seen(before)
        if self._view.blur_px:
            light = np.asarray(cv2.GaussianBlur(light, (0, 0), self._view.blur_px), np.float32)
        light = self._view.gain * light + self._view.ambient
        if self._view.noise:
            right, down = self._dice.integers(0, _SPARE, 2)
            light = light + self._grain[down : down + self._view.height, right : right + self._view.width]
        return np.clip(np.rint(light), 0, 255).astype(np.uint8)

    def _seen(self, canvas: Image) -> NDArray[np.float32]:
        light = canvas
        smoothing = _SMOOTHING / self._scale if self._scale < 1 else 0.0
        if smoothing:
            light = np.asarray(cv2.GaussianBlur(light, (0, 0), smoothing), np.uint8)
        x, y = self._places
        room = (_ROOM, _ROOM, _ROOM)
        seen = np.asarray(
            cv2.remap(light, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=room), np.float32
        )
        if self._view.covered is not None:
            x_px, y_px = (round(float(value)) for value in self.place(self._layout.markers[self._view.covered]).mean(0))
            cv2.circle(seen, (x_px, y_px), self._view.height // 20, (90, 120, 160), -1)
        return seen

    def _places_on_screen(self) -> NDArray[np.float32]:
        """Say for each camera pixel which point of the screen it sees, as OpenCV's maps want it."""
        across, down = np.meshgrid(np.arange(self._view.width) + 0.5, np.arange(self._view.height) + 0.5)
        seen = np.stack([across, down], axis=-1).reshape(-1, 2)
        straight = straightened(seen, self._view.lens, (self._view.width, self._view.height))
        back: Floats = np.asarray(np.linalg.inv(self._homography), np.float64)
        places = mapped(back, straight) - 0.5
        return places.T.reshape(2, self._view.height, self._view.width).astype(np.float32)


def _homography(layout: ScreenLayout, view: View) -> Floats:
    """Look at a flat screen with a pinhole camera whose picture is as wide as it is away from the screen."""
    yaw, pitch, roll = np.radians([view.yaw_deg, view.pitch_deg, view.roll_deg])
    turn_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    turn_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    turn_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    turned = turn_z @ turn_x @ turn_y
    size = view.fill * min(view.width / layout.width, view.height / layout.height)
    focal = float(view.width)
    centred = np.array([[size, 0, -size * layout.width / 2], [0, size, -size * layout.height / 2], [0, 0, 1]])
    plane = np.column_stack([turned[:, 0], turned[:, 1], [0, 0, focal]])
    lens = np.array([[focal, 0, view.width / 2], [0, focal, view.height / 2], [0, 0, 1]])
    return np.asarray(lens @ plane @ centred, np.float64)
