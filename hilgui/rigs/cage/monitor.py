"""The monitor: signals in, violations out, the same ones for the same signals."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from hilgui.rigs.cage.invariant import Invariant, Measure, MinorRule, Severity, WhenUnknown

MAX_SAMPLES = 50_000  # of one invariant's window; more of them cannot be counted, so they violate
MINORS = "minor_violations"

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold."""

    id: str
    severity: Severity
    since_ns: int
    sentence: str
    is_new: bool  # first reported by this check


@dataclass(frozen=True, slots=True)
class Margin:
    """How far an invariant is from its limit; `measured` is None where the signal is missing."""

    id: str
    measured: float | None
    limit: str
    holds: bool


class _Watch:
    """One invariant with the samples it needs."""

    def __init__(self, invariant: Invariant, began_ns: int) -> None:
        self.invariant = invariant
        self.samples: deque[tuple[int, float]] = deque()
        self.began_ns = began_ns
        self.violated_ns: int | None = None
        self.is_reported = False

    def add(self, value: float, now_ns: int) -> None:
        if math.isnan(value) and self.invariant.on_nan is WhenUnknown.IGNORE:
            return
        self.samples.append((now_ns, value))
        if len(self.samples) > MAX_SAMPLES:
            self.samples.popleft()

    def measured(self, now_ns: int) -> float | None:
        """Give the measure, NaN where it cannot be told, None where the signal is missing."""
        keep = 2 if self.invariant.measure is Measure.RATE else 1
        self._forget(now_ns - round(self.invariant.window_s * _NS), keep)
        inside = [sample for sample in self.samples if sample[0] >= now_ns - self.invariant.window_s * _NS]
        if self.invariant.measure is Measure.COUNT:
            return math.nan if len(self.samples) >= MAX_SAMPLES else float(len(inside))
        if not self.samples or now_ns - self.samples[-1][0] > self.invariant.stale_s * _NS:
            return None
        if len(self.samples) >= MAX_SAMPLES:
            return math.nan
        return self._of(inside, now_ns)

    def _of(self, inside: list[tuple[int, float]], now_ns: int) -> float | None:
        values = [value for _, value in self.samples]
        match self.invariant.measure:
            case Measure.VALUE:
                return values[-1]
            case Measure.RATE:
                return _rate(self.samples)
            case Measure.TRAVEL:
                return sum(abs(after - before) for before, after in pairwise(values))
            case Measure.ON_TIME:
                return _on_time(self.samples, now_ns - round(self.invariant.window_s * _NS), now_ns)
            case _:
                return _p99([value for _, value in inside])

    def _forget(self, before_ns: int, keep: int) -> None:
        """Drop what is older than the window, but one sample that says what was at its beginning."""
        while len(self.samples) > keep and self.samples[1][0] <= before_ns:
            self.samples.popleft()


class Cage:
    """Watches all invariants; one thread of the supervisor owns it. Time comes in with every call."""

    def __init__(self, invariants: Iterable[Invariant], minor: MinorRule, now_ns: int) -> None:
        self._watches = [_Watch(invariant, now_ns) for invariant in invariants]
        self._minor = minor
        self._minors: deque[int] = deque()
        self._unjudged: frozenset[str] = frozenset()

    def begin(self, now_ns: int, unjudged: frozenset[str] = frozenset()) -> None:
        """Judge anew, with the samples that are there; signals of the devices `unjudged` are left out."""
        self._unjudged = unjudged
        self._minors.clear()
        for watch in self._watches:
            watch.began_ns, watch.violated_ns, watch.is_reported = now_ns, None, False

    def observe(self, signal: str, value: float, now_ns: int) -> None:
        """Take one sample of a signal: "device.channel", or an event such as "commands"."""
        for watch in self._watches:
            if watch.invariant.signal == signal:
                watch.add(value, now_ns)

    def check(self, now_ns: int) -> tuple[Violation, ...]:
        """Give everything that is violated now, debounced; many minor ones add one major."""
        found = [violation for watch in self._judged() if (violation := self._violation(watch, now_ns)) is not None]
        for violation in found:
            if violation.is_new and violation.severity is not Severity.STOP:
                self._minors.append(now_ns)
        while self._minors and self._minors[0] < now_ns - self._minor.within_s * _NS:
            self._minors.popleft()
        if len(self._minors) >= self._minor.count:
            sentence = f"{len(self._minors)} minor violations within {self._minor.within_s:g} s"
            found.append(Violation(MINORS, Severity.STOP, self._minors[0], sentence, self._minors[-1] == now_ns))
        return tuple(found)

    def refuses(self, signal: str, value: float) -> str:
        """Say why a value may not be commanded, "" where it may: it would violate an invariant by itself."""
        for watch in self._watches:
            invariant = watch.invariant
            if invariant.signal != signal or invariant.measure is not Measure.VALUE:
                continue
            if math.isnan(value) or not invariant.holds(value):
                return f"{signal} = {value:g} would violate {invariant.id} ({invariant.limit_text()})"
        return ""

    def count_minor(self, now_ns: int) -> None:
        """Count a refused command as a minor violation."""
        self._minors.append(now_ns)

    def margins(self, now_ns: int) -> tuple[Margin, ...]:
        """Give every invariant with its measure, for the screen."""
        shown = []
        for watch in self._judged():
            measured = watch.measured(now_ns)
            holds = not _is_violated(watch.invariant, measured)
            shown.append(Margin(watch.invariant.id, measured, watch.invariant.limit_text(), holds))
        return tuple(shown)

    def _judged(self) -> list[_Watch]:
        return [watch for watch in self._watches if watch.invariant.signal.partition(".")[0] not in self._unjudged]

    def _violation(self, watch: _Watch, now_ns: int) -> Violation | None:
        invariant, measured = watch.invariant, watch.measured(now_ns)
        is_starting = measured is None and now_ns - watch.began_ns <= invariant.stale_s * _NS
        if is_starting or not _is_violated(invariant, measured):
            watch.violated_ns, watch.is_reported = None, False
            return None
        if watch.violated_ns is None:
            watch.violated_ns = now_ns
        if now_ns - watch.violated_ns < invariant.debounce_s * _NS:
            return None
        is_new, watch.is_reported = not watch.is_reported, True
        sentence = f"{invariant.id}: {_shown(invariant, measured)}, has to be {invariant.limit_text()}"
        return Violation(invariant.id, invariant.severity, watch.violated_ns, sentence, is_new)


def _is_violated(invariant: Invariant, measured: float | None) -> bool:
    if measured is None:
        return invariant.on_missing is WhenUnknown.VIOLATE
    return math.isnan(measured) or not invariant.holds(measured)


def _shown(invariant: Invariant, measured: float | None) -> str:
    name = f"{invariant.measure.value}({invariant.signal})"
    if measured is None:
        return f"{name} is missing"
    return f"{name} is {measured:.6g} {invariant.unit}".rstrip()


def _rate(samples: deque[tuple[int, float]]) -> float | None:
    """Give the change per second of the two newest samples; None before there are two."""
    if len(samples) < 2:
        return None
    (before_ns, before), (after_ns, after) = samples[-2], samples[-1]
    if after_ns <= before_ns:
        return math.nan
    return abs(after - before) * _NS / (after_ns - before_ns)


def _on_time(samples: deque[tuple[int, float]], from_ns: int, now_ns: int) -> float:
    """Give the seconds since `from_ns` with a value above zero; a value counts until the next sample."""
    if any(math.isnan(value) for _, value in samples):
        return math.nan
    ends = [*(at for at, _ in samples), now_ns][1:]
    on_ns = 0
    for (at, value), end in zip(samples, ends, strict=True):
        if value > 0:
            on_ns += max(0, end - max(at, from_ns))
    return on_ns / _NS


def _p99(values: list[float]) -> float | None:
    """Give the nearest-rank 99th percentile; NaN with a NaN in it, None without values."""
    if not values:
        return None
    if any(math.isnan(value) for value in values):
        return math.nan
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]
