"""Turns the outputs of a frame into a moment: compared, judged, searched for corner cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from hilgui.cornercases import HealthMeter, RunContext, Watch
from hilgui.evaluation import Scorecard, compare
from hilgui.pipeline.preparation import Prepared
from hilgui.records import Finding, Inference, Loss, Moment, Role, Task
from hilgui.shadow import Paired, disagree
from hilgui.store import ClipKeeper, Picture


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What one step of the judge leaves for the record."""

    frame: Moment | Loss | None
    pictures: tuple[Picture, ...] = ()
    findings: tuple[Finding, ...] = ()


class Judge:
    """Owned by the judge thread; sees every frame once, in order."""

    def __init__(self, prepared: Prepared) -> None:
        header = prepared.header
        self._prepared = prepared
        self._judged = header.vocabulary.judged
        self._thresholds = {role: facts.threshold for role, facts in header.models.items()}
        self._detectors = {role for role, facts in header.models.items() if facts.task == Task.DETECTION}
        self.scorecard = Scorecard(header)
        self._health = HealthMeter()
        self._clips = ClipKeeper(prepared.plan.settings.clips) if header.source.ordered else None
        self.watch = Watch(
            RunContext(
                limits=prepared.plan.settings.corner_cases,
                vocabulary=header.vocabulary,
                thresholds=self._thresholds,
                period_s=1.0 / header.source.fps if header.source.ordered and header.source.fps else None,
                real_time=prepared.factor is not None,
            )
        )

    def judge(self, paired: Paired) -> Judged:
        """Judge one frame."""
        moment = self._moment(paired)
        if self._clips is None:
            looked = self.watch.look(moment, lambda _seq: paired.frame.image)
            return Judged(moment, (), tuple(looked.closed))
        pictures = self._clips.push(paired.frame)
        looked = self.watch.look(moment, self._clips.image)
        if looked.hits:
            first = min(hit.seq for hit in looked.hits)
            pictures.extend(self._clips.keep_around(self._clips.time_of(first)))
            pictures.extend(self._clips.keep_around(moment.ref.time_s))
        self._clips.wait_for_end(looked.closed)
        return Judged(moment, tuple(pictures), tuple(self._clips.ripe(moment.ref.time_s)))

    def finish(self) -> Judged:
        """Close the findings that are still open."""
        closed: Iterable[Finding] = self.watch.finish()
        if self._clips is not None:
            self._clips.wait_for_end(list(closed))
            closed = self._clips.ripe()
        return Judged(None, (), tuple(closed))

    def figures(self) -> dict[str, Any]:
        """Give the figures of each model; None without truth."""
        nothing = {role.value: None for role in self._prepared.header.models}
        return nothing if self._prepared.header.truth is None else nothing | self.scorecard.as_json()

    def _moment(self, paired: Paired) -> Moment:
        frame = paired.frame
        truth = self._prepared.truths.get(frame.ref.seq)
        inferences = {role: self._translated(role, inference) for role, inference in paired.inferences.items()}
        comparisons = {}
        if truth is not None:
            for role, inference in inferences.items():
                if role not in self._detectors:
                    continue
                comparisons[role] = compare(inference.detections, truth, self._thresholds[role], self._judged)
        differs = None
        if Role.CANDIDATE in inferences and len(self._detectors) == len(Role):
            both = [inferences[role].detections for role in (Role.BASELINE, Role.CANDIDATE)]
            limits = (self._thresholds[Role.BASELINE], self._thresholds[Role.CANDIDATE])
            differs = disagree(both[0], both[1], limits, self._judged)
        masks, lanes, depths = self._prepared.masks, self._prepared.lanes, self._prepared.depths
        seq = frame.ref.seq
        moment = Moment(
            frame.ref,
            self._health.measure(frame.image),
            truth,
            inferences,
            comparisons,
            differs,
            mask_truth=masks[seq].load() if seq in masks else None,
            lane_truth=lanes[seq].load() if seq in lanes else None,
            depth_truth=depths[seq].load() if seq in depths else None,
        )
        self.scorecard.add(moment)
        return moment

    def _translated(self, role: Role, inference: Inference) -> Inference:
        table = self._prepared.class_tables[role]
        detections = inference.detections
        return replace(inference, detections=detections.with_classes(table[detections.classes]))
