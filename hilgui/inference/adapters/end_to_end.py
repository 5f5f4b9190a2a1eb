"""End-to-end detectors: rows of finished boxes, YOLOv10 and YOLO26 or any network with suppression inside.

(1, N, 6) or (N, 6) holds x1 y1 x2 y2 score class in pixels of the input. Rows of seven begin with the number of the
picture; whether score or class comes next, and how the network in front wants its picture, no file says: such a model
needs a card.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from hilgui.inference import ultralytics
from hilgui.inference.candidates import SCORE_FLOOR, Candidates, pick
from hilgui.inference.coco import COCO_80
from hilgui.inference.grid import cell_count
from hilgui.inference.preprocess import Preprocess
from hilgui.inference.protocol import Layout, Parameters, Recognised, Refusal, Signature, fixed, picture_input

_BOX = ("x1", "y1", "x2", "y2")
_SIX = (*_BOX, "score", "class")
_SEVEN = ("batch", *_BOX, "score", "class")


class EndToEndParameters(Parameters):
    """What the numbers of a row are."""

    columns: tuple[str, ...] = ()  # in order; empty: as for six or seven columns above

    @field_validator("columns")
    @classmethod
    def _are_complete(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if columns and sorted(columns) not in (sorted(_SIX), sorted(_SEVEN)):
            raise ValueError(f"columns are {', '.join(_SIX)} in any order, and batch where there are seven")
        return columns


_DEFAULTS = EndToEndParameters()


class EndToEnd:
    """Reads (1, N, 6), (N, 6) or (N, 7)."""

    name: ClassVar[str] = "end_to_end"
    parameters: ClassVar[type[Parameters]] = EndToEndParameters

    def __init__(self, layout: Layout) -> None:
        self._image = layout.image
        self._count = layout.count
        width = fixed(layout.signature.outputs[0].shape[-1]) or len(layout.parameters.columns) or len(_SIX)
        columns = layout.parameters.columns or (_SEVEN if width == len(_SEVEN) else _SIX)
        self._width = len(columns)
        self._box = [columns.index(name) for name in _BOX]
        self._score, self._class = columns.index("score"), columns.index("class")

    @classmethod
    def recognise(
        cls, signature: Signature, *, named: bool, parameters: EndToEndParameters = _DEFAULTS
    ) -> Recognised | Refusal:
        """Know it by the metadata of Ultralytics or the names of its exports; a card may name it for any other."""
        picture = picture_input(signature)
        if isinstance(picture, Refusal):
            return picture
        output = signature.outputs[0]
        columns = fixed(output.shape[-1]) if output.shape else None
        if len(signature.outputs) != 1 or len(output.shape) not in (2, 3) or columns not in (6, 7, None):
            return Refusal("it does not have one output of rows with six or seven columns")
        if parameters.columns and columns not in (len(parameters.columns), None):
            return Refusal(f"its output {output} has {columns} columns, the card names {len(parameters.columns)}")
        said = ultralytics.export(signature.metadata)
        is_sure = columns == len(_SIX) and (said is not None or (picture.name, output.name) == ("images", "output0"))
        if not is_sure and not named:
            return Refusal(
                f"its output {output} holds finished boxes, but nothing says how the network wants its picture; "
                "a card with adapter: end_to_end and its input settles it (hilgui models check finds them)",
                close=columns is not None,
            )
        if not named and output.shape[-2] == cell_count(picture.width or 0, picture.height or 0):
            return Refusal(f"its output {output} has a row for every cell, so nothing was suppressed yet")
        if said is not None and said.task != "detect":
            return Refusal(f"its metadata names the task {said.task}, which is not read yet", close=True)
        return Recognised(
            picture=picture,
            count=None,
            names=(said.names if said is not None else ()) or COCO_80,
            preprocess=Preprocess(color="rgb", resize="letterbox", anchor="center", pad=114),
            threshold=0.35,
            nms_iou=None,
        )

    def feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Give the picture."""
        return {self._image: tensor}

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Candidates:
        """Take the rows that reach the floor; a class outside the names makes a row invalid."""
        table = outputs[0]
        if table.ndim not in (2, 3) or table.shape[-1] != self._width or (table.ndim == 3 and table.shape[0] != 1):
            raise ValueError(f"rows of {self._width} numbers were expected, this network gave {table.shape}")
        table = table.reshape(-1, self._width).astype(np.float32, copy=False)
        table = table[~(table[:, self._score] < SCORE_FLOOR)]
        classes = table[:, self._class]
        known = (classes >= 0) & (classes < self._count)  # False for a NaN
        kept = table[known]
        rows = np.arange(len(kept))
        found = pick(kept[:, self._box], rows, kept[:, self._class].astype(np.intp), kept[:, self._score])
        return Candidates(found.boxes, found.scores, found.classes, found.invalid + int(np.count_nonzero(~known)))
