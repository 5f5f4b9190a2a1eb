"""Cases that read and move a rig: the supervisor as a process, with a simulated board at its port. No models."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hilgui.evidence import EventKind, Journal
from hilgui.records import Outcome
from hilgui.rigs.client import RigHand, RigWatch
from hilgui.sequencer.loading import LoadedCase, parse_case
from hilgui.sequencer.operator import NO, YES, Desk, Operator, Purpose, Question, Unattended
from hilgui.sequencer.results import CaseResult
from hilgui.sequencer.rig_desk import RigDesk, RigEyes
from hilgui.sequencer.runner import CaseRunner, player_for
from hilgui.sequencer.tidings import StepTaken
from hilgui.settings import Settings
from hilgui.stream import StopToken
from tests.unit.rigs.bench_rig import PROFILE, write_profile

HEAD = """\
schema: hilgui/case.v1
name: rig
mode: {mode}
rig: {{profile: rig.yaml}}
steps:
"""


def loaded(
    folder: Path, steps: str, criteria: str = '  - {metric: rig.stops, limit: "== 0"}\n', **more: str
) -> LoadedCase:
    text = HEAD.format(mode=more.pop("mode", "stimulus")) + steps + "criteria:\n" + criteria + more.pop("tail", "")
    read = parse_case(text, folder / "rig.case.yaml")
    assert isinstance(read[0], LoadedCase), read
    return read[0]


class Bench:
    """A home with a simulated rig; whoever is told `stop_at` presses STOP when such a step begins."""

    def __init__(self, folder: Path) -> None:
        write_profile(folder, PROFILE)
        self.settings = Settings(home=folder / "home")
        self.stop = StopToken()
        self.told: list[Any] = []
        self.stop_at = "never"

    def run(self, case: LoadedCase, operator: Operator | None = None) -> CaseResult:
        return CaseRunner(self.settings, operator or Unattended("tester"), self._hear, self.stop).run(case)

    def steps(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, StepTaken)]

    def _hear(self, event: Any) -> None:
        self.told.append(event)
        if isinstance(event, StepTaken) and event.text.startswith(self.stop_at):
            self.stop.stop("STOP pressed by the test")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Keep what went over the simulated port before each rig is closed."""
    kept: list[bytes] = []
    close: Callable[[RigEyes], None] = RigEyes.close

    def watched(self: RigEyes) -> None:
        if self._client.simulation is not None:
            kept.append(self._client.simulation.call("board", "sent"))
        close(self)

    monkeypatch.setattr(RigEyes, "close", watched)
    return kept


def test_steps_move_the_rig_and_what_was_captured_is_judged(bench: Bench, tmp_path: Path) -> None:
    case = loaded(
        tmp_path,
        """\
  - ramp: {channel: board.lamp, from: 10, to: 30, over_s: 0.2}
  - wait: {channel: board.lamp, is: ">= 29.9"}
  - capture: {channel: board.lamp, as: lamp}
  - loop: {times: 3, steps: [{set: {channel: board.trigger, value: 1}}]}
  - branch:
      captured: lamp
      is: "> 20"
      then: [{set: {channel: board.voltage, value: 99, refused: true}}]
      else: [{perform: {device: board, action: home}}]
""",
        '  - {metric: captured.lamp, limit: "<= 20", unit: "%"}\n  - {metric: rig.refused, limit: "== 1"}\n',
    )
    result = bench.run(case)
    assert [(one.value, one.outcome) for one in result.criteria] == [(30, Outcome.FAIL), (1, Outcome.PASS)]
    assert result.outcome is Outcome.FAIL and not result.teardown, result
    assert bench.steps().count("set board.trigger to 1") == 3 and "perform board home" not in bench.steps()


def test_stop_aborts_the_case_and_its_teardown_still_runs(bench: Bench, tmp_path: Path, sent: list[bytes]) -> None:
    bench.stop_at = "wait 60 s"
    tail = "teardown:\n  - set: {channel: board.lamp, value: 0}\n  - wait: {seconds: 0.01}\n"
    case = loaded(tmp_path, "  - set: {channel: board.lamp, value: 50}\n  - wait: {seconds: 60}\n", tail=tail)
    result = bench.run(case)
    assert result.outcome is Outcome.ABORTED and "STOP pressed" in result.reasons[0]
    assert b"STOP " in sent[0] and sent[0].index(b"STOP ") > sent[0].index(b"SET lamp 50")
    assert bench.steps()[-2:] == ["teardown: set board.lamp to 0", "teardown: wait 0.01 s"]
    assert len(result.teardown) == 1 and "latched" in result.teardown[0]  # the lamp is off already; nothing re-arms


def test_in_shadow_a_rig_is_only_asked(bench: Bench, tmp_path: Path, sent: list[bytes]) -> None:
    steps = "  - capture: {channel: board.temperature, as: degrees, over_s: 0.2}\n"
    criteria = '  - {metric: captured.degrees.max, limit: "< 30", unit: °C}\n'
    result = bench.run(loaded(tmp_path, steps, criteria, mode="shadow"))
    assert result.outcome is Outcome.PASS, result
    assert set(sent[0].split(b"\n")) <= {b"ID?", b"GET?", b""}


def test_the_models_process_of_a_watched_rig_is_handed_nothing_that_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[Any] = []
    monkeypatch.setattr("hilgui.sequencer.runner.Player", lambda rig=None, reflex=None: handed.append((rig, reflex)))
    profile = write_profile(tmp_path)
    for kind in (RigEyes, RigDesk):
        rig = kind(profile, tmp_path / "home")
        rig.open(with_engine=True)
        try:
            player_for(None, rig)
            watch, reflex = handed.pop()
            assert isinstance(watch, RigWatch) and not isinstance(watch, RigHand) and reflex is None
            assert not hasattr(watch, "command")
            watch.close()
        finally:
            rig.close()
    for word in ("command", "arm", "confirm", "reset", "select"):
        assert not hasattr(RigEyes, word)


def test_arming_states_are_in_the_journal_while_the_rig_is_held(tmp_path: Path) -> None:
    rig = RigDesk(write_profile(tmp_path), tmp_path / "home")
    rig.open(with_engine=False)
    try:
        rig.select("ada")
        deadline = time.monotonic() + 60.0
        while not (states := list(Journal(tmp_path / "home").events(EventKind.ARMING))):
            rig.poll()
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        rig.close()
    assert (states[0].facts["state"]["to"], states[0].by) == ("safe", "ada")


def test_a_rig_that_stops_by_itself_is_a_broken_bench(bench: Bench, tmp_path: Path) -> None:
    case = loaded(tmp_path, "  - set: {channel: board.lamp, value: 50}\n  - wait: {seconds: 60}\n")
    runner = CaseRunner(bench.settings, Unattended("tester"), lambda event: _unplug(event, opened), bench.stop)
    opened: list[RigEyes] = []
    original = runner._open_rig

    def opening(*arguments: Any) -> Any:
        opened.append(rig := original(*arguments))
        return rig

    runner._open_rig = opening  # type: ignore[method-assign]
    result = runner.run(case)
    assert result.outcome is Outcome.ERROR and "the rig left ARMED" in result.reasons[0]


def _unplug(event: Any, opened: list[RigEyes]) -> None:
    if isinstance(event, StepTaken) and event.text == "wait 60 s":
        opened[0].inject("board", "unplug", ())


def test_a_pulled_cable_latches_and_the_next_case_asks_before_it_resets(bench: Bench, tmp_path: Path) -> None:
    steps = "  - fault: {device: board, kind: unplug}\n  - wait: {state: latched, within_s: 20, otherwise: fail}\n"
    assert bench.run(loaded(tmp_path, steps)).outcome is Outcome.PASS
    assert bench.run(loaded(tmp_path, "  - wait: {seconds: 0.01}\n"), Answering({Purpose.RESET: NO})).outcome is (
        Outcome.ABORTED
    )
    asked = Answering({})
    assert bench.run(loaded(tmp_path, "  - wait: {seconds: 0.01}\n"), asked).outcome is Outcome.PASS
    assert [question.purpose for question in asked.asked] == [Purpose.RESET, Purpose.ARM, Purpose.CONFIRM]


class Answering(Desk):
    """An operator who answers at once: yes, where nothing else is said."""

    def __init__(self, answers: dict[Purpose, str], prompts: tuple[str, ...] = ()) -> None:
        super().__init__("tester")
        self.asked: list[Question] = []
        self._said = answers
        self._prompts = list(prompts)

    def ask(self, question: Question) -> None:
        super().ask(question)
        self.asked.append(question)
        is_prompt = question.purpose is Purpose.PROMPT and self._prompts
        assert not self.reply(question, self._prompts.pop(0) if is_prompt else self._said.get(question.purpose, YES))


@pytest.mark.parametrize("purpose", [Purpose.ARM, Purpose.CONFIRM])
def test_a_no_to_either_confirmation_moves_nothing(
    bench: Bench, tmp_path: Path, sent: list[bytes], purpose: Purpose
) -> None:
    result = bench.run(loaded(tmp_path, "  - set: {channel: board.lamp, value: 50}\n"), Answering({purpose: NO}))
    assert result.outcome is Outcome.ABORTED and b"SET" not in sent[0]


def test_prompts_are_answered_and_a_no_is_a_red_result(bench: Bench, tmp_path: Path) -> None:
    steps = """\
  - prompt: {text: How bright?, input: number, as: lux}
  - prompt: {text: Which lamp?, input: choice, choices: [left, right]}
  - prompt: {text: Is it lit?}
"""
    criteria = '  - {metric: captured.lux, limit: "> 100", unit: lx}\n'
    case = loaded(tmp_path, steps, criteria, mode="shadow")
    assert bench.run(case, Answering({}, ("250", "left", YES))).outcome is Outcome.PASS
    result = bench.run(case, Answering({}, ("250", "left", NO)))
    assert result.outcome is Outcome.FAIL and "no to: Is it lit?" in result.reasons[0]
    assert bench.run(case, Unattended("nobody", says_yes=True)).outcome is Outcome.INCONCLUSIVE


def test_nobody_arms_a_real_rig_or_answers_a_hazardous_question() -> None:
    nobody = Unattended("nobody", says_yes=True)
    arm = Question(1, "x", Purpose.ARM, "?", hazardous=True, simulated=False)
    prompt = Question(2, "x", Purpose.PROMPT, "?", simulated=True)
    assert nobody.is_absent(arm) and not nobody.is_absent(dataclasses.replace(arm, simulated=True))
    assert not nobody.is_absent(prompt) and nobody.is_absent(dataclasses.replace(prompt, hazardous=True))
    assert Unattended("nobody").is_absent(prompt)
    reset = dataclasses.replace(arm, purpose=Purpose.RESET)  # a person says that the cause is cleared
    assert nobody.is_absent(reset) and not nobody.is_absent(dataclasses.replace(reset, simulated=True))
    assert Desk("x").reply(prompt, "maybe") == "answer yes or no"


def test_a_wait_that_does_not_come_true_is_an_error_or_a_fail_as_the_case_says(bench: Bench, tmp_path: Path) -> None:
    step = '  - wait: {channel: board.temperature, is: "> 99", within_s: 0.1%s}\n'
    result = bench.run(loaded(tmp_path, step % "", mode="shadow", tail="retries: 1\n"))
    assert result.outcome is Outcome.ERROR and "but 23.5" in result.reasons[0] and result.attempts == 2
    result = bench.run(loaded(tmp_path, step % ", otherwise: fail", mode="shadow", tail="retries: 1\n"))
    assert result.outcome is Outcome.FAIL and result.attempts == 1


def test_a_case_has_a_time_out_and_a_need(bench: Bench, tmp_path: Path) -> None:
    slow = loaded(tmp_path, "  - wait: {seconds: 60}\n", mode="shadow", tail="timeout_s: 1\n")
    result = bench.run(slow)
    assert result.outcome is Outcome.ERROR and "timeout_s" in result.reasons[0]
    needy = loaded(tmp_path, "  - wait: {seconds: 60}\n", tail='needs: ["hilgui.rig_drivers:none_such"]\n')
    assert bench.run(needy).outcome is None


def test_a_channel_that_the_rig_does_not_have_is_named(bench: Bench, tmp_path: Path) -> None:
    result = bench.run(loaded(tmp_path, "  - set: {channel: board.temperature, value: 1}\n"))
    assert result.outcome is Outcome.ERROR and "board has no channel temperature to set" in result.reasons[0]
