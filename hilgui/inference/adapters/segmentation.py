"""Semantic segmentation: one map of classes for each output, channels first or last, or already the best class.

What a map looks like says nothing about colours and scale, so a network is known by the names of its tensors
(TwinLiteNet, Intel's road-segmentation-adas) or named in a card.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hilgui.inference.preprocess import Preprocess
from hilgui.inference.protocol import (
    NO_PARAMETERS,
    Layout,
    Parameters,
    Picture,
    Recognised,
    Refusal,
    Signature,
    Tensor,
    fixed,
    picture_input,
)
from hilgui.inference.readings import GridMap, GridMaps
from hilgui.records import Task

_MOST_CLASSES = 256
_COARSEST = 8  # a map is at most so many times smaller than the input


class SegmenterParameters(Parameters):
    """How several heads are meant."""

    heads: dict[str, tuple[str, ...]] = Field(
        default_factory=dict
    )  # output → its class names; outputs left out are not read


_DEFAULTS = SegmenterParameters()


class Segmenter:
    """Reads maps (1, C, h, w), (1, h, w, C), (1, 1, h, w) or (1, h, w)."""

    name: ClassVar[str] = "segmentation"
    parameters: ClassVar[type[Parameters]] = SegmenterParameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        self._heads = self._named_heads(layout)
        self._places = {output.name: place for place, output in enumerate(layout.signature.outputs)}

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: SegmenterParameters = _DEFAULTS
    ) -> Recognised | Refusal:
        """Take it where a card says so; come close where the outputs are maps."""
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        strange = sorted(set(parameters.heads) - {each.name for each in signature.outputs})
        if strange:
            return Refusal(f"it has no output {strange[0]}, which the card names as a head")
        heads = [each for each in signature.outputs if not parameters.heads or each.name in parameters.heads]
        if not all(_is_map(each, picture) for each in heads):
            return Refusal("its outputs are not maps of classes")
        if not named:
            return Refusal("its outputs may be maps of classes, but nothing says how it wants its picture", close=True)
        count = _map_classes(heads[0]) if len(heads) == 1 else None
        names = tuple(dict.fromkeys(name for given in parameters.heads.values() for name in given))
        if len(heads) > 1 and not parameters.heads:
            return Refusal("it has several heads; parameters: {heads: {OUTPUT: [class names]}} in the card names them")
        return _recognised(picture, count, names, Preprocess(resize="stretch"))

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {self._image: tensor}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> GridMaps:
        """Take the best class of each pixel."""
        return GridMaps(
            tuple(GridMap(head, names, _labels(outputs[self._places[head]], len(names))) for head, names in self._heads)
        )

    def _named_heads(self, layout: Layout) -> list[tuple[str, tuple[str, ...]]]:
        given: dict[str, tuple[str, ...]] = layout.parameters.heads
        return list(given.items()) if given else [(layout.signature.outputs[0].name, layout.names)]


class TwinLiteNet(Segmenter):
    """Reads `da` (drivable area) and `ll` (lane lines): RGB / 255, stretched."""

    name: ClassVar[str] = "twinlitenet"
    parameters: ClassVar[type[Parameters]] = Parameters
    _HEADS: ClassVar = [("da", ("background", "drivable area")), ("ll", ("background", "lane line"))]

    @classmethod
    def recognise(cls, signature: Signature, *, named: bool, parameters: Any = NO_PARAMETERS) -> Recognised | Refusal:
        """Know it by its two outputs."""
        outputs = {each.name: each for each in signature.outputs}
        if not {"da", "ll"} <= outputs.keys():
            return Refusal("its outputs are not da and ll")
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        if any(_map_classes(outputs[name]) not in (2, None) for name in ("da", "ll")):
            return Refusal("its outputs da and ll do not have two classes each", close=True)
        names = ("background", "drivable area", "lane line")
        return _recognised(picture, None, names, Preprocess("rgb", resize="stretch"))

    def _named_heads(self, layout: Layout) -> list[tuple[str, tuple[str, ...]]]:
        return list(self._HEADS)


class RoadSegmentationAdas(Segmenter):
    """Reads Intel's road-segmentation-adas-0001: BGR of 0..255, stretched; background, road, curb and mark."""

    name: ClassVar[str] = "road_segmentation_adas"
    parameters: ClassVar[type[Parameters]] = Parameters

    @classmethod
    def recognise(cls, signature: Signature, *, named: bool, parameters: Any = NO_PARAMETERS) -> Recognised | Refusal:
        """Know it by its input `data` of 896 x 512 and its four classes."""
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        output = signature.outputs[0]
        if len(signature.outputs) != 1 or not _is_map(output, picture) or _map_classes(output) != 4:
            return Refusal("it does not have one map of four classes")
        if (picture.name, picture.width, picture.height) != ("data", 896, 512) and not named:
            return Refusal(f"its input {picture.name} is not data of 896 x 512", close=True)
        return _recognised(picture, 4, ("background", "road", "curb", "mark"), Preprocess("bgr", 1.0, resize="stretch"))

    def _named_heads(self, layout: Layout) -> list[tuple[str, tuple[str, ...]]]:
        return [(layout.signature.outputs[0].name, layout.names)]


def _recognised(picture: Picture, count: int | None, names: tuple[str, ...], preprocess: Preprocess) -> Recognised:
    return Recognised(picture, count, names, preprocess, 0.5, None, Task.SEGMENTATION)


def _is_map(output: Tensor, picture: Picture) -> bool:
    """Say whether an output may lie over the picture like a map."""
    if len(output.shape) not in (3, 4) or fixed(output.shape[0]) not in (1, None):
        return False
    if None in (picture.width, picture.height):
        return len(output.shape) == 4 or output.dtype.startswith("tensor(int")
    sizes = {(_side(picture.height, times), _side(picture.width, times)) for times in (1, 2, 4, _COARSEST)}
    rows = [fixed(size) for size in output.shape[1:]]
    return any((rows[place], rows[place + 1]) in sizes for place in range(len(rows) - 1))


def _side(size: int | None, times: int) -> int | None:
    return None if size is None else size // times


def _map_classes(output: Tensor) -> int | None:
    """Count the classes of a map, None where the file does not tell: the best class alone."""
    if len(output.shape) != 4:
        return None
    first, second, last = (fixed(size) for size in output.shape[1:])
    channels = _channel_axis(first, second, last)
    count = (first, second, last)[channels]
    return None if count == 1 else count


def _channel_axis(first: int | None, second: int | None, last: int | None) -> int:
    """Give the axis of classes, 0 or 2: the shorter of first and last, as classes are fewer than pixels."""
    return 2 if first is not None and last is not None and last < first else 0


def _labels(output: NDArray[Any], count: int) -> NDArray[np.uint8]:
    if output.shape[0] != 1 or output.ndim not in (3, 4):
        raise ValueError(f"a map of classes was expected, this network gave {output.shape}")
    table = output[0]
    if table.ndim == 3 and 1 in (table.shape[0], table.shape[2]):
        table = table[0] if table.shape[0] == 1 else table[:, :, 0]
    if table.ndim == 2:
        return _best_alone(table)
    axis = _channel_axis(*table.shape)
    if table.shape[axis] != count:
        raise ValueError(f"a map of {count} classes was expected, this network gave {output.shape}")
    best: NDArray[np.uint8]
    if count == 2:
        first, second = np.moveaxis(table, axis, 0)
        best = np.greater(second, first).astype(np.uint8)
    else:
        best = table.argmax(axis=axis).astype(np.uint8)
    return best


def _best_alone(table: NDArray[Any]) -> NDArray[np.uint8]:
    """Read class numbers, or one probability or logit a pixel: the sigmoid of 0 is .5."""
    if table.dtype.kind != "f":
        best: NDArray[np.uint8] = np.clip(table, 0, _MOST_CLASSES - 1).astype(np.uint8)
        return best
    best = np.greater(table, 0.0 if table.min() < 0 or table.max() > 1 else 0.5).astype(np.uint8)
    return best
