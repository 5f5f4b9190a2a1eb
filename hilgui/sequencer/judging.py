"""Measures the criteria of a case on its stored runs and captured readings: value, limit, verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.geometry import cameras_of
from hilgui.evaluation.slices import Slicer
from hilgui.numerals import number_of
from hilgui.records import Outcome, Role, Severity
from hilgui.report.evaluate import evaluate_runs
from hilgui.report.slices import conditions_of
from hilgui.sequencer.criteria import OF_RUN, Criterion, Unwanted, unit_of
from hilgui.sequencer.results import CriterionResult, Frames
from hilgui.settings import stored_limits
from hilgui.store import RunReader

Measured = tuple[float | None, str]  # the value, and what it rests on or why there is none


class Evidence:
    """What a case has to show: its runs, what it captured, what the rig counted."""

    def __init__(self, readers: Sequence[RunReader], captured: Mapping[str, float], counts: Mapping[str, int]) -> None:
        self._readers = readers
        self._captured = captured
        self._counts = counts
        self._slicers: dict[Role, Slicer] = {}

    @cached_property
    def frames(self) -> Frames:
        """Add up the ledgers."""
        ledgers = [reader.ledger for reader in self._readers]
        reasons = [f"{number_of(count, 'frame')} {why}" for ledger in ledgers for why, count in ledger.losses]
        return Frames(
            sum(ledger.captured for ledger in ledgers),
            sum(ledger.evaluated for ledger in ledgers),
            sum(ledger.lost for ledger in ledgers),
            sum(ledger.candidate_skipped for ledger in ledgers),
            tuple(dict.fromkeys(reasons)),
        )

    def judge(self, criterion: Criterion) -> CriterionResult:
        """Measure one criterion; missing evidence is INCONCLUSIVE, never a PASS."""
        value, note = self._measure(criterion)
        limit = criterion.parsed
        unit = criterion.unit or unit_of(criterion.metric or "") or ""
        if value is None or not math.isfinite(value):
            note = note or "not a number"
            return CriterionResult(criterion.title, None, str(limit), unit, Outcome.INCONCLUSIVE, note)
        outcome = Outcome.PASS if limit.holds(value) else Outcome.FAIL
        return CriterionResult(criterion.title, value, str(limit), unit, outcome, note)

    def _measure(self, criterion: Criterion) -> Measured:
        metric = criterion.metric
        if metric is not None and metric.startswith("captured."):
            value = self._captured.get(metric.removeprefix("captured."))
            return value, "" if value is not None else "it was not captured"
        if metric is not None and metric.startswith("rig."):
            return float(self._counts.get(metric.removeprefix("rig."), 0)), ""
        if not self._readers:
            return None, "nothing was replayed"
        role = Role(criterion.model)
        if criterion.must_not_detect is not None:
            return self._detected(role, criterion.must_not_detect)
        if criterion.findings is not None:
            return self._found(role, criterion)
        assert metric is not None
        if criterion.is_sliced:
            return self._sliced(role, metric, criterion.slices)
        return self._of_run(role, metric) if metric in OF_RUN else self._figure(role, metric)

    def _found(self, role: Role, criterion: Criterion) -> Measured:
        wanted = criterion.findings
        assert wanted is not None
        least = Severity[wanted.severity.upper()]
        found = [
            finding
            for reader in self._readers
            for finding in reader.findings(kind=wanted.kind)
            if finding.role in (role, None) and finding.severity >= least
        ]
        worst = f"first at frame {found[0].worst_seq}: {found[0].why}" if found else ""
        return float(len(found)), worst

    def _detected(self, role: Role, unwanted: Unwanted) -> Measured:
        count, first, looked = 0, "", 0
        for reader in self._readers:
            names = reader.header.vocabulary.names
            numbers = [number for number, name in enumerate(names) if name in unwanted.classes]
            if len(numbers) < len(unwanted.classes):
                missing = sorted(set(unwanted.classes) - set(names))
                return None, f"the run knows no class {', '.join(missing)}; it knows {', '.join(names)}"
            score = reader.header.models[role].threshold if unwanted.score is None else unwanted.score
            for moment in reader.moments(*(unwanted.frames or (0, None))):
                inference = moment.inferences.get(role)
                if inference is None:
                    continue
                looked += 1
                shown = inference.detections.first(inference.detections.count_above(score))
                hits = np.isin(shown.classes, numbers)
                if unwanted.region is not None:
                    x1, y1, x2, y2 = unwanted.region
                    centres = (shown.boxes[:, :2] + shown.boxes[:, 2:]) / 2
                    hits &= (centres >= (x1, y1)).all(axis=1) & (centres <= (x2, y2)).all(axis=1)
                if hits.any() and not first:
                    first = f"first at frame {moment.ref.seq}"
                count += int(hits.sum())
        return (float(count), first) if looked else (None, "no frame of these was evaluated")

    def _of_run(self, role: Role, metric: str) -> Measured:
        frames = self.frames
        counted = {
            "frames": frames.evaluated,
            "lost_frames": frames.lost,
            "candidate_skipped": frames.candidate_skipped,
        }
        if metric in counted:
            return float(counted[metric]), ""
        timelines = [reader.timeline() for reader in self._readers]
        if metric == "fps":
            walls = [reader.meta("wall_s") for reader in self._readers]
            return (frames.evaluated / sum(walls), "") if all(walls) else (None, "the run was not finished")
        if metric == "disagreement":
            values = np.concatenate([timeline.disagreement for timeline in timelines])
            known = values[~np.isnan(values)]
            return (float(known.mean(dtype=np.float64)), "") if len(known) else (None, "needs a candidate")
        lines = [timeline.roles[role] for timeline in timelines]
        if metric.startswith("latency_"):
            values = np.concatenate([line.latency_ms[line.ran] for line in lines]).astype(np.float64)
            if not len(values):
                return None, "the model saw no frame"
            return float(np.percentile(values, 50 if "p50" in metric else 99)), f"{number_of(len(values), 'frame')}"
        if not any(timeline.with_truth.any() for timeline in timelines):
            return None, "the recording has no labels"
        return float(sum(int(getattr(line, metric).sum()) for line in lines)), ""

    def _figure(self, role: Role, name: str) -> Measured:
        figures = self._figures.get(role, {})
        if name not in figures:
            near = ", ".join(sorted(each for each in figures if "." not in each)[:12])
            return None, f"the run has no figure {name}" + (f"; it has {near}, …" if near else ": no labels")
        value, count, of = figures[name]
        return value, f"{count} {of}" if value is not None else f"nothing to measure: {count} {of}"

    @cached_property
    def _figures(self) -> dict[Role, dict[str, tuple[float | None, int, str]]]:
        if len(self._readers) > 1:
            pooled = evaluate_runs(self._readers).scorecard.figures()
            return {
                role: {name: (one.value, one.count, one.of) for name, one in mine.items()}
                for role, mine in pooled.items()
            }
        stored = {role: (mine or {}).get("figures", {}) for role, mine in self._readers[0].figures().items()}
        return {
            role: {name: (one["value"], one["count"], one["of"]) for name, one in mine.items()}
            for role, mine in stored.items()
        }

    def _sliced(self, role: Role, metric: str, chosen: Mapping[str, tuple[str, ...]]) -> Measured:
        if all(reader.header.truth is None for reader in self._readers):
            return None, "the recording has no labels"
        slicer = self._slicers.get(role) or self._slicers.setdefault(role, self._slice(role))
        if metric in ("precision", "map_50"):
            (dimension, values), *_ = chosen.items()
            for each in slicer.figures():
                if (each.dimension, (each.value,)) == (dimension, values):
                    return getattr(each, metric), f"{each.truths} truths"
            return None, f"no object has {dimension} {' or '.join(values)}; {metric} needs one value"
        rows = slicer.rows()
        inside = np.ones(len(rows.matched), np.bool_)
        for dimension, values in chosen.items():
            if dimension not in rows.dimensions:
                return None, f"there is no dimension {dimension}; there are {', '.join(rows.dimensions)}"
            column = rows.dimensions.index(dimension)
            wanted = [code for code, name in enumerate(rows.values[column]) if name in values]
            inside &= np.isin(rows.codes[:, column], wanted)
        truths, matched = int(inside.sum()), int(rows.matched[inside].sum())
        if not truths:
            return None, "no object is in this slice"
        return (matched / truths if metric == "recall" else float(truths - matched)), f"{truths} truths"

    def _slice(self, role: Role) -> Slicer:
        header = self._readers[0].header
        slicer = Slicer(Subject(role, header.vocabulary, header.models[role].threshold))
        for reader in self._readers:
            told, source = stored_limits(reader.header.settings), reader.header.source
            limits = None if told is None else told.criticality
            conditions = conditions_of(reader.header)
            slicer.start_drive(reader.header.run_id, conditions, cameras_of(source), source.name, limits)
            for moment in reader.moments():
                slicer.add(moment)
        return slicer


_GRAVITY: Callable[[Outcome], int] = (
    Outcome.ABORTED, Outcome.ERROR, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS
).index  # fmt: skip


def gravest(outcomes: Sequence[Outcome]) -> Outcome:
    """Give the worst of some verdicts; nothing at all is INCONCLUSIVE."""
    return min(outcomes, key=_GRAVITY, default=Outcome.INCONCLUSIVE)
