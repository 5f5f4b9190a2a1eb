"""Times the preparation of a picture against OpenCV's blob and plain numpy, and compares the tensors.

    python benchmarks/preprocess.py [--rounds 300]

From 1280 × 720 to square letterboxes, RGB / 255. All three take turns in one process; medians and the ratio to ours.
The resize alone is printed as well: nobody can be quicker than that.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import cv2
import numpy as np
from in_turn import in_turn
from numpy.typing import NDArray

from hilgui.inference.preprocess import Preprocess, Workspace, place


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300)
    given = parser.parse_args()
    image = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    for side in (640, 416):
        workspace = Workspace(side, side, Preprocess())
        _, width, height = place(1280, 720, side, side, Preprocess())
        resized = np.empty((height, width, 3), np.uint8)
        ways: dict[str, Callable[[], object]] = {
            "hilgui": lambda workspace=workspace: workspace.fill(image),  # type: ignore[misc]
            "resize alone": lambda size=(width, height), to=resized: cv2.resize(image, size, dst=to),  # type: ignore[misc]
            "OpenCV blob": lambda side=side: blob(image, side),  # type: ignore[misc]
            "plain numpy": lambda side=side: naive(image, side),  # type: ignore[misc]
        }
        times = in_turn(ways, given.rounds)
        workspace.fill(image)
        off = float(np.abs(workspace.tensor - naive(image, side)).max() * 255)
        print(f"1280 x 720 to {side}: differs from plain numpy by at most {off:.1e} grey levels")
        for name, took in times.items():
            print(f"  {name:14s}{took:8.3f} ms   {took / times['hilgui']:6.2f} times ours")


def letterbox(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Lay the picture on a grey canvas, as most people write it."""
    ratio = side / max(image.shape[:2])
    width, height = round(image.shape[1] * ratio), round(image.shape[0] * ratio)
    canvas = np.full((side, side, 3), 114, np.uint8)
    canvas[:height, :width] = cv2.resize(image, (width, height))
    return canvas


def blob(image: NDArray[np.uint8], side: int) -> object:
    """Let OpenCV make the tensor."""
    return cv2.dnn.blobFromImage(letterbox(image, side), 1 / 255, swapRB=True)


def naive(image: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Make the tensor in numpy."""
    tensor = letterbox(image, side)[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
    return np.ascontiguousarray(tensor)


if __name__ == "__main__":
    main()
