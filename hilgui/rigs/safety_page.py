"""docs/safety.md, made from measured figures: nobody types a figure."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from hilgui.rigs.figure import Figure
from hilgui.rigs.safety_tables import ATTACKS, FAULTS, GUARANTEES, MISSING, STATE_TESTS, STATES, Row
from hilgui.rigs.urgency import possible_urgency


def write_page(path: Path, figures: Sequence[Figure], command: str) -> None:
    """Write the page."""
    load = " ".join(f"{each:.1f}" for each in os.getloadavg()) if hasattr(os, "getloadavg") else "not known"
    lines = [
        "# Rig safety: what is guaranteed, and measured",
        "",
        "This page is made by a command; do not edit it:",
        "",
        f"    {command}",
        "",
        f"Measured on {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, against the"
        " simulated rehearsal board; load average at the",
        f"end {load} (1, 5, 15 minutes: our own load and everybody else's); the supervisor ran with"
        f" {possible_urgency().scheduling}.",
        "The hard-wired emergency stop is no part of this software, and this software is no substitute for it.",
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
    lines += ["", "Shown by tests elsewhere:", "", *_table(("guarantee", "limit", "test"), GUARANTEES)]
    lines += ["", *_HOW.splitlines()]
    lines += ["", "## Arming states", "", "| state | outputs | leave |", "|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in STATES]
    lines += ["", *_ENGINE.splitlines(), "", *_table(("what", "ends", "test"), STATE_TESTS)]
    lines += ["", "## Faults", "", "No fault ends in PASS.", "", *_table(("fault", "ends", "test"), FAULTS)]
    lines += ["", "## Attacks", "", *_table(("attack", "defence", "test"), ATTACKS)]
    lines += [
        "",
        "## Safety cage",
        "",
        "Branches and mutants: `python -m tests.unit.rigs.cage_mutants`. The cage imports the standard library only.",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def _table(titles: Row, rows: Sequence[Row]) -> list[str]:
    lines = [f"| {' | '.join(titles)} |", "|---|---|---|"]
    for what, expected, test in rows:
        lines.append(f"| {what} | {expected} | {'**no test yet**' if test == MISSING else f'`{test}`'} |")
    return lines


_HOW = """\
How STOP and the signs of life travel. STOP has a pipe of its own into the supervisor, where a thread that does
nothing else puts the bytes on the ports before anybody decides anything; disk and journal come later, on another
thread. Signs of life are stamps in shared memory: front end and engine write them without a call to the system, the
supervisor looks every 10 ms. The supervisor asks for real-time scheduling and locked memory (`hilgui doctor` and the
self-test say whether it got them, docs/install.md how to allow it) and collects garbage only while no output is on.

Why: on a crowded machine a usual process waits up to 100 ms for its turn. A heartbeat through a pipe waited several
times, and so did the supervisor, the simulated device and the kernel's thread behind a pseudo terminal. A machine so
starved that the front end itself gets no turn for 500 ms trips the rig, as it should. The simulated board of the STOP
and soak measurements listens on TCP and runs with real-time scheduling, so that its lateness is not counted as ours."""

_ENGINE = """\
A run needs the heartbeats of front end and engine, and the engine's own word (`attest`) on model and provider, which
has to agree with the case at both confirmations. Manual moves (`hilgui rig console`) need the front end alone: no run
is under way, there is no engine whose loss could go unnoticed, and only a person at the terminal moves anything. So
that nobody gets around the engine, a rig with an engine connected cannot be armed without its heartbeat, and a rig
that is armed for manual moves refuses the engine's commands."""
