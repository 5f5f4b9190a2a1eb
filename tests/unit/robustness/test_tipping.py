"""The search for the severity at which something is lost, and what it says where damage does not grow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hilgui.robustness.tipping import TOLERANCE, search


def counted(is_lost: Callable[[float], bool]) -> tuple[Callable[[float], str | None], list[float]]:
    asked: list[float] = []

    def lost(severity: float) -> str | None:
        asked.append(severity)
        return f"lost at {severity:g}" if is_lost(severity) else None

    return lost, asked


@pytest.mark.parametrize("edge", [0.1, 0.9, 2.345, 4.99])
def test_the_edge_is_found_within_the_tolerance_and_nothing_is_asked_twice(edge: float) -> None:
    lost, asked = counted(lambda severity: severity >= edge)
    found = search(lost)
    assert found.severity is not None
    assert 0 <= found.severity - edge <= TOLERANCE
    assert found.loss == f"lost at {found.severity:g}"
    assert found.is_monotone
    assert len(asked) == len(set(asked)) <= 16


def test_what_is_never_lost_is_said_so() -> None:
    lost, _ = counted(lambda severity: False)
    found = search(lost)
    assert found.severity is None
    assert found.loss is None


def test_a_loss_before_the_edge_is_searched_and_told() -> None:
    lost, _ = counted(lambda severity: severity >= 4 or 1.8 <= severity <= 2.2)
    found = search(lost)
    assert found.severity == pytest.approx(1.8, abs=TOLERANCE)
    assert not found.is_monotone


def test_an_object_that_comes_back_makes_the_answer_not_monotone() -> None:
    lost, _ = counted(lambda severity: 2 <= severity < 4)
    found = search(lost)
    assert found.severity == pytest.approx(2, abs=TOLERANCE)
    assert not found.is_monotone
