"""The guarantees as `hilgui rig selftest` measures them, small; no time is judged here."""

from __future__ import annotations

import contextlib
import math
import re
from pathlib import Path

import pytest

from hilgui.rigs import selftest
from hilgui.rigs.safety_page import write_page
from hilgui.rigs.safety_tables import ATTACKS, FAULTS, GUARANTEES, MISSING, STATE_TESTS

_ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    selftest.write_profiles(tmp_path)
    return tmp_path


def test_shadow_cannot_actuate_in_ten_thousand_commands() -> None:
    (figure,) = selftest.shadow_cannot_actuate(10_000)
    assert figure.holds and figure.measured.startswith("0 actuation bytes"), figure


@pytest.mark.slow
def test_shadow_cannot_actuate_in_a_million_commands() -> None:
    (figure,) = selftest.shadow_cannot_actuate(1_000_000)
    assert figure.holds and figure.n == 1_000_000, figure


def test_the_count_of_actuation_bytes_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest.RehearsalDriver, "is_query", lambda *_: True)
    (figure,) = selftest.shadow_cannot_actuate(1000)
    assert not figure.holds


@pytest.mark.parametrize("how", ["killed", "frozen", "blocked"])
def test_a_front_end_that_is_lost_stops_the_rig(folder: Path, how: str) -> None:
    figure = selftest.front_end_lost(folder, how, 1)
    assert math.isfinite(float(figure.measured.split()[1])), figure


def test_a_killed_supervisor_leaves_a_safe_rig_and_a_latch(folder: Path) -> None:
    killed, latch = selftest.supervisor_killed(folder, 1)
    assert math.isfinite(float(killed.measured.split()[1])), killed
    assert latch.holds, latch


def test_stop_reaches_the_device(folder: Path) -> None:
    figure, hops = selftest.stop_to_bytes(folder, 10, contextlib.nullcontext)
    assert "inf" not in figure.measured + hops.measured, (figure, hops)


def test_stop_reaches_the_device_under_load(folder: Path) -> None:
    """Bounds that only a broken design misses: a STOP that waits behind a slow answer, a queue or a disk."""
    _, hops = selftest.stop_to_bytes(folder, 5)
    assert "inf" not in hops.measured, hops
    assert _longest_ms(hops.measured) < 5000, hops


@pytest.mark.slow
def test_a_thousand_stops_reach_the_port_in_time(folder: Path) -> None:
    figure, hops = selftest.stop_to_bytes(folder, 1000)
    assert figure.holds, (figure, hops)


def _longest_ms(measured: str) -> float:
    return max(float(each) for each in re.findall(r"max ([0-9.]+) ms", measured))


@pytest.mark.slow
def test_every_fault_ends_latched_and_off(folder: Path) -> None:
    assert all(figure.holds for figure in selftest.faults(folder))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_soak_at_full_load_does_not_trip(folder: Path) -> None:
    trips, gap = selftest.soak(folder, 60.0)
    assert trips.holds and gap.holds, (trips, gap)


def test_a_short_soak_moves_the_rig_and_counts_what_trips(folder: Path) -> None:
    """Its sibling without the load and without a bound: a crowded machine may trip it, but not in silence."""
    trips, gap = selftest.soak(folder, 2.0, contextlib.nullcontext)
    assert trips.n > 0 and math.isfinite(_number(gap.measured)), (trips, gap)
    assert trips.holds is (_number(trips.measured) == 0), trips


def _number(measured: str) -> float:
    return float(re.findall(r"[0-9.]+", measured)[0])


def test_the_self_test_says_how_the_supervisor_is_scheduled() -> None:
    (figure,) = selftest.scheduling()
    assert "scheduling" in figure.measured or "SCHED_RR" in figure.measured or "nice" in figure.measured


_ROWS = [*GUARANTEES, *STATE_TESTS, *FAULTS, *ATTACKS]


@pytest.mark.parametrize("row", _ROWS, ids=[row[0] for row in _ROWS])
def test_every_row_of_the_safety_page_names_a_test_that_exists(row: tuple[str, str, str]) -> None:
    if row[2] == MISSING:
        return
    file, _, name = row[2].partition("::")
    assert f"def {name}(" in (_ROOT / file).read_text(encoding="utf-8"), row[2]


def test_every_fault_and_every_state_has_a_test() -> None:
    assert all(test != MISSING for _, _, test in (*GUARANTEES, *STATE_TESTS, *FAULTS))


def test_the_safety_page_shows_figures_rows_and_what_is_missing(tmp_path: Path) -> None:
    figures = selftest.shadow_cannot_actuate(1000)
    write_page(tmp_path / "safety.md", figures, "hilgui rig selftest")
    text = (tmp_path / "safety.md").read_text(encoding="utf-8")
    assert "0 actuation bytes" in text and "load average" in text
    assert ("**no test yet**" in text) is any(row[2] == MISSING for row in ATTACKS)
    file, _, name = figures[0].shown_by.partition("::")
    assert f"def {name}(" in (_ROOT / file).read_text(encoding="utf-8")
