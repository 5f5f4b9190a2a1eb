"""NanoDet: for each stride classes and a distribution over distances to the four sides.

Two outputs a stride: (1, cells, classes) after sigmoid and (1, cells, 4 x bins). The distance is the expectation of
softmax over the bins, times the stride, from the point (cell + 0.5) x stride - 0.5. BGR with the mean and deviation of
the Detectron models, letterbox in the middle, pad 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.inference.candidates import SCORE_FLOOR, Candidates, pick
from hilgui.inference.coco import COCO_80
from hilgui.inference.grid import STRIDES, cells
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
from hilgui.inference.readings import softmax

_SIDES = 4
_DETECTRON = ((103.53, 116.28, 123.675), (57.375, 57.12, 58.395))


class Nanodet:
    """Reads one output of classes and one of distances for each of the strides 8, 16 and 32."""

    name: ClassVar[str] = "nanodet"
    parameters: ClassVar[type[Parameters]] = Parameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        self._count = layout.count
        self._classes, self._distances = _sorted(layout.signature)
        place, stride = cells(layout.width, layout.height)
        self._points = (place + np.float32(0.5)) * stride - np.float32(0.5)
        self._stride = stride

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: Parameters = NO_PARAMETERS
    ) -> Recognised | Refusal:
        """Know it by six outputs that count the cells of three strides."""
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        if len(signature.outputs) != 2 * len(STRIDES) or any(len(each.shape) != 3 for each in signature.outputs):
            return Refusal("it does not have two outputs of three axes for each of three strides")
        classes, distances = _sorted(signature)
        if len(classes) != len(STRIDES):
            return Refusal("its outputs are not classes (named cls) and distances (named dis or reg)", close=True)
        columns = {fixed(signature.outputs[place].shape[2]) for place in classes}
        sides = {fixed(signature.outputs[place].shape[2]) for place in distances}
        if len(columns) != 1 or len(sides) != 1 or any(each is None or each % _SIDES for each in sides):
            return Refusal("its strides differ in classes or bins", close=True)
        if picture.width is None or picture.height is None:
            if not named:
                return Refusal("the sizes of its picture vary, so its cells cannot be counted", close=True)
        else:
            for number, stride in enumerate(STRIDES):
                wanted = (picture.width // stride) * (picture.height // stride)
                for place in (classes[number], distances[number]):
                    output = signature.outputs[place]
                    if fixed(output.shape[1]) not in (wanted, None):
                        return Refusal(
                            f"its output {output} does not have the {wanted} cells of stride {stride}", close=True
                        )
        count = columns.pop()
        return Recognised(
            picture=picture,
            count=count,
            names=COCO_80 if count == len(COCO_80) else (),
            preprocess=Preprocess("bgr", 1.0, *_DETECTRON, "letterbox", "center", 0),
            threshold=0.35,
            nms_iou=0.6,
        )

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {self._image: tensor}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Candidates:
        """Work out the sides of those cells only that reach the floor."""
        scores = np.concatenate([outputs[place].reshape(-1, outputs[place].shape[-1]) for place in self._classes])
        sides = np.concatenate([outputs[place].reshape(-1, outputs[place].shape[-1]) for place in self._distances])
        if scores.shape != (len(self._points), self._count) or len(sides) != len(self._points):
            raise ValueError(
                f"{len(self._points)} cells with {self._count} classes were expected, this network gave scores "
                f"{scores.shape} and distances {sides.shape}"
            )
        places, classes = np.nonzero(~(scores < SCORE_FLOOR))
        found, rows = np.unique(places, return_inverse=True)
        shares = softmax(sides[found].reshape(len(found), _SIDES, -1))
        away = (shares @ np.arange(shares.shape[2], dtype=np.float32)) * self._stride[found]
        points = self._points[found]
        boxes = np.concatenate((points - away[:, :2], points + away[:, 2:]), axis=1).astype(np.float32)
        return pick(boxes, rows, classes, scores[places, classes])


def _sorted(signature: Signature) -> tuple[list[int], list[int]]:
    """Give the places of classes and distances, each by falling number of cells; told by name."""
    classes = [place for place, each in enumerate(signature.outputs) if "cls" in each.name]
    distances = [place for place, each in enumerate(signature.outputs) if "dis" in each.name or "reg" in each.name]
    if len(classes) != len(distances) or set(classes) & set(distances):
        return [], []

    def by_cells(place: int) -> tuple[int, int]:
        return -(fixed(signature.outputs[place].shape[1]) or 0), place

    return sorted(classes, key=by_cells), sorted(distances, key=by_cells)
