"""Which limits of a plan got looser: those take two people."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from hilgui.evidence import loosened
from tests.unit.gate.evidence import spec

PLAN: dict[str, Any] = spec().model_dump(mode="json", by_alias=True)


def at(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(plan: dict[str, Any]) -> None:
        *above, last = path.split(".")
        for name in above:
            plan = plan[int(name)] if isinstance(plan, list) else plan[name]
        if isinstance(plan, list):
            plan[int(last)] = value
        else:
            plan[last] = value

    return change


LOOSER = [
    ("data.min_clusters", 11, "data.min_clusters was 12, is 11"),
    ("data.min_frames", 10, "data.min_frames"),
    ("data.max_unpaired_fraction", 0.5, "data.max_unpaired_fraction"),
    ("statistics.alpha", 0.1, "statistics.alpha"),
    ("statistics.rollback.alpha_final", 0.01, "alpha_final"),
    ("statistics.rollback.sequential", "none", "sequential"),
    ("statistics.slices.action", "REPORT", "action was HOLD"),
    ("signoff.people", 1, "signoff.people"),
    ("signoff.required_for", [], "PROMOTE takes no agreement"),
    ("invariants", [], "invariant finite-outputs is gone"),
    ("invariants.1.limit", "<= 40", "was <= 33.3, is <= 40"),
    ("invariants.1.limit", ">= 33.3", "invariant latency"),
    ("invariants.0.limit", "<= 0", "finite-outputs"),
    ("gates.0.margin", 0.02, "margin was 0.01, is 0.02"),
    ("gates.1.better", "higher", "asks another question"),
    ("gates.0.metric", "recall", "asks another question"),
    ("gates.0.slice", {"day_part": "day"}, "asks another question"),
]


@pytest.mark.parametrize(("path", "value", "said"), LOOSER)
def test_what_is_looser_is_said(path: str, value: Any, said: str) -> None:
    after = deepcopy(PLAN)
    at(path, value)(after)

    assert said in "; ".join(loosened(PLAN, after))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.min_clusters", 40),
        ("statistics.alpha", 0.01),
        ("signoff.people", 3),
        ("invariants.1.limit", "<= 20"),
        ("invariants.1.limit", "< 33.3"),
        ("gates.0.margin", 0.001),
        ("name", "another"),
    ],
)
def test_tightening_takes_nobody(path: str, value: Any) -> None:
    after = deepcopy(PLAN)
    at(path, value)(after)

    assert loosened(PLAN, after) == ()


def test_one_more_way_to_be_better_is_looser() -> None:
    after = deepcopy(PLAN)
    after["gates"].append({**after["gates"][2], "id": "gain-2", "metric": "map_50"})

    assert loosened(PLAN, after) == ("gate gain-2 is one more way to be better",)
    assert loosened(after, PLAN) == ()
