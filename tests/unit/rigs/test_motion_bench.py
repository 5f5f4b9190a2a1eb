"""The shipped motion bench (Grbl, Modbus, slcan) under its supervisor: every extreme ends safe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hilgui.resources import shipped
from hilgui.rigs import Perform, SetValue
from hilgui.rigs.arming import State
from hilgui.rigs.messages import Done
from tests.unit.rigs.bench_rig import PATIENCE_S, Desk, rig

_FOLDER = shipped("assets/rigs")
TEXT = (_FOLDER / "motion_bench.yaml").read_text(encoding="utf-8").replace("./bench.dbc", str(_FOLDER / "bench.dbc"))
POWER = SetValue("relays", "power", 1.0)
LAMP = SetValue("car", "lamp", 40.0)
PAN = SetValue("head", "pan", 45.0)


@contextmanager
def _bench(folder: Path, text: str = TEXT, *, shadow: bool = False) -> Iterator[Desk]:
    with rig(folder, text, shadow=shadow) as desk:
        yield desk


def _call(desk: Desk, device: str, method: str, *arguments: Any) -> Any:
    assert desk.client.simulation is not None
    return desk.client.simulation.call(device, method, *arguments)


def _do(desk: Desk, what: SetValue | Perform) -> Done:
    return desk.client.answer(desk.client.command(what), PATIENCE_S)


def _all_off(desk: Desk) -> bool:
    relays, car = _call(desk, "relays", "outputs"), _call(desk, "car", "outputs")
    is_still = not _call(desk, "head", "is_moving")
    return is_still and not any(relays.values()) and not any(car.values())


def _everything_on(desk: Desk) -> None:
    desk.arm()
    for what in (POWER, LAMP, SetValue("car", "rest_bus", 1.0), Perform("head", "unlock"), PAN):
        done = _do(desk, what)
        assert done.is_ok, done.sentence
    assert _call(desk, "relays", "outputs")["power"] == 1 and _call(desk, "car", "outputs")["lamp"] == 40


def _is_latched(desk: Desk) -> str:
    desk.client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)
    return desk.client.arming.reason


def test_the_bench_works_and_a_stop_puts_everything_off(tmp_path: Path) -> None:
    with _bench(tmp_path) as desk:
        _everything_on(desk)
        assert desk.eventually(lambda: _call(desk, "head", "outputs")["pan"] > 1)
        desk.client.stop("tester")
        _is_latched(desk)
        assert desk.eventually(lambda: _all_off(desk))
        stopped_at = _call(desk, "head", "outputs")
        assert not _do(desk, PAN).is_ok and _call(desk, "head", "outputs") == stopped_at
        desk.client.reset("tester")
        desk.client.wait_verified(PATIENCE_S)
        desk.arm()
        assert not _do(desk, PAN).is_ok  # it was reset while moving: locked until homed
        assert _do(desk, Perform("head", "home")).is_ok
        assert desk.eventually(lambda: not _call(desk, "head", "is_moving"))


def test_a_hit_limit_switch_stops_everything(tmp_path: Path) -> None:
    with _bench(tmp_path) as desk:
        _everything_on(desk)
        _call(desk, "head", "hit_switch", "pan")
        assert "head" in _is_latched(desk)
        assert desk.eventually(lambda: _all_off(desk))


@pytest.mark.slow
def test_a_jammed_axis_is_found_by_homing_and_stops_everything(tmp_path: Path) -> None:
    with _bench(tmp_path) as desk:
        desk.arm()
        assert _do(desk, POWER).is_ok
        _call(desk, "head", "jam", "pan")
        assert _do(desk, Perform("head", "home")).is_ok
        assert "head_alarm" in _is_latched(desk)
        assert desk.eventually(lambda: _all_off(desk))


@pytest.mark.slow
def test_a_welded_relay_is_told_by_its_contact_and_the_rig_stays_latched(tmp_path: Path) -> None:
    with _bench(tmp_path) as desk:
        desk.arm()
        assert _do(desk, POWER).is_ok
        _call(desk, "relays", "weld", "power")
        desk.client.stop("tester")
        assert "power reads 1" in _is_latched(desk)
        desk.client.reset("tester")
        assert desk.eventually(lambda: desk.client.arming.state in (State.SAFE, State.LATCHED))
        assert not desk.client.arming.is_verified


def test_a_bus_that_goes_off_stops_everything(tmp_path: Path) -> None:
    with _bench(tmp_path) as desk:
        _everything_on(desk)
        _call(desk, "car", "bus_off")
        assert "car" in _is_latched(desk)
        assert desk.eventually(lambda: _all_off(desk))


@pytest.mark.slow
def test_a_killed_supervisor_leaves_relays_and_lamp_off(tmp_path: Path) -> None:
    with _bench(tmp_path) as desk:
        _everything_on(desk)
        desk.client.kill()
        assert desk.eventually(lambda: _all_off(desk), polling=False)


_NEXT = {"head": SetValue("head", "tilt", 5.0), "relays": SetValue("relays", "lamp", 1.0), "car": LAMP}
_BYTES = {"head": b"$J=", "relays": b"\x07\x05", "car": b"t100"}


@pytest.mark.parametrize(
    "device", ["head", *(pytest.param(name, marks=pytest.mark.slow) for name in ("relays", "car"))]
)
def test_a_cable_pulled_in_mid_command_leaves_its_outcome_unknown_and_everything_off(
    tmp_path: Path, device: str
) -> None:
    with _bench(tmp_path) as desk:
        _everything_on(desk)
        _call(desk, device, "pull_at", _BYTES[device])
        done = _do(desk, _NEXT[device])
        assert not done.is_ok and (not done.is_known or device == "car")  # the car's cyclic message may come first
        assert _is_latched(desk)
        assert desk.eventually(lambda: _all_off(desk))


def _row(device: str, fault: str) -> Any:
    return pytest.param(device, fault, marks=() if fault == "reboot" and device == "car" else pytest.mark.slow)


@pytest.mark.parametrize(
    ("device", "fault"),
    [
        *(_row(device, fault) for device in ("head", "relays", "car") for fault in ("stall", "flood")),
        _row("head", "reboot"),
        _row("car", "reboot"),
    ],
)
def test_a_fault_while_armed_latches_and_leaves_everything_off(tmp_path: Path, device: str, fault: str) -> None:
    with _bench(tmp_path) as desk:
        _everything_on(desk)
        _call(desk, device, fault)
        assert _is_latched(desk)
        assert desk.eventually(lambda: _all_off(desk))


@pytest.mark.slow
def test_a_reboot_in_safe_is_identified_anew_and_nothing_is_armed(tmp_path: Path) -> None:
    with _bench(tmp_path) as desk:
        desk.client.select("tester")
        desk.client.wait_verified(PATIENCE_S)
        _call(desk, "head", "reboot")
        assert desk.eventually(lambda: "restarted" in desk.client.devices["head"].trouble)
        assert desk.eventually(lambda: desk.client.devices["head"].identity is not None)
        assert desk.client.arming.state is State.SAFE


def test_shadow_mode_only_looks_and_the_bytes_show_it(tmp_path: Path) -> None:
    with _bench(tmp_path, shadow=True) as desk:
        for what in (POWER, LAMP, PAN):
            assert not _do(desk, what).is_ok
        assert _call(desk, "car", "modes") == ["L"]
        assert set(_call(desk, "head", "sent").replace(b"?", b"").split(b"\n")) <= {b"$I", b"$$", b"$N", b""}
        functions = {frame[1] for frame in _frames(_call(desk, "relays", "sent"))}
        assert functions and functions <= {1, 2, 3, 4, 43}


def _frames(sent: bytes) -> list[bytes]:
    """Cut reads (8 bytes) and identity questions (7 bytes) apart."""
    frames = []
    while len(sent) >= 8:
        length = 7 if sent[1] == 43 else 8
        frames.append(sent[:length])
        sent = sent[length:]
    return frames


@pytest.mark.slow
def test_without_the_relay_the_head_cannot_be_armed(tmp_path: Path) -> None:
    with _bench(tmp_path, TEXT.replace("    cut_by: {device: relays, channel: power}\n", "")) as desk:
        desk.client.select("tester")
        desk.client.wait_verified(PATIENCE_S)
        desk.client.arm("tester", needs_engine=False)
        assert desk.eventually(lambda: "head has no dead-man" in desk.client.arming.refusal)
        assert desk.client.arming.state is State.SAFE
