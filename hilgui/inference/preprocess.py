"""Turns a picture into a network's input tensor, into memory that is kept from frame to frame.

Resize, split and multiply into preallocated buffers: 0.3 ms from 720p to 640 × 640, where OpenCV's blob and plain
numpy allocate at every call and pay 4 to 5 ms in page faults.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Color = Literal["rgb", "bgr"]
Resize = Literal["letterbox", "stretch", "crop"]
Anchor = Literal["top_left", "center"]
Axes = Literal["nchw", "nhwc"]  # channels first or last

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # red, green, blue of 0..1
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How a network wants its picture: (pixel * scale - mean) / std per channel, in the order of `color`."""

    color: Color = "rgb"
    scale: float = 1.0 / 255.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    resize: Resize = "letterbox"
    anchor: Anchor = "top_left"  # where the picture lies within the letterbox
    pad: int = 114  # grey level around it, 0..255, before normalisation

    @property
    def words(self) -> str:
        """Say it for people: "rgb, pixel / 255, letterbox top left on grey 114"."""
        scaled = "pixel" if self.scale == 1 else f"pixel × {self.scale:g}"
        told = [self.color, "pixel / 255" if math.isclose(self.scale, 1 / 255) else scaled]
        if any(self.mean):
            told[-1] += f" − ({', '.join(f'{each:g}' for each in self.mean)})"
        if any(each != 1 for each in self.std):
            told[-1] = f"({told[-1]}) / ({', '.join(f'{each:g}' for each in self.std)})"
        placed = f"letterbox {self.anchor.replace('_', ' ')} on grey {self.pad}"
        return ", ".join([*told, placed if self.resize == "letterbox" else self.resize])


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the picture lies in the input tensor: input = image * scale + offset, in pixels."""

    scale_x: float
    scale_y: float
    offset_x: int
    offset_y: int
    image_width: int
    image_height: int

    def to_image(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map x1 y1 x2 y2 (N, 4) from input pixels to the picture, clipped to it."""
        origin = np.array([self.offset_x, self.offset_y] * 2, np.float32)
        scale = np.array([1.0 / self.scale_x, 1.0 / self.scale_y] * 2, np.float32)
        moved: NDArray[np.float32] = np.multiply(np.subtract(boxes, origin), scale)
        limit = np.array([self.image_width, self.image_height] * 2, np.float32)
        np.maximum(moved, np.float32(0), out=moved)
        np.minimum(moved, limit, out=moved)
        return moved


def place(
    image_width: int, image_height: int, width: int, height: int, wanted: Preprocess
) -> tuple[Geometry, int, int]:
    """Say where a picture goes in an input of (width, height), and how large it becomes there.

    The scale is that of the whole pixels that the resize really makes, so boxes come back without a shift. Cropped,
    a picture is larger than the input and its offset negative.
    """
    if wanted.resize == "stretch":
        return Geometry(width / image_width, height / image_height, 0, 0, image_width, image_height), width, height
    if wanted.resize == "crop":
        ratio = max(width / image_width, height / image_height)
        wide, tall = max(width, round(image_width * ratio)), max(height, round(image_height * ratio))
        left, top = -((wide - width) // 2), -((tall - height) // 2)
        return Geometry(wide / image_width, tall / image_height, left, top, image_width, image_height), wide, tall
    ratio = min(width / image_width, height / image_height)
    inner_width = min(width, max(1, round(image_width * ratio)))
    inner_height = min(height, max(1, round(image_height * ratio)))
    offset_x, offset_y = 0, 0
    if wanted.anchor == "center":
        offset_x, offset_y = (width - inner_width) // 2, (height - inner_height) // 2
    geometry = Geometry(
        inner_width / image_width, inner_height / image_height, offset_x, offset_y, image_width, image_height
    )
    return geometry, inner_width, inner_height


class Workspace:
    """The buffers of one thread for one model; `fill` allocates only when the size of the pictures changes."""

    def __init__(self, width: int, height: int, wanted: Preprocess, axes: Axes = "nchw") -> None:
        self._wanted = wanted
        self._gains = [np.float32(wanted.scale / std) for std in wanted.std]  # in the order of `color`, as the next
        self._biases = [np.float32(-mean / std) for mean, std in zip(wanted.mean, wanted.std, strict=True)]
        self._width = width
        self._height = height
        self._geometry: Geometry | None = None
        self._resized = np.empty((0, 0, 3), np.uint8)
        self._seen = self._resized  # the part of it that the network sees: all, unless cropped
        self._is_dense = True  # pixels of a plane lie side by side
        self._levels: list[NDArray[np.uint8]] = []  # blue, green, red: the split picture
        self._planes: list[NDArray[np.float32]] = []  # where the picture lies in the tensor, in the order of `color`
        self.tensor = np.empty((1, 3, height, width) if axes == "nchw" else (1, height, width, 3), np.float32)
        self.feeds: dict[str, NDArray[Any]] = {}  # what the session is given; holds `tensor`
        self._channels = list(self.tensor[0]) if axes == "nchw" else list(np.moveaxis(self.tensor[0], 2, 0))

    def fill(self, image: NDArray[np.uint8]) -> Geometry:
        """Write a BGR picture (H, W, 3) into `tensor`; raises ValueError on anything else."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f"a picture is (height, width, 3) of uint8, not {image.shape} of {image.dtype}")
        geometry = self._geometry
        if geometry is None or (geometry.image_height, geometry.image_width) != image.shape[:2]:
            geometry = self._lay_out(image.shape[1], image.shape[0])
        height, width = self._resized.shape[:2]
        cv2.resize(image, (width, height), dst=self._resized, interpolation=cv2.INTER_LINEAR)
        cv2.split(self._seen, self._levels)
        levels = self._levels if self._wanted.color == "bgr" else self._levels[::-1]
        for level, plane, gain, bias in zip(levels, self._planes, self._gains, self._biases, strict=True):
            if gain == 1 or not self._is_dense:
                np.copyto(plane, level)
                if gain != 1:
                    np.multiply(plane, gain, out=plane)
            else:
                _multiply(level, gain, plane)
            if bias != 0:
                np.add(plane, bias, out=plane)
        return geometry

    def _lay_out(self, image_width: int, image_height: int) -> Geometry:
        geometry, width, height = place(image_width, image_height, self._width, self._height, self._wanted)
        self._resized = np.empty((height, width, 3), np.uint8)
        cut_left, cut_top = max(-geometry.offset_x, 0), max(-geometry.offset_y, 0)
        self._seen = self._resized[cut_top : cut_top + self._height, cut_left : cut_left + self._width]
        height, width = self._seen.shape[:2]
        self._levels = [np.empty((height, width), np.uint8) for _ in range(3)]
        for channel, gain, bias in zip(self._channels, self._gains, self._biases, strict=True):
            channel[:] = np.float32(self._wanted.pad) * gain + bias
        top, left = max(geometry.offset_y, 0), max(geometry.offset_x, 0)
        self._planes = [channel[top : top + height, left : left + width] for channel in self._channels]
        self._is_dense = self._planes[0].strides[1] == self._planes[0].itemsize
        self._geometry = geometry
        return geometry


def _multiply(level: NDArray[np.uint8], gain: np.float32, plane: NDArray[np.float32]) -> None:
    """Write level * gain into a plane in one pass, bit for bit what numpy gives in two.

    OpenCV converts with a factor in half the time of a conversion and a product, but shows Python that pass only as the
    normalisation of the largest level to a wanted number: the largest times the gain.
    """
    largest = cv2.norm(level, cv2.NORM_INF)
    cv2.normalize(level, plane, largest * float(gain), 0.0, cv2.NORM_INF, cv2.CV_32F)
