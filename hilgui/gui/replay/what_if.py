"""What the models would have seen: the frames of a stored run corrupted, and the models asked again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilgui.corruptions import Recipe
from hilgui.errors import HilguiError
from hilgui.evaluation import compare
from hilgui.gui.replay.pictures import Picture, for_screen
from hilgui.inference import Model
from hilgui.inference.preprocess import Workspace
from hilgui.records import NO_CLASS, Inference, Moment, Role, RunHeader, Task
from hilgui.shadow import disagree


class WhatIf:
    """Changes pictures on the decoder's thread; models are loaded with the first, from the files the run names.

    A model whose file is gone or another one says nothing on a corrupted frame: what it said of the clean one would be
    a lie. `problem` tells. `close` is called on the decoder's thread, or when that has ended.
    """

    def __init__(self, header: RunHeader) -> None:
        self.recipe = Recipe(())  # set by the GUI thread as a whole; the decoder takes it once a frame
        self.problem = ""
        self._header = header
        self._models: dict[Role, tuple[Model, Workspace, NDArray[np.int32]]] | None = None

    def __call__(self, picture: Picture) -> Picture:
        """Give the frame as it would have been; one without pixels stays as it is."""
        recipe = self.recipe
        others = tuple(self(other) for other in picture.others)
        if picture.image is None:
            return replace(picture, others=others)
        image = recipe.apply(np.ascontiguousarray(picture.image[:, :, :3]), picture.seq)
        moment = None if picture.moment is None else self._judged(picture.moment, image)
        return replace(picture, image=for_screen(image), moment=moment, others=others)

    def close(self) -> None:
        """Let go of the models; may be called twice."""
        for model, _, _ in (self._models or {}).values():
            model.close()
        self._models = None

    def _judged(self, moment: Moment, image: NDArray[np.uint8]) -> Moment:
        if self._models is None:
            self._models = self._loaded()
        inferences: dict[Role, Inference] = {}
        comparisons = {}
        judged = self._header.vocabulary.judged
        for role, (model, workspace, table) in self._models.items():
            said = model.infer(image, workspace)
            if model.facts.task == Task.DETECTION:
                said = replace(said, detections=said.detections.with_classes(table[said.detections.classes]))
                if moment.truth is not None:
                    threshold = self._header.models[role].threshold
                    comparisons[role] = compare(said.detections, moment.truth, threshold, judged)
            inferences[role] = said
        differs = None
        if all(role in inferences for role in Role):
            boxes = [inferences[role].detections for role in (Role.BASELINE, Role.CANDIDATE)]
            limits = [self._header.models[role].threshold for role in (Role.BASELINE, Role.CANDIDATE)]
            differs = disagree(boxes[0], boxes[1], (limits[0], limits[1]), judged)
        return replace(moment, inferences=inferences, comparisons=comparisons, disagreement=differs)

    def _loaded(self) -> dict[Role, tuple[Model, Workspace, NDArray[np.int32]]]:
        place = {name: number for number, name in enumerate(self._header.vocabulary.names)}
        loaded = {}
        problems = []
        for role, facts in self._header.models.items():
            try:
                model = Model.load(Path(facts.path))
            except HilguiError as failure:
                problems.append(f"{role.value}: {failure}")
                continue
            if model.facts.sha256 != facts.sha256:
                model.close()
                problems.append(f"{role.value}: {facts.path} is not the model of this run any more")
                continue
            table = np.array([place.get(name, NO_CLASS) for name in model.classes], np.int32)
            loaded[role] = (model, model.workspace(), table)
        self.problem = "; ".join(problems)
        return loaded
