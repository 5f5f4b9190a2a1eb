"""Dense boxes: the plainest layout a detector can be exported in, and that of the demo models.

Output `boxes` (1, N, 4) holds x1 y1 x2 y2 in pixels of the input, `scores` (1, N, C) one probability per class. The
class names may travel in the file: metadata `names`, a JSON list of C words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.inference.candidates import Candidates, sift
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

_LONGEST_NAMES = 65536


class DenseBoxes:
    """Reads `boxes` and `scores`."""

    name: ClassVar[str] = "dense_boxes"
    parameters: ClassVar[type[Parameters]] = Parameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        self._count = layout.count
        names = [output.name for output in layout.signature.outputs]
        self._places = names.index("boxes"), names.index("scores")

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: Parameters = NO_PARAMETERS
    ) -> Recognised | Refusal:
        """Know it by the two outputs and an input `image`; a card may name it whatever the input is called."""
        outputs = {output.name: output for output in signature.outputs}
        if set(outputs) != {"boxes", "scores"}:
            return Refusal("its outputs are not boxes and scores")
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        boxes, scores = outputs["boxes"], outputs["scores"]
        if len(boxes.shape) != 3 or len(scores.shape) != 3 or fixed(boxes.shape[2]) not in (4, None):
            return Refusal(f"its outputs {boxes} and {scores} are not (1, N, 4) and (1, N, C)", close=True)
        rows = fixed(boxes.shape[1]), fixed(scores.shape[1])
        if None not in rows and rows[0] != rows[1]:
            return Refusal(f"its outputs {boxes} and {scores} differ in rows", close=True)
        if picture.name != "image" and not named:
            return Refusal(f"its input is called {picture.name}, not image, so its units are not known", close=True)
        count = fixed(scores.shape[2])
        return Recognised(
            picture=picture,
            count=count,
            names=_names(signature.metadata.get("names", "")),
            preprocess=Preprocess(color="rgb", resize="letterbox", anchor="top_left", pad=114),
            threshold=0.35,
            nms_iou=0.65,
        )

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {self._image: tensor}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Candidates:
        """Take every class of every row that reaches the floor."""
        boxes, scores = (outputs[place] for place in self._places)
        if boxes.shape != (1, boxes.shape[1], 4) or scores.shape != (1, boxes.shape[1], self._count):
            raise ValueError(
                f"dense boxes come as boxes (1, N, 4) and scores (1, N, {self._count}), this network gave "
                f"{boxes.shape} and {scores.shape}"
            )
        return sift(boxes[0], scores[0])


def _names(text: str) -> tuple[str, ...]:
    """Read the metadata; anything but a JSON list of words gives none, and the card has to name the classes."""
    if not text or len(text) > _LONGEST_NAMES:
        return ()
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return ()
    return tuple(names)
