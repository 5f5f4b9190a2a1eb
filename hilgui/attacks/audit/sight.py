"""How the audit looks at a model: what is lost, what appears, on pairs of pictures, without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.overlap import iou_matrix, share_matrix
from hilgui.inference import Model, Workspace
from hilgui.inference.preprocess import Geometry
from hilgui.records import Inference, Task

Pixels = NDArray[np.uint8]

_SAME_IOU = 0.5
_INSIDE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A clean and a changed picture; `region` is where something may appear (x1 y1 x2 y2), None: objects get lost."""

    clean: Pixels
    changed: Pixels
    region: tuple[float, float, float, float] | None = None


class Sight:
    """One model with its workspace; one thread."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._workspace = model.workspace()

    @property
    def is_classifier(self) -> bool:
        """Say whether it answers with a class of the whole picture."""
        return self.model.facts.task == Task.CLASSIFICATION

    def look(self, image: Pixels, workspace: Workspace | None = None) -> Inference:
        """Show a picture."""
        return self.model.infer(image, workspace or self._workspace)

    def fallen(self, pair: Pair) -> tuple[int, int]:
        """Count what the change did, and what was at stake: lost objects, a new one in the region, another class."""
        before, after = self.look(pair.clean), self.look(pair.changed)
        if before.classification is not None and after.classification is not None:
            return int(before.classification.classes[0] != after.classification.classes[0]), 1
        was, now = (self._shown(each) for each in (before, after))
        same = was[1][:, None] == now[1][None]
        if pair.region is None:
            kept = ((iou_matrix(was[0], now[0]) >= _SAME_IOU) & same).any(axis=1)
            return int(np.count_nonzero(~kept)), len(kept)
        inside = share_matrix(now[0], np.array([pair.region]))[:, 0] >= _INSIDE if len(now[0]) else np.zeros(0, bool)
        known = ((iou_matrix(was[0], now[0]) >= _SAME_IOU) & same).any(axis=0)
        return int(bool((inside & ~known).any())), 1

    def speaks(self, inference: Inference) -> int:
        """Count what the model is sure of."""
        said = inference.classification
        if said is not None:
            return int(len(said.scores) > 0 and bool(said.scores[0] >= self.model.threshold))
        return inference.detections.count_above(self.model.threshold)

    def boxes(self, image: Pixels) -> NDArray[np.float32]:
        """Give the boxes that the model shows."""
        return self._shown(self.look(image))[0]

    def _shown(self, inference: Inference) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        found = inference.detections.first(inference.detections.count_above(self.model.threshold))
        return found.boxes, found.classes


class Poisoned(Workspace):
    """Buffers whose tensor is spoiled after the picture was put in, as a broken link or step before may do."""

    def __init__(self, model: Model, poison: float) -> None:
        usual = model.workspace()
        is_first = usual.tensor.shape[1] == 3
        super().__init__(
            model.facts.input_width, model.facts.input_height, model.preprocess, "nchw" if is_first else "nhwc"
        )
        self._poison = np.float32(poison)
        self.feeds = {name: self.tensor if each is usual.tensor else each for name, each in usual.feeds.items()}

    def fill(self, image: Pixels) -> Geometry:
        """Prepare a picture, then spoil every seventh value."""
        geometry = super().fill(image)
        self.tensor.reshape(-1)[::7] = self._poison
        return geometry
