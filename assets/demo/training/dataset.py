"""Training frames: rendered with seeds of their own, kept in memory, varied at random."""

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from network import CLASSES, INPUT_HEIGHT, INPUT_WIDTH
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from hilgui.scenes.render import VERSION, Renderer
from hilgui.scenes.truth import SMALLEST_PX, is_ignored
from hilgui.scenes.weather import CONDITIONS

PAD = 114
SHRINK = INPUT_WIDTH / 960.0
SECONDS, EVERY = 18.0, 12


@dataclass(frozen=True, slots=True)
class Drive:
    """One training drive."""

    condition: str
    seed: int
    people: bool = True

    @property
    def file_name(self) -> str:
        """Where it lies in the cache."""
        return f"v{VERSION}-{SMALLEST_PX:g}-{self.condition}-{self.seed}-{int(self.people)}.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Images (N, 270, 480, 3) in BGR, and per image rows of x0, y0, x1, y1, class, ignore."""

    images: NDArray[np.uint8]
    boxes: list[NDArray[np.float32]]


def shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture at the size that the network sees."""
    size = (INPUT_WIDTH, round(image.shape[0] * SHRINK))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def render(drive: Drive, folder: Path) -> Path:
    """Render a drive into the cache unless it is there; frames pass a lossy codec as in a recording."""
    path = folder / drive.file_name
    if path.exists():
        return path
    cv2.setNumThreads(1)
    random = np.random.Generator(np.random.PCG64([drive.seed, 77]))
    images, rows, counts = [], [], []
    renderer = Renderer(CONDITIONS[drive.condition], drive.seed, SECONDS, people=drive.people)
    for picture in renderer.pictures(EVERY):
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(35, 90))]
        images.append(shrink(cv2.imdecode(cv2.imencode(".jpg", picture.image, quality)[1], cv2.IMREAD_COLOR)))
        for sight in picture.sights:
            x, y, width, height = (value * SHRINK for value in sight.box)
            kind = CLASSES.index(sight.category)
            rows.append((x, y, x + width, y + height, kind, is_ignored(sight)))
        counts.append(len(picture.sights))
    part = path.with_suffix(".part.npz")
    np.savez(part, images=np.stack(images), rows=np.array(rows, np.float32).reshape(-1, 6), counts=counts)
    part.rename(path)
    return path


def load(drives: list[Drive], folder: Path, workers: int) -> Frames:
    """Render what is missing and read everything."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        paths = list(pool.map(render, drives, [folder] * len(drives)))
    images, boxes = [], []
    for path in paths:
        with np.load(path) as stored:
            images.append(stored["images"])
            boxes.extend(np.split(stored["rows"], np.cumsum(stored["counts"])[:-1]))
    return Frames(np.concatenate(images), boxes)


def vary(
    image: NDArray[np.uint8], boxes: NDArray[np.float32], random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Zoom, shift, mirror and tint one frame; returns it padded to the input's size."""
    zoom = 1.0 if random.random() < 0.7 else float(random.uniform(0.9, 1.4))
    shift_x = float(random.uniform(0, 1)) * INPUT_WIDTH * (1.0 - zoom)
    shift_y = float(random.uniform(0.3, 0.6)) * image.shape[0] * (1.0 - zoom)
    mirror = random.random() < 0.5
    middle = (1.0 - zoom) / -2.0  # boxes count from a pixel's edge, the warp from its middle
    matrix = np.array([[zoom, 0, shift_x + middle], [0, zoom, shift_y + middle]])
    boxes = boxes.copy()
    boxes[:, 0:4:2] = boxes[:, 0:4:2] * zoom + shift_x
    boxes[:, 1:4:2] = boxes[:, 1:4:2] * zoom + shift_y
    padded = np.full((INPUT_HEIGHT, INPUT_WIDTH, 3), PAD, np.uint8)
    area = padded[: image.shape[0]]
    area[:] = cv2.warpAffine(image, matrix, image.shape[1::-1], borderValue=(PAD, PAD, PAD)) if zoom != 1.0 else image
    if mirror:
        area[:] = area[:, ::-1].copy()
        boxes[:, [0, 2]] = INPUT_WIDTH - boxes[:, [2, 0]]
    gain, lift = float(random.uniform(0.85, 1.18)), float(random.uniform(-8, 8))
    table = np.clip(np.arange(256) * gain + lift, 0, 255).astype(np.uint8)
    area[:] = cv2.LUT(area, table)
    before = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    boxes[:, 0:4:2] = boxes[:, 0:4:2].clip(0, INPUT_WIDTH)
    boxes[:, 1:4:2] = boxes[:, 1:4:2].clip(0, image.shape[0])
    left = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    boxes[left < 0.25 * before, 5] = 1.0
    return padded, boxes[left > 1.0]
