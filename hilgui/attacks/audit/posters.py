"""Rendered things that only look like road users: posters, painted vans, signs with words, reflections."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.scenes.camera import Camera
from hilgui.scenes.canvas import Canvas
from hilgui.scenes.figures import Clothes, paint_limbs, walking
from hilgui.scenes.solids import Pose, paint_mesh
from hilgui.scenes.traffic import QUARTER_TURN
from hilgui.scenes.vehicles import Size, build_truck
from hilgui.scenes.weather import DAY

Pixels = NDArray[np.uint8]
Region = tuple[float, float, float, float]

_CLOTHES = Clothes(top=(60, 60, 180), legs=(90, 50, 40), skin=(150, 180, 220), hair=(30, 40, 60))


def person() -> tuple[Pixels, Pixels]:
    """Render a person: picture and mask (255 where they are)."""
    canvas = Canvas(240, 480)
    camera = Camera(240, 480, 640.0, 640.0, 120.0, 240.0, 0.9, 0.0)
    paint_limbs(canvas, camera, DAY, walking(_CLOTHES, 0.8, 0.8), Pose(0.0, 3.2, QUARTER_TURN), 0.0, 1)
    rows, columns = np.nonzero(canvas.ids)
    part = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    return canvas.image[part], np.where(canvas.ids[part] > 0, 255, 0).astype(np.uint8)


def poster(image: Pixels, random: np.random.Generator) -> tuple[Pixels, Region]:
    """Hang a framed picture of a person beside the road."""
    height, width = image.shape[:2]
    tall = int(height * random.uniform(0.3, 0.45))
    sheet = _sheet(tall)
    x, y = _beside(width, sheet.shape[1], random), int(height * random.uniform(0.32, 0.42))
    return _pasted(image, sheet, x, y)


def van(image: Pixels, random: np.random.Generator) -> tuple[Pixels, Region]:
    """Park a van across the road with a person painted on its side; the region is the painting."""
    height, width = image.shape[:2]
    canvas = Canvas(width, height)
    camera = Camera(width, height, 0.667 * width, 0.667 * width, width / 2, height / 2, 1.4, 0.05)
    place = Pose(random.uniform(-1.5, 1.5), random.uniform(9.0, 12.0), QUARTER_TURN)
    paint_mesh(canvas, camera, DAY, build_truck(Size(6.0, 2.2, 2.8), (225, 228, 230)), place, 0.0, 1, {})
    made = np.where(canvas.ids[..., None] > 0, canvas.image, image).astype(np.uint8)
    corners = np.array([(place.x - 0.2, 0.9, place.z - 1.1), (place.x + 0.6, 2.5, place.z - 1.1)])
    (x1, y2), (x2, y1) = camera.project(corners)[0].tolist()
    figure, mask = person()
    size = max(4, round(x2 - x1)), max(8, round(y2 - y1))
    return _blended(made, cv2.resize(figure, size), cv2.resize(mask, size), round(x1), round(y1), 1.0)


def sign(image: Pixels, random: np.random.Generator, word: str) -> tuple[Pixels, Region]:
    """Put up a sign with a word on it."""
    height, width = image.shape[:2]
    sheet = np.full((int(height * 0.16), int(width * 0.16), 3), 245, np.uint8)
    scale = sheet.shape[1] / (22 * max(len(word), 4))
    cv2.putText(sheet, word.upper(), (6, int(sheet.shape[0] * 0.65)), cv2.FONT_HERSHEY_SIMPLEX, scale, (20, 20, 20), 2)
    cv2.rectangle(sheet, (0, 0), (sheet.shape[1] - 1, sheet.shape[0] - 1), (40, 40, 200), 3)
    return _pasted(image, sheet, _beside(width, sheet.shape[1], random), int(height * random.uniform(0.35, 0.5)))


def reflection(image: Pixels, random: np.random.Generator) -> tuple[Pixels, Region]:
    """Mirror a person in a shop window: half of their light, over the facade."""
    height, width = image.shape[:2]
    figure, mask = person()
    tall = int(height * random.uniform(0.3, 0.4))
    size = max(4, round(figure.shape[1] * tall / figure.shape[0])), tall
    x = _beside(width, size[0], random)
    return _blended(
        image, cv2.resize(figure[:, ::-1], size), cv2.resize(mask[:, ::-1], size), x, int(height * 0.4), 0.5
    )


def _sheet(tall: int) -> Pixels:
    figure, mask = person()
    size = max(4, round(figure.shape[1] * tall * 0.8 / figure.shape[0])), round(tall * 0.8)
    sheet = np.full((tall, round(size[0] * 1.8), 3), (150, 190, 120), np.uint8)
    cv2.rectangle(sheet, (0, 0), (sheet.shape[1] - 1, sheet.shape[0] - 1), (30, 30, 30), max(1, tall // 30))
    left, top = (sheet.shape[1] - size[0]) // 2, round(tall * 0.1)
    return _blended(sheet, cv2.resize(figure, size), cv2.resize(mask, size), left, top, 1.0)[0]


def _beside(width: int, wide: int, random: np.random.Generator) -> int:
    share = random.uniform(0.02, 0.2) if random.random() < 0.5 else random.uniform(0.68, 0.8)
    return max(0, min(int(width * share), width - wide - 1))


def _pasted(image: Pixels, sheet: Pixels, x: int, y: int) -> tuple[Pixels, Region]:
    return _blended(image, sheet, np.full(sheet.shape[:2], 255, np.uint8), x, y, 1.0)


def _blended(
    image: Pixels, part: NDArray[np.generic], mask: NDArray[np.generic], x: int, y: int, share: float
) -> tuple[Pixels, Region]:
    made = image.copy()
    height, width = image.shape[:2]
    x, y = min(max(x, 0), width - 2), min(max(y, 0), height - 2)
    tall, wide = min(part.shape[0], height - y), min(part.shape[1], width - x)
    weight = np.asarray(mask, np.float32)[:tall, :wide, None] / 255 * share
    under = made[y : y + tall, x : x + wide]
    under[:] = np.rint(under * (1 - weight) + np.asarray(part, np.float32)[:tall, :wide] * weight).astype(np.uint8)
    return made, (float(x), float(y), float(x + wide), float(y + tall))
