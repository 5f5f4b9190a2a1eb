"""The demo's campaign: half of its drives are at night, and no seed was ever trained on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from hilgui.cli.demo_gate import drives_of, finished_runs, run_demo_gate
from hilgui.errors import CallWrong
from hilgui.gate import read_specification
from hilgui.resources import shipped
from hilgui.settings import Settings
from tests.unit.evidence.bench import write_run


def test_drives_take_conditions_in_turn_and_seeds_of_their_own() -> None:
    drives = drives_of(20)

    assert Counter(drive.condition for drive in drives) == {"night": 10, "day": 5, "dusk_rain": 5}
    assert len({drive.name for drive in drives}) == 20
    assert min(drive.seed for drive in drives) >= 20_000


def test_the_shipped_plan_is_read_and_asks_for_as_many_drives_as_are_rendered() -> None:
    spec = read_specification(shipped("assets/demo/gate.yaml"))

    assert spec.data.min_clusters <= 20
    assert {gate.role for gate in spec.gates} == {"non_inferiority", "superiority"}


def test_a_damaged_run_of_a_campaign_is_named_and_counts_as_not_there(tmp_path: Path) -> None:
    good = write_run(tmp_path, 1)
    bad = write_run(tmp_path, 2)
    (bad / "run.sqlite").write_bytes(b"garbage" * 1000)

    done, damaged = finished_runs(tmp_path / "runs")

    assert list(done.values()) == [good]
    assert len(damaged) == 1 and bad.name in damaged[0]


def test_an_unknown_candidate_is_refused() -> None:
    with pytest.raises(CallWrong, match="there is no demo model nobody"):
        run_demo_gate(Settings(), drives=2, candidate="nobody", out=None, debug=False)
