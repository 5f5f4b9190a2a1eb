"""Processor time of each corruption at 640×360, one thread: budget 15 ms, glass blur 60 ms.

python benchmarks/corruptions.py
"""

from __future__ import annotations

import time

import cv2
import numpy as np

from hilgui.corruptions import CORRUPTIONS

_BUDGET_MS = {"glass_blur": 60.0}


def _took_ms(name: str, severity: float, image: np.ndarray) -> float:
    times = []
    for _ in range(4):  # the first fills tables
        rng = np.random.default_rng(0)
        started = time.process_time()
        CORRUPTIONS[name].apply(image, severity, rng)
        times.append(time.process_time() - started)
    return 1e3 * min(times)


def main() -> None:
    """Print one line a corruption."""
    cv2.setNumThreads(1)
    noise = np.random.default_rng(1).integers(0, 256, (45, 80, 3), np.uint8)
    image = cv2.resize(noise, (640, 360), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    print(f"{'ms at severity':18}" + "".join(f"{each:8}" for each in range(1, 6)) + "  budget")
    for name in CORRUPTIONS:
        took = [_took_ms(name, severity, image) for severity in range(1, 6)]
        budget = _BUDGET_MS.get(name, 15.0)
        print(
            f"{name:18}"
            + "".join(f"{each:8.1f}" for each in took)
            + f"{budget:8.0f}{'' if max(took) <= budget else '  OVER'}"
        )


if __name__ == "__main__":
    main()
