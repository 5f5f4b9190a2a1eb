"""Takes the regions of a camera profile out of the truth of a frame: bonnet, sky, burnt-in text are not judged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hilgui.records import DepthTruth, MaskTruth, Truth
from hilgui.sources.camera_profile import CameraProfile, ignore_rows, ignored_pixels, with_ignored


class Ignoring:
    """Owned by the judge thread; works a region out once for each size of picture."""

    def __init__(self, profile: CameraProfile | None) -> None:
        self._profile = profile
        self._rows: dict[tuple[int, int], Truth] = {}
        self._pixels: dict[tuple[int, int], NDArray[np.bool_]] = {}

    def boxes(self, truth: Truth | None, width: int, height: int) -> Truth | None:
        """Add the regions as rows without class; None stays None."""
        if self._profile is None or truth is None:
            return truth
        size = width, height
        if size not in self._rows:
            self._rows[size] = ignore_rows(self._profile, *size)
        return with_ignored(truth, self._rows[size])

    def mask(self, truth: MaskTruth | None) -> MaskTruth | None:
        """Mark the pixels of the regions as not judged."""
        if self._profile is None or truth is None:
            return truth
        return MaskTruth(
            np.where(self._region(truth.classes), np.uint8(truth.ignore), truth.classes), truth.names, truth.ignore
        )

    def depth(self, truth: DepthTruth | None) -> DepthTruth | None:
        """Forget what was measured in the regions."""
        if self._profile is None or truth is None:
            return truth
        return DepthTruth(np.where(self._region(truth.raw), np.uint16(0), truth.raw))

    def _region(self, picture: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.bool_]:
        assert self._profile is not None
        height, width = picture.shape
        if (width, height) not in self._pixels:
            self._pixels[width, height] = ignored_pixels(self._profile, width, height)
        return self._pixels[width, height]
