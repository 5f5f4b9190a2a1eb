"""Classifiers: one score for every class, (1, C) or (1, C, 1, 1).

Prepared as torchvision does: RGB, ImageNet's mean and deviation, the middle of the picture. Names come from the
metadata of Ultralytics or a card; without them the classes are numbered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hilgui.inference import ultralytics
from hilgui.inference.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from hilgui.inference.protocol import Layout, Parameters, Recognised, Refusal, Signature, fixed, picture_input
from hilgui.inference.readings import ClassScores, softmax
from hilgui.records import Task

_SLACK = 1e-3  # a sum of probabilities is 1 up to this


class ClassifierParameters(Parameters):
    """How the outputs are meant."""

    activation: Literal["auto", "softmax", "none"] = "auto"  # auto: softmax unless they are probabilities already


_DEFAULTS = ClassifierParameters()


class Classifier:
    """Reads logits or probabilities."""

    name: ClassVar[str] = "classification"
    parameters: ClassVar[type[Parameters]] = ClassifierParameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        self._count = layout.count
        self._activation = layout.parameters.activation

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: ClassifierParameters = _DEFAULTS
    ) -> Recognised | Refusal:
        """Know it by a single row of scores."""
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        output = signature.outputs[0]
        batch, *sizes = output.shape or (None,)
        is_row = batch == 1 or (fixed(batch) is None and not picture.is_single)  # else a number of rows that varies
        if len(signature.outputs) != 1 or not is_row or len(sizes) not in (1, 3):
            return Refusal("it does not have one output of one row of scores")
        count = fixed(sizes[0])
        if sizes[1:] not in ([], [1, 1]) or count is None or count < 2:
            return Refusal(f"its output {output} is not one score for each of several classes")
        said = ultralytics.export(signature.metadata)
        if said is not None and said.task != "classify":
            return Refusal(f"its metadata names the task {said.task}")
        preprocess = Preprocess("rgb", 1 / 255, IMAGENET_MEAN, IMAGENET_STD, "crop", "center", 0)
        if said is not None:
            preprocess = Preprocess("rgb", resize="crop", anchor="center", pad=0)
        digits = len(str(count - 1))
        return Recognised(
            picture=picture,
            count=count,
            names=(said.names if said is not None else ()) or tuple(f"class {n:0{digits}d}" for n in range(count)),
            preprocess=preprocess,
            threshold=0.5,
            nms_iou=None,
            task=Task.CLASSIFICATION,
        )

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {self._image: tensor}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> ClassScores:
        """Turn logits into probabilities; outputs that are some already stay."""
        values = outputs[0].reshape(-1).astype(np.float32, copy=False)
        if values.size != self._count:
            raise ValueError(f"{self._count} scores were expected, this network gave {outputs[0].shape}")
        shares = values.min() >= 0 and values.max() <= 1 + _SLACK and abs(float(values.sum()) - 1) <= _SLACK
        if self._activation == "none" or (self._activation == "auto" and shares):
            return ClassScores(values)
        return ClassScores(softmax(values))
