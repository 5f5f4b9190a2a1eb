"""The demo's campaign: half of its drives are at night, and no seed was ever trained on."""

from __future__ import annotations

from collections import Counter

import pytest

from hilgui.cli.demo_gate import drives_of, run_demo_gate
from hilgui.errors import CallWrong
from hilgui.gate import read_specification
from hilgui.resources import shipped
from hilgui.settings import Settings


def test_drives_take_conditions_in_turn_and_seeds_of_their_own() -> None:
    drives = drives_of(20)

    assert Counter(drive.condition for drive in drives) == {"night": 10, "day": 5, "dusk_rain": 5}
    assert len({drive.name for drive in drives}) == 20
    assert min(drive.seed for drive in drives) >= 20_000


def test_the_shipped_plan_is_read_and_asks_for_as_many_drives_as_are_rendered() -> None:
    spec = read_specification(shipped("assets/demo/gate.yaml"))

    assert spec.data.min_clusters <= 20
    assert {gate.role for gate in spec.gates} == {"non_inferiority", "superiority"}


def test_an_unknown_candidate_is_refused() -> None:
    with pytest.raises(CallWrong, match="there is no demo model nobody"):
        run_demo_gate(Settings(), drives=2, candidate="nobody", out=None, debug=False)
