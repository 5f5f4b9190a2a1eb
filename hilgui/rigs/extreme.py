"""Extreme conditions, scripted against the simulated supply bench: each has to end latched, and without power.

Demand spikes, a short circuit, a regulator that runs away, dead sensors, brown-outs, cables pulled in mid-command.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.resources import shipped
from hilgui.rigs.arming import State
from hilgui.rigs.client import SupervisorClient
from hilgui.rigs.figure import Figure
from hilgui.rigs.protocol import Actuation, SetValue
from hilgui.rigs.rehearsed import PATIENCE_S, switch_on
from hilgui.rigs.simulation import Simulation

LIMIT_V = 14.4  # of the profile
_ME = "extreme conditions"
_LIVE = (
    SetValue("board", "relay", 1.0),
    SetValue("board", "panel0", 40.0),
    SetValue("supply", "voltage", 12.0),
    SetValue("supply", "current", 3.0),
    SetValue("supply", "output", 1.0),
)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that a simulator is made to do."""

    device: str
    method: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """What happens while the rig is armed and everything is on; `reason` has to occur in why it stopped."""

    name: str
    script: tuple[Happening | Actuation, ...]
    reason: str


CONDITIONS = (
    Condition("demand spikes", (SetValue("supply", "voltage", 24.0),) * 8, "minor"),
    Condition("short circuit of the load", (Happening("supply", "draw", (0.5,)),), "current_measured"),
    Condition("regulator runs away", (Happening("supply", "run_away", (8.0,)),), "voltage_measured"),
    Condition(
        "over-voltage protection trips",
        (SetValue("supply", "ovp", 13.0), Happening("supply", "run_away", (8.0,))),
        "protection",
    ),
    Condition(
        "voltmeter answers not-a-number",
        (Happening("supply", "override", ("measured_voltage", "9.91E37")),),
        "voltage_measured",
    ),
    Condition("photodiode dies", (Happening("board", "override", ("photodiode", "-")),), "light_is_seen"),
    Condition("brown-out of the supply", (Happening("supply", "dip", (0.2,)),), "did not answer"),
    Condition("brown-out of the board", (Happening("board", "reboot"),), "restarted"),
    Condition("supply stalls", (Happening("supply", "stall"),), "did not answer"),
    Condition("board stalls", (Happening("board", "stall"),), "did not answer"),
    Condition("supply sends garbage", (Happening("supply", "flood"),), "supply"),
    Condition(
        "cable pulled in mid-command",
        (Happening("board", "unplug_at", (b"SET panel0 600",)), SetValue("board", "panel0", 60.0)),
        "unplugged",
    ),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one condition ended."""

    condition: Condition
    took_s: float
    reason: str
    is_latched: bool
    is_off: bool
    highest_v: float  # asked for by anybody and taken by the supply

    @property
    def is_safe(self) -> bool:
        """Say whether it ended as it has to."""
        is_known = self.condition.reason in self.reason
        return self.is_latched and self.is_off and is_known and self.highest_v <= LIMIT_V


def endure(condition: Condition, home: Path) -> Outcome:
    """Start the bench, arm it, switch everything on, let the condition happen, and look where it ends."""
    client = SupervisorClient(shipped("assets/rigs/supply_bench.yaml"), home)
    client.start()
    try:
        bench = client.simulation
        assert bench is not None  # both devices of that profile are simulated
        switch_on(client, _ME, _LIVE)
        began_s = time.monotonic()
        for step in condition.script:
            if isinstance(step, Happening):
                bench.call(step.device, step.method, *step.arguments)
            else:
                client.command(step)
        client.wait_for(State.LATCHED, timeout_s=PATIENCE_S)
        took_s = time.monotonic() - began_s
        deadline = time.monotonic() + PATIENCE_S
        while not (is_off := _is_off(bench)) and time.monotonic() < deadline:
            client.poll()
            time.sleep(0.01)
        client.poll()
        is_latched = client.arming.state is State.LATCHED
        highest_v = bench.outputs("supply")["voltage"]
        return Outcome(condition, took_s, client.arming.reason, is_latched, is_off, highest_v)
    finally:
        client.close()


def extreme_conditions(folder: Path) -> list[Figure]:
    """Let all of them happen, each on a bench of its own; `folder` takes their latches."""
    outcomes = [endure(condition, folder / f"extreme{n}") for n, condition in enumerate(CONDITIONS)]
    return [
        Figure(
            outcome.condition.name,
            "LATCHED, no power at the load",
            f"latched after {outcome.took_s * 1000:.0f} ms, power {'off' if outcome.is_off else 'ON'}",
            1,
            outcome.is_safe,
            "tests/unit/rigs/test_extreme.py::test_every_extreme_condition_ends_safe",
        )
        for outcome in outcomes
    ]


def _is_off(bench: Simulation) -> bool:
    """Say whether nothing is powered: the board dark, and the supply off or its relay open."""
    board, supply = bench.outputs("board"), bench.outputs("supply")
    is_dark = not any(value for name, value in board.items() if name != "relay")
    return is_dark and not (supply["output"] and board["relay"])
