"""Processor time of each corruption at 640×360, one thread, against its limit and against imagecorruptions.

python benchmarks/corruptions.py [--reference PYTHON]

PYTHON is an interpreter of an environment of its own: pip install imagecorruptions "numpy<2" "setuptools<80"

Both sides take the same picture and the severities 1, 3 and 5 in turn; a row is the slowest of the three.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

SEVERITIES = (1, 3, 5)
_LIMIT_MS = {"glass_blur": 60.0}
_USUAL_MS = 15.0
_ENOUGH_S = 0.5  # what takes longer is measured once


def took_ms(work: Callable[[], object]) -> float:
    """Give the least processor time of a few calls; the first one, which fills tables, counts only where it is slow."""
    times: list[float] = []
    while len(times) < 5:
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
        if times[-1] > _ENOUGH_S:
            break
    return 1e3 * min(times[1:] or times)


def picture() -> np.ndarray:
    """Make a picture with structure at every scale."""
    import cv2

    noise = np.random.default_rng(1).integers(0, 256, (45, 80, 3), np.uint8)
    return np.ascontiguousarray(cv2.resize(noise, (640, 360), interpolation=cv2.INTER_CUBIC).astype(np.uint8))


def theirs() -> None:
    """Measure imagecorruptions; the child's side, one JSON line a corruption."""
    import cv2
    import skimage.filters

    blurred = skimage.filters.gaussian  # a keyword that newer versions have dropped is given back
    skimage.filters.gaussian = lambda image, sigma=1, multichannel=False, **more: blurred(
        image, sigma=sigma, channel_axis=-1 if multichannel else None, **more
    )
    from imagecorruptions import corrupt, get_corruption_names

    cv2.setNumThreads(1)
    image = picture()
    for name in get_corruption_names():
        took = [took_ms(lambda s=severity, n=name: corrupt(image, s, n)) for severity in SEVERITIES]
        print(json.dumps({name: took}), flush=True)


def reference(python: str) -> dict[str, list[float]]:
    """Run the child; give its figures by corruption."""
    done = subprocess.run([python, "-W", "ignore", __file__, "--child"], capture_output=True, text=True, check=True)
    figures: dict[str, list[float]] = {}
    for line in done.stdout.splitlines():
        figures |= json.loads(line)
    return figures


def main() -> None:
    """Print one line a corruption."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", help="an interpreter that has imagecorruptions")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    wish = parser.parse_args()
    if wish.child:
        theirs()
        return
    import cv2

    from hilgui.corruptions import CORRUPTIONS

    cv2.setNumThreads(1)
    image = picture()
    ours: dict[str, float] = {}
    for name, corruption in CORRUPTIONS.items():
        ours[name] = max(
            took_ms(lambda s=severity, c=corruption: c.apply(image, s, np.random.default_rng(0)))
            for severity in SEVERITIES
        )
    peer = reference(wish.reference) if wish.reference else {}
    print("| corruption | ms | limit | of the limit | imagecorruptions, ms | times as fast |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, took in ours.items():
        limit = _LIMIT_MS.get(name, _USUAL_MS)
        other = max(peer[name]) if name in peer else None
        words = "– | –" if other is None else f"{other:.0f} | {other / took:.1f}"
        print(f"| {name} | {took:.1f} | {limit:.0f} | {took / limit:.2f} | {words} |")
    over = [name for name, took in ours.items() if took > _LIMIT_MS.get(name, _USUAL_MS)]
    print(f"\nover the limit: {', '.join(over) or 'none'}", file=sys.stderr)


if __name__ == "__main__":
    main()
