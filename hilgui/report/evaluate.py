"""Figures of stored runs, again or by other rules: another threshold, other classes, other labels; no inference."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hilgui.cornercases import RunContext, SelfNoise, Watches
from hilgui.errors import CallWrong
from hilgui.evaluation import MEASUREMENTS, PROTOCOLS, Figure, Scorecard, compare
from hilgui.evaluation.geometry import cameras_of
from hilgui.records import NO_CLASS, Finding, Moment, Role, RunHeader, Truth, Vocabulary
from hilgui.report.picture_names import with_frames_of
from hilgui.report.protocol import Progress, silent
from hilgui.settings import CornerCaseLimits, stored_limits
from hilgui.shadow import disagree
from hilgui.store import RunReader
from hilgui.store.codec import finding_json
from hilgui.truth import join, read_labels, relabel, sizes_of_recording

SCHEMA = "hilgui/evaluation.v1"


@dataclass(frozen=True, slots=True)
class Changes:
    """What is judged otherwise than when the run was made; everything left out stays as it was."""

    threshold: float | None = None  # score of the operating point, for all models
    classes: tuple[str, ...] = ()  # judge only these
    truth: Path | None = None  # other labels of the same recording
    protocol: str = "coco"  # one of PROTOCOLS, measured besides

    @property
    def nothing(self) -> bool:
        """Say whether the run is judged as it was."""
        return replace(self, protocol="coco") == Changes()


_AS_IT_WAS = Changes()


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """What came of judging stored runs again."""

    scorecard: Scorecard
    findings: tuple[tuple[str, tuple[Finding, ...]], ...]  # by run
    notes: tuple[str, ...]  # sentences for the operator

    def figures(self) -> dict[Role, dict[str, Figure]]:
        """Give all figures of each model with their intervals."""
        return self.scorecard.with_intervals()

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "schema": SCHEMA,
            "runs": [name for name, _ in self.findings],
            "models": self.scorecard.as_json(intervals=True),
            "thresholds": {role.value: subject.threshold for role, subject in self.scorecard.subjects.items()},
            "findings": {name: [finding_json(each) for each in found] for name, found in self.findings},
            "notes": list(self.notes),
        }


def evaluate_runs(
    readers: Sequence[RunReader], changes: Changes = _AS_IT_WAS, progress: Progress = silent
) -> Evaluated:
    """Measure stored runs together, each a drive of its own; raises CallWrong, StoreBroken, TruthBroken.

    Findings come from running the detectors again over the stored moments where `changes` names something, else
    from the store. Pixels are not stored: what a detector needs of them is in `Moment.health`.
    """
    _refuse_unlike(readers)
    head = readers[0].header
    vocabulary = chosen_classes(head.vocabulary, changes.classes)
    thresholds = thresholds_of(head, changes)
    measurements = dict(MEASUREMENTS)
    if changes.protocol not in PROTOCOLS:
        raise CallWrong(f"there is no protocol {changes.protocol!r}; known are {', '.join(PROTOCOLS)}")
    if (made := PROTOCOLS[changes.protocol]) is not None:
        measurements[changes.protocol] = made
    scorecard = Scorecard(head, thresholds=thresholds, vocabulary=vocabulary, measurements=measurements)
    notes: list[str] = []
    findings: list[tuple[str, tuple[Finding, ...]]] = []
    total = sum(reader.ledger.evaluated for reader in readers)
    done = 0
    for place, reader in enumerate(readers):
        if place:
            scorecard.start_drive(reader.header.run_id, reader.header)
        again = Rejudged(reader, changes)
        notes += again.notes
        watch = None if changes.nothing else again.watches()
        found: list[Finding] = [] if watch else reader.findings()
        for moment in again.moments():
            scorecard.add(moment)
            if watch is not None:
                found += watch.look(moment).closed
            done += 1
            if done % 100 == 0 or done == total:
                progress(done, total)
        if watch is not None:
            found += watch.finish()
            notes += [f"corner case {name} stopped: {why}" for name, why in watch.broken]
        findings.append((reader.header.run_id, tuple(found)))
    return Evaluated(scorecard, tuple(findings), tuple(dict.fromkeys(notes)))


class Rejudged:
    """The moments of one stored run under other rules."""

    def __init__(self, reader: RunReader, changes: Changes = _AS_IT_WAS) -> None:
        """Read the other labels, if any; raises CallWrong and TruthBroken."""
        header = reader.header
        self._reader = reader
        self._changes = changes
        self._thresholds = thresholds_of(header, changes)
        self.vocabulary = chosen_classes(header.vocabulary, changes.classes)
        self.notes: tuple[str, ...] = ()
        self._truths: dict[int, Truth] | None = None
        if changes.truth is not None:
            self._truths, self.notes = other_truth(reader, changes.truth)
        limits, note = _limits(header)
        self.notes += note
        if header.settings.get("drift_reference"):
            self.notes += ("alarms against the drift reference are not looked for again",)
        self._limits = limits

    def watches(self) -> Watches:
        """Make the watch of each camera."""
        header = self._reader.header
        source = header.source
        return Watches(
            {
                channel: RunContext(
                    limits=self._limits,
                    vocabulary=self.vocabulary,
                    thresholds=self._thresholds,
                    period_s=1.0 / fps if source.ordered and fps else None,
                    real_time=header.speed != "max",
                    noise=SelfNoise.of_header(header.noise),
                    camera=cameras_of(source)(channel),
                )
                for channel, fps in source.rates.items()
            }
        )

    def moments(self, first: int = 0) -> Iterator[Moment]:
        """Give the evaluated frames from `first` on, in order, judged by the new rules."""
        for moment in self._reader.moments(first):
            yield moment if self._changes.nothing else self._judged(moment)

    def _judged(self, moment: Moment) -> Moment:
        truth = moment.truth if self._truths is None else self._truths.get(moment.ref.seq)
        judged = self.vocabulary.judged
        comparisons = {}
        if truth is not None:
            comparisons = {
                role: compare(inference.detections, truth, self._thresholds[role], judged)
                for role, inference in moment.inferences.items()
            }
        differs = None
        if len(moment.inferences) == len(Role):
            both = [moment.inferences[role].detections for role in (Role.BASELINE, Role.CANDIDATE)]
            limits = (self._thresholds[Role.BASELINE], self._thresholds[Role.CANDIDATE])
            differs = disagree(both[0], both[1], limits, judged)
        return replace(moment, truth=truth, comparisons=comparisons, disagreement=differs)


def thresholds_of(header: RunHeader, changes: Changes) -> dict[Role, float]:
    """Give the score threshold of each model; raises CallWrong for one outside 0..1."""
    if changes.threshold is not None and not 0.0 <= changes.threshold <= 1.0:
        raise CallWrong(f"the threshold {changes.threshold:g} is not a score; give a number from 0 to 1")
    return {
        role: facts.threshold if changes.threshold is None else changes.threshold
        for role, facts in header.models.items()
    }


def chosen_classes(vocabulary: Vocabulary, classes: Sequence[str]) -> Vocabulary:
    """Judge only the named classes; raises CallWrong for one that the run does not judge."""
    if not classes:
        return vocabulary
    known = {vocabulary.name(number).casefold(): number for number in sorted(vocabulary.judged)}
    for name in classes:
        if name.casefold() not in known:
            near = difflib.get_close_matches(name.casefold(), list(known), cutoff=0.5) or sorted(known)[:10]
            raise CallWrong(f"the run does not judge the class {name!r}; it judges {', '.join(near)}")
    return Vocabulary(vocabulary.names, frozenset(known[name.casefold()] for name in classes))


def other_truth(reader: RunReader, path: Path) -> tuple[dict[int, Truth], tuple[str, ...]]:
    """Read other labels of the run's recording, or of pictures exported from it; raises TruthBroken and CallWrong.

    They come in the run's class numbers: names are mapped as the run's own labels were, those that the run does not
    know become ignore regions.
    """
    header = reader.header
    source = header.source
    labels = read_labels(path, sizes_of_recording(Path(source.path), source.width, source.height))
    refs = [moment.ref for moment in reader.moments()]
    joined = join(with_frames_of(labels, header.run_id, refs), refs)
    mapped = {} if header.truth is None else header.truth.class_map
    names = {name.strip().casefold(): target for name, target in mapped.items()}
    numbers = {name.casefold(): number for number, name in enumerate(header.vocabulary.names)}
    table = [
        numbers.get(names.get(name.strip().casefold(), name).strip().casefold(), NO_CLASS) for name in labels.names
    ]
    if labels.names and all(number == NO_CLASS for number in table):
        known = ", ".join(header.vocabulary.names[:8])
        raise CallWrong(f"{path} has no class in common with the run, which knows {known}")
    notes = joined.notes
    strange = [name for name, number in zip(labels.names, table, strict=True) if number == NO_CLASS]
    if strange:
        notes = (*notes, f"labels without a compared class are ignore regions: {', '.join(strange)}")
    return {seq: relabel(truth, np.array(table, np.int32)) for seq, truth in joined.truths.items()}, notes


def _limits(header: RunHeader) -> tuple[CornerCaseLimits, tuple[str, ...]]:
    """Give the limits that the run was made with, else today's and a note."""
    limits = stored_limits(header.settings)
    if limits is not None:
        return limits, ()
    return CornerCaseLimits(), (f"{header.run_id} was made with other limits of corner cases; today's are used",)


def _refuse_unlike(readers: Sequence[RunReader]) -> None:
    """Refuse to pool runs of other models or classes."""
    if not readers:
        raise CallWrong("name at least one run")
    first = readers[0].header
    for reader in readers[1:]:
        header = reader.header
        if header.vocabulary != first.vocabulary:
            raise CallWrong(f"{header.run_id} judges other classes than {first.run_id}; evaluate them one by one")
        models = {role: facts.sha256 for role, facts in header.models.items()}
        if models != {role: facts.sha256 for role, facts in first.models.items()}:
            raise CallWrong(
                f"{header.run_id} has other models than {first.run_id}; `hilgui compare` sets runs beside each other"
            )
