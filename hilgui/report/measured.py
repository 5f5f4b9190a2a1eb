"""Questions about the figures of a run that a process beside the screen works out, and what it answers."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from hilgui.evaluation import Behind, Figure, Interval, Scorecard
from hilgui.evaluation.kept_scores import Counted, KeptScores
from hilgui.records import Finding, Role, RunHeader, Task
from hilgui.report.behind import frames_of
from hilgui.report.differences import compare_many
from hilgui.report.evaluate import Changes, Rejudged, evaluate_runs, thresholds_of
from hilgui.report.noise import read_noise
from hilgui.report.protocol import Progress
from hilgui.report.slices import Sliced, slice_runs
from hilgui.report.waivers import Waiver
from hilgui.store import RunReader

_MOVING = "the threshold moves: the interval follows when it stands still"
_PLAYS = "the drive plays: intervals come at its end"
_FIRST = 100  # frames of a run under way that the first figures wait for; then as many again as there were before
_CARD, _FINDINGS, _FOLLOWED = "scorecard", "findings", "followed"


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The figures of one run, all plain: it travels between processes."""

    folder: Path
    run_id: str
    frames: int  # evaluated
    thresholds: dict[Role, float]
    figures: dict[Role, dict[str, Figure]]
    details: dict[Role, dict[str, Any]]
    classes: tuple[str, ...]  # judged, by rising number
    names: dict[Role, str]  # of the models
    has_truth: bool
    kept: dict[Role, KeptScores] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)  # by kind
    notes: tuple[str, ...] = ()
    is_under_way: bool = False
    is_behind: bool = False  # more frames are stored than these figures know
    is_whole: bool = False  # with intervals, and ready to be asked for frames

    @property
    def roles(self) -> tuple[Role, ...]:
        """Name the models, the baseline first."""
        return tuple(role for role in Role if role in self.figures)


def stored(folder: Path) -> Measured:
    """Give the figures that the run stored when it ended, or the rates so far while it plays: at once.

    Without intervals. Raises StoreBroken.
    """
    with closing(RunReader(folder)) as reader:
        header = reader.header
        plain = {role: value or {} for role, value in reader.figures().items() if role in header.models}
        figures = {role: _figures(value.get("figures", {})) for role, value in plain.items()}
        is_under_way = reader.state == "running"
        return replace(
            _empty(folder, header),
            frames=reader.ledger.evaluated,
            thresholds={role: facts.threshold for role, facts in header.models.items()},
            figures=_rates_so_far(reader) if is_under_way else figures,
            details={role: value.get("details", {}) for role, value in plain.items()},
            findings=dict(Counter(finding.kind.value for finding in reader.findings())),
            is_under_way=is_under_way,
        )


@dataclass(frozen=True, slots=True)
class Measure:
    """Judge a run again; one that is under way is followed, frame by frame, from question to question."""

    folder: Path
    changes: Changes

    def __call__(self, kept: dict[str, Any], tell: Progress) -> Measured:
        """Read the moments and measure; raises CallWrong, StoreBroken and TruthBroken."""
        with closing(RunReader(self.folder)) as reader:
            if reader.state == "running":
                return self._followed(reader, kept)
            kept.pop(_FOLLOWED, None)
            evaluated = evaluate_runs([reader], self.changes, tell)
            kept[_CARD], kept[_FINDINGS] = evaluated.scorecard, evaluated.findings
            found = [each for _, mine in evaluated.findings for each in mine]
            measured = _measured(self.folder, reader, evaluated.scorecard, evaluated.figures())
            kinds = dict(Counter(each.kind.value for each in found))
            return replace(measured, findings=kinds, notes=evaluated.notes, is_whole=True)

    def _followed(self, reader: RunReader, kept: dict[str, Any]) -> Measured:
        """Add the next frames, never all that were stored meanwhile: a quick drive would be followed to its end."""
        again = Rejudged(reader, self.changes)
        before = kept.get(_FOLLOWED)
        if before is None or before[0] != (self.folder, self.changes):
            card = Scorecard(
                reader.header, thresholds=thresholds_of(reader.header, self.changes), vocabulary=again.vocabulary
            )
            before = ((self.folder, self.changes), card, 0, 0)
        key, card, first, known = before
        most = max(_FIRST, known)
        added = 0
        for moment in islice(again.moments(first), most):
            card.add(moment)
            first, added = moment.ref.seq + 1, added + 1
        kept[_FOLLOWED] = (key, card, first, known + added)
        found = reader.findings()
        kept[_CARD], kept[_FINDINGS] = card, [(reader.header.run_id, found)]
        figures = {
            role: {
                name: replace(figure, why_no_interval=figure.why_no_interval or _PLAYS) for name, figure in mine.items()
            }
            for role, mine in card.figures().items()
        }
        return replace(
            _measured(self.folder, reader, card, figures),
            frames=known + added,
            findings=dict(Counter(each.kind.value for each in found)),
            is_under_way=True,
            is_behind=added == most,
        )


@dataclass(frozen=True, slots=True)
class AskBehind:
    """Ask for the frames behind a figure of the run that was measured last."""

    role: Role
    figure: str

    def __call__(self, kept: dict[str, Any], tell: Progress) -> list[Behind]:
        """Look them up; raises CallWrong for a figure without frames."""
        return frames_of(kept[_CARD], self.role, self.figure, kept[_FINDINGS])


@dataclass(frozen=True, slots=True)
class Slice:
    """Ask for the slices of a run."""

    folder: Path
    threshold: float | None = None

    def __call__(self, kept: dict[str, Any], tell: Progress) -> list[Sliced]:
        """Slice it; raises CallWrong for a run without labels."""
        with closing(RunReader(self.folder)) as reader:
            return slice_runs([reader], threshold=self.threshold, progress=tell, with_tags=True)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What `compare_many` found, with the findings themselves."""

    plain: dict[str, Any]
    folders: dict[str, Path]  # by run id
    findings: dict[str, tuple[Finding, ...]]  # by run id
    drives: dict[Path, str]  # name of the recording


@dataclass(frozen=True, slots=True)
class Compare:
    """Ask for the differences of runs; the first one is the reference."""

    folders: tuple[Path, ...]
    waivers: tuple[Waiver, ...]
    today: date

    def __call__(self, kept: dict[str, Any], tell: Progress) -> Compared:
        """Compare them; raises CallWrong and StoreBroken."""
        with ExitStack() as opened:
            readers = [opened.enter_context(closing(RunReader(folder))) for folder in self.folders]
            noise = read_noise(self.folders[0])
            plain = compare_many(readers, waivers=self.waivers, today=self.today, noise=noise, progress=tell)
            return Compared(
                plain,
                {reader.header.run_id: reader.folder for reader in readers},
                {reader.header.run_id: tuple(reader.findings()) for reader in readers},
                {reader.folder: reader.header.source.name for reader in readers},
            )


def _empty(folder: Path, header: RunHeader) -> Measured:
    vocabulary = header.vocabulary
    return Measured(
        folder=folder,
        run_id=header.run_id,
        frames=0,
        thresholds={},
        figures={},
        details={},
        classes=tuple(vocabulary.name(number) for number in sorted(vocabulary.judged)),
        names={role: facts.name for role, facts in header.models.items()},
        has_truth=header.truth is not None,
    )


def _measured(folder: Path, reader: RunReader, card: Scorecard, figures: dict[Role, dict[str, Figure]]) -> Measured:
    judged = {role: card.subjects[role].judged for role in card.subjects}
    return replace(
        _empty(folder, reader.header),
        frames=reader.ledger.evaluated,
        thresholds={role: subject.threshold for role, subject in card.subjects.items()},
        figures=figures,
        details=card.details(),
        kept={role: KeptScores(card.detection(role).precision.scored(), len(judged[role])) for role in card.detectors},
    )


def _rates_so_far(reader: RunReader) -> dict[Role, dict[str, Figure]]:
    """Count what each detector found, missed and made up so far; nothing is matched again."""
    timeline = reader.timeline()
    rates = {}
    for role, mine in timeline.roles.items():
        judged = mine.ran & timeline.with_truth
        if not judged.any() or Task(reader.header.models[role].task) is not Task.DETECTION:
            continue
        counted = Counted(*(int(column[judged].sum()) for column in (mine.matched, mine.missed, mine.phantoms)))
        rates[role] = {
            name: Figure(getattr(counted, name), count, of, why_no_interval=_PLAYS)
            for name, count, of in _rates(counted)
        }
    return rates


def _rates(counted: Counted) -> tuple[tuple[str, int, str], ...]:
    """Name the rates with what each of them rests on."""
    truths, shown = counted.matched + counted.missed, counted.matched + counted.phantoms
    return (
        ("recall", truths, "truths"),
        ("precision", shown, "detections"),
        ("f1", truths + shown, "truths and detections"),
    )


def _figures(plain: dict[str, Any]) -> dict[str, Figure]:
    """Read figures as a run stores them."""
    return {
        name: Figure(
            value["value"],
            value["count"],
            value.get("of", "truths"),
            value.get("better", "higher"),
            Interval(**value["interval"]) if value.get("interval") else None,
            value.get("why_no_interval") or "",
        )
        for name, value in plain.items()
    }


def at_threshold(measured: Measured, threshold: float) -> Measured:
    """Give the same with the rates of another threshold, from the kept scores: at once, without their intervals."""
    figures = {}
    for role, mine in measured.figures.items():
        figures[role] = dict(mine)
        kept = measured.kept.get(role)
        if kept is None:
            continue
        for column, label in enumerate(("", *(f".{name}" for name in measured.classes)), -1):
            counted = kept.at(threshold, None if column < 0 else column)
            for name, count, _ in _rates(counted):
                before = mine.get(f"{name}{label}")
                if before is not None:
                    value = getattr(counted, name)
                    figures[role][f"{name}{label}"] = Figure(
                        value, count, before.of, before.better, why_no_interval=_MOVING
                    )
    thresholds = dict.fromkeys(measured.thresholds, threshold)
    return replace(measured, figures=figures, thresholds=thresholds)
