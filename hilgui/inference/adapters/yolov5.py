"""YOLOv5 (also v7): three anchors a cell, each row cx cy w h objectness classes in pixels of the input.

The first output holds everything, decoded; the raw heads (1, 3, h, w, columns) that older exports add are left alone.
RGB / 255, letterbox in the middle, pad 114.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.inference import ultralytics
from hilgui.inference.candidates import SCORE_FLOOR, Candidates, pick
from hilgui.inference.coco import COCO_80
from hilgui.inference.grid import STRIDES, cell_count, corners
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

_ANCHORS = 3
_LARGE = (*STRIDES, 64)  # the P6 models
_BOX = 5  # columns before the classes


class Yolov5:
    """Reads (1, 3 x cells, 5 + classes)."""

    name: ClassVar[str] = "yolov5"
    parameters: ClassVar[type[Parameters]] = Parameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        self._columns = _BOX + layout.count

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: Parameters = NO_PARAMETERS
    ) -> Recognised | Refusal:
        """Know it by three rows for each cell, where nothing but raw heads follows."""
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        output, *raw = signature.outputs
        if len(output.shape) != 3 or any(len(each.shape) != 5 for each in raw):
            return Refusal("it does not have one output of batch x rows x columns, raw heads aside")
        rows, columns = fixed(output.shape[1]), fixed(output.shape[2])
        if columns is not None and columns <= _BOX:
            return Refusal(f"its output {output} has no room for box, objectness and classes")
        if rows is not None and picture.width is not None and picture.height is not None:
            wanted = [_ANCHORS * cell_count(picture.width, picture.height, strides) for strides in (STRIDES, _LARGE)]
            if rows not in wanted:
                why = (
                    f"its output {output} has {rows} rows, at {picture.width} x {picture.height} YOLOv5 has {wanted[0]}"
                )
                return Refusal(why, close=_ANCHORS * rows == wanted[0])
        elif not named:
            return Refusal(f"the sizes of its output {output} vary, so its rows cannot be counted", close=bool(raw))
        count = None if columns is None else columns - _BOX
        said = ultralytics.export(signature.metadata)
        names = said.names if said is not None else ()
        return Recognised(
            picture=picture,
            count=count,
            names=names or (COCO_80 if count == len(COCO_80) else ()),
            preprocess=Preprocess(color="rgb", resize="letterbox", anchor="center", pad=114),
            threshold=0.35,
            nms_iou=0.6,
        )

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {self._image: tensor}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Candidates:
        """Score is objectness times class, so rows with a low objectness are left out first."""
        if outputs[0].ndim != 3 or outputs[0].shape[0] != 1 or outputs[0].shape[2] != self._columns:
            raise ValueError(f"YOLOv5 gives (1, rows, {self._columns}), this network gave {outputs[0].shape}")
        table = outputs[0][0]
        taken = table[np.flatnonzero(~(table[:, 4] < SCORE_FLOOR))]
        scores = taken[:, _BOX:] * taken[:, 4:5]
        rows, classes = np.nonzero(~(scores < SCORE_FLOOR))
        return pick(corners(taken), rows, classes, scores[rows, classes])
