"""LSTR: lanes as curves, one query each.

`pred_curves` (1, Q, 8) holds upper and lower end y0 y1, then k f m n b b2 of
x = k / (y - f)^2 + m / (y - f) + n + b y - b2, all as shares of the picture. RGB with ImageNet's mean and deviation,
stretched; `input_mask` is all zeros: no part of the input is padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.inference.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from hilgui.inference.protocol import (
    NO_PARAMETERS,
    Layout,
    Parameters,
    Recognised,
    Refusal,
    Signature,
    fixed,
    picture_input,
)
from hilgui.inference.readings import InputLines, softmax
from hilgui.records import Task

_MASK = "input_mask"
_POINTS = 100  # of a curve from end to end
_CURVE = 8


class Lstr:
    """Reads `pred_logits` (1, Q, 2) and `pred_curves` (1, Q, 8)."""

    name: ClassVar[str] = "lstr"
    parameters: ClassVar[type[Parameters]] = Parameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        names = [output.name for output in layout.signature.outputs]
        self._places = names.index("pred_logits"), names.index("pred_curves")
        self._size = np.array([layout.width, layout.height], np.float32)
        self._mask = np.zeros((1, 1, layout.height, layout.width), np.float32)
        self._has_mask = any(each.name == _MASK for each in layout.signature.inputs)

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: Parameters = NO_PARAMETERS
    ) -> Recognised | Refusal:
        """Know it by the names of its outputs and the eight numbers of a curve."""
        outputs = {each.name: each for each in signature.outputs}
        if not {"pred_logits", "pred_curves"} <= outputs.keys():
            return Refusal("it has no outputs pred_logits and pred_curves")
        picture = picture_input(signature, beside=(_MASK,))
        if isinstance(picture, Refusal):
            return picture
        sizes = [fixed(outputs[name].shape[-1]) for name in ("pred_logits", "pred_curves")]
        if sizes[0] not in (2, None) or sizes[1] not in (_CURVE, None):
            return Refusal("its outputs pred_logits and pred_curves do not have 2 and 8 numbers a lane", close=True)
        return Recognised(
            picture=picture,
            count=None,
            names=("lane",),
            preprocess=Preprocess("rgb", 1 / 255, IMAGENET_MEAN, IMAGENET_STD, "stretch"),
            threshold=0.5,
            nms_iou=None,
            task=Task.LANES,
        )

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture, and that all of it is picture."""
        return {self._image: tensor} | ({_MASK: self._mask} if self._has_mask else {})

    def decode(self, outputs: Sequence[NDArray[Any]]) -> InputLines:
        """Draw the curves of those queries that are rather a lane than none, from near to far."""
        logits, curves = (outputs[place] for place in self._places)
        if logits.ndim != 3 or curves.shape != (1, logits.shape[1], _CURVE) or logits.shape[2] != 2:
            raise ValueError(f"LSTR gives (1, Q, 2) and (1, Q, 8), this network gave {logits.shape} and {curves.shape}")
        scores = softmax(logits[0])[:, 1]
        chosen = np.flatnonzero(scores > 0.5)
        upper, lower, k, f, m, n, b, b2 = curves[0, chosen].T[:, :, None]
        y = lower + (upper - lower) * np.linspace(0, 1, _POINTS, dtype=np.float32)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            x = k / (y - f) ** 2 + m / (y - f) + n + b * y - b2
        points = (np.stack((x, y), axis=2) * self._size).astype(np.float32)
        return InputLines(tuple(points), scores[chosen])
