"""mPC and rPC as Michaelis et al. define them, with paired intervals; and what may be asked."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.errors import CallWrong
from hilgui.evaluation import Clusters
from hilgui.records import Role
from hilgui.robustness.quality import CLEAN, RESAMPLES, headlines
from hilgui.robustness.question import SEVERITIES, chosen, family_of, severities

CLUSTERS = Clusters(np.arange(8), tuple("abcdefgh"), "drive")
ROWS, COLUMNS = ("fog", "snow"), ("1", "2")


def values(scale: float, role: Role) -> dict[tuple[str, str, Role], float | None]:
    table = {(CLEAN, ""): 0.8, ("fog", "1"): 0.6, ("fog", "2"): 0.4, ("snow", "1"): 0.2, ("snow", "2"): 0.0}
    return {(row, column, role): value * scale for (row, column), value in table.items()}


def drawn(known: dict[tuple[str, str, Role], float | None]) -> dict[tuple[str, str, Role], np.ndarray]:
    """Spread every condition by the same chance, as paired resamples do."""
    spread = np.random.default_rng(0).normal(1.0, 0.1, RESAMPLES)
    return {key: (value * spread).astype(np.float32) for key, value in known.items() if value is not None}


def test_mean_and_relative_performance_under_corruption() -> None:
    known = values(1.0, Role.BASELINE)
    found = headlines(known, drawn(known), ROWS, COLUMNS, (Role.BASELINE,), CLUSTERS)
    told = {one.name: one for one in found}
    assert told["clean"].value == 0.8
    assert told["mPC"].value == pytest.approx(0.3)
    assert told["rPC"].value == pytest.approx(0.375)
    assert told["mPC"].interval is not None
    assert told["mPC"].interval.low < 0.3 < told["mPC"].interval.high
    relative = told["rPC"].interval
    assert relative is not None  # the chance is shared, so it cancels in the ratio
    assert relative.high - relative.low < 1e-5


def test_two_models_are_compared_by_the_same_draws() -> None:
    known = values(1.0, Role.BASELINE) | values(1.1, Role.CANDIDATE)
    found = headlines(known, drawn(known), ROWS, COLUMNS, (Role.BASELINE, Role.CANDIDATE), CLUSTERS)
    difference = next(one for one in found if one.name == "mPC" and one.role is None)
    assert difference.value == pytest.approx(0.03)
    assert difference.interval is not None
    assert difference.interval.low > 0


def test_a_field_that_is_missing_leaves_the_means_out() -> None:
    known = values(1.0, Role.BASELINE) | {("fog", "2", Role.BASELINE): None}
    found = headlines(known, drawn(known), ROWS, COLUMNS, (Role.BASELINE,), CLUSTERS)
    assert [one.name for one in found] == ["clean"]


def test_a_model_that_finds_nothing_has_no_relative_performance() -> None:
    known = values(0.0, Role.BASELINE)
    found = headlines(known, drawn(known), ROWS, COLUMNS, (Role.BASELINE,), CLUSTERS)
    assert [one.name for one in found] == ["clean", "mPC"]


def test_suites_and_names() -> None:
    assert len(chosen("corruptions", ())) == 15
    assert {"rain", "latency"} <= set(chosen("bench", ()))
    assert set(chosen("all", ())) == {*chosen("corruptions", ()), *chosen("bench", ())}
    assert chosen("corruptions", ["fog,snow", "jpeg-compression", "fog"]) == ("fog", "snow", "jpeg_compression")
    assert family_of("freeze") == "stream"
    with pytest.raises(CallWrong, match="did you mean snow"):
        chosen("corruptions", ["snwo"])


def test_severities() -> None:
    assert severities(()) == SEVERITIES
    assert severities(["3,1", "2.5"]) == (1.0, 2.5, 3.0)
    for wrong in ("0", "5.1", "x", "nan"):
        with pytest.raises(CallWrong, match="above 0 up to 5"):
            severities([wrong])
