"""Depth maps: one number a pixel, (1, h, w) or (1, 1, h, w).

Exports of Depth Anything are known by `pixel_values` and `predicted_depth`: ImageNet's mean and deviation, stretched,
larger is nearer. Anything else is named in a card, with what its numbers mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.inference.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from hilgui.inference.protocol import Layout, Parameters, Recognised, Refusal, Signature, fixed, picture_input
from hilgui.inference.readings import GridDepth
from hilgui.records import DepthUnit, Task


class DepthParameters(Parameters):
    """What the numbers mean."""

    unit: DepthUnit = DepthUnit.INVERSE
    scale: float = 1.0  # factor to the unit: 0.001 where a network gives millimetres


_DEFAULTS = DepthParameters()


class DepthMap:
    """Reads one map of distances."""

    name: ClassVar[str] = "depth"
    parameters: ClassVar[type[Parameters]] = DepthParameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        self._unit = layout.parameters.unit
        self._scale = np.float32(layout.parameters.scale)

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: DepthParameters = _DEFAULTS
    ) -> Recognised | Refusal:
        """Know Depth Anything by its names; believe a card for any other."""
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        output = signature.outputs[0]
        is_one = len(output.shape) == 3 or (len(output.shape) == 4 and fixed(output.shape[1]) == 1)
        if len(signature.outputs) != 1 or not is_one or output.dtype != "tensor(float)":
            return Refusal("it does not have one map of one float a pixel")
        if (picture.name, output.name) != ("pixel_values", "predicted_depth") and not named:
            close = "depth" in output.name.lower() or "disp" in output.name.lower()
            return Refusal(f"nothing says what the numbers of its output {output} mean", close=close)
        preprocess = Preprocess("rgb", 1 / 255, IMAGENET_MEAN, IMAGENET_STD, "stretch")
        return Recognised(picture, None, (), preprocess, 0.5, None, Task.DEPTH, needs_names=False)

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {self._image: tensor}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> GridDepth:
        """Bring the numbers to their unit."""
        values = outputs[0]
        if values.ndim not in (3, 4) or values.shape[0] != 1 or values.shape[:-2] not in ((1,), (1, 1)):
            raise ValueError(f"one map of depth was expected, this network gave {values.shape}")
        return GridDepth(values.reshape(values.shape[-2:]).astype(np.float32) * self._scale, self._unit)
