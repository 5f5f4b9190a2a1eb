"""From stored runs to evidence: pairs drives, measures both models, looks whether the bench was sound."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import CallWrong
from hilgui.evaluation import DetectionQuality, Figure, Scorecard
from hilgui.evaluation.clusters import BLOCK_PICTURES, DRIVE, jackknife
from hilgui.evaluation.critical_quality import CriticalQuality
from hilgui.gate.choosing import (
    changed_pictures,
    cut_drives,
    how_it_ended,
    is_repeat,
    only_a_part,
    other_labels,
    run_that_counts,
    short_drives,
    told_of_repeats,
)
from hilgui.gate.paired import Evidence, Paired, SlicePair
from hilgui.gate.specification import GateSpec
from hilgui.records import ModelFacts, Moment, Role, RunHeader
from hilgui.records.decision import RAN_ON
from hilgui.report.protocol import Progress, silent
from hilgui.store import RunReader

SET_UNIT = BLOCK_PICTURES  # independent pictures that make one unit
_SLICED = ("recall", "map_50_95")
_UNITS = {"_per_hour": "1/h", "_per_minute": "1/min", "_s": "s", "_ms": "ms", "_px": "px"}

Resolve = Callable[[str], str]
"""Gives the sha256 of the ONNX file that a specification names by alias, hash or path."""


def gather(
    readers: Sequence[RunReader], spec: GateSpec, *, resolve: Resolve | None = None, progress: Progress = silent
) -> Evidence:
    """Measure all runs together, each recording one drive; raises CallWrong and StoreBroken.

    A recording that was run more than once counts once, the first of its whole runs: a second replay is no second
    witness. It tells whether the candidate is deterministic. Where none is whole, the bench was broken.
    """
    readers = sorted(readers, key=lambda reader: (reader.header.created, reader.header.run_id))
    _refuse_unlike([reader.header for reader in readers])
    by_drive: dict[str, list[RunReader]] = defaultdict(list)
    for reader in readers:
        by_drive[_drive(reader.header)].append(reader)
    drives = {drive: run_that_counts(mine) for drive, mine in by_drive.items()}
    first = list(drives.values())
    alike = {drive: [one for one in mine if is_repeat(one, drives[drive])] for drive, mine in by_drive.items()}
    measured = _Measured(first[0].header)
    total = sum(reader.ledger.evaluated for reader in (*first, *(one for mine in alike.values() for one in mine)))
    done = 0
    mismatches = repeated = 0
    for drive, mine in alike.items():
        hashes: set[str] = set()
        for place, reader in enumerate((drives[drive], *mine)):
            counting = measured.feed(reader) if place == 0 else reader.moments()
            digest = hashlib.sha256()
            for moment in counting:
                _digest(moment, digest.update)
                done += 1
                if done % 100 == 0 or done == total:
                    progress(done, total)
            hashes.add(digest.hexdigest())
        repeated += bool(mine)
        mismatches += len(hashes) - 1
    invariants = measured.invariants()
    if repeated:
        invariants["candidate.replay_hash_mismatches"] = float(mismatches)
    return Evidence(
        drives=tuple(measured.names),
        runs=tuple(reader.header.run_id for reader in first),
        frames=measured.frames,
        models={role.value: facts.sha256 for role, facts in first[0].header.models.items()},
        integrity=(*_integrity(first, spec, resolve), *other_labels(by_drive), *cut_drives(first)),
        invariants=invariants,
        measures=measured.paired(spec),
        slices=tuple(measured.by_condition()),
        notes=(*told_of_repeats(by_drive, drives), *short_drives(first), *_sets(first)),
    )


@dataclass(slots=True)
class _Measured:
    """Adds up what the drives say."""

    head: RunHeader
    frames: int = 0
    invalid: int = 0
    latencies: dict[Role, list[float]] = field(default_factory=lambda: {role: [] for role in Role})
    drives: list[dict[Role, dict[str, Figure]]] = field(default_factory=list)  # figures of each unit
    names: list[str] = field(default_factory=list)  # of the units: runs, or "RUN#2" in an unordered set
    pooled: Scorecard | None = None
    conditions: list[dict[str, str]] = field(default_factory=list)  # of each drive
    truths: list[int] = field(default_factory=list)  # judged ones of each drive
    read: dict[str, Paired] | None = None

    def feed(self, reader: RunReader) -> Iterator[Moment]:
        """Give the frames of a drive, measuring those that both models saw.

        The pictures of an unordered set are independent of each other: ten of them make one unit.
        """
        header = reader.header
        is_set = not header.source.ordered
        own = self._begin(header, f"{header.run_id}#1" if is_set else header.run_id)
        in_unit = 0
        for moment in reader.moments():
            if len(moment.inferences) == len(Role):
                if is_set and in_unit == SET_UNIT:
                    self.drives.append(own.figures())
                    own = self._begin(header, f"{header.run_id}#{len(self.names) + 1}")
                    in_unit = 0
                in_unit += 1
                assert self.pooled is not None
                self.pooled.add(moment)
                own.add(moment)
                self.frames += moment.truth is not None
                compared = moment.comparisons.get(Role.BASELINE)
                self.truths[-1] += 0 if compared is None else compared.matched + compared.missed
                self.invalid += moment.inferences[Role.CANDIDATE].invalid
                for role, inference in moment.inferences.items():
                    self.latencies[role].append(inference.latency_ms)
            yield moment
        self.drives.append(own.figures())

    def _begin(self, header: RunHeader, name: str) -> Scorecard:
        """Begin another unit."""
        if self.pooled is None:
            self.pooled = Scorecard(header, measurements={"detection": DetectionQuality})
        else:
            self.pooled.start_drive(name, header)
        self.names.append(name)
        self.conditions.append({} if header.truth is None else dict(header.truth.conditions))
        self.truths.append(0)
        return Scorecard(header, measurements={"critical": CriticalQuality})

    def invariants(self) -> dict[str, float]:
        """Give what invariants may ask for, by name."""
        found = {"candidate.nonfinite_outputs": float(self.invalid)}
        for role, values in self.latencies.items():
            if values:
                p50, p99 = np.percentile(values, (50, 99))
                found[f"{role.value}.latency_p50_ms"] = float(p50)
                found[f"{role.value}.latency_p99_ms"] = float(p99)
        return found

    def paired(self, spec: GateSpec) -> dict[str, Paired]:
        """Give every figure that both models have, one value a drive, and those of slices that gates ask for."""
        found = {**self._detection(), **self._critical(self.drives)}
        for gate in spec.gates:
            if gate.slice_ and gate.metric in found:
                picked = [place for place, one in enumerate(self.conditions) if gate.slice_.items() <= one.items()]
                if picked:
                    found[gate.figure] = self._picked(found[gate.metric], picked)
        return found

    def _picked(self, paired: Paired, picked: list[int]) -> Paired:
        """Take some of the drives."""
        critical = self._critical([self.drives[place] for place in picked])
        if paired.metric in critical:
            return critical[paired.metric]
        mine = {role: values[picked] for role, values in paired.values.items()}
        return Paired(paired.metric, paired.unit, mine, {role: float(own.mean()) for role, own in mine.items()})

    def by_condition(self) -> Iterator[SlicePair]:
        """Give recall and AP under each condition that the labels name and at least two drives share."""
        if not self._detection():
            return
        for kind in sorted({kind for conditions in self.conditions for kind in conditions}):
            for value in sorted({one[kind] for one in self.conditions if kind in one}):
                picked = [place for place, one in enumerate(self.conditions) if one.get(kind) == value]
                if len(picked) < 2 or len(picked) == len(self.conditions):
                    continue
                for metric in _SLICED:
                    objects = sum(self.truths[place] for place in picked)
                    whole = self._detection()[metric]
                    yield SlicePair(f"{kind} {value}", self._picked(whole, picked), "higher", objects)

    def _detection(self) -> dict[str, Paired]:
        if self.read is None:
            self.read = self._read_detection()
        return self.read

    def _read_detection(self) -> dict[str, Paired]:
        """Read the figures by drive and pooled; none where a drive has no labels: its run says so."""
        assert self.pooled is not None
        values: dict[Role, NDArray[np.float64]] = {}
        whole: dict[Role, NDArray[np.float64]] = {}
        names: list[str] = []
        for role, mine in self.pooled.accumulators.items():
            quality = mine["detection"]
            assert isinstance(quality, DetectionQuality)
            clusters = quality.clusters(DRIVE)
            if len(clusters) != len(self.drives):
                return {}
            names, read = quality.readings(clusters)
            values[role] = jackknife(read, len(clusters))
            whole[role] = read(np.ones(len(clusters), np.int64))
        return {
            name: Paired(
                name,
                _unit(name),
                {role: values[role][:, place] for role in values},
                {role: float(whole[role][place]) for role in whole},
            )
            for place, name in enumerate(names)
        }

    def _critical(self, drives: Sequence[dict[Role, dict[str, Figure]]]) -> dict[str, Paired]:
        names = {name for drive in drives for figures in drive.values() for name in figures}
        found: dict[str, Paired] = {}
        for name in sorted(names):
            if name.startswith(("latest_", "longest_")):
                continue  # a largest value is no mean over drives
            parts = {role: [_part(drive[role].get(name)) for drive in drives] for role in drives[0]}
            found[name] = Paired.of(name, _unit(name), parts, _weighted)
        return found


def _part(figure: Figure | None) -> tuple[float, float]:
    """Turn a ratio into numerator and denominator; a drive without such objects adds nothing to either."""
    if figure is None or figure.value is None:
        return 0.0, 0.0
    return figure.value * figure.count, float(figure.count)


def _weighted(parts: Sequence[tuple[float, float]]) -> float:
    counted = sum(count for _, count in parts)
    return sum(value for value, _ in parts) / counted if counted else math.nan


def _unit(name: str) -> str:
    return next((unit for end, unit in _UNITS.items() if name.split(".")[0].endswith(end)), "")


def _drive(header: RunHeader) -> str:
    return header.source.sha256 or header.source.path


def _digest(moment: Moment, update: Callable[[bytes], None]) -> None:
    inference = moment.inferences.get(Role.CANDIDATE)
    update(moment.ref.seq.to_bytes(8, "big"))
    if inference is not None:
        for array in (inference.detections.boxes, inference.detections.scores, inference.detections.classes):
            update(np.ascontiguousarray(array).tobytes())


def _refuse_unlike(headers: Sequence[RunHeader]) -> None:
    if not headers:
        raise CallWrong("a gate needs runs: add --runs RUN…")
    first = headers[0]
    names = Counter(header.run_id for header in headers)
    if twice := sorted(name for name, count in names.items() if count > 1):
        raise CallWrong(
            f"run {twice[0]} is given twice from two folders: a copy is no second witness; give one of them"
        )
    settings: dict[Role, str] = {}
    for header in headers:
        if set(header.models) != set(Role):
            raise CallWrong(f"{header.run_id} has no candidate beside its baseline; a gate needs shadow runs")
        for role, facts in header.models.items():
            if facts.sha256 != first.models[role].sha256:
                raise CallWrong(
                    f"{header.run_id} has another {role.value} ({facts.name} {facts.sha256[:12]}) than "
                    f"{first.run_id} ({first.models[role].name} {first.models[role].sha256[:12]})"
                )
            mine = _settings(facts)
            if settings.setdefault(role, mine) != mine:
                raise CallWrong(
                    f"{header.run_id} runs the {role.value} otherwise ({mine}) than {first.run_id} "
                    f"({settings[role]}); run all drives with one card"
                )
        if header.vocabulary != first.vocabulary:
            raise CallWrong(
                f"{header.run_id} judges other classes than {first.run_id}; run them with the same --classes"
            )


def _settings(facts: ModelFacts) -> str:
    """Say what decides, beside the file, what a model answers."""
    nms = "none" if facts.nms_iou is None else f"{facts.nms_iou:g}"
    size = f"{facts.input_width} × {facts.input_height}"
    return f"adapter {facts.adapter}, threshold {facts.threshold:g}, NMS {nms}, input {size}"


def _integrity(readers: Sequence[RunReader], spec: GateSpec, resolve: Resolve | None) -> Iterator[str]:
    """Say what is wrong with the bench; a broken bench proves nothing about a model."""
    evaluated = unpaired = lost = 0
    for reader in readers:
        ledger, truth = reader.ledger, reader.header.truth
        yield from how_it_ended(reader)
        if truth is None:
            yield f"run {reader.header.run_id} has no ground truth"
        elif abs(truth.offset_ms) > spec.data.max_truth_sync_ms:
            yield (
                f"the labels of run {reader.header.run_id} are {abs(truth.offset_ms):.0f} ms away from its frames; the "
                f"limit is {spec.data.max_truth_sync_ms:g} ms"
            )
        yield from only_a_part(reader.header)
        evaluated += ledger.captured
        unpaired += ledger.candidate_skipped
        lost += ledger.lost
    share = (unpaired + lost) / evaluated if evaluated else 1.0
    if share > spec.data.max_unpaired_fraction:
        yield (
            f"{share:.2%} of the frames were not seen by both models ({lost:,} lost, {unpaired:,} skipped by the "
            f"candidate); the limit is {spec.data.max_unpaired_fraction:.2%}"
        )
    yield from changed_pictures([reader.header for reader in readers])
    yield from _runtime(readers, spec)
    yield from _subject(readers[0].header, spec, resolve)


def _runtime(readers: Sequence[RunReader], spec: GateSpec) -> Iterator[str]:
    wanted = spec.subject.runtime.provider
    used = {facts.provider for reader in readers for facts in reader.header.models.values()}
    if wanted is not None and used != {wanted}:
        yield f"{RAN_ON} {', '.join(sorted(used))}, the plan asks for {wanted}"
    elif len(used) > 1:
        yield f"{RAN_ON} different providers: {', '.join(sorted(used))}"


def _subject(header: RunHeader, spec: GateSpec, resolve: Resolve | None) -> Iterator[str]:
    for role, side in ((Role.BASELINE, spec.subject.baseline), (Role.CANDIDATE, spec.subject.candidate)):
        if side is None or resolve is None:
            continue
        wanted, found = resolve(side.model), header.models[role].sha256
        if wanted != found:
            yield f"the {role.value} of the runs is {found[:12]}…, the plan names {side.model}, which is {wanted[:12]}…"


def _sets(readers: Sequence[RunReader]) -> Iterable[str]:
    for reader in readers:
        if not reader.header.source.ordered:
            yield f"{reader.header.source.name} is a set of independent pictures: every {SET_UNIT} count as one drive"
