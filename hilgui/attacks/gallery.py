"""The pictures that are attacked, with what is true about them, and the model that looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilgui.attacks.aims import Goal, Target
from hilgui.errors import CallWrong
from hilgui.evaluation import Clusters, compare
from hilgui.evaluation.clusters import BLOCK, BLOCK_FRAMES
from hilgui.inference import Model
from hilgui.pipeline import RunPlan
from hilgui.pipeline.ignoring import Ignoring
from hilgui.pipeline.preparation import Prepared, prepare
from hilgui.records import Comparison, Detections, FrameRef, Inference, Judgement, Role, Task, Truth
from hilgui.robustness import Drive, Shown, Subject
from hilgui.robustness.looking import shown
from hilgui.settings import Settings
from hilgui.truth import find_truth

SELF = "self"  # what the model itself says of the clean picture is taken for the truth

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One picture; a detector has `truth` in the common classes, a classifier its own clean answer as `label`."""

    ref: FrameRef
    image: Pixels  # BGR
    truth: Truth
    label: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the model says of a picture, judged."""

    inference: Inference
    detections: Detections  # in the common classes
    comparison: Comparison | None  # None of a classifier
    is_right: bool  # a classifier: the label; a detector: nothing missed


class Gallery:
    """One recording, one model (and the baseline beside it, where an ensemble is asked for). One thread."""

    def __init__(
        self,
        model: Path,
        source: Path,
        settings: Settings,
        *,
        truth: str | None = None,
        count: int = 100,
        baseline: Path | None = None,
        classes: tuple[str, ...] = (),
        class_map: str | None = None,
    ) -> None:
        """Open everything; raises HilguiError, CallWrong where there is nothing to judge by."""
        labels = find_truth(source) if truth is None else None if truth == SELF else Path(truth)
        plan = RunPlan(
            source,
            model if baseline is None else baseline,
            settings.runs,
            settings,
            candidate=None if baseline is None else model,
            truth=labels,
            provider=settings.provider,
            classes=classes,
            class_map=class_map,
        )
        self._prepared: Prepared = prepare(plan)
        try:
            self.role = Role.BASELINE if baseline is None else Role.CANDIDATE
            self.model: Model = self._prepared.models[self.role]
            self.baseline: Model | None = None if baseline is None else self._prepared.models[Role.BASELINE]
            self.vocabulary = self._prepared.header.vocabulary
            self.is_classifier = self.model.facts.task == Task.CLASSIFICATION
            self._workspaces = {role: each.workspace() for role, each in self._prepared.models.items()}
            self._refuse_other_tasks()
            if self.is_classifier and truth not in (None, SELF):
                raise CallWrong(
                    f"a classifier is judged by its own clean answers here; leave --truth out, or say {SELF}"
                )
            self.notes: tuple[str, ...] = self._prepared.notes
            self.shots = self._shots(count, is_self=truth == SELF or self.is_classifier)
        except BaseException:
            self._prepared.close()
            raise
        if not self.shots:
            self.close()
            raise CallWrong(f"{source} has no labelled picture; add --truth LABELS, or --truth {SELF}")

    @property
    def classes(self) -> tuple[str, ...]:
        """Name the classes of the model, in its own numbering."""
        return self.model.facts.classes

    @property
    def table(self) -> NDArray[np.int32]:
        """Give the common number of each class of the model."""
        return self._prepared.class_tables[self.role]

    def look(self, image: Pixels, shot: Shot) -> Answer:
        """Show a picture to the model and judge what it says by the truth of a shot."""
        return self.judge(self.model.infer(image, self._workspaces[self.role]), shot)

    def look_baseline(self, image: Pixels) -> Detections:
        """Show a picture to the baseline; classes are the common ones."""
        assert self.baseline is not None
        said = self.baseline.infer(image, self._workspaces[Role.BASELINE]).detections
        return said.with_classes(self._prepared.class_tables[Role.BASELINE][said.classes])

    def judge(self, inference: Inference, shot: Shot) -> Answer:
        """Judge an answer."""
        if self.is_classifier:
            said = inference.classification
            is_right = said is not None and len(said.classes) > 0 and int(said.classes[0]) == shot.label
            return Answer(inference, Detections.none(), None, is_right)
        detections = inference.detections.with_classes(self.table[inference.detections.classes])
        return self.judge_boxes(inference, detections, shot)

    def judge_boxes(self, inference: Inference, detections: Detections, shot: Shot) -> Answer:
        """Judge boxes in the common classes, wherever they come from."""
        judged = compare(detections, shot.truth, self.model.threshold, self.vocabulary.judged)
        return Answer(inference, detections, judged, judged.missed == 0)

    def shown(self, answer: Answer, shot: Shot) -> tuple[Shown, ...]:
        """Give what is drawn on a picture; nothing of a classifier."""
        judged = answer.comparison
        return () if judged is None else shown(answer.detections, shot.truth, judged, self.vocabulary.name)

    def target(self, shot: Shot, goal: Goal, name: str = "") -> Target:
        """Say what an attack on a shot is aimed at, in the model's own numbering and pixels of the picture."""
        if self.is_classifier:
            whole = np.array([[0.0, 0.0, shot.image.shape[1], shot.image.shape[0]]])
            return Target(Goal.HIDE, whole, np.array([shot.label], np.int32))
        if goal is Goal.CREATE:
            number = self._numbered(name)
            return Target(goal, free_place(shot)[None], np.array([number], np.int32))
        if name and name not in self.vocabulary.names:
            raise CallWrong(f"no class {name!r} is judged here; there are {', '.join(self.vocabulary.names[:12])}")
        own = {int(common): number for number, common in enumerate(self.table.tolist())}
        truth = shot.truth
        kept = [
            row
            for row, number in enumerate(truth.classes.tolist())
            if number in own
            and number in self.vocabulary.judged
            and not (truth.crowd[row] or truth.ignore[row])
            and name in ("", self.vocabulary.name(number))
        ]
        numbers = [own[int(truth.classes[row])] for row in kept]
        return Target(goal, truth.boxes[kept].reshape(-1, 4), np.array(numbers, np.int32))

    def clusters(self) -> Clusters:
        """Give what is resampled: blocks of a drive, or single pictures where they have no order."""
        source = self._prepared.header.source
        size = BLOCK_FRAMES if source.ordered else 1
        places = [shot.ref.seq // size for shot in self.shots]
        names = sorted(set(places))
        return Clusters(
            np.searchsorted(names, places).astype(np.int64),
            tuple(f"{source.name}#{name}" for name in names),
            BLOCK if source.ordered else "picture",
        )

    def facts(self) -> tuple[Drive, ...]:
        """Say which recording this is."""
        header = self._prepared.header
        truth = "" if header.truth is None else header.truth.sha256
        return (Drive(header.source.name, header.source.path, header.source.sha256, truth, len(self.shots)),)

    def subjects(self) -> tuple[Subject, ...]:
        """Say which model is attacked."""
        facts = self.model.facts
        return (Subject(Role.BASELINE, facts.name, facts.path, facts.sha256, facts.runs_on, "attacked model"),)

    def close(self) -> None:
        """Close recording and models."""
        self._prepared.close()

    def _numbered(self, name: str) -> int:
        name = name or self.classes[0]
        if name not in self.classes:
            raise CallWrong(f"the model knows no class {name!r}; it knows {', '.join(self.classes[:12])}")
        return self.classes.index(name)

    def _refuse_other_tasks(self) -> None:
        task = self.model.facts.task
        if task not in (Task.DETECTION, Task.CLASSIFICATION):
            raise CallWrong(f"attacks are made on detectors and classifiers; {self.model.facts.name} answers {task}")

    def _shots(self, count: int, *, is_self: bool) -> list[Shot]:
        truths = self._prepared.truths
        refs = [ref for ref in self._prepared.source.refs() if is_self or ref.truth_seq in truths]
        places = np.linspace(0, len(refs) - 1, min(count, len(refs))).round().astype(int).tolist()
        ignoring = Ignoring(self._prepared.profile)
        shots = []
        for ref in (refs[place] for place in places):
            image = self._prepared.source.frame_at(ref.seq).image
            if is_self:
                shots.append(self._by_itself(ref, image))
                continue
            height, width = image.shape[:2]
            whole = ignoring.boxes(truths[ref.truth_seq], width, height)
            assert whole is not None
            shots.append(Shot(ref, image, whole))
        return shots

    def _by_itself(self, ref: FrameRef, image: Pixels) -> Shot:
        said = self.model.infer(image, self._workspaces[self.role])
        if said.classification is not None:
            return Shot(ref, image, Truth.none(), int(said.classification.classes[0]))
        shown = said.detections.first(said.detections.count_above(self.model.threshold))
        return Shot(ref, image, Truth.of(shown.boxes.astype(np.float64), self.table[shown.classes]))


def found(answer: Answer) -> NDArray[np.bool_]:
    """Say which truths were found; of a classifier its one answer."""
    if answer.comparison is None:
        return np.array([answer.is_right])
    return np.asarray(answer.comparison.truths == Judgement.MATCHED)


def free_place(shot: Shot) -> NDArray[np.float64]:
    """Find a place for an object that is not there: as large as the middle one, touching none, low in the picture."""
    height, width = shot.image.shape[:2]
    sizes = shot.truth.boxes[:, 2:] - shot.truth.boxes[:, :2]
    wide, tall = np.median(sizes, axis=0) if len(sizes) else np.array([width / 8, height / 4])
    wide, tall = min(max(wide, width / 16), width / 3), min(max(tall, height / 10), height / 2)
    best, least = np.zeros(4), np.inf
    for y in np.linspace(height - tall, height / 3, 5):
        for x in np.linspace(0, width - wide, 9):
            box = np.array([x, y, x + wide, y + tall])
            low = np.maximum(box[:2], shot.truth.boxes[:, :2])
            high = np.minimum(box[2:], shot.truth.boxes[:, 2:])
            covered = float(np.prod(np.maximum(high - low, 0), axis=1).sum()) if len(sizes) else 0.0
            if covered < least:
                best, least = box, covered
    return best
