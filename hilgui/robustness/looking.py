"""What the models see of the chosen frames once these are corrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from os import cpu_count
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from hilgui.corruptions import Recipe
from hilgui.evaluation import compare
from hilgui.inference.preprocess import Workspace
from hilgui.records import Comparison, Detections, Judgement, Role, Truth
from hilgui.robustness.drives import Drives, Labelled
from hilgui.robustness.result import Shown
from hilgui.sources.corrupted import Corrupted, dropped
from hilgui.stream import in_order

Image = NDArray[np.uint8]


class Stopped(Exception):
    """Somebody asked to end; what was finished is stored."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One frame as the models saw it."""

    labelled: Labelled
    image: Image  # BGR
    detections: dict[Role, Detections]  # in the common classes
    comparisons: dict[Role, Comparison]

    def lost(self, clean: Look, role: Role) -> NDArray[np.bool_]:
        """Say which truths were found clean and are not any more."""
        found, now = clean.comparisons[role].truths, self.comparisons[role].truths
        lost: NDArray[np.bool_] = (found == Judgement.MATCHED) & (now != Judgement.MATCHED)
        return lost

    def shown(self, role: Role, name: Callable[[int], str]) -> tuple[Shown, ...]:
        """Give what is drawn of one model."""
        return shown(self.detections[role], self.labelled.truth, self.comparisons[role], name)

    def phantoms(self, role: Role) -> int:
        """Count the detections without truth."""
        return int(np.count_nonzero(self.comparisons[role].detections == Judgement.UNMATCHED))


class Looker:
    """Owns the workers; the frames come in order, corrupted by one recipe. `close` ends the threads."""

    def __init__(
        self, drives: Drives, is_stopped: Callable[[], bool] = lambda: False, depth: Path | None = None
    ) -> None:
        self._drives = drives
        self._depth = depth
        self._is_stopped = is_stopped
        workers = min(4, cpu_count() or 1)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="robustness")
        self._workspaces: SimpleQueue[dict[Role, Workspace]] = SimpleQueue()
        for _ in range(workers):
            self._workspaces.put({role: model.workspace() for role, model in drives.models.items()})
        self._ahead = 2 * workers

    def look(
        self, recipe: Recipe | None, frames: Sequence[Labelled] | None = None, roles: Sequence[Role] = ()
    ) -> Iterator[Look]:
        """Show the frames, None: all, to the models, (): both; raises Stopped, SourceBroken, ModelBroken.

        A frame that does not arrive (frame_drop) shows nothing.
        """
        sources = self._drives.sources
        lost: list[set[int]] = [set() for _ in sources]
        corrupted: Sequence[Corrupted] = ()
        if recipe is not None:
            corrupted = [Corrupted(source, recipe, self._depth) for source in sources]
            for one in corrupted:
                one.open()
            lost = [dropped([ref.seq for ref in source.refs()], recipe) for source in sources]

        def calls() -> Iterator[Callable[[], Look]]:
            for labelled in self._drives.labelled if frames is None else frames:
                if self._is_stopped():
                    raise Stopped
                source = corrupted[labelled.drive] if corrupted else sources[labelled.drive]
                image = source.frame_at(labelled.ref.seq).image
                arrives = labelled.ref.seq not in lost[labelled.drive]
                yield partial(self._see, labelled, image, arrives, roles)

        yield from in_order(self._pool, calls(), self._ahead)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _see(self, labelled: Labelled, image: Image, arrives: bool, roles: Sequence[Role]) -> Look:
        workspaces = self._workspaces.get()
        try:
            detections = {}
            for role, model in self._drives.models.items():
                if roles and role not in roles:
                    continue
                said = model.infer(image, workspaces[role]).detections if arrives else Detections.none()
                detections[role] = said.with_classes(self._drives.tables[role][said.classes])
        finally:
            self._workspaces.put(workspaces)
        judged = self._drives.judged
        comparisons = {
            role: compare(said, labelled.truth, self._drives.models[role].threshold, judged)
            for role, said in detections.items()
        }
        return Look(labelled, image, detections, comparisons)


def shown(said: Detections, truth: Truth, judged: Comparison, name: Callable[[int], str]) -> tuple[Shown, ...]:
    """Give what is drawn on a picture: found and phantom detections, missed truths; `name` names a class."""
    objects = []
    for row, fate in enumerate(judged.detections.tolist()):
        if fate != Judgement.IGNORED:
            word = "found" if fate == Judgement.MATCHED else "phantom"
            objects.append(Shown(_box(said.boxes[row]), name(int(said.classes[row])), word, float(said.scores[row])))
    missed = np.flatnonzero(judged.truths == Judgement.UNMATCHED).tolist()
    objects += [Shown(_box(truth.boxes[row]), name(int(truth.classes[row])), "missed") for row in missed]
    return tuple(objects)


def _box(values: NDArray[np.floating]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(float(value), 1) for value in values)
    return x1, y1, x2, y2
