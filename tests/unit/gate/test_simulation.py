"""Operating characteristics, small: the benchmark benchmarks/gate_simulation.py says the same with many campaigns."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    path = Path(__file__).parents[3] / "benchmarks" / "gate_simulation.py"
    spec = importlib.util.spec_from_file_location("gate_simulation", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look it up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("row", range(5))
def test_the_gate_errs_as_seldom_as_it_says(simulation: ModuleType, row: int) -> None:
    asked = simulation.ROWS[row]
    share = simulation.actions(asked, 20, 60, seed=1)[asked.asked] / 60
    assert asked.keeps(share, 60)


@pytest.mark.slow
def test_resampling_frames_is_shown_to_fail_where_drives_do_not(simulation: ModuleType) -> None:
    alarms = simulation.false_alarms(300, 20, seed=1)
    assert alarms["frames resampled (bootstrap)"] > 0.2
    assert alarms["Student's t on drives"] < 0.1
    assert alarms["confidence sequence after every drive"] <= 0.08
