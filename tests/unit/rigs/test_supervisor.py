"""The supervisor as a process, with a simulated board at its port."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from hilgui.errors import SupervisorLost
from hilgui.rigs import Perform, Read, SetValue, supervisor
from hilgui.rigs.arming import State
from hilgui.rigs.client import RigHand, RigWatch, SupervisorClient
from hilgui.rigs.lines import Lines
from hilgui.rigs.messages import ArmingCase, Ask
from tests.unit.rigs.bench_rig import PATIENCE_S, PROFILE, Desk, rig, write_profile

_12_V = SetValue("board", "voltage", 12.0)


def test_a_rig_is_read_armed_moved_and_stopped(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        reading = desk.client.answer(desk.client.query(Read("board", "temperature"))).reading
        assert reading is not None and reading.value == pytest.approx(23.5)
        assert not desk.client.answer(desk.client.command(_12_V)).is_ok
        desk.arm()
        assert desk.client.answer(desk.client.command(_12_V)).is_ok
        assert desk.outputs()["voltage"] == 12.0
        desk.client.stop("tester")
        desk.client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)
        assert desk.is_off()
        assert not desk.client.answer(desk.client.command(_12_V)).is_ok
        desk.client.reset("tester")
        desk.client.wait_verified(PATIENCE_S)
        assert desk.client.arming.state is State.SAFE
    lines = (desk.client.folder / "states.jsonl").read_text(encoding="utf-8").splitlines()
    moves = [(line["from"], line["to"]) for line in map(json.loads, lines)]
    assert moves[:5] == [
        ("shadow", "safe"), ("safe", "arming"), ("arming", "armed"), ("armed", "stopping"), ("stopping", "latched")
    ]  # fmt: skip
    assert all(json.loads(line)["by"] and json.loads(line)["utc"] and json.loads(line)["why"] for line in lines)


def test_the_cage_refuses_a_value_and_a_stale_command_and_both_are_counted(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        desk.arm()
        answer = desk.client.answer(desk.client.command(SetValue("board", "voltage", 15.0)))
        assert not answer.is_ok and "supply_max" in answer.sentence
        answer = desk.client.answer(desk.client.command(SetValue("board", "voltage", 21.0)))
        assert not answer.is_ok and "outside 0 to 20 V" in answer.sentence
        desk.client._send(Ask(99, _12_V, time.monotonic_ns() - 300_000_000))
        answer = desk.client.answer(99)
        assert not answer.is_ok and "older than 250 ms" in answer.sentence
        assert desk.is_off()
        status = desk.client.status

        def counted() -> bool:
            now = desk.client.status
            return now is not None and now is not status and now.counts.get("discarded_stale") == 1

        assert desk.eventually(counted)
        assert desk.client.status is not None and desk.client.status.counts["blocked_cage"] == 2


def test_a_reading_beyond_the_limit_stops_the_rig(tmp_path: Path) -> None:
    hot = PROFILE.replace("board.voltage\n    unit: V", "rate(board.temperature)\n    unit: °C/s")
    hot = hot.replace("14.4 V", "40 °C/s")
    with rig(tmp_path, hot) as desk:
        desk.arm()
        assert desk.client.answer(desk.client.command(_12_V)).is_ok
        assert desk.client.simulation is not None
        desk.client.simulation.call("board", "override", "temperature", "99")
        desk.client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)
        assert desk.is_off() and "supply_max" in desk.client.arming.reason


def test_a_shadow_supervisor_cannot_be_selected_and_gives_the_engine_nothing_that_moves(tmp_path: Path) -> None:
    client = SupervisorClient(write_profile(tmp_path), tmp_path / "home", shadow=True)
    engine = client.start(with_engine=True)
    try:
        assert isinstance(engine, RigWatch) and not isinstance(engine, RigHand)
        assert not hasattr(engine, "command")
        client.wait_ready()
        desk = Desk(client, None)
        client.select("tester")
        assert desk.eventually(lambda: "shadow mode" in client.arming.refusal)
        assert client.arming.state is State.SHADOW
        for what in (_12_V, Perform("board", "home")):
            assert not client.answer(client.command(what)).is_ok
        assert client.simulation is not None
        sent = client.simulation.call("board", "sent")
        assert set(sent.split(b"\n")) <= {b"ID?", b"GET?", b""}
        assert desk.eventually(lambda: client.status is not None and client.status.counts.get("blocked_shadow") == 3)
    finally:
        if engine is not None:
            engine.close()
        client.close()


def test_a_killed_supervisor_leaves_a_safe_device_and_comes_back_latched(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        desk.arm()
        assert desk.client.answer(desk.client.command(_12_V)).is_ok
        desk.client.kill()
        assert desk.eventually(desk.is_off, polling=False)
        with pytest.raises(SupervisorLost):
            desk.eventually(lambda: False)
    with rig(tmp_path) as desk:
        assert desk.client.arming.state is State.LATCHED
        assert "rig state unknown" in desk.client.arming.reason
        desk.client.reset("tester")
        desk.client.wait_verified(PATIENCE_S)


def impatient(front: Lines, engine: Lines | None, setup: supervisor.Setup) -> None:
    supervisor._HELD_S = 0.0  # type: ignore[attr-defined]
    supervisor.main(front, engine, setup)


def test_a_rig_that_another_program_holds_is_refused_and_its_record_is_not_touched(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        desk.arm()
        with pytest.raises(SupervisorLost, match="another hilgui holds the rig"), rig(tmp_path, main=impatient):
            pass
        desk.client.kill()
        assert desk.eventually(desk.is_off, polling=False)
    with rig(tmp_path, main=impatient) as desk:  # the lock died with its process, the latch did not
        assert desk.client.arming.state is State.LATCHED


def test_a_front_end_that_falls_silent_stops_the_rig(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        desk.arm()
        assert desk.client.answer(desk.client.command(_12_V)).is_ok
        assert desk.eventually(desk.is_off, polling=False)
        desk.client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)
        assert "front end" in desk.client.arming.reason


def test_an_engine_that_ends_stops_the_rig(tmp_path: Path) -> None:
    with rig(tmp_path, with_engine=True) as desk:
        assert desk.engine is not None
        desk.client.select("tester")
        desk.client.wait_verified(PATIENCE_S)
        case = ArmingCase("a" * 64, "CPUExecutionProvider")
        desk.engine.attest("a" * 64, "CPUExecutionProvider")
        engine, client = desk.engine, desk.client

        def is_now(state: State) -> bool:
            engine.beat()  # all the time, as an engine does: half a second of silence, and arming is refused
            return client.arming.state is state

        for _ in range(5):  # a starved machine is silent by itself; a person asks again
            client.arm("tester", case, needs_engine=True)
            assert desk.eventually(lambda: is_now(State.ARMING)), client.arming
            client.confirm("tester", case)
            assert desk.eventually(lambda: client.arming.state is not State.ARMING or is_now(State.ARMED)), (
                client.arming
            )
            if client.arming.state is State.ARMED:
                break
        assert client.arming.state is State.ARMED, client.arming
        desk.engine.close()
        desk.client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)
        assert "engine" in desk.client.arming.reason


def test_a_run_without_its_engine_is_not_armed(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        desk.client.select("tester")
        desk.client.wait_verified(PATIENCE_S)
        desk.client.arm("tester", needs_engine=True)
        assert desk.eventually(lambda: "engine" in desk.client.arming.refusal)
        assert desk.client.arming.state is State.SAFE


def test_a_hazardous_device_without_a_dead_man_is_not_armed(tmp_path: Path) -> None:
    text = PROFILE.replace("    channels:\n", "    options: {dead_man_ms: 0}\n    channels:\n")
    with rig(tmp_path, text) as desk:
        desk.client.select("tester")
        desk.client.wait_verified(PATIENCE_S)
        desk.client.arm("tester", needs_engine=False)
        assert desk.eventually(lambda: "no dead-man" in desk.client.arming.refusal)
        assert desk.client.arming.state is State.SAFE


def test_a_pulled_cable_latches_and_the_command_under_way_is_unknown_or_refused(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        desk.arm()
        assert desk.client.answer(desk.client.command(_12_V)).is_ok
        assert desk.client.simulation is not None
        desk.client.simulation.call("board", "unplug")
        answer = desk.client.answer(desk.client.command(_12_V))
        assert not answer.is_ok
        desk.client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)
        assert desk.eventually(desk.is_off)  # by its dead-man
        desk.client.reset("tester")
        assert desk.eventually(lambda: "board" in desk.client.arming.refusal)  # the cause is still there
        assert desk.client.arming.state is State.LATCHED


def test_a_stalled_device_latches(tmp_path: Path) -> None:
    with rig(tmp_path) as desk:
        desk.arm()
        assert desk.client.answer(desk.client.command(_12_V)).is_ok
        assert desk.client.simulation is not None
        desk.client.simulation.call("board", "stall")
        desk.client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)
        assert desk.eventually(desk.is_off)
