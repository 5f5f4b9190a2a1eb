"""Makes reference.json: what imagecorruptions 1.1.2 does to the made picture, figures only.

By hand, in an environment of its own (`pip install imagecorruptions opencv-python-headless`):

    cd tests/unit/corruptions && python make_reference.py > reference.json

A row is a severity: mean, mean amount and standard deviation of the difference, averaged over seeds. The package is
older than the libraries that it gets; what they have dropped since is given back here.
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import numpy as np
import scipy.ndimage
import skimage.filters
from scene import scene

_SEEDS = {"glass_blur": 1, "fog": 24, "frost": 24}  # 4 of the others; glass blur takes seconds


def _mend() -> None:
    np.float_ = np.float64
    old = types.ModuleType("scipy.ndimage.interpolation")
    old.map_coordinates = scipy.ndimage.map_coordinates
    sys.modules["scipy.ndimage.interpolation"] = old
    resources = types.ModuleType("pkg_resources")
    resources.resource_filename = lambda name, path: str(Path(sys.modules[name].__file__).parent / path)
    sys.modules["pkg_resources"] = resources
    blurred = skimage.filters.gaussian
    skimage.filters.gaussian = lambda image, sigma=1, multichannel=False, **more: blurred(
        image, sigma=sigma, channel_axis=-1 if multichannel else None, **more
    )


def _figures(name: str, severity: int) -> list[float]:
    from imagecorruptions import corrupt

    rows = []
    for seed in range(_SEEDS.get(name, 4)):
        np.random.seed(seed)
        picture = corrupt(scene()[..., ::-1].copy(), severity, name)[..., ::-1]
        difference = picture.astype(float) - scene()
        rows.append((difference.mean(), np.abs(difference).mean(), difference.std()))
    return [round(float(each), 2) for each in np.mean(rows, axis=0)]


if __name__ == "__main__":
    _mend()
    from imagecorruptions import get_corruption_names

    rows = {name: [_figures(name, each) for each in range(1, 6)] for name in get_corruption_names()}
    print("{\n" + ",\n".join(f" {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items()) + "\n}")
