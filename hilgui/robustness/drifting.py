"""Drift of a run or a recording against a reference: what is compared, window by window, and the result document."""

from __future__ import annotations

import hashlib
import math
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hilgui import __version__
from hilgui.drift import (
    Calibration,
    Look,
    Monitor,
    Origin,
    Reference,
    Sample,
    Sampler,
    calibrate,
    divided,
    in_words,
    usual_window,
)
from hilgui.drift import make_reference as cut
from hilgui.drift.calibration import LEAST_WINDOW, Limit
from hilgui.drift.monitor import Measured
from hilgui.errors import CallWrong
from hilgui.records import Role
from hilgui.robustness.drift_drives import Drives, Facts, Target, Tell, figures
from hilgui.robustness.result import DRIFT, Cell, Drive, Example, Result
from hilgui.robustness.shelf import write_picture, write_result
from hilgui.sources import FrameSource, source_for
from hilgui.sources.fingerprint import file_sha256
from hilgui.store import RunReader
from hilgui.store.pictures import encode_jpeg

_QUALITY = 88  # of a picture
DRIFTED, STEADY, UNSURE = "DRIFT", "NO DRIFT", "INCONCLUSIVE"


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
    features: Calibration | None = None  # of the samples of features, where they were compared

    @property
    def rate(self) -> float | None:
        """Give the chance of any alarm without drift; None where nothing was compared."""
        known = [each.rate for each in (self.calibration, self.features) if each is not None]
        return sum(known) if known else None

    @property
    def alarms(self) -> tuple[Look, ...]:
        """Give the windows with alarms."""
        return tuple(look for look in self.looks if look.alarms)

    @property
    def silent(self) -> tuple[Limit, ...]:
        """Give the statistics that windows of this size say nothing with."""
        known = [each for each in (self.calibration, self.features) if each is not None]
        return tuple(one for each in known for one in each.limits if one.value is None)


def reference_of(
    targets: tuple[Target, ...], camera: str, tell: Tell, per_s: float = 0.0
) -> tuple[Reference, tuple[str, ...]]:
    """Make a reference of runs or recordings of one kind, with notes for the operator; raises HilguiError.

    `camera` is a channel; "" of drives of one camera. `per_s`: so many samples of features a second of a recording.
    Those that runs kept are taken where all of them kept some.
    """
    drives, facts = Drives(), []
    for target in targets:
        drives.start_drive()
        facts.append(figures(target, drives, tell, camera, per_s))
    models = [{one.role.value: one.sha256 for one in each.models} for each in facts]
    if any(each != models[0] for each in models):
        raise CallWrong("the runs have other models than each other; make one reference for each model")
    origins = tuple(Origin(each.name, each.path, each.frames) for each in facts)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    sample = drives.frames.sample()
    how: dict[str, Any] = {"created": created, "version": __version__, "camera": camera}
    made = cut(sample, origins, models[0], **how)
    notes = [note for each in facts for note in each.notes] + _left_out(drives.frames)
    rates = {each.per_s for each in facts}
    if len(rates) > 1:
        notes.append("features are left out, as not all runs sampled them, or not at the same rate")
    elif rates != {0.0}:
        try:
            features = cut(drives.features.sample(), origins, models[0], **how, per_s=rates.pop())
            made = replace(made, features=features)
        except CallWrong as failure:
            if any(target.has_features for target in targets):
                raise
            notes.append(f"features are left out: {failure}")
    unusable = sorted(set(drives.frames.names) - set(sample.names))
    if unusable:
        notes.append(f"left out, as some frames have no number for it: {', '.join(unusable)}")
    return made, tuple(notes)


def check(target: Target, reference: Reference, *, rate: float, window: int | None, tell: Tell) -> Checked:
    """Compare with a reference, of several cameras the one that it names; `window` is in frames. Raises HilguiError."""
    drives = Drives(reference)
    drives.start_drive()
    asked = 0.0 if reference.features is None else reference.features.per_s
    facts = figures(target, drives, tell, reference.camera, asked)
    sample = drives.frames.sample()
    fitting = reference.fitting({one.role.value: one.sha256 for one in facts.models})
    known = fitting.only(sample.names)
    notes = [*facts.notes, *_left_out(drives.frames)]
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
    features, windows, why = _comparable(fitting.features, drives.features.sample(), facts.per_s)
    if why:
        notes.append(why)
    rates = divided(rate, has_features=features is not None)
    monitor = Monitor(calibrate(known, rate=rates[0], windows=whole, window=blocks))
    monitors = [monitor]
    _watch(monitor, sample)
    if monitor.waiting:
        notes.append(f"the last {monitor.waiting} frames make no whole window and were not judged")
    if features is not None:
        of_features = Monitor(calibrate(features, rate=rates[1], windows=windows, window=usual_window(features)))
        monitors.append(of_features)
        _watch(of_features, drives.features.sample())
        if of_features.waiting:
            notes.append(f"the last {of_features.waiting} samples of features make no whole window and were not judged")
    looks = sorted((look for each in monitors for look in each.looks), key=lambda look: look.last_seq)
    told = any(one.value is not None for each in monitors for one in each.calibration.limits)
    verdict = DRIFTED if any(look.alarms for look in looks) else STEADY if told else UNSURE
    why = "" if told else "windows of this size tell nothing; check a longer drive, or make a longer reference"
    known_features = monitors[1].calibration if features is not None else None
    calibration = monitor.calibration
    return Checked(verdict, why, facts, calibration, tuple(looks), tuple(notes), reference.camera, known_features)


def _comparable(reference: Reference | None, sample: Sample, per_s: float) -> tuple[Reference | None, int, str]:
    """Give what samples of features can be compared with, the whole windows of it, or else why they are not."""
    if reference is None:
        return None, 0, ""
    names = set(reference.names) & set(sample.names)
    if not names:
        return None, 0, "the features of the reference are not compared, as nothing tells them here"
    if per_s != reference.per_s:
        rates = f"{reference.per_s:g} a second and here {per_s:g}"
        return None, 0, f"features are not compared, as the reference samples {rates}"
    known = reference.only(names)
    frames = usual_window(known) * known.block
    if len(sample) < frames:
        return None, 0, f"features are not compared: {len(sample)} samples are too few, a window takes {frames}"
    return known, len(sample) // frames, ""


def _watch(monitor: Monitor, sample: Sample) -> None:
    for seq, time_s, row in zip(sample.seqs.tolist(), sample.times_s.tolist(), sample.values.tolist(), strict=True):
        monitor.add(seq, time_s, dict(zip(sample.names, row, strict=True)))


def _left_out(sampler: Sampler) -> list[str]:
    count = sampler.left_out
    return [f"{count} frames lack a figure of the first and were left out"] if count else []


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
        "rate": checked.rate,
        "window_frames": None if calibration is None else calibration.window_frames,
        "window_samples": None if checked.features is None else checked.features.window_frames,
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
