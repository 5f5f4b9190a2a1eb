"""Drift of a run or a recording against a reference: what is compared, window by window, and the result document."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hilgui import __version__
from hilgui.cornercases import HealthMeter
from hilgui.drift import (
    Calibration,
    Look,
    Monitor,
    Origin,
    Reference,
    Sampler,
    calibrate,
    figures_of,
    in_words,
    usual_window,
)
from hilgui.drift import make_reference as cut
from hilgui.drift.calibration import LEAST_WINDOW, Limit
from hilgui.drift.monitor import Measured
from hilgui.drift.sample import FEATURE
from hilgui.errors import CallWrong, HilguiError
from hilgui.inference import Model
from hilgui.inference.features import Features
from hilgui.records import Frame, Inference, Moment, Role, SourceFacts, Task, Vocabulary
from hilgui.robustness.result import DRIFT, Cell, Drive, Example, Result, Subject
from hilgui.robustness.shelf import write_picture, write_result
from hilgui.sources import FrameSource, source_for
from hilgui.sources.fingerprint import file_sha256
from hilgui.store import RunReader, find_run
from hilgui.store.pictures import encode_jpeg
from hilgui.stream import StopToken

Tell = Callable[[int, int], None]
Each = Callable[[int, float, Mapping[str, float]], None]

_QUALITY = 88  # of a picture
DRIFTED, STEADY, UNSURE = "DRIFT", "NO DRIFT", "INCONCLUSIVE"


@dataclass(frozen=True, slots=True)
class Target:
    """A stored run, or a recording and, where outputs are to be compared too, a model."""

    path: Path
    is_run: bool
    model: Path | None = None
    provider: str = "auto"
    fps: float | None = None
    has_features: bool = False  # of the model: its network's own features are compared too


@dataclass(frozen=True, slots=True)
class Facts:
    """What was looked at; `models` is role → sha256 of those whose outputs were."""

    name: str
    path: str
    sha256: str
    frames: int
    models: tuple[Subject, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """What a check found; `why` says why it could not be told."""

    verdict: str
    why: str
    facts: Facts
    calibration: Calibration | None
    looks: tuple[Look, ...]
    notes: tuple[str, ...]
    camera: str = ""  # that was looked at, of several

    @property
    def alarms(self) -> tuple[Look, ...]:
        """Give the windows with alarms."""
        return tuple(look for look in self.looks if look.alarms)

    @property
    def silent(self) -> tuple[Limit, ...]:
        """Give the statistics that windows of this size say nothing with."""
        return () if self.calibration is None else tuple(one for one in self.calibration.limits if one.value is None)


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
    if has_features:
        raise CallWrong("a run keeps no features; name its recording and --model instead")
    return Target(run, True)


def reference_of(targets: tuple[Target, ...], camera: str, tell: Tell) -> tuple[Reference, tuple[str, ...]]:
    """Make a reference of runs or recordings of one kind, with notes for the operator; raises HilguiError.

    `camera` is a channel; "" of drives of one camera.
    """
    sampler, facts = Sampler(), []
    for target in targets:
        sampler.start_drive()
        facts.append(figures(target, sampler.add, tell, camera))
    models = [{one.role.value: one.sha256 for one in each.models} for each in facts]
    if any(each != models[0] for each in models):
        raise CallWrong("the runs have other models than each other; make one reference for each model")
    origins = tuple(Origin(each.name, each.path, each.frames) for each in facts)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    sample = sampler.sample()
    made = cut(sample, origins, models[0], created=created, version=__version__, camera=camera)
    notes = [note for each in facts for note in each.notes] + _left_out(sampler)
    unusable = sorted(set(sampler.names) - set(sample.names))
    if unusable:
        notes.append(f"left out, as some frames have no number for it: {', '.join(unusable)}")
    return made, tuple(notes)


def check(target: Target, reference: Reference, *, rate: float, window: int | None, tell: Tell) -> Checked:
    """Compare with a reference, of several cameras the one that it names; `window` is in frames. Raises HilguiError."""
    sampler = Sampler()
    sampler.start_drive()
    facts = figures(target, sampler.add, tell, reference.camera)
    sample = sampler.sample()
    fitting = reference.fitting({one.role.value: one.sha256 for one in facts.models})
    known = fitting.only(sample.names)
    notes = [*facts.notes, *_left_out(sampler)]
    if fitting.names != reference.names:
        notes.append("the reference has outputs of another model; only pictures are compared")
    lacking = sorted(set(fitting.names) - set(known.names))
    if lacking:
        notes.append(f"not compared, as nothing tells them here: {', '.join(lacking)}")
    if bool(known.memory) != sample.is_ordered:
        raise CallWrong(
            "a drive and an unordered set of pictures cannot be compared; make a reference of the same kind"
        )
    blocks = usual_window(known) if window is None else math.ceil(window / known.block)
    if blocks < LEAST_WINDOW:
        why = f"a window of {window} frames is too small: {LEAST_WINDOW * known.block} frames are the least here"
        return Checked(UNSURE, why, facts, None, (), tuple(notes), reference.camera)
    whole = len(sample) // (blocks * known.block)
    if not whole:
        why = f"{len(sample)} frames are too few: a window takes {blocks * known.block}"
        return Checked(UNSURE, why, facts, None, (), tuple(notes), reference.camera)
    calibration = calibrate(known, rate=rate, windows=whole, window=blocks)
    monitor = Monitor(calibration)
    looks: list[Look] = []
    for seq, time_s, row in zip(sample.seqs.tolist(), sample.times_s.tolist(), sample.values.tolist(), strict=True):
        look = monitor.add(seq, time_s, dict(zip(sample.names, row, strict=True)))
        looks += [] if look is None else [look]
    if monitor.waiting:
        notes.append(f"the last {monitor.waiting} frames make no whole window and were not judged")
    told = any(one.value is not None for one in calibration.limits)
    verdict = DRIFTED if any(look.alarms for look in looks) else STEADY if told else UNSURE
    why = "" if told else "windows of this size tell nothing; check a longer drive, or make a longer reference"
    return Checked(verdict, why, facts, calibration, tuple(looks), tuple(notes), reference.camera)


def _left_out(sampler: Sampler) -> list[str]:
    count = sampler.left_out
    return [f"{count} frames lack a figure of the first and were left out"] if count else []


def figures(target: Target, each: Each, tell: Tell, camera: str = "") -> Facts:
    """Give the figures of every frame of a run or a recording to `each`; raises HilguiError.

    Of several cameras those of `camera` alone: series of different cameras are never mixed.
    """
    return _of_run(target, each, tell, camera) if target.is_run else _of_recording(target, each, tell, camera)


def _channel(facts: SourceFacts, path: Path, camera: str) -> str:
    """Give the channel that is meant; raises CallWrong where several are there and none of them is named."""
    channels = facts.channels
    if not channels or camera in channels:
        return camera if channels else ""
    there = ", ".join(channels)
    if camera:
        raise CallWrong(f"{path} has no camera {camera!r}; there are {there}")
    raise CallWrong(f"{path} has several cameras ({there}); make a reference of each with --camera NAME")


def _of_run(target: Target, each: Each, tell: Tell, camera: str) -> Facts:
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
            each(moment.ref.seq, moment.ref.time_s, figures_of(moment, thresholds, header.vocabulary))
        subjects = tuple(
            Subject(role, facts.name, facts.path, facts.sha256, facts.device) for role, facts in detectors.items()
        )
        source = header.source
        return Facts(header.run_id, str(target.path), source.sha256, done - others, subjects, _only(channel))


def _of_recording(target: Target, each: Each, tell: Tell, camera: str) -> Facts:
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
        look = _Looker(model, Features(target.model) if target.model and target.has_features else None)
        done, losses, others = 0, 0, 0
        for frame in source.frames(StopToken()):
            done += 1
            if done % 20 == 0 or done == total:
                tell(done, max(done, total))
            if frame.ref.channel != channel:
                others += 1
            elif isinstance(frame, Frame):
                each(frame.ref.seq, frame.ref.time_s, look.figures(frame))
            else:
                losses += 1
        subjects = () if model is None else (_subject(model),)
        lost = (f"{losses} frames could not be read and were left out",) if losses else ()
        notes = (*_only(channel), *lost)
        return Facts(facts.name, facts.path, facts.sha256, done - others, subjects, notes)
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
        found = figures_of(moment, thresholds, self._vocabulary)
        if self._features is not None and self._workspace is not None:  # the picture is prepared already
            numbers = self._features.of(self._workspace.feeds).tolist()
            found |= {f"{Role.BASELINE}.{FEATURE}{place:02d}": number for place, number in enumerate(numbers)}
        return found


def _subject(model: Model) -> Subject:
    return Subject(Role.BASELINE, model.facts.name, model.facts.path, model.facts.sha256, model.facts.device)


def store_check(checked: Checked, reference: Path, target: Target, root: Path, command: tuple[str, ...]) -> Path:
    """Write a check as a result document for page and reports; gives its folder. Raises StoreBroken."""
    calibration = checked.calibration
    made = datetime.now(UTC)
    question: dict[str, Any] = {
        "reference": str(reference),
        "reference_sha256": file_sha256(reference),
        "verdict": checked.verdict,
        "why": checked.why,
        "run": str(target.path) if target.is_run else "",
        "rate": None if calibration is None else calibration.rate,
        "window_frames": None if calibration is None else calibration.window_frames,
        "block_frames": None if calibration is None else calibration.reference.block,
        "windows": [
            [look.first_seq, look.last_seq, _number(look.first_s), _number(look.last_s)] for look in checked.looks
        ],
    }
    identity = f"{made.isoformat()}{checked.facts.sha256}{question['reference_sha256']}"
    name = f"drift-{made:%Y%m%d-%H%M%S}-{hashlib.sha256(identity.encode()).hexdigest()[:6]}"
    folder = root / name
    rows = list(dict.fromkeys(row_name(one) for look in checked.looks for one in look.measured))
    pictures = _pictures(checked, target, folder)
    result = Result(
        kind=DRIFT,
        id=name,
        created=made.isoformat(timespec="seconds"),
        version=__version__,
        title=f"{checked.facts.name} against {reference.stem}: {checked.verdict}",
        question=question,
        command=command,
        models=checked.facts.models,
        drives=(Drive(checked.facts.name, checked.facts.path, checked.facts.sha256, "", checked.facts.frames),),
        measure="value in units of its limit",
        rows=tuple(rows),
        columns=tuple(str(number) for number in range(1, len(checked.looks) + 1)),
        cells=tuple(
            _cell(one, number, look, checked, pictures.get(number, ""))
            for number, look in enumerate(checked.looks, 1)
            for one in look.measured
        ),
        families={row_name(one): one.figure for look in checked.looks for one in look.measured},
        better="lower",
        notes=checked.notes,
        is_whole=True,
    )
    write_result(folder, result)
    return folder


def row_name(one: Measured) -> str:
    """Name a statistic of a figure: "brightness ks"."""
    return f"{one.figure} {one.statistic}"


def _cell(one: Measured, number: int, look: Look, checked: Checked, picture: str) -> Cell:
    examples: tuple[Example, ...] = ()
    if one.is_alarm:
        examples = (Example(checked.facts.name, look.middle_seq, in_words(one), "", picture),)
    numbers = {"value": one.value, "limit": one.limit, "before": one.before, "now": one.now}
    return Cell(row_name(one), str(number), Role.BASELINE, one.ratio, None, 0, numbers, examples)


def _pictures(checked: Checked, target: Target, folder: Path) -> dict[int, str]:
    """Keep a frame of each window with alarms: of the recording, or what the run kept of it."""
    found: dict[int, str] = {}
    wanted = {number: look.middle_seq for number, look in enumerate(checked.looks, 1) if look.alarms}
    if not wanted:
        return found
    if target.is_run:
        with closing(RunReader(target.path)) as reader:
            for number, seq in wanted.items():
                content = reader.picture(seq)
                if content is not None:
                    found[number] = write_picture(folder, f"{seq:06d}.jpg", content)
        return found
    source: FrameSource = source_for(target.path, target.fps, checked.camera or None)
    try:
        source.open()
        for number, seq in wanted.items():
            content = encode_jpeg(source.frame_at(seq).image, _QUALITY)
            found[number] = write_picture(folder, f"{seq:06d}.jpg", content)
    finally:
        source.close()
    return found


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
