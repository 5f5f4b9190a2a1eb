"""Drift: scores or pictures are not what they were at the beginning of the drive."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.protocol import RunContext
from hilgui.drift import Adwin, Look, Measured, figures_of, in_words, psi
from hilgui.records import Hit, Kind, Moment, Role, Severity, Suspect

EVERY = 100  # scores between two looks at the PSI
_GREY = 255.0


class Drift:
    """Compares the last `values` scores of a model with its first by the PSI, and means over time by ADWIN.

    ADWIN looks at the mean score of each model and at mean and deviation of the grey levels, each averaged over
    `block_s`: neighbouring frames are alike, and it takes values for independent. After an alarm of the PSI the last
    window is the new reference. Where the run has a reference of its own (hilgui.drift.Reference), windows are compared
    with that too.
    """

    kind: ClassVar[Kind] = Kind.DRIFT
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        assert context.period_s is not None
        self._thresholds = context.thresholds
        limits = context.limits.drift
        frames = max(1, round(limits.block_s / context.period_s))
        self._windows = {role: _Windows(limits.values, limits.psi) for role in context.thresholds}
        self._scores = {role: _Blocks(frames, limits.delta) for role in context.thresholds}
        self._pictures = {name: _Blocks(frames, limits.delta) for name in ("mean", "deviation")}
        self._vocabulary, self._monitor, self._features = context.vocabulary, context.monitor, context.features
        self._told = 0  # looks at features that hits were made of

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each figure that changed for good with this frame."""
        hits: list[Hit] = []
        for role, inference in moment.inferences.items():
            above = inference.detections.count_above(self._thresholds[role])
            scores = inference.detections.scores[:above].tolist()
            value = self._windows[role].add(scores)
            if value is not None:
                hits.append(self._shifted(role, value, moment.ref.seq))
            if scores and (change := self._scores[role].add(sum(scores) / len(scores))):
                hits.append(self._changed(role, "mean score", change, 1.0, moment.ref.seq))
        health = moment.health
        for name, figure in (("mean", health.mean), ("deviation", health.deviation)):
            if change := self._pictures[name].add(figure / _GREY):
                grey = f"{name} of the grey levels"
                hits.append(self._changed(None, grey, change, _GREY, moment.ref.seq))
        return [*hits, *self._against_reference(moment)]

    def _against_reference(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each figure that left its limits in a window that is whole since the last frame."""
        looks: list[Look] = []
        if self._monitor is not None:
            figures = figures_of(moment, self._thresholds, self._vocabulary)
            look = self._monitor.add(moment.ref.seq, moment.ref.time_s, figures)
            looks += [] if look is None else [look]
        if self._features is not None:  # which are added by whoever samples them
            looks += self._features.looks[self._told :]
            self._told = len(self._features.looks)
        for look in looks:
            furthest: dict[str, Measured] = {}
            for one in look.alarms:
                furthest.setdefault(one.figure, one)
            yield from (self._away(one, look, moment.ref.seq) for one in furthest.values())

    def _away(self, one: Measured, look: Look, seq: int) -> Hit:
        group = one.figure.replace(" ", ".").partition(".")[0]  # of "baseline.score" and "baseline features"
        role = next((each for each in self._thresholds if each.value == group), None)
        numbers = {one.statistic: one.value, "limit": one.limit, "before": one.before, "now": one.now}
        ratio = one.ratio or 1.0
        return Hit(
            kind=self.kind,
            seq=seq,
            thread=f"reference {one.figure}",
            severity=Severity.MEDIUM if ratio > 2.0 else Severity.LOW,
            weight=ratio,
            why=f"frames {look.first_seq} to {look.last_seq} are not like the reference: {in_words(one)}",
            role=role,
            evidence={name: value for name, value in numbers.items() if value is not None},
            suspect=None if role else Suspect.RIG,
            suspect_why="" if role else "the picture itself changed: light, exposure, weather or place",
        )

    def _shifted(self, role: Role, value: float, seq: int) -> Hit:
        windows = self._windows[role]
        return Hit(
            kind=self.kind,
            seq=seq,
            thread="psi",
            severity=Severity.MEDIUM if value > 2 * windows.limit else Severity.LOW,
            weight=value,
            why=f"the scores of the {role} are distributed differently than before: PSI {value:.2f} between the last "
            f"{windows.length} and {windows.length} earlier ones, the limit is {windows.limit:g}",
            role=role,
            evidence={"psi": value, "values": float(windows.length)},
        )

    def _changed(self, role: Role | None, name: str, change: tuple[float, float], scale: float, seq: int) -> Hit:
        before, now = change[0] * scale, change[1] * scale
        of = f" of the {role}" if role else ""
        return Hit(
            kind=self.kind,
            seq=seq,
            thread=name,
            severity=Severity.LOW,
            weight=abs(now - before) / scale,
            why=f"the {name}{of} changed from {before:.{3 if role else 1}f} to {now:.{3 if role else 1}f} (ADWIN)",
            role=role,
            evidence={"before": before, "now": now},
            suspect=None if role else Suspect.RIG,
            suspect_why="" if role else "the picture itself changed: light, exposure, weather or place",
        )


class _Windows:
    """The first and the last values of a model."""

    def __init__(self, length: int, limit: float) -> None:
        self.length, self.limit = length, limit
        self._first: list[float] = []
        self._last: deque[float] = deque(maxlen=length)
        self._fresh = 0

    def add(self, scores: list[float]) -> float | None:
        """Take the scores of a frame; give the PSI where it is above the limit."""
        room = self.length - len(self._first)
        self._first += scores[:room]
        self._last.extend(scores[room:] if room > 0 else scores)
        self._fresh += len(scores)
        if len(self._last) < self.length or self._fresh < EVERY:
            return None
        self._fresh = 0
        value = psi(self._first, list(self._last))
        if value <= self.limit:
            return None
        self._first = list(self._last)
        self._last.clear()
        return value


class _Blocks:
    """Averages blocks of frames and gives the averages to ADWIN."""

    def __init__(self, frames: int, delta: float) -> None:
        self._frames = frames
        self._values: list[float] = []
        self._adwin = Adwin(delta, clock=1, least=10)

    def add(self, value: float) -> tuple[float, float] | None:
        """Take a value; give the means before and after a change that this block proves."""
        self._values.append(value)
        if len(self._values) < self._frames:
            return None
        block, self._values = sum(self._values) / len(self._values), []
        before = self._adwin.mean
        return (before, self._adwin.mean) if self._adwin.add(block) else None
