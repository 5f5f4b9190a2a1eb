"""What is counted when a camera falls silent and comes back: never fewer losses than pictures that were not taken."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.records import Frame, Loss
from hilgui.sources.camera import CameraFacts, Shot
from hilgui.sources.live import AWAY, OVERRUN, LiveLimits, _Watch

_MS = 1_000_000
_FACTS = CameraFacts("camera", "test", 4, 4, 10.0)


def _shot(at_ms: int) -> Shot:
    return Shot(np.zeros((4, 4, 3), np.uint8), at_ms * _MS)


def _taken(*shots: tuple[int, int], lost_at_ms: int | None = None) -> list[Frame | Loss]:
    """Take pictures (index, arrival in ms) of one connection; the camera is found lost before the last one."""
    watch = _Watch(_FACTS, LiveLimits(), 0)
    items: list[Frame | Loss] = []
    for index, at_ms in shots[:-1]:
        items += watch.take(0, index, _shot(at_ms))
    if lost_at_ms is not None:
        assert watch.is_late(lost_at_ms * _MS)
        items += watch.losses(lost_at_ms * _MS)
    items += watch.take(0, shots[-1][0], _shot(shots[-1][1]))
    return items


@pytest.mark.parametrize(
    ("index", "losses", "why"),
    [(2, 5, AWAY), (6, 5, AWAY), (10, 8, OVERRUN)],
    ids=["nothing came", "as many came as time says", "more came in a burst"],
)
def test_a_camera_that_is_back_owes_what_time_or_its_count_says(index: int, losses: int, why: str) -> None:
    items = _taken((0, 0), (1, 100), (index, 700), lost_at_ms=450)
    lost = [item for item in items if isinstance(item, Loss)]
    assert len(lost) == losses, [item.reason for item in lost]
    assert lost[-1].reason == why
    assert [item.ref.seq for item in items] == list(range(len(items)))
    stamps = [item.ref.captured_ns for item in items]
    assert stamps == sorted(set(stamps))


def test_a_picture_that_was_not_taken_is_counted_without_a_loss_of_the_camera() -> None:
    items = _taken((0, 0), (1, 100), (4, 400))
    assert [item.reason for item in items if isinstance(item, Loss)] == [OVERRUN, OVERRUN]
