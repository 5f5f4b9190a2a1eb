"""YOLOv8, v9 and 11: one row cx cy w h classes for each cell, without objectness, usually channels first.

Detection gives (1, 4 + classes, cells). The segmentation variant adds 32 mask coefficients to each cell and a second
output of prototypes; its boxes are read, its masks are not. A table (1, cells, 4 + classes) looks like YOLOX's with
one class less: it is taken for ours when the metadata of Ultralytics says so, when it has COCO's 84 columns, or when
a card names the adapter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.inference import ultralytics
from hilgui.inference.candidates import Candidates, pick, reaching
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
    Tensor,
    fixed,
    picture_input,
)

_BOX = 4  # numbers before the classes
_LARGE = (*STRIDES, 64)


class Yolov8:
    """Reads (1, 4 + classes, cells) or its transpose, masks left aside."""

    name: ClassVar[str] = "yolov8"
    parameters: ClassVar[type[Parameters]] = Parameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        self._count = layout.count
        self._channels = _BOX + layout.count + _masks(layout.signature)

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: Parameters = NO_PARAMETERS
    ) -> Recognised | Refusal:
        """Know it by one cell of three strides for each place of its longer axis, and by the metadata."""
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        output, *more = signature.outputs
        if len(output.shape) != 3 or len(more) > 1 or (more and not _masks(signature)):
            return Refusal("it does not have one output of three axes, mask prototypes aside")
        said = ultralytics.export(signature.metadata)
        if said is not None and said.task not in ("detect", "segment"):
            return Refusal(f"its metadata names the task {said.task}, which is not read yet", close=True)
        channels = _channels(output, picture.width, picture.height)
        if isinstance(channels, Refusal):
            if not named:
                return channels
            channels = fixed(output.shape[1]) or fixed(output.shape[2]) or 0, True
        count: int | None = channels[0] - _BOX - _masks(signature)
        if count is not None and count < 1:
            return Refusal(f"its output {output} has no room for box and classes")
        is_sure = channels[1] or said is not None or count == len(COCO_80)
        if not is_sure and not named:
            return Refusal(
                f"its output {output} may also be YOLOX's with an objectness, and no metadata of Ultralytics tells",
                close=True,
            )
        names = said.names if said is not None else ()
        return Recognised(
            picture=picture,
            count=count,
            names=names or (COCO_80 if count == len(COCO_80) else ()),
            preprocess=Preprocess(color="rgb", resize="letterbox", anchor="center", pad=114),
            threshold=0.35,
            nms_iou=0.7,
        )

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {self._image: tensor}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Candidates:
        """Take every class of every cell that reaches the floor."""
        table = outputs[0]
        if table.ndim != 3 or table.shape[0] != 1 or self._channels not in table.shape[1:]:
            raise ValueError(f"YOLOv8 gives (1, {self._channels}, cells), this network gave {table.shape}")
        table = table[0] if table.shape[1] == self._channels else table[0].T
        scores = table[_BOX : _BOX + self._count]
        scoring = reaching(scores)
        classes, cells = np.divmod(scoring, scores.shape[1])
        found, rows = np.unique(cells, return_inverse=True)
        boxes = corners(np.ascontiguousarray(table[:_BOX, found].T))
        return pick(boxes, rows, classes, scores[classes, cells])


def _masks(signature: Signature) -> int:
    """Count the mask coefficients: the channels of the prototypes, 0 without."""
    if len(signature.outputs) != 2 or len(signature.outputs[1].shape) != 4:
        return 0
    return fixed(signature.outputs[1].shape[1]) or 0


def _channels(output: Tensor, width: int | None, height: int | None) -> tuple[int, bool] | Refusal:
    """Give the numbers of a cell, and whether they come first: then it cannot be YOLOX."""
    first, second = fixed(output.shape[1]), fixed(output.shape[2])
    if width is None or height is None or first is None or second is None:
        return Refusal(f"the sizes of its output {output} vary, so its cells cannot be counted", close=True)
    wanted = [cell_count(width, height, strides) for strides in (STRIDES, _LARGE)]
    if second in wanted and first not in wanted:
        return first, True
    if first in wanted and second not in wanted:
        return second, False
    return Refusal(f"its output {output} has no axis of {wanted[0]} cells, as YOLOv8 has at {width} x {height}")
