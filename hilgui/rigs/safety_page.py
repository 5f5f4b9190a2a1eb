"""docs/safety.md, made from measured figures: nobody types a figure."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from hilgui.rigs.figure import Figure

_RIG = "tests/unit/rigs"
STATES = (
    ("SHADOW (at boot)", "queries only, by each driver's allowlist", "a person selects the rig → SAFE"),
    ("SAFE", "off, read back within 1 s", "first confirmation → ARMING"),
    ("ARMING", "none", "second confirmation within 30 s → ARMED, else SAFE"),
    ("ARMED", "what profile and cage let through", "silence of 500 ms, STOP, fault → STOPPING; 10 min idle → SAFE"),
    ("HOLD (stop category 2)", "motion stopped, power on", "explicit resume → ARMED"),
    ("STOPPING (category 1)", "decelerate, then off", "done within 1 s, else power cut (category 0) → LATCHED"),
    ("LATCHED", "off; survives a restart", "a person resets it when the cause is gone → SAFE"),
)
FAULTS = (
    ("cable pulled while armed", "LATCHED", f"{_RIG}/test_supervisor.py::test_a_pulled_cable_latches"),
    ("stalled device", "bounded write, LATCHED", f"{_RIG}/test_supervisor.py::test_a_stalled_device_latches"),
    ("endless garbage without a line end", "capped, total deadline", f"{_RIG}/test_transport.py::test_a_flood"),
    ("wrong device or version", "refused by identity", "tests/contract/test_rig_drivers.py::test_another_device"),
    ("two programs on one port", "second refused", f"{_RIG}/test_transport.py::test_a_second_program"),
    ("engine ends while armed", "LATCHED", f"{_RIG}/test_supervisor.py::test_an_engine_that_ends"),
    ("front end silent", "LATCHED", f"{_RIG}/test_supervisor.py::test_a_front_end_that_falls_silent"),
    ("supervisor killed", "dead-man; LATCHED", f"{_RIG}/test_supervisor.py::test_a_killed_supervisor"),
    ("no dead-man on a hazardous device", "not armed", f"{_RIG}/test_supervisor.py::test_a_hazardous_device"),
    ("reading beyond a limit", "STOP by the cage", f"{_RIG}/test_supervisor.py::test_a_reading_beyond_the_limit"),
    ("command older than 250 ms", "discarded, counted", f"{_RIG}/test_supervisor.py::test_the_cage_refuses"),
    ("latch file damaged", "LATCHED", f"{_RIG}/test_arming.py::test_a_latch_file_that_cannot_be_read"),
)


def write_page(path: Path, figures: Sequence[Figure], command: str) -> None:
    """Write the page."""
    lines = [
        "# Rig safety: what is guaranteed, and measured",
        "",
        "This page is made by a command; do not edit it:",
        "",
        f"    {command}",
        "",
        f"Measured on {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, against the"
        " simulated rehearsal board. The hard-wired emergency",
        "stop is no part of this software, and this software is no substitute for it.",
        "",
        "## Guarantees",
        "",
        "| guarantee | limit | measured | n | verdict | test |",
        "|---|---|---|---:|---|---|",
    ]
    for each in figures:
        verdict = "holds" if each.holds else "**broken**"
        row = (each.guarantee, each.limit, each.measured, f"{each.n:,}", verdict, f"`{each.shown_by}`")
        lines.append(f"| {' | '.join(row)} |")
    lines += ["", "## Arming states", "", "| state | outputs | leave |", "|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in STATES]
    lines += [
        "",
        "`tests/unit/rigs/test_arming.py` walks every reachable state with every input. Nothing re-arms by itself.",
        "",
        "## Faults",
        "",
        "| fault | expected | test (name begins with) |",
        "|---|---|---|",
    ]
    lines += [f"| {fault} | {expected} | `{test}` |" for fault, expected, test in FAULTS]
    lines += [
        "",
        "## Safety cage",
        "",
        "Branches and mutants: `python -m tests.unit.rigs.cage_mutants`. The cage imports the standard library only.",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
