"""The arming machine, searched completely: every reachable state with every input, and all orderings to a depth."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hilgui.rigs.arming import (
    LIVE,
    NS,
    Arm,
    Arming,
    Commanded,
    Confirm,
    Deselect,
    Disarm,
    Effect,
    Heartbeat,
    Input,
    ParentGone,
    Pause,
    ReadBack,
    Reset,
    Resume,
    Select,
    Source,
    State,
    Stop,
    Stopped,
    Tick,
    booted,
    stale,
    step,
)
from hilgui.rigs.latch import RigRecord

_BAD = ("the model is another one",)
INPUTS: tuple[Input, ...] = (
    Select("a"),
    Deselect("a"),
    ReadBack(True),
    ReadBack(False, "5 V"),
    Arm("a", needs_engine=False),
    Arm("a", needs_engine=True),
    Arm("a", unmet=_BAD),
    Confirm("b"),
    Confirm("b", unmet=_BAD),
    Disarm("a"),
    Heartbeat(Source.FRONT_END),
    Heartbeat(Source.ENGINE),
    Commanded(),
    Pause("a"),
    Resume("a"),
    Resume("a", unmet=_BAD),
    Stop("a"),
    Stopped(True),
    Stopped(False, "12 V"),
    Reset("a", is_person=True),
    Reset("a", is_person=False),
    Reset("", is_person=True),
    Reset("a", is_person=True, unmet=_BAD),
    ParentGone(),
    Tick(),
)
_STEPS_NS = (0, round(0.6 * NS), round(1.1 * NS), 31 * NS, 601 * NS)
_TOUCHING = {Effect.HOLD_OUTPUTS, Effect.STOP_OUTPUTS, Effect.CUT_POWER, Effect.SAFE_STATE}


_AGES_NS = {  # beyond the last one nothing changes any more
    "since_ns": (0, _STEPS_NS[2], _STEPS_NS[3]),
    "front_ns": (0, _STEPS_NS[1]),
    "engine_ns": (0, _STEPS_NS[1]),
    "active_ns": (0, _STEPS_NS[4]),
}


def _age(name: str, at_ns: int | None, now_ns: int) -> int | None:
    """Round an age down to the thresholds that the machine knows."""
    return None if at_ns is None else max(age_ns for age_ns in _AGES_NS[name] if age_ns <= now_ns - at_ns)


def _seen_from(arming: Arming, now_ns: int) -> Arming:
    """Give the state as if it were now zero, without its words: two that are equal here behave alike."""
    ages = {name: _age(name, getattr(arming, name), now_ns) for name in _AGES_NS}
    back = {name: None if age is None else -age for name, age in ages.items()}
    return replace(arming, reason="", by="", refusal="", **back)  # type: ignore[arg-type]


def _edges() -> Iterator[tuple[Arming, Input, int, Arming, tuple[Effect, ...]]]:
    starts = [booted(False, None, 0), booted(True, None, 0), booted(False, "STOP", 0)]
    seen = {_seen_from(start, 0) for start in starts}
    todo = list(seen)
    while todo:
        before = todo.pop()
        for given, now_ns in itertools.product(INPUTS, _STEPS_NS):
            after, effects = step(before, given, now_ns)
            yield before, given, now_ns, after, effects
            reached = _seen_from(after, now_ns)
            if reached not in seen:
                seen.add(reached)
                todo.append(reached)


@pytest.fixture(scope="module")
def edges() -> list[tuple[Arming, Input, int, Arming, tuple[Effect, ...]]]:
    return list(_edges())


Edges = list[tuple[Arming, Input, int, Arming, tuple[Effect, ...]]]


def _changes(edges: Edges) -> Edges:
    return [edge for edge in edges if edge[0].state is not edge[3].state]


def test_every_state_is_reached_and_the_search_ends(edges: Edges) -> None:
    assert {edge[0].state for edge in edges} == set(State)
    assert len(edges) > 10_000
    print(f"{len(edges)} transitions of {len({edge[0] for edge in edges})} states")


def test_armed_is_entered_only_by_a_second_confirmation_or_an_explicit_resume(edges: Edges) -> None:
    entries = [edge for edge in _changes(edges) if edge[3].state is State.ARMED]
    assert {(before.state, type(given)) for before, given, *_ in entries} == {
        (State.ARMING, Confirm),
        (State.HOLD, Resume),
    }
    for before, given, now_ns, _, effects in entries:
        assert isinstance(given, Confirm | Resume) and not given.unmet
        assert before.front_ns is not None and now_ns - before.front_ns <= NS // 2
        if before.needs_engine:
            assert before.engine_ns is not None and now_ns - before.engine_ns <= NS // 2
        if isinstance(given, Confirm):
            assert now_ns - before.since_ns <= 30 * NS
            assert effects == (Effect.NOTE_ARMED,)


def test_arming_is_entered_only_from_verified_safe_by_an_arm_request(edges: Edges) -> None:
    entries = [edge for edge in _changes(edges) if edge[3].state is State.ARMING]
    assert {(before.state, type(given)) for before, given, *_ in entries} == {(State.SAFE, Arm)}
    assert all(before.is_verified and isinstance(given, Arm) and not given.unmet for before, given, *_ in entries)


def test_there_is_no_way_from_shadow_to_an_output_without_arming(edges: Edges) -> None:
    graph: dict[State, set[State]] = {state: set() for state in State}
    for before, _, _, after, _ in edges:
        graph[before.state].add(after.state)
    reached, todo = {State.SHADOW}, [State.SHADOW]
    while todo:
        for state in graph[todo.pop()] - reached - {State.ARMING}:
            reached.add(state)
            todo.append(state)
    assert reached.isdisjoint({State.ARMED, State.HOLD})
    assert all(after.may_actuate == (after.state is State.ARMED) for _, _, _, after, _ in edges)


def test_in_shadow_nothing_touches_an_output_unless_the_rig_is_selected(edges: Edges) -> None:
    for before, given, _, _, effects in edges:
        if before.state is State.SHADOW and not isinstance(given, Select):
            assert _TOUCHING.isdisjoint(effects) and Effect.OPEN_WRITERS not in effects


def test_a_latch_is_left_only_by_a_persons_reset_to_safe(edges: Edges) -> None:
    exits = [edge for edge in _changes(edges) if edge[0].state is State.LATCHED]
    assert exits
    for _, given, _, after, effects in exits:
        assert isinstance(given, Reset) and given.is_person and given.by and not given.unmet
        assert after.state is State.SAFE and not after.is_verified
        assert effects == (Effect.OPEN_WRITERS, Effect.SAFE_STATE)


def test_stop_always_stops_and_is_noted_on_disk(edges: Edges) -> None:
    for before, given, _, after, effects in edges:
        if not isinstance(given, Stop):
            continue
        assert after.state in (State.STOPPING, State.LATCHED)
        if before.state not in (State.STOPPING, State.LATCHED):
            assert Effect.NOTE_LATCH in effects
        if before.state is not State.SHADOW:
            assert effects[0] is Effect.STOP_OUTPUTS  # bytes first, disk afterwards


def test_silence_of_front_end_or_engine_stops_a_live_rig(edges: Edges) -> None:
    met = set()
    for before, given, now_ns, after, effects in edges:
        if before.state not in (State.ARMED, State.HOLD) or not isinstance(given, Tick):
            continue
        for heard_ns, counts in ((before.front_ns, True), (before.engine_ns, before.needs_engine)):
            if counts and (heard_ns is None or now_ns - heard_ns > NS // 2):
                assert after.state is State.STOPPING and effects[0] is Effect.STOP_OUTPUTS
                met.add(before.state)
    assert met == {State.ARMED, State.HOLD}


def test_ten_idle_minutes_end_safe(edges: Edges) -> None:
    for before, given, now_ns, after, _ in edges:
        if (
            before.state in (State.ARMED, State.HOLD)
            and isinstance(given, Tick)
            and now_ns - before.active_ns > 600 * NS
        ):
            assert after.state in (State.SAFE, State.STOPPING)


def test_stopping_ends_latched_and_cuts_the_power_when_it_fails(edges: Edges) -> None:
    for before, given, now_ns, after, effects in edges:
        if before.state is not State.STOPPING:
            continue
        assert after.state in (State.STOPPING, State.LATCHED)
        if given == Stopped(False, "12 V") or (isinstance(given, Tick) and now_ns - before.since_ns > NS):
            assert after.state is State.LATCHED and effects[0] is Effect.CUT_POWER


def test_the_end_of_the_front_end_ends_the_process_with_nothing_live(edges: Edges) -> None:
    for before, given, _, after, effects in edges:
        if isinstance(given, ParentGone):
            assert effects[-1] is Effect.EXIT
            if before.state in LIVE:
                assert after.state is State.LATCHED
                assert effects[:2] == (Effect.STOP_OUTPUTS, Effect.CUT_POWER) and Effect.NOTE_LATCH in effects
            else:
                assert after.state not in LIVE


def test_nothing_arms_by_itself(edges: Edges) -> None:
    by_itself = (Tick, Heartbeat, ReadBack, Stopped, Commanded, ParentGone)
    for before, given, _, after, _ in edges:
        if isinstance(given, by_itself) and after.state in (State.ARMING, State.ARMED, State.HOLD):
            assert before.state is after.state


def test_a_crash_while_live_comes_back_latched() -> None:
    after = booted(True, None, 5)
    assert after.state is State.LATCHED and after.reason.startswith("rig state unknown")
    assert booted(False, None, 5).state is State.SHADOW
    assert booted(False, "STOP", 5).reason == "STOP"


@pytest.mark.parametrize(
    ("age_ns", "is_stale"), [(0, False), (NS // 4, False), (NS // 4 + 1, True), (-1, True), (10 * NS, True)]
)
def test_commands_older_than_250_ms_or_from_the_future_are_stale(age_ns: int, is_stale: bool) -> None:
    assert stale(1000 * NS - age_ns, 1000 * NS) is is_stale


def _all_orderings(depth: int) -> int:
    walked = 0
    for given in itertools.product(INPUTS, repeat=depth):
        arming, confirmations = Arming(front_ns=0, engine_ns=0), 0
        for each in given:
            before = arming
            arming, _ = step(before, each, 0)
            confirmations += isinstance(each, Arm | Confirm)
            if arming.state is State.ARMED and before.state is not State.ARMED:
                assert confirmations >= 2
            walked += 1
    return walked


def test_all_orderings_of_three_inputs_need_two_confirmations() -> None:
    assert _all_orderings(3) == 3 * len(INPUTS) ** 3


@pytest.mark.slow
def test_all_orderings_of_four_inputs_need_two_confirmations() -> None:
    assert _all_orderings(4) == 4 * len(INPUTS) ** 4


class Latch(RuleBasedStateMachine):
    """The machine with its disk, and crashes at any moment: what is latched stays latched until a person resets it."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.record = RigRecord(self.folder)
        (self.folder.parent / "latches" / "rig.json").unlink(missing_ok=True)
        self.now_ns = 0
        self.arming = booted(False, None, 0)
        self.is_latched = False

    def _take(self, given: Input) -> None:
        before = self.arming
        self.arming, effects = step(before, given, self.now_ns)
        for effect in effects:
            match effect:
                case Effect.NOTE_ARMED:
                    self.record.note(State.ARMED, "armed", "a")
                case Effect.NOTE_SAFE:
                    self.record.note(State.SAFE, "off", "a")
                case Effect.NOTE_LATCH:
                    self.record.note(State.LATCHED, self.arming.reason, "a")
        if isinstance(given, Stop):
            self.is_latched = True
        if isinstance(given, Reset) and before.state is State.LATCHED and self.arming.state is State.SAFE:
            self.is_latched = False
        if Effect.EXIT in effects:
            self.crash()

    @rule(given=st.sampled_from(INPUTS), later_ns=st.sampled_from(_STEPS_NS))
    def take(self, given: Input, later_ns: int) -> None:
        self.now_ns += later_ns
        self._take(given)

    @rule()
    def arm_properly(self) -> None:
        beats = (Heartbeat(Source.FRONT_END), Heartbeat(Source.ENGINE))
        for given in (Select("a"), ReadBack(True), *beats, Arm("a"), Confirm("b")):
            self._take(given)

    @rule()
    def crash(self) -> None:
        was_live = self.arming.state in LIVE
        noted = self.record.read()
        self.arming = booted(noted.was_live, noted.latch_reason, self.now_ns)
        if was_live:
            assert self.arming.state is State.LATCHED
            self.is_latched = True

    @invariant()
    def stays_latched(self) -> None:
        if self.is_latched:
            assert self.arming.state in (State.STOPPING, State.LATCHED)


def test_the_latch_holds_through_any_history_with_crashes(tmp_path: Path) -> None:
    Latch.folder = tmp_path
    case = Latch.TestCase
    case.settings = settings(max_examples=25, stateful_step_count=25, deadline=None, database=None)
    case("runTest").runTest()


def test_a_latch_file_that_cannot_be_read_is_a_latch(tmp_path: Path) -> None:
    record = RigRecord(tmp_path / "bench")
    assert record.read().latch_reason is None
    (tmp_path / "latches" / "rig.json").write_text("{half", encoding="utf-8")
    assert (record.read().latch_reason or "").startswith("rig state unknown")
