"""The rarer ways through the arming states, in the real process: holds, limits of time, failed stops, people."""

from __future__ import annotations

import json
import math
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hilgui.rigs import DeviceSpec, SetValue, supervisor
from hilgui.rigs.arming import State
from hilgui.rigs.client import SupervisorClient
from hilgui.rigs.lines import Lines
from hilgui.rigs.messages import ArmingCase
from hilgui.rigs.rehearsal.simulator import RehearsalSimulator
from hilgui.wall_clock import WallClock
from tests.unit.rigs.bench_rig import PATIENCE_S, PROFILE, Desk, hurried, rig, write_profile

_12_V = SetValue("board", "voltage", 12.0)
_RELAY = """\
schema: hilgui/rig.v1
name: heater behind a relay
devices:
  - {name: relay, driver: rehearsal, port: {simulator: true}, options: {dead_man_ms: RELAY_MS}}
  - {name: heater, driver: rehearsal, port: {simulator: true}, options: {dead_man_ms: 0},
     cut_by: {device: relay, channel: lamp}, silent: goes on heating}
"""


def test_a_pause_holds_refuses_and_resumes(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        desk.arm()
        assert desk.client.answer(desk.client.command(_12_V)).is_ok
        desk.client.pause("tester")
        desk.client.wait_for(State.HOLD, timeout_s=PATIENCE_S)
        answer = desk.client.answer(desk.client.command(SetValue("board", "voltage", 5.0)))
        assert not answer.is_ok and "hold" in answer.sentence
        assert desk.outputs()["voltage"] == 12.0  # power stays on
        desk.client.resume("tester")
        desk.client.wait_for(State.ARMED, timeout_s=PATIENCE_S)
        assert desk.client.answer(desk.client.command(SetValue("board", "voltage", 5.0))).is_ok


def test_a_hold_ends_latched_when_the_front_end_falls_silent(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        desk.arm()
        assert desk.client.answer(desk.client.command(_12_V)).is_ok
        desk.client.pause("tester")
        desk.client.wait_for(State.HOLD, timeout_s=PATIENCE_S)
        assert desk.eventually(desk.is_off, polling=False)
        desk.client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)


def test_a_wall_clock_that_is_set_goes_into_the_journal_and_trips_nothing(tmp_path: Path) -> None:
    with rig(tmp_path, main=an_hour_later) as desk:
        desk.arm()
        journal = desk.client.folder / "states.jsonl"
        assert desk.eventually(lambda: "set forward by 3,600.0 s" in journal.read_text(encoding="utf-8"))
        assert desk.client.arming.state is State.ARMED
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    stamps = [line["monotonic_ns"] for line in lines]
    assert stamps == sorted(stamps)


def an_hour_later(front: Lines, engine: Lines | None, setup: supervisor.Setup) -> None:
    """Run the real supervisor with a wall clock that somebody sets once the rig is armed."""
    journal = setup.folder / "states.jsonl"

    def wall_ns() -> int:
        is_armed = journal.exists() and '"to": "armed"' in journal.read_text(encoding="utf-8")
        return time.time_ns() + (3600 * 10**9 if is_armed else 0)

    supervisor.WallClock = lambda: WallClock(wall_ns)  # type: ignore[assignment,misc]
    supervisor.main(front, engine, setup)


def test_a_missing_second_confirmation_ends_in_safe(tmp_path: Path) -> None:
    with rig(tmp_path, main=hurried) as desk:
        desk.client.select("tester")
        desk.client.wait_verified(PATIENCE_S)
        desk.client.arm("tester", needs_engine=False)
        desk.client.wait_for(State.ARMING, timeout_s=PATIENCE_S)
        arming = desk.client.wait_for(State.SAFE, timeout_s=PATIENCE_S)
        assert "no second confirmation" in arming.reason
        desk.client.confirm("tester")
        assert desk.eventually(lambda: "confirm refused" in desk.client.arming.refusal)


def test_a_supervisor_killed_between_the_confirmations_leaves_all_off_and_takes_no_second_one(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        desk.client.select("tester")
        desk.client.wait_verified(PATIENCE_S)
        desk.client.arm("tester", needs_engine=False)
        desk.client.wait_for(State.ARMING, timeout_s=PATIENCE_S)
        desk.client.kill()
        assert desk.is_off()
    with rig(tmp_path) as desk:
        assert desk.client.arming.state is State.SHADOW, desk.client.arming
        desk.client.confirm("tester")
        assert desk.eventually(lambda: "confirm refused" in desk.client.arming.refusal)
        assert desk.is_off()


def test_an_idle_rig_goes_back_to_safe(tmp_path: Path) -> None:
    with rig(tmp_path, main=hurried) as desk:
        desk.arm()
        assert desk.client.answer(desk.client.command(_12_V)).is_ok
        arming = desk.client.wait_for(State.SAFE, timeout_s=PATIENCE_S)
        assert "idle" in arming.reason
        desk.client.wait_verified(PATIENCE_S)
        assert desk.is_off()


def test_a_stop_that_fails_cuts_the_power(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        desk.arm()
        assert desk.client.answer(desk.client.command(_12_V)).is_ok
        assert desk.client.simulation is not None
        desk.client.simulation.call("board", "override", "voltage", "5.0")  # whatever is ordered
        desk.client.stop("tester")
        arming = desk.client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)
        assert "the stop failed" in arming.reason or "power cut" in arming.reason
        simulation = desk.client.simulation
        assert desk.eventually(lambda: b"STOP 0\n" in simulation.call("board", "sent"))


def test_a_device_behind_a_relay_loses_its_power(tmp_path: Path) -> None:
    with rig(tmp_path, _RELAY.replace("RELAY_MS", "200")) as desk:
        desk.arm()
        for what in (SetValue("relay", "lamp", 100.0), SetValue("heater", "voltage", 5.0)):
            assert desk.client.answer(desk.client.command(what)).is_ok
        simulation = desk.client.simulation
        assert simulation is not None
        desk.client.kill()  # nobody feeds the relay any more, and nobody tells the heater anything
        assert desk.eventually(lambda: not simulation.outputs("relay")["lamp"], polling=False)
        assert simulation.outputs("heater")["voltage"] == 5.0  # that is why it needs the relay


def test_a_relay_that_does_not_drop_by_itself_is_not_enough(tmp_path: Path) -> None:
    with rig(tmp_path, _RELAY.replace("RELAY_MS", "0")) as desk:
        desk.client.select("tester")
        desk.client.wait_verified(PATIENCE_S)
        desk.client.arm("tester", needs_engine=False)
        assert desk.eventually(lambda: "heater has no dead-man" in desk.client.arming.refusal)


def test_a_renamed_profile_finds_the_latch_of_its_devices(tmp_path: Path) -> None:
    board = RehearsalSimulator(DeviceSpec("board", "rehearsal", {"tcp": 1}))
    try:
        text = PROFILE.replace("{simulator: true}", f'{{url: "{board.start()}"}}')
        with rig(tmp_path, text) as desk:
            desk.client.select("tester")
            desk.client.wait_verified(PATIENCE_S)
            desk.client.stop("tester")
            desk.client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)
        renamed = text.replace("name: test bench", "name: another bench").replace("board", "supply")
        with rig(tmp_path, renamed) as desk:
            assert desk.client.arming.state is State.LATCHED
            desk.client.reset("tester")
            desk.client.wait_verified(PATIENCE_S)
        with rig(tmp_path, text) as desk:
            assert desk.client.arming.state is State.SHADOW
    finally:
        board.close()


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (ArmingCase("b" * 64, "CPUExecutionProvider"), "the engine runs the model aaaaaaaaaaaa"),
        (ArmingCase("a" * 64, "CUDAExecutionProvider"), "the model runs on CPUExecutionProvider"),
        (ArmingCase(), "the case does not say which model"),
    ],
)
def test_an_engine_that_runs_something_else_is_not_armed(tmp_path: Path, case: ArmingCase, said: str) -> None:
    with rig(tmp_path, with_engine=True) as desk:
        assert desk.engine is not None
        desk.client.select("tester")
        desk.client.wait_verified(PATIENCE_S)
        desk.client.arm("tester", case)
        assert desk.eventually(lambda: "has not said which model" in desk.client.arming.refusal)
        desk.engine.attest("a" * 64, "CPUExecutionProvider")
        asked_s = -math.inf

        def is_said() -> bool:
            nonlocal asked_s
            if time.monotonic() - asked_s > 0.5:  # two pipes: nothing says in which order they are heard
                asked_s = time.monotonic()
                desk.client.arm("tester", case)
            return said in desk.client.arming.refusal

        assert desk.eventually(is_said), desk.client.arming
        assert desk.client.arming.state is State.SAFE


def test_nobody_gets_around_the_heartbeat_of_an_engine_that_is_there(tmp_path: Path) -> None:
    with rig(tmp_path, with_engine=True) as desk:
        desk.client.select("tester")
        desk.client.wait_verified(PATIENCE_S)
        desk.client.arm("tester", needs_engine=False)
        assert desk.eventually(lambda: "its heartbeat is needed too" in desk.client.arming.refusal)


class Terminal:
    """A person at a pseudo terminal."""

    def __init__(self, command: list[str], home: Path) -> None:
        self._ours, theirs = os.openpty()
        environment = {**os.environ, "HILGUI_HOME": str(home), "TERM": "dumb"}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self._shown = ""

    def expect(self, text: str) -> None:
        deadline = time.monotonic() + 3 * PATIENCE_S
        while text not in self._shown:
            assert time.monotonic() < deadline, f"{text!r} was not shown but {self._shown!r}"
            if select.select([self._ours], [], [], 0.1)[0]:
                self._shown += os.read(self._ours, 4096).decode()
        self._shown = self._shown.partition(text)[2]

    def type(self, line: str) -> None:
        os.write(self._ours, line.encode() + b"\n")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


def test_a_person_at_a_terminal_arms_moves_stops_and_resets(tmp_path: Path) -> None:
    profile = write_profile(tmp_path)
    terminal = Terminal([sys.executable, "-m", "hilgui", "rig", "console", str(profile)], tmp_path / "home")
    try:
        for shown, typed in (
            ("shadow> ", "read board.temperature"),
            ("23.5", "arm"),
            ("Type ARM: ", "ARM"),
            ("Type ARM again: ", "ARM"),
            ("armed; an empty line is STOP", "set board.voltage 12"),
            ("done", "read board.voltage"),
            ("12 V", ""),  # STOP
            ("latched", "reset"),
            ("Type RESET: ", "RESET"),
            ("safe", "quit"),
        ):
            terminal.expect(shown)
            terminal.type(typed)
        assert terminal.process.wait(PATIENCE_S) == 0
    finally:
        terminal.close()
    history = (SupervisorClient(profile, tmp_path / "home").folder / "states.jsonl").read_text("utf-8")
    assert '"to": "latched"' in history


def test_a_script_cannot_arm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hilgui", "rig", "console", str(write_profile(tmp_path))]
    done = subprocess.run(command, input="arm\nARM\nARM\n", text=True, capture_output=True, timeout=60)
    assert done.returncode == 2 and "need a person at a terminal" in done.stderr


def test_the_desk_of_these_tests_sees_an_output_that_is_on(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        assert isinstance(desk, Desk) and desk.is_off()
        desk.arm()
        assert desk.client.answer(desk.client.command(_12_V)).is_ok
        assert not desk.is_off()
