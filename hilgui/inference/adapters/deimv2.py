"""DEIMv2 and its kin (D-FINE, RT-DETR exports): end-to-end detectors with `labels`, `boxes` and `scores`.

The graph scales its boxes by the input `orig_target_sizes`. It is given the size of the input tensor, so boxes come
in input pixels whatever the resize, and the usual geometry brings them to the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.inference.candidates import SCORE_FLOOR, Candidates, pick
from hilgui.inference.coco import COCO_80
from hilgui.inference.preprocess import Preprocess
from hilgui.inference.protocol import NO_PARAMETERS, Layout, Parameters, Recognised, Refusal, Signature, picture_input

# F1 at IoU .5 on 100 images of COCO: best at .40 for Femto (.56), flat from .30 to .40 for Atto
_THRESHOLD = 0.40
_SIZES = "orig_target_sizes"
_OUTPUTS = ("labels", "boxes", "scores")


class Deimv2:
    """Reads labels (1, Q), boxes (1, Q, 4) and scores (1, Q), with or without the batch axis."""

    name: ClassVar[str] = "deimv2"
    parameters: ClassVar[type[Parameters]] = Parameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        self._sizes = np.array([[layout.width, layout.height]], np.int64)
        self._count = layout.count
        names = [output.name for output in layout.signature.outputs]
        self._places = [names.index(name) for name in _OUTPUTS]

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: Parameters = NO_PARAMETERS
    ) -> Recognised | Refusal:
        """Know it by the names of its tensors; `named` changes nothing."""
        outputs = {output.name for output in signature.outputs}
        missing = [name for name in _OUTPUTS if name not in outputs]
        if missing:
            return Refusal(f"it has no output named {' or '.join(missing)}", close=missing in (["boxes"], ["scores"]))
        picture = picture_input(signature, beside=(_SIZES,))
        if isinstance(picture, Refusal):
            return picture
        sizes = [each for each in signature.inputs if each.name == _SIZES]
        if not sizes or len(signature.inputs) != 2:
            return Refusal(f"it does not have the two inputs picture and {_SIZES}", close=True)
        if sizes[0].dtype != "tensor(int64)":
            return Refusal(f"its input {_SIZES} is {sizes[0].dtype}, not int64", close=True)
        return Recognised(
            picture=picture,
            count=None,
            names=COCO_80,
            preprocess=Preprocess(color="rgb", resize="stretch"),
            threshold=_THRESHOLD,
            nms_iou=None,
        )

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture and the size in which boxes are wanted."""
        return {self._image: tensor, _SIZES: self._sizes}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Candidates:
        """Take the queries that reach the floor; a label outside the classes makes a row invalid."""
        labels, boxes, scores = (outputs[place] for place in self._places)
        queries = scores.size
        if labels.size != queries or boxes.size != 4 * queries or boxes.shape[-1:] != (4,):
            raise ValueError(
                f"one picture gives Q labels, (Q, 4) boxes and Q scores, this network gave labels {labels.shape}, "
                f"boxes {boxes.shape}, scores {scores.shape}"
            )
        scores = scores.reshape(-1)
        rows = np.flatnonzero(~(scores < SCORE_FLOOR))
        classes = labels.reshape(-1)[rows]
        known = (classes >= 0) & (classes < self._count)
        strange = int(np.count_nonzero(~known))
        found = pick(boxes.reshape(-1, 4), rows[known], classes[known], scores[rows[known]])
        return Candidates(found.boxes, found.scores, found.classes, found.invalid + strange)
