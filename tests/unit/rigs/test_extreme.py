"""Extreme conditions against the shipped supply bench: all end latched and without power."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgui.cli.app import main
from hilgui.resources import shipped
from hilgui.rigs.arming import State
from hilgui.rigs.bench import facts_of, unarmable
from hilgui.rigs.client import SupervisorClient
from hilgui.rigs.extreme import CONDITIONS, Condition, endure
from hilgui.rigs.profile import read_profile
from hilgui.rigs.protocol import SetValue
from tests.unit.rigs.bench_rig import PATIENCE_S, rig

_QUICK = ("regulator runs away", "cable pulled in mid-command")


def _rows() -> list[object]:
    return [
        pytest.param(each, id=each.name, marks=() if each.name in _QUICK else pytest.mark.slow) for each in CONDITIONS
    ]


@pytest.mark.parametrize("condition", _rows())
def test_every_extreme_condition_ends_safe(condition: Condition, tmp_path: Path) -> None:
    outcome = endure(condition, tmp_path)
    assert outcome.is_safe, outcome


def test_the_quick_ones_are_among_the_conditions() -> None:
    assert set(_QUICK) <= {condition.name for condition in CONDITIONS}


@pytest.mark.parametrize("name", ["light_bench", "supply_bench"])
def test_a_shipped_profile_can_be_armed(name: str) -> None:
    profile = read_profile(shipped(f"assets/rigs/{name}.yaml"))
    assert unarmable(profile, facts_of(profile)) == ()


def test_a_supply_without_its_relay_cannot_be_armed(tmp_path: Path) -> None:
    text = shipped("assets/rigs/supply_bench.yaml").read_text(encoding="utf-8")
    path = tmp_path / "rig.yaml"
    path.write_text(text.replace("    cut_by: {device: board, channel: relay, off: 0}\n", ""), encoding="utf-8")
    profile = read_profile(path)
    (why,) = unarmable(profile, facts_of(profile))
    assert "supply" in why and "cut_by" in why


def test_the_outcome_of_a_command_is_unknown_when_its_cable_is_pulled(tmp_path: Path) -> None:
    text = shipped("assets/rigs/light_bench.yaml").read_text(encoding="utf-8")
    with rig(tmp_path, text) as desk:
        desk.arm()
        assert desk.client.answer(desk.client.command(SetValue("board", "panel1", 50.0))).is_ok
        assert desk.client.simulation is not None
        desk.client.simulation.call("board", "unplug_at", b"SET panel1 700")
        number = desk.client.command(SetValue("board", "panel1", 70.0))
        done = desk.client.answer(number, PATIENCE_S)
        assert not done.is_ok and not done.is_known
        desk.client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)
        assert desk.eventually(desk.is_off)


def test_another_device_at_the_port_is_never_armed(tmp_path: Path) -> None:
    text = shipped("assets/rigs/light_bench.yaml").read_text(encoding="utf-8")
    with rig(tmp_path, text.replace("identity: hilgui-board", "identity: another board")) as desk:
        client: SupervisorClient = desk.client
        assert "another board" in client.devices["board"].trouble
        client.select("tester")
        client.arm("tester", needs_engine=False)
        client.confirm("tester")
        done = client.answer(client.command(SetValue("board", "led", 1.0)), PATIENCE_S)
        assert not done.is_ok and "nothing was sent" in done.sentence
        assert client.arming.state is not State.ARMED and desk.is_off()


def test_the_check_of_a_profile_says_what_stops_a_supply(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rig", "profile", "check", str(shipped("assets/rigs/supply_bench.yaml"))]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "keeps its output when the host falls silent" in said and "power cut by board.relay" in said
