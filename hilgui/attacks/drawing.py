"""Pictures of what an attack did: clean and attacked side by side with what the model sees, and the difference."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui import colours
from hilgui.robustness import Shown

Pixels = NDArray[np.uint8]

_TALL_PX = 320
_GAIN = 10  # of the difference, or nobody sees it
_STYLES = {"found": "baseline", "missed": "missed", "phantom": "phantom"}


def side_by_side(clean: Pixels, attacked: Pixels, before: tuple[Shown, ...], after: tuple[Shown, ...]) -> Pixels:
    """Draw clean, attacked and ten times the difference beside each other."""
    change = np.clip((attacked.astype(np.int16) - clean) * _GAIN + 128, 0, 255).astype(np.uint8)
    views = [drawn(clean, before), drawn(attacked, after), drawn(change, ())]
    gap = np.full((views[0].shape[0], 6, 3), 255, np.uint8)
    return np.concatenate((views[0], gap, views[1], gap, views[2]), axis=1)


def drawn(image: Pixels, objects: tuple[Shown, ...], tall_px: int = _TALL_PX) -> Pixels:
    """Draw boxes into a picture of the height of a report."""
    scale = tall_px / image.shape[0]
    size = (max(1, round(image.shape[1] * scale)), tall_px)
    made = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    for one in sorted(objects, key=lambda each: each.fate == "missed"):
        x1, y1, x2, y2 = (round(value * scale) for value in one.box)
        colour = colours.ON_PICTURE.get(_STYLES[one.fate], colours.ON_PICTURE["missed"])
        blue_green_red = tuple(int(colour[at : at + 2], 16) for at in (5, 3, 1))
        cv2.rectangle(made, (x1, y1), (x2, y2), blue_green_red, 2 if one.fate == "missed" else 1, cv2.LINE_AA)
    return np.asarray(made, np.uint8)


def jpeg(image: Pixels) -> bytes:
    """Code a picture for a report."""
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes())


def png(image: Pixels) -> bytes:
    """Code a picture without loss: an attack does not outlive a JPEG."""
    return bytes(cv2.imencode(".png", image)[1].tobytes())
