"""What is collected of a run or a recording to look for drift: figures of every frame, and samples of features."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hilgui.cornercases import HealthMeter
from hilgui.drift import Reference, Sampler, Turns, feature_figures, figures_of
from hilgui.errors import CallWrong, HilguiError
from hilgui.inference import Model
from hilgui.inference.features import Features
from hilgui.records import FeatureSample, Frame, Inference, Moment, Role, SourceFacts, Task, Vocabulary
from hilgui.robustness.result import Subject
from hilgui.sources import source_for
from hilgui.store import RunReader, find_run
from hilgui.stream import StopToken

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Target:
    """A stored run, or a recording and, where outputs are to be compared too, a model."""

    path: Path
    is_run: bool
    model: Path | None = None
    provider: str = "auto"
    fps: float | None = None
    has_features: bool = False  # the networks' own features are wanted: of the model, or of the run that kept them


@dataclass(frozen=True, slots=True)
class Facts:
    """What was looked at; `models` is role → sha256 of those whose outputs were."""

    name: str
    path: str
    sha256: str
    frames: int
    models: tuple[Subject, ...]
    notes: tuple[str, ...]
    per_s: float = 0.0  # samples of features a second; 0: there are none


class Drives:
    """What is collected of drives: the figures of every frame, and the samples of features."""

    def __init__(self, wanted: Reference | None = None) -> None:
        """Begin with nothing; of figures that `wanted` lacks none is collected."""
        features = None if wanted is None else wanted.features
        self.frames = Sampler(None if wanted is None else wanted.names)
        self.features = Sampler(None if features is None else features.names)

    def start_drive(self) -> None:
        """Begin another drive."""
        self.frames.start_drive()
        self.features.start_drive()

    def add_features(self, sample: FeatureSample) -> None:
        """Take the features of a frame."""
        self.features.add(sample.ref.seq, sample.ref.time_s, feature_figures(sample))


def target_of(
    text: str, runs: Path, model: Path | None, provider: str, fps: float | None, *, has_features: bool = False
) -> Target:
    """Find what was named: a run first, else a recording; raises CallWrong."""
    try:
        run = find_run(text, runs)
    except HilguiError as failure:
        path = Path(text).expanduser()
        if not path.exists():
            raise CallWrong(
                f"there is no run and no recording {text!r}; `hilgui runs list` shows the runs"
            ) from failure
        return Target(path, False, model, provider, fps, has_features)
    return Target(run, True, has_features=has_features)


def figures(target: Target, drives: Drives, tell: Tell, camera: str, per_s: float) -> Facts:
    """Collect the figures of every frame of a run or a recording, and samples of features; raises HilguiError.

    Of several cameras those of `camera` alone: series of different cameras are never mixed. `per_s`: so many samples
    a second of a recording; a run has those that it kept.
    """
    if target.is_run:
        return _of_run(target, drives, tell, camera)
    return _of_recording(target, drives, tell, camera, per_s)


def _channel(facts: SourceFacts, path: Path, camera: str) -> str:
    """Give the channel that is meant; raises CallWrong where several are there and none of them is named."""
    channels = facts.channels
    if not channels or camera in channels:
        return camera if channels else ""
    there = ", ".join(channels)
    if camera:
        raise CallWrong(f"{path} has no camera {camera!r}; there are {there}")
    raise CallWrong(f"{path} has several cameras ({there}); make a reference of each with --camera NAME")


def _of_run(target: Target, drives: Drives, tell: Tell, camera: str) -> Facts:
    with closing(RunReader(target.path)) as reader:
        header = reader.header
        channel = _channel(header.source, target.path, camera)
        detectors = {role: facts for role, facts in header.models.items() if facts.task == Task.DETECTION}
        thresholds = {role: facts.threshold for role, facts in detectors.items()}
        total, done, others = reader.ledger.evaluated, 0, 0
        for moment in reader.moments():
            done += 1
            if done % 200 == 0 or done == total:
                tell(done, total)
            if moment.ref.channel != channel:
                others += 1
                continue
            drives.frames.add(moment.ref.seq, moment.ref.time_s, figures_of(moment, thresholds, header.vocabulary))
        per_s = _kept_features(reader, drives, channel)
        if target.has_features and not per_s:
            raise CallWrong(
                f"{header.run_id} kept no features; replay its drive with a reference that has some, or with the "
                'setting drift_features = "always"'
            )
        subjects = tuple(
            Subject(role, facts.name, facts.path, facts.sha256, facts.device)
            for role, facts in (header.models if per_s else detectors).items()
        )
        source = header.source
        frames = done - others
        return Facts(header.run_id, str(target.path), source.sha256, frames, subjects, _only(channel), per_s)


def _kept_features(reader: RunReader, drives: Drives, channel: str) -> float:
    """Collect the samples of features that a run kept; gives how many a second, 0 where there are none."""
    samples = [sample for sample in reader.features() if sample.ref.channel == channel]
    for sample in samples:
        drives.add_features(sample)
    return float((reader.meta("features") or {}).get("per_s", 0.0)) if samples else 0.0


def _of_recording(target: Target, drives: Drives, tell: Tell, camera: str, per_s: float) -> Facts:
    source = source_for(target.path, target.fps, camera or None)
    model: Model | None = None
    try:
        facts = source.open()
        channel = _channel(facts, target.path, camera)
        total = facts.frames or len(source.refs())
        if target.model is not None:
            model = Model.load(target.model, provider=target.provider)
            if model.facts.task != Task.DETECTION:
                raise CallWrong(f"{target.model} is no detector; leave --model out to compare pictures alone")
        has_features = bool(target.model and target.has_features and per_s)
        look = _Looker(model, Features(target.model) if target.model and has_features else None)
        turns = Turns(per_s)
        done, losses, others = 0, 0, 0
        for frame in source.frames(StopToken()):
            done += 1
            if done % 20 == 0 or done == total:
                tell(done, max(done, total))
            if frame.ref.channel != channel:
                others += 1
            elif isinstance(frame, Frame):
                drives.frames.add(frame.ref.seq, frame.ref.time_s, look.figures(frame))
                if has_features and turns.is_due(frame.ref):
                    drives.add_features(look.features(frame))
            else:
                losses += 1
        subjects = () if model is None else (_subject(model),)
        lost = (f"{losses} frames could not be read and were left out",) if losses else ()
        notes = (*_only(channel), *lost)
        return Facts(facts.name, facts.path, facts.sha256, done - others, subjects, notes, per_s * has_features)
    finally:
        source.close()
        if model is not None:
            model.close()


def _only(channel: str) -> tuple[str, ...]:
    return (f"only camera {channel} is looked at",) if channel else ()


class _Looker:
    """Measures frames, and asks the model where there is one."""

    def __init__(self, model: Model | None, features: Features | None = None) -> None:
        self._model = model
        self._features = features
        self._workspace = None if model is None else model.workspace()
        self._health = HealthMeter()
        names = () if model is None else model.classes
        self._vocabulary = Vocabulary(names, frozenset(range(len(names))))

    def figures(self, frame: Frame) -> dict[str, float]:
        inferences: dict[Role, Inference] = {}
        thresholds: dict[Role, float] = {}
        if self._model is not None and self._workspace is not None:
            inferences[Role.BASELINE] = self._model.infer(frame.image, self._workspace)
            thresholds[Role.BASELINE] = self._model.threshold
        moment = Moment(frame.ref, self._health.measure(frame.image), None, inferences)
        return figures_of(moment, thresholds, self._vocabulary)

    def features(self, frame: Frame) -> FeatureSample:
        """Give the features of the frame whose figures were asked for last: its picture is prepared already."""
        assert self._features is not None and self._workspace is not None
        return FeatureSample(frame.ref, {Role.BASELINE: self._features.of(self._workspace.feeds).astype(np.float32)})


def _subject(model: Model) -> Subject:
    return Subject(Role.BASELINE, model.facts.name, model.facts.path, model.facts.sha256, model.facts.device)
