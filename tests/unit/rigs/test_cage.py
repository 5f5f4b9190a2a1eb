"""The safety cage: what it lets through, what it does not; every branch, and mutants that these tests kill."""

from __future__ import annotations

import ast
import math
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from hilgui.rigs import cage as cage_package
from hilgui.rigs.cage import Cage, Measure, MinorRule, Severity, WhenUnknown, monitor, parse_invariant
from hilgui.rigs.cage.invariant import MAX_WINDOW_S, DeclarationWrong, Operator
from hilgui.rigs.cage.monitor import MINORS

S = 1_000_000_000
FIELDS: dict[str, object] = {
    "id": "supply_max",
    "version": 1,
    "severity": "stop",
    "signal": "supply.voltage",
    "unit": "V",
    "operator": "<=",
    "limit": "14.4 V",
    "hazard_id": "H1",
    "rationale": "the camera dies above",
    "tests": ["test_cage"],
}


def _cage(*changes: Mapping[str, object], minor: MinorRule | None = None) -> Cage:
    """Make a cage of declarations that differ from the usual one, begun at 10 s."""
    invariants = [parse_invariant({**FIELDS, "id": f"i{n}", **each}) for n, each in enumerate(changes)]
    return Cage(invariants, minor or MinorRule(1000, 1.0), 10 * S)


def _ids(cage: Cage, now_s: float) -> list[str]:
    return [violation.id for violation in cage.check(round(now_s * S))]


def _is_violated(cage: Cage, now_s: float) -> bool:
    return bool(_ids(cage, now_s))


def test_a_declaration_is_read_with_its_defaults() -> None:
    read = parse_invariant(FIELDS)
    assert (read.id, read.version, read.severity, read.signal) == ("supply_max", 1, Severity.STOP, "supply.voltage")
    assert (read.measure, read.unit, read.operator) == (Measure.VALUE, "V", Operator.AT_MOST)
    assert (read.low, read.high, read.debounce_s, read.window_s, read.stale_s) == (14.4, 14.4, 0.0, 0.0, 1.0)
    assert (read.on_missing, read.on_nan) == (WhenUnknown.VIOLATE, WhenUnknown.VIOLATE)
    assert (read.hazard_id, read.rationale, read.tests) == ("H1", "the camera dies above", ("test_cage",))


def test_a_declaration_is_read_with_everything_given() -> None:
    read = parse_invariant(
        {
            **FIELDS,
            "signal": "p99(perception.latency_ms)",
            "operator": "inside",
            "limit": "-1e1 .. 2.5",
            "window": "2 min",
            "debounce": "250 ms",
            "stale": "3 s",
            "on_missing": "ignore",
            "on_nan": "ignore",
        }
    )
    assert (read.measure, read.signal, read.low, read.high) == (Measure.P99, "perception.latency_ms", -10.0, 2.5)
    assert (read.window_s, read.debounce_s, read.stale_s) == (120.0, 0.25, 3.0)
    assert (read.on_missing, read.on_nan) == (WhenUnknown.IGNORE, WhenUnknown.IGNORE)
    assert read.limit_text() == "inside -10 .. 2.5 V"
    assert parse_invariant({**FIELDS, "unit": "", "limit": 3}).limit_text() == "<= 3"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("limits", 1, "unknown key"),
        ("version", 0, "whole number"),
        ("version", True, "whole number"),
        ("version", "1", "whole number"),
        ("tests", [], "at least one"),
        ("tests", [""], "at least one"),
        ("tests", [1], "at least one"),
        ("tests", "test_cage", "at least one"),
        ("signal", "__import__('os')", "no signal"),
        ("signal", "a.b.c", "no signal"),
        ("signal", "eval(a.b)", "no measure eval"),
        ("signal", 3, "text"),
        ("id", " ", "text"),
        ("unit", None, "text"),
        ("limit", "2*7", "no limit"),
        ("limit", True, "no limit"),
        ("limit", "14.4 A", "not in V"),
        ("limit", "nan", "no limit"),
        ("limit", "1e999 V", "empty or too large"),
        ("limit", "0 .. 14.4 V", "a range"),
        ("severity", "fatal", "none of block, hold, stop"),
        ("operator", "=<", "none of"),
        ("operator", "inside", "a range"),
        ("debounce", "10", "no duration"),
        ("debounce", "-1 s", "no duration"),
        ("window", "1 s", "value has none"),
        ("on_nan", "pass", "none of violate, ignore"),
    ],
)
def test_a_wrong_declaration_is_refused_by_its_key(key: str, value: object, said: str) -> None:
    with pytest.raises(DeclarationWrong, match=said) as caught:
        parse_invariant({**FIELDS, key: value})
    assert caught.value.key in (key, "limit")
    assert str(caught.value).startswith(caught.value.key)


@pytest.mark.parametrize("key", sorted(FIELDS))
def test_a_missing_key_is_refused(key: str) -> None:
    with pytest.raises(DeclarationWrong, match=f"{key}: missing"):
        parse_invariant({name: value for name, value in FIELDS.items() if name != key})


def test_ranges_and_windows_have_bounds() -> None:
    with pytest.raises(DeclarationWrong, match="not in a number without unit"):
        parse_invariant({**FIELDS, "unit": "", "limit": "3 V"})
    with pytest.raises(DeclarationWrong, match="empty"):
        parse_invariant({**FIELDS, "operator": "inside", "limit": "2 .. 1"})
    with pytest.raises(DeclarationWrong, match="empty"):
        parse_invariant({**FIELDS, "operator": "inside", "limit": "0 .. 1e999"})
    assert parse_invariant({**FIELDS, "operator": "inside", "limit": "2 .. 2"}).holds(2.0)
    with pytest.raises(DeclarationWrong, match="needs one"):
        parse_invariant({**FIELDS, "signal": "travel(a.b)"})
    longest = {**FIELDS, "signal": "travel(a.b)", "window": f"{MAX_WINDOW_S:g} s"}
    assert parse_invariant(longest).window_s == 600.0
    with pytest.raises(DeclarationWrong, match="at most 600 s"):
        parse_invariant({**longest, "window": f"{MAX_WINDOW_S + 1:g} s"})


@pytest.mark.parametrize(
    ("operator", "limit", "held", "violated"),
    [
        ("<", "5", [4.9, -math.inf], [5.0, 5.1, math.inf]),
        ("<=", "5", [4.9, 5.0], [5.1, math.inf]),
        (">", "5", [5.1, math.inf], [5.0, 4.9]),
        (">=", "5", [5.0, 5.1], [4.9, -math.inf]),
        ("==", "5", [5.0], [4.9, 5.1]),
        ("!=", "5", [4.9, 5.1], [5.0]),
        ("inside", "2 .. 5", [2.0, 3.0, 5.0], [1.9, 5.1]),
        ("outside", "2 .. 5", [1.9, 5.1], [2.0, 3.0, 5.0]),
    ],
)
def test_every_operator(operator: str, limit: str, held: list[float], violated: list[float]) -> None:
    for values, expected in ((held, False), (violated, True)):
        for value in values:
            cage = _cage({"operator": operator, "limit": limit})
            cage.observe("supply.voltage", value, 10 * S)
            assert _is_violated(cage, 10.1) is expected, value
            assert (cage.refuses("supply.voltage", value) != "") is expected


def test_a_violation_says_what_where_and_since_when_and_is_new_once() -> None:
    cage = _cage({})
    cage.observe("supply.voltage", 15.0, 10 * S)
    (first,) = cage.check(10 * S + 1)
    assert first.severity is Severity.STOP and first.is_new and first.since_ns == 10 * S + 1
    assert first.sentence == "i0: value(supply.voltage) is 15 V, has to be <= 14.4 V"
    (second,) = cage.check(10 * S + 2)
    assert not second.is_new and second.since_ns == 10 * S + 1
    cage.observe("supply.voltage", 14.0, 10 * S + 3)
    assert cage.check(10 * S + 3) == ()
    cage.observe("supply.voltage", 15.0, 10 * S + 4)
    assert cage.check(10 * S + 4)[0].is_new


def test_other_signals_are_none_of_its_business() -> None:
    cage = _cage({})
    cage.observe("supply.voltage", 1.0, 10 * S)
    cage.observe("supply.current", 100.0, 10 * S)
    assert not _is_violated(cage, 10.0)
    assert cage.refuses("supply.current", 100.0) == ""


def test_a_missing_signal_violates_after_its_time_to_start() -> None:
    cage = _cage({}, {"on_missing": "ignore"})
    assert _ids(cage, 11.0) == []
    (missing,) = cage.check(11 * S + 1)
    assert missing.sentence.startswith("i0: value(supply.voltage) is missing")


def test_a_signal_that_stops_coming_violates_when_it_is_stale() -> None:
    cage = _cage({"stale": "2 s"})
    cage.observe("supply.voltage", 1.0, 20 * S)
    assert not _is_violated(cage, 22.0)
    assert cage.check(22 * S + 1)


def test_not_a_number_violates_unless_it_is_to_be_ignored() -> None:
    cage = _cage({}, {"on_nan": "ignore"})
    cage.observe("supply.voltage", 5.0, 10 * S)
    cage.observe("supply.voltage", math.nan, 10 * S + 1)
    assert _ids(cage, 10.1) == ["i0"]
    assert cage.refuses("supply.voltage", math.nan)
    ranged = _cage({"operator": "outside", "limit": "2 .. 5"})
    assert ranged.refuses("supply.voltage", math.nan)


def test_a_violation_has_to_last_as_long_as_its_debounce() -> None:
    cage = _cage({"debounce": "500 ms"})
    cage.observe("supply.voltage", 15.0, 10 * S)
    assert not _is_violated(cage, 10.0)
    assert not _is_violated(cage, 10.499)
    assert cage.check(round(10.5 * S))[0].since_ns == 10 * S
    cage.observe("supply.voltage", 14.0, 11 * S)
    assert not _is_violated(cage, 11.0)
    cage.observe("supply.voltage", 15.0, 12 * S)
    assert not _is_violated(cage, 12.0)


def test_a_rate_needs_two_samples_and_has_no_sign() -> None:
    for start, end in ((0.0, 10.0), (10.0, 0.0)):
        cage = _cage({"signal": "rate(stage.x)", "unit": "mm/s", "limit": "50"})
        cage.observe("stage.x", start, 10 * S)
        assert not _is_violated(cage, 10.1)
        assert cage.margins(10 * S)[0].measured is None
        cage.observe("stage.x", end, round(10.2 * S))
        assert not _is_violated(cage, 10.2)
        cage.observe("stage.x", start, round(10.399 * S))
        assert _is_violated(cage, 10.4)
        assert cage.refuses("stage.x", 1e9) == ""  # one value has no rate
    cage = _cage({"signal": "rate(stage.x)", "limit": "50"})
    cage.observe("stage.x", 1.0, 10 * S)
    cage.observe("stage.x", 1.0, 10 * S)
    assert math.isnan(cage.margins(10 * S)[0].measured or 0)
    assert _is_violated(cage, 10.0)


def test_a_rate_looks_at_the_newest_two_of_many() -> None:
    cage = _cage({"signal": "rate(stage.x)", "limit": "50"})
    for second in range(5):
        cage.observe("stage.x", second * 100.0, (10 + second) * S)
        cage.check((10 + second) * S)
    cage.observe("stage.x", 410.0, 15 * S)
    assert cage.margins(15 * S)[0].measured == 10.0


def test_travel_adds_every_way_within_the_window() -> None:
    cage = _cage({"signal": "travel(stage.x)", "unit": "mm", "limit": "100", "window": "10 s", "stale": "60 s"})
    for second, x in ((10, 0.0), (11, 60.0), (12, 20.0)):
        cage.observe("stage.x", x, second * S)
    assert cage.margins(12 * S)[0].measured == 100.0
    assert not _is_violated(cage, 12.0)
    cage.observe("stage.x", 20.5, 13 * S)
    assert _is_violated(cage, 13.0)
    assert cage.margins(21 * S)[0].measured == 40.5  # the way from 0 to 60 ended as the window began
    assert cage.margins(23 * S)[0].measured == 0.0


def test_on_time_counts_seconds_above_zero_within_the_window() -> None:
    cage = _cage({"signal": "on_time(panel.lamp)", "unit": "s", "limit": "10", "window": "30 s", "stale": "60 s"})
    cage.observe("panel.lamp", 0.0, 10 * S)
    cage.observe("panel.lamp", 0.5, 11 * S)
    cage.observe("panel.lamp", 0.0, 16 * S)
    cage.observe("panel.lamp", -1.0, 17 * S)
    cage.observe("panel.lamp", 1.0, 20 * S)
    assert cage.margins(25 * S)[0].measured == 10.0
    assert not _is_violated(cage, 25.0)
    assert _is_violated(cage, 25.1)
    assert cage.margins(44 * S)[0].measured == 26.0  # 14 to 16 and 20 to 44
    cage.observe("panel.lamp", math.nan, 45 * S)
    assert math.isnan(cage.margins(45 * S)[0].measured or 0)


def test_a_count_of_events_is_never_missing() -> None:
    cage = _cage({"signal": "count(commands)", "unit": "", "limit": "2", "window": "1 s"})
    assert not _is_violated(cage, 1000.0)
    for at in (1000.0, 1000.5, 1001.0):
        cage.observe("commands", 1.0, round(at * S))
    assert cage.margins(1001 * S)[0].measured == 3.0
    assert _is_violated(cage, 1001.0)
    assert not _is_violated(cage, 1001.001)


def test_the_percentile_is_the_nearest_rank_within_the_window() -> None:
    cage = _cage(
        {"signal": "p99(perception.latency_ms)", "unit": "ms", "limit": "98", "window": "10 s", "stale": "60 s"}
    )
    for number in range(100):
        cage.observe("perception.latency_ms", float((number * 37) % 100), 10 * S + number)
    assert cage.margins(11 * S)[0].measured == 98.0
    assert not _is_violated(cage, 11.0)
    cage.observe("perception.latency_ms", 99.0, 12 * S)
    assert _is_violated(cage, 12.0)
    assert cage.margins(round(21.9 * S))[0].measured == 99.0
    assert cage.margins(23 * S)[0].measured is None
    cage.observe("perception.latency_ms", math.nan, 24 * S)
    assert math.isnan(cage.margins(24 * S)[0].measured or 0)


def test_more_samples_than_can_be_kept_violate() -> None:
    assert monitor.MAX_SAMPLES == 50_000
    monitor.MAX_SAMPLES = 50
    try:
        for signal in ("travel(stage.x)", "count(stage.x)"):
            cage = _cage({"signal": signal, "limit": "1e9", "window": "600 s"})
            for number in range(49):
                cage.observe("stage.x", 0.0, 10 * S + number)
            assert not _is_violated(cage, 10.5)
            for number in range(3):
                cage.observe("stage.x", 0.0, 11 * S + number)
                assert _is_violated(cage, 11.1)
    finally:
        monitor.MAX_SAMPLES = 50_000


def test_many_minor_violations_add_up_to_a_major_one() -> None:
    cage = _cage({"severity": "block"}, {"severity": "hold", "limit": "20 V"}, minor=MinorRule(3, 10.0))
    for second in (20, 22):
        cage.observe("supply.voltage", 15.0, second * S)
        assert _ids(cage, second) == ["i0"]
        cage.observe("supply.voltage", 14.0, (second + 1) * S)
        assert _ids(cage, second + 1) == []
    cage.count_minor(24 * S)
    cage.observe("supply.voltage", 14.0, 24 * S)
    (major,) = cage.check(24 * S)
    assert (major.id, major.severity, major.since_ns, major.is_new) == (MINORS, Severity.STOP, 20 * S, True)
    assert major.sentence == "3 minor violations within 10 s"
    cage.observe("supply.voltage", 14.0, 30 * S)
    assert [each.is_new for each in cage.check(30 * S)] == [False]
    assert cage.check(30 * S + 1) == ()
    assert cage.check(100 * S)[0].id == "i0"  # two at once are forgotten, and only the missing signal is left
    assert (MinorRule().count, MinorRule().within_s) == (5, 60.0)


def test_minor_violations_are_forgotten_after_their_time() -> None:
    cage = _cage(minor=MinorRule(2, 10.0))
    cage.count_minor(20 * S)
    assert cage.check(30 * S) == ()
    cage.count_minor(30 * S)
    assert _ids(cage, 30.0) == [MINORS]
    assert _ids(cage, 60.0) == []
    cage.count_minor(60 * S)
    assert _ids(cage, 60.0) == []


def test_a_major_violation_is_no_minor_one() -> None:
    cage = _cage({"severity": "stop"}, minor=MinorRule(1, 10.0))
    cage.observe("supply.voltage", 15.0, 20 * S)
    assert _ids(cage, 20.0) == ["i0"]


def test_judging_anew_keeps_samples_and_leaves_out_who_is_not_asked() -> None:
    cage = _cage({}, {"signal": "perception.fps", "unit": "", "limit": "1"}, minor=MinorRule(1, 100.0))
    cage.count_minor(10 * S)
    cage.observe("supply.voltage", 15.0, 10 * S)
    assert _ids(cage, 10.5) == ["i0", MINORS]
    cage.begin(round(10.6 * S), frozenset({"perception"}))
    assert [margin.id for margin in cage.margins(round(10.6 * S))] == ["i0"]
    (again,) = cage.check(round(10.7 * S))
    assert again.is_new and again.since_ns == round(10.7 * S)
    assert _ids(cage, 13.0) == ["i0"]
    cage.begin(13 * S)
    assert _ids(cage, 14.0) == []
    assert cage.check(14 * S + 1)[0].id == "i0"
    assert [each.id for each in cage.check(14 * S + 2)] == ["i0", "i1"]


def test_margins_show_what_holds() -> None:
    cage = _cage({}, {"on_missing": "ignore", "signal": "supply.current"})
    cage.observe("supply.voltage", 12.0, 10 * S)
    shown = cage.margins(10 * S)
    assert [(margin.id, margin.measured, margin.limit, margin.holds) for margin in shown] == [
        ("i0", 12.0, "<= 14.4 V", True),
        ("i1", None, "<= 14.4 V", True),
    ]
    assert not cage.margins(20 * S)[0].holds


def test_a_refusal_names_invariant_and_limit() -> None:
    said = _cage({}).refuses("supply.voltage", 15.0)
    assert said == "supply.voltage = 15 would violate i0 (<= 14.4 V)"


def test_the_cage_stands_on_the_standard_library_alone() -> None:
    folder = Path(str(cage_package.__file__)).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.startswith("hilgui.rigs.cage") or name.partition(".")[0] in sys.stdlib_module_names, name


def test_every_branch_is_taken_both_ways_and_mutants_are_noticed() -> None:
    _judge_tests(every=6)


@pytest.mark.slow
def test_every_mutant_is_noticed() -> None:
    _judge_tests(every=1)


def _judge_tests(every: int) -> None:
    """Count in a process of its own: it takes the package apart."""
    command = [sys.executable, "-m", "tests.unit.rigs.cage_mutants", "--every", str(every)]
    root = Path(__file__).resolve().parents[3]
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=110).stdout
    print(said)
    branches = re.search(r"branches: (\d+) of (\d+) taken both ways", said)
    mutants = re.search(r"mutants: (\d+) of (\d+) killed", said)
    assert branches is not None and branches[1] == branches[2] and int(branches[2]) > 80, said
    assert mutants is not None and int(mutants[1]) >= int(mutants[2]) - 2 and int(mutants[2]) > 140 / every, said
