"""Page–Hinkley against river."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.drift import Adwin, PageHinkley

drift = pytest.importorskip("river.drift", reason="river is the oracle: install the extra dev")


@pytest.mark.parametrize("seed", range(6))
def test_page_hinkley_alarms_where_river_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels = np.repeat([0.0, 1.5, 1.5, -1.0, 0.2], 200)
    values = (levels + rng.standard_normal(1000)).tolist()
    ours, theirs = PageHinkley(threshold=20.0, delta=0.1), drift.PageHinkley(threshold=20.0, delta=0.1)
    mine = [place for place, value in enumerate(values) if ours.add(value)]
    other = []
    for place, value in enumerate(values):
        theirs.update(value)
        if theirs.drift_detected:
            other.append(place)
    assert mine == other
    assert mine


def test_adwin_alarms_where_river_does() -> None:
    rng = np.random.default_rng(4)
    values = np.clip(np.repeat([0.3, 0.7, 0.4], 300) + 0.1 * rng.standard_normal(900), 0, 1).tolist()
    ours, theirs = Adwin(0.002), drift.ADWIN(delta=0.002)
    mine, other = [], []
    for place, value in enumerate(values):
        theirs.update(value)
        if theirs.drift_detected:
            other.append(place)
        if ours.add(value):
            mine.append(place)
            ours = Adwin(0.002)  # river begins anew after an alarm, ours keeps what follows the cut
    assert mine == other
    assert mine
