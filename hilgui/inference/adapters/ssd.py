"""SSD layout: `boxes` (1, N, 4) as shares of the picture and `scores` (1, N, 1 + classes), background first.

UltraFace is recognised by its number of priors; any other network of this layout is named in a card.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.inference.candidates import Candidates, sift
from hilgui.inference.preprocess import Preprocess
from hilgui.inference.protocol import Layout, Parameters, Recognised, Refusal, Signature, fixed, picture_input

_PRIORS = ((8, 3), (16, 2), (32, 2), (64, 3))  # UltraFace: stride and boxes of a cell


class SsdParameters(Parameters):
    """How boxes and scores are meant."""

    background: bool = True  # the first score is that of no object
    unit: bool = True  # boxes are shares of the input, 0..1; false: pixels of it


_DEFAULTS = SsdParameters()


class Ssd:
    """Reads `boxes` and `scores`."""

    name: ClassVar[str] = "ssd"
    parameters: ClassVar[type[Parameters]] = SsdParameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        names = [output.name for output in layout.signature.outputs]
        self._places = names.index("boxes"), names.index("scores")
        self._first = int(layout.parameters.background)
        self._columns = self._first + layout.count
        self._scale = (
            np.array([layout.width, layout.height] * 2, np.float32) if layout.parameters.unit else np.float32(1)
        )

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: SsdParameters = _DEFAULTS
    ) -> Recognised | Refusal:
        """Know UltraFace by its priors and its two scores; believe a card for any other."""
        outputs = {output.name: output for output in signature.outputs}
        if set(outputs) != {"boxes", "scores"}:
            return Refusal("its outputs are not boxes and scores")
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        boxes, scores = outputs["boxes"], outputs["scores"]
        if len(boxes.shape) != 3 or len(scores.shape) != 3 or fixed(boxes.shape[2]) not in (4, None):
            return Refusal(f"its outputs {boxes} and {scores} are not (1, N, 4) and (1, N, C)")
        columns = fixed(scores.shape[2])
        is_face = (
            columns == 2
            and picture.width is not None
            and picture.height is not None
            and fixed(boxes.shape[1]) == _prior_count(picture.width, picture.height)
        )
        if not is_face and not named:
            return Refusal(
                f"its output {boxes} does not have the priors of UltraFace, and no card names ssd", close=True
            )
        return Recognised(
            picture=picture,
            count=None if columns is None else columns - int(parameters.background),
            names=("face",) if is_face else (),
            preprocess=Preprocess("rgb", 1.0, (127.0,) * 3, (128.0,) * 3, "stretch"),
            threshold=0.7,
            nms_iou=0.3 if is_face else 0.5,
        )

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {self._image: tensor}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Candidates:
        """Take every class but the background of every row that reaches the floor."""
        boxes, scores = (outputs[place] for place in self._places)
        if boxes.shape != (1, boxes.shape[1], 4) or scores.shape != (1, boxes.shape[1], self._columns):
            raise ValueError(
                f"boxes (1, N, 4) and scores (1, N, {self._columns}) were expected, this network gave {boxes.shape} "
                f"and {scores.shape}"
            )
        return sift(boxes[0] * self._scale, scores[0, :, self._first :])


def _prior_count(width: int, height: int) -> int:
    return sum(boxes * -(-width // stride) * -(-height // stride) for stride, boxes in _PRIORS)
