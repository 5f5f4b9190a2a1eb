"""The clock of a camera on our clock: gaps, resets, jumps, drift."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.sources.stamps import Stamps

MS = 1_000_000


def place(stamps: Stamps, times_ms: list[tuple[float, float]]) -> list[tuple[float, int, str]]:
    placed = [stamps.place(round(stamp * MS), round(arrival * MS)) for stamp, arrival in times_ms]
    return [(each.captured_ns / MS, each.missing, each.wrong) for each in placed]


def test_frames_are_placed_by_their_stamps_and_not_by_when_they_arrived() -> None:
    late = np.random.default_rng(1).uniform(0, 20, 60)
    late[0] = 0
    placed = place(Stamps(), [(40.0 * n, 1000 + 40.0 * n + late[n]) for n in range(60)])
    steps = np.diff([at for at, _, _ in placed])
    assert steps == pytest.approx(np.full(59, 40.0), abs=0.1)
    assert not any(missing or wrong for _, missing, wrong in placed)


def test_a_gap_in_the_stamps_is_frames_that_never_came() -> None:
    numbers = [*range(10), *range(13, 20)]
    placed = place(Stamps(), [(40.0 * n, 1000 + 40.0 * n) for n in numbers])
    assert [missing for _, missing, _ in placed] == [0] * 10 + [3] + [0] * 6


@pytest.mark.parametrize(("shift_ms", "wrong"), [(-10_000, "runs backwards"), (10_000, "jumps ahead")])
def test_a_clock_that_is_set_costs_one_frame(shift_ms: float, wrong: str) -> None:
    times = [(20_000 + 40.0 * n + (shift_ms if n >= 10 else 0), 1000 + 40.0 * n) for n in range(20)]
    placed = place(Stamps(), times)
    assert [n for n, (_, _, what) in enumerate(placed) if what] == [10]
    assert wrong in placed[10][2]
    assert placed[19][0] == pytest.approx(1000 + 40.0 * 19, abs=1)


def test_a_clock_that_is_slow_is_followed() -> None:
    placed = place(Stamps(), [(40.0 * n * 0.9999, 1000 + 40.0 * n) for n in range(5000)])
    assert placed[-1][0] == pytest.approx(1000 + 40.0 * 4999, abs=1)


def test_stamps_on_our_clock_are_taken_as_they_are_and_never_lie_in_the_future() -> None:
    placed = place(Stamps(is_ours=True), [(1000.0, 1007.0), (1040.0, 1049.0), (1080.0, 1079.0)])
    assert [at for at, _, _ in placed] == [1000.0, 1040.0, 1079.0]


def test_without_stamps_the_arrival_counts() -> None:
    assert Stamps().place(None, 5).captured_ns == 5
