"""FastestDet: one map at stride 16 of objectness, box and classes.

Channels: objectness, dx and dy before tanh (in cells), w and h before sigmoid (shares of the picture), classes after
softmax. The score is objectness^0.6 x class^0.4. BGR / 255, stretched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.inference.candidates import Candidates, sift
from hilgui.inference.coco import COCO_80
from hilgui.inference.grid import cells
from hilgui.inference.preprocess import Preprocess
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

_STRIDE = 16
_BOX = 5  # channels before the classes


class Fastestdet:
    """Reads (1, 5 + classes, height / 16, width / 16)."""

    name: ClassVar[str] = "fastestdet"
    parameters: ClassVar[type[Parameters]] = Parameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        self._shape = (1, _BOX + layout.count, layout.height // _STRIDE, layout.width // _STRIDE)
        self._place, _ = cells(layout.width, layout.height, (_STRIDE,))
        self._size = np.array([layout.width, layout.height], np.float32)

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: Parameters = NO_PARAMETERS
    ) -> Recognised | Refusal:
        """Know it by one map of a sixteenth of the input."""
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        output = signature.outputs[0]
        if len(signature.outputs) != 1 or len(output.shape) != 4:
            return Refusal("it does not have one output of four axes")
        channels, rows, columns = (fixed(size) for size in output.shape[1:])
        if channels is not None and channels <= _BOX:
            return Refusal(f"its output {output} has no room for box, objectness and classes")
        if picture.width is None or picture.height is None or rows is None or columns is None:
            if not named:
                return Refusal(
                    "its sizes vary, so its map cannot be compared with a sixteenth of the input", close=True
                )
        elif (columns, rows) != (picture.width // _STRIDE, picture.height // _STRIDE):
            return Refusal(f"its output {output} is not a sixteenth of the input")
        count = None if channels is None else channels - _BOX
        return Recognised(
            picture=picture,
            count=count,
            names=COCO_80 if count == len(COCO_80) else (),
            preprocess=Preprocess(color="bgr", resize="stretch"),
            threshold=0.5,
            nms_iou=0.45,
        )

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {self._image: tensor}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Candidates:
        """Work out all cells; there are few."""
        if outputs[0].shape != self._shape:
            raise ValueError(f"FastestDet gives {self._shape}, this network gave {outputs[0].shape}")
        table = outputs[0].reshape(self._shape[1], -1).T
        share = self._size / np.array(self._shape[:1:-1], np.float32)
        centre = (self._place + np.tanh(table[:, 1:3])) * share
        with np.errstate(over="ignore"):
            half = self._size / (1.0 + np.exp(-table[:, 3:5])) * np.float32(0.5)
        with np.errstate(invalid="ignore"):
            scores = np.power(table[:, :1], 0.6) * np.power(table[:, _BOX:], 0.4)
        boxes = np.concatenate((centre - half, centre + half), axis=1).astype(np.float32)
        return sift(boxes, scores.astype(np.float32))
