"""One invariant as people declare it, and the small grammar of signals, limits and durations. Nothing is evaluated."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

MAX_WINDOW_S = 600.0

_E = TypeVar("_E", bound=Enum)


class Severity(Enum):
    """What a violation does."""

    BLOCK = "block"  # commands are refused
    HOLD = "hold"  # motion stops, power stays: stop category 2
    STOP = "stop"  # stop category 1, and the latch


class WhenUnknown(Enum):
    """What a signal does that is missing or no number."""

    VIOLATE = "violate"
    IGNORE = "ignore"


class Measure(Enum):
    """What is looked at in a signal."""

    VALUE = "value"  # the newest sample
    RATE = "rate"  # change per second between the two newest samples, without sign
    TRAVEL = "travel"  # sum of all changes within the window, without sign
    ON_TIME = "on_time"  # seconds within the window during which it was above zero
    COUNT = "count"  # samples within the window
    P99 = "p99"  # 99th percentile within the window, nearest rank


class Operator(Enum):
    """How the measure has to stand to the limit."""

    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    EQUAL = "=="
    UNEQUAL = "!="
    INSIDE = "inside"
    OUTSIDE = "outside"


_COMPARE: Mapping[Operator, Callable[[float, float], bool]] = {
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
    Operator.EQUAL: operator.eq,
    Operator.UNEQUAL: operator.ne,
}
_RANGES = (Operator.INSIDE, Operator.OUTSIDE)
_NAME = r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)?"
_SIGNAL = re.compile(rf"(?:(?P<measure>[a-z0-9_]+)\((?P<inner>{_NAME})\))|(?P<plain>{_NAME})")
_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_LIMIT = re.compile(rf"(?P<low>{_NUMBER})(?:\s*\.\.\s*(?P<high>{_NUMBER}))?(?:\s+(?P<unit>\S+))?")
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|min)")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0}
_WINDOWED = (Measure.TRAVEL, Measure.ON_TIME, Measure.COUNT, Measure.P99)


@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that always has to hold while outputs may be on."""

    id: str
    version: int
    severity: Severity
    signal: str  # "stage.x", "perception.latency_ms", "commands"
    measure: Measure
    unit: str  # of the measure
    operator: Operator
    low: float  # the limit; of a range its lower end
    high: float
    hazard_id: str
    rationale: str
    tests: tuple[str, ...]
    debounce_s: float  # how long it may be violated before it counts
    window_s: float
    stale_s: float  # a signal older than this is missing
    on_missing: WhenUnknown
    on_nan: WhenUnknown

    def holds(self, measured: float) -> bool:
        """Compare a finite or infinite measure with the limit; NaN is not for here."""
        if self.operator is Operator.INSIDE:
            return self.low <= measured <= self.high
        if self.operator is Operator.OUTSIDE:
            return measured < self.low or measured > self.high
        return _COMPARE[self.operator](measured, self.low)

    def limit_text(self) -> str:
        """Give the limit as people read it: "<= 14.4 V"."""
        limit = f"{self.low:g} .. {self.high:g}" if self.operator in _RANGES else f"{self.low:g}"
        return f"{self.operator.value} {limit} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class MinorRule:
    """Many minor violations (block, hold) add up to a major one (stop)."""

    count: int = 5
    within_s: float = 60.0


class DeclarationWrong(ValueError):
    """A sentence about one key of one declaration."""

    def __init__(self, key: str, sentence: str) -> None:
        """Keep the key, so that the reader of the file finds the line."""
        super().__init__(f"{key}: {sentence}")
        self.key = key


_KEYS = {
    "id", "version", "severity", "signal", "unit", "operator", "limit", "debounce", "window", "stale",
    "on_missing", "on_nan", "hazard_id", "rationale", "tests",
}  # fmt: skip
_NEEDED = ("id", "version", "severity", "signal", "unit", "operator", "limit", "hazard_id", "rationale", "tests")


def parse_invariant(fields: Mapping[str, object]) -> Invariant:
    """Read one declaration; raises DeclarationWrong."""
    for key in fields:
        if key not in _KEYS:
            raise DeclarationWrong(key, "unknown key")
    for key in _NEEDED:
        if key not in fields:
            raise DeclarationWrong(key, "missing")
    version, tests = fields["version"], fields["tests"]
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise DeclarationWrong("version", "a whole number from 1 on")
    if not isinstance(tests, list | tuple) or not tests or not all(isinstance(test, str) and test for test in tests):
        raise DeclarationWrong("tests", "a list with the names of the tests that show it, at least one")
    measure, signal = _signal(_text(fields, "signal"))
    relation = _choice(Operator, fields, "operator")
    unit = _text(fields, "unit", may_be_empty=True)
    low, high = _limit(fields["limit"], unit, is_range=relation in _RANGES)
    window_s = _duration(fields, "window", 0.0)
    if (measure in _WINDOWED) != (window_s > 0):
        raise DeclarationWrong("window", f"{measure.value} {'needs one' if measure in _WINDOWED else 'has none'}")
    if window_s > MAX_WINDOW_S:
        raise DeclarationWrong("window", f"at most {MAX_WINDOW_S:g} s")
    return Invariant(
        id=_text(fields, "id"),
        version=version,
        severity=_choice(Severity, fields, "severity"),
        signal=signal,
        measure=measure,
        unit=unit,
        operator=relation,
        low=low,
        high=high,
        hazard_id=_text(fields, "hazard_id"),
        rationale=_text(fields, "rationale"),
        tests=tuple(tests),
        debounce_s=_duration(fields, "debounce", 0.0),
        window_s=window_s,
        stale_s=_duration(fields, "stale", 1.0),
        on_missing=_choice(WhenUnknown, fields, "on_missing", WhenUnknown.VIOLATE),
        on_nan=_choice(WhenUnknown, fields, "on_nan", WhenUnknown.VIOLATE),
    )


def _signal(text: str) -> tuple[Measure, str]:
    found = _SIGNAL.fullmatch(text)
    if found is None:
        raise DeclarationWrong("signal", f"{text!r} is no signal; write device.channel or rate(device.channel)")
    if found["plain"]:
        return Measure.VALUE, found["plain"]
    try:
        return Measure(found["measure"]), found["inner"]
    except ValueError:
        names = ", ".join(measure.value for measure in Measure)
        raise DeclarationWrong("signal", f"there is no measure {found['measure']}; there are {names}") from None


def _limit(value: object, unit: str, *, is_range: bool) -> tuple[float, float]:
    text = "" if isinstance(value, bool) else str(value).strip()
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise DeclarationWrong("limit", f"{text!r} is no limit; write 14.4 V, or 0 .. 14.4 V")
    if found["unit"] is not None and found["unit"] != unit:
        raise DeclarationWrong("limit", f"{text!r} is not in {unit or 'a number without unit'}")
    if (found["high"] is not None) != is_range:
        raise DeclarationWrong("limit", "a range (low .. high) goes with inside and outside, and only with them")
    low = float(found["low"])
    high = low if found["high"] is None else float(found["high"])
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        raise DeclarationWrong("limit", f"{text!r} is empty or too large")
    return low, high


def _duration(fields: Mapping[str, object], key: str, default: float) -> float:
    if key not in fields:
        return default
    found = _DURATION.fullmatch(str(fields[key]).strip())
    if found is None:
        raise DeclarationWrong(key, f"{fields[key]!r} is no duration; write 250 ms, 10 s or 1 min")
    return float(found["number"]) * _SECONDS[found["unit"]]


def _text(fields: Mapping[str, object], key: str, *, may_be_empty: bool = False) -> str:
    value = fields[key]
    if not isinstance(value, str) or not (value.strip() or may_be_empty):
        raise DeclarationWrong(key, "text")
    return value.strip()


def _choice(kind: type[_E], fields: Mapping[str, object], key: str, default: _E | None = None) -> _E:
    if default is not None and key not in fields:
        return default
    try:
        return kind(fields[key])
    except ValueError:
        names = ", ".join(str(each.value) for each in kind)
        raise DeclarationWrong(key, f"{fields[key]!r} is none of {names}") from None
