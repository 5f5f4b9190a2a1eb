"""YOLOX: one output of grid-relative boxes with an objectness, strides 8, 16 and 32.

Layout of the exports of Megvii-BaseDetection/YOLOX since 0.1.1: BGR of 0..255 without mean and deviation, letterbox
at the top left, pad 114; a row is cx cy w h objectness classes, sigmoid applied, boxes relative to the cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.inference import ultralytics
from hilgui.inference.candidates import SCORE_FLOOR, Candidates, pick
from hilgui.inference.coco import COCO_80
from hilgui.inference.grid import cell_count, cells
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

# F1 at IoU .5 on 100 images of COCO: flat from .20 to .35 (.52 to .54), with a third fewer phantoms at .35 than at .25
_THRESHOLD = 0.35
_BOX = 5  # columns before the classes


class Yolox:
    """Reads one output (1, cells, 5 + classes)."""

    name: ClassVar[str] = "yolox"
    parameters: ClassVar[type[Parameters]] = Parameters

    def __init__(self, layout: Layout) -> None:
        self._shape = (1, cell_count(layout.width, layout.height), _BOX + layout.count)
        self._image = layout.image
        self._grid, self._stride = cells(layout.width, layout.height)

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: Parameters = NO_PARAMETERS
    ) -> Recognised | Refusal:
        """Know it by the number of rows: the cells of three strides."""
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        if len(signature.outputs) != 1 or len(signature.outputs[0].shape) != 3:
            return Refusal("it does not have one output of batch x rows x columns")
        output = signature.outputs[0]
        height, width = picture.height, picture.width
        rows, columns = fixed(output.shape[1]), fixed(output.shape[2])
        if columns is not None and columns <= _BOX:
            return Refusal(f"its output {output} has no room for box, objectness and classes")
        if rows is not None and width is not None and height is not None:
            wanted = cell_count(width, height)
            if rows != wanted:
                why = f"its output {output} has {rows} rows, at {width} x {height} YOLOX has {wanted}"
                return Refusal(why, close=columns == _BOX + len(COCO_80))
        elif not named:
            return Refusal(f"the sizes of its output {output} vary, so its rows cannot be counted", close=True)
        count = None if columns is None else columns - _BOX
        if not named and (said := ultralytics.export(signature.metadata)) is not None:
            return Refusal(f"its metadata are those of Ultralytics (task {said.task}), whose rows have no objectness")
        if not named and count == len(COCO_80) - 1:
            return Refusal("84 columns are the 80 classes of COCO with no room for an objectness", close=True)
        return Recognised(
            picture=picture,
            count=count,
            names=COCO_80 if count == len(COCO_80) else (),
            preprocess=Preprocess(color="bgr", scale=1.0, resize="letterbox", anchor="top_left", pad=114),
            threshold=_THRESHOLD,
            nms_iou=0.65,
        )

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {self._image: tensor}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Candidates:
        """Score is objectness times class, so rows with a low objectness are left out first."""
        if outputs[0].shape != self._shape:
            raise ValueError(f"YOLOX gives {self._shape}, this network gave {outputs[0].shape}")
        table = outputs[0][0]
        rows = np.flatnonzero(~(table[:, 4] < SCORE_FLOOR))
        taken = table[rows]
        scores = taken[:, _BOX:] * taken[:, 4:5]
        which, classes = np.nonzero(~(scores < SCORE_FLOOR))
        stride = self._stride[rows]
        centre = (taken[:, 0:2] + self._grid[rows]) * stride
        with np.errstate(over="ignore"):  # a size that overflows is counted as invalid
            half = np.exp(taken[:, 2:4]) * (stride * np.float32(0.5))
        return pick(np.concatenate((centre - half, centre + half), axis=1), which, classes, scores[which, classes])
