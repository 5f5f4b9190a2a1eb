"""Turns the outputs of a frame into a moment: compared, judged, searched for corner cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hilgui.cornercases import HealthMeter, RunContext, SelfNoise, Watches
from hilgui.evaluation import Scorecard, compare
from hilgui.evaluation.geometry import cameras_of
from hilgui.evaluation.scorecard import MEASUREMENTS
from hilgui.evaluation.segmentation_quality import SegmentationQuality
from hilgui.pipeline.drift_watch import DriftWatch
from hilgui.pipeline.feature_sampling import FeatureSampling
from hilgui.pipeline.ignoring import Ignoring
from hilgui.pipeline.preparation import Prepared
from hilgui.pipeline.right_of_way import RightOfWay
from hilgui.records import FeatureSample, Finding, Inference, Loss, Moment, Role, Task
from hilgui.shadow import Paired, disagree
from hilgui.store import NOTHING_EVICTED, ClipKeeper, Evicted, Picture


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What one step of the judge leaves for the record."""

    frame: Moment | Loss | None
    pictures: tuple[Picture, ...] = ()
    findings: tuple[Finding, ...] = ()
    evicted: Evicted = NOTHING_EVICTED  # clips of earlier findings that made room for worse ones
    features: tuple[FeatureSample, ...] = ()  # of this frame or, in real time, of earlier ones
    drift: float | None = None  # of the last window against the drift reference: its worst figure, in limits


class Judge:
    """Owned by the judge thread; sees every frame once, in order."""

    def __init__(self, prepared: Prepared, scratch: Path | None = None) -> None:
        """Make the judge of a run; what figures remember of a long one lies in nameless files in `scratch`."""
        header = prepared.header
        self._prepared = prepared
        self._judged = header.vocabulary.judged
        self._thresholds = {role: facts.threshold for role, facts in header.models.items()}
        self._detectors = {role for role, facts in header.models.items() if facts.task == Task.DETECTION}
        # A tracker follows one camera: over several, whose frames take turns, identities would mean nothing.
        measured = {name: make for name, make in MEASUREMENTS.items() if name != "tracking"}
        self.scorecard = Scorecard(header, measurements=measured if header.source.cameras else None, scratch=scratch)
        self._ignoring = Ignoring(prepared.profile)
        self._clips = ClipKeeper(prepared.plan.settings.clips) if header.source.ordered else None
        limits = prepared.plan.settings.corner_cases.drift
        self.drift = DriftWatch(prepared.references, header, limits, sampled=prepared.features)
        rates = header.source.rates
        self.sampling = FeatureSampling(
            {role: (prepared.models[role], features) for role, features in prepared.features.items()},
            prepared.features_per_s,
            _right_of_way(rates, prepared.factor),
        )
        self._health = {channel: HealthMeter() for channel in rates}
        self._watches = Watches({channel: self._context(channel, fps) for channel, fps in rates.items()})

    def _context(self, channel: str, fps: float | None) -> RunContext:
        header = self._prepared.header
        return RunContext(
            limits=self._prepared.plan.settings.corner_cases,
            vocabulary=header.vocabulary,
            thresholds=self._thresholds,
            period_s=1.0 / fps if header.source.ordered and fps else None,
            real_time=self._prepared.factor is not None,
            noise=SelfNoise.of_header(header.noise),
            camera=cameras_of(header.source)(channel),
            monitor=self.drift.monitors.get(channel),
            features=self.drift.features.get(channel),
        )

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """Give the corner cases that cannot work in this run, with the reason."""
        return self._watches.left_out

    @property
    def broken(self) -> tuple[tuple[str, str], ...]:
        """Give the corner cases that were switched off, with the reason."""
        return self._watches.broken

    @property
    def doubts(self) -> tuple[str, ...]:
        """Say whose maps have no class that the masks of the drive have: nothing of them was judged."""
        return tuple(
            f"the masks name no class that the maps of the {role} have"
            for role, mine in self.scorecard.accumulators.items()
            if isinstance(quality := mine.get("segmentation"), SegmentationQuality) and not quality.has_common_class
        )

    def judge(self, paired: Paired) -> Judged:
        """Judge one frame."""
        moment = self._moment(paired)
        features = self.sampling.offer(paired.frame)
        for sample in features:
            self.drift.add(sample)
        if self._clips is None:
            looked = self._watches.look(moment, lambda _seq: paired.frame.image)
            return Judged(moment, (), tuple(looked.closed), features=features, drift=self.drift.fresh())
        pictures = self._clips.push(paired.frame)
        looked = self._watches.look(moment, self._clips.image)
        for severity in sorted({hit.severity for hit in looked.hits}, reverse=True):
            first = min(hit.seq for hit in looked.hits if hit.severity is severity)
            pictures.extend(self._clips.keep_around(self._clips.time_of(first), severity))
            pictures.extend(self._clips.keep_around(moment.ref.time_s, severity))
        self._clips.wait_for_end(looked.closed)
        evicted = self._clips.evicted()
        ripe = tuple(self._clips.ripe(moment.ref.time_s))
        return Judged(moment, tuple(pictures), ripe, evicted, features, self.drift.fresh())

    def finish(self) -> Judged:
        """Close the findings that are still open; samples that are under way are given up."""
        self.sampling.close()
        closed = self._watches.finish()
        if self._clips is not None:
            self._clips.wait_for_end(closed)
            closed = self._clips.ripe()
        return Judged(None, (), tuple(closed))

    def figures(self) -> dict[str, Any]:
        """Give the figures of each model; None without truth."""
        nothing = {role.value: None for role in self._prepared.header.models}
        return nothing if self._prepared.header.truth is None else nothing | self.scorecard.as_json()

    def _moment(self, paired: Paired) -> Moment:
        frame = paired.frame
        truth = self._ignoring.boxes(self._prepared.truths.get(frame.ref.truth_seq), frame.ref.width, frame.ref.height)
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
        seq = frame.ref.truth_seq
        moment = Moment(
            frame.ref,
            self._health[frame.ref.channel].measure(frame.image),
            truth,
            inferences,
            comparisons,
            differs,
            mask_truth=self._ignoring.mask(masks[seq].load()) if seq in masks else None,
            lane_truth=lanes[seq].load() if seq in lanes else None,
            depth_truth=self._ignoring.depth(depths[seq].load()) if seq in depths else None,
            class_truth=self._prepared.classes.get(seq),
            speed_mps=None if self._prepared.vehicle is None else self._prepared.vehicle.speed_mps(frame.ref.time_s),
        )
        self.scorecard.add(moment)
        return moment

    def _translated(self, role: Role, inference: Inference) -> Inference:
        table = self._prepared.class_tables[role]
        detections = inference.detections
        return replace(inference, detections=detections.with_classes(table[detections.classes]))


def _right_of_way(rates: Mapping[str, float | None], factor: float | None) -> RightOfWay | None:
    """Give the baseline the right of way before features in real time; all cameras count."""
    fps = sum(rate or 0.0 for rate in rates.values())
    return None if factor is None or not fps else RightOfWay(1e9 / fps / factor)
