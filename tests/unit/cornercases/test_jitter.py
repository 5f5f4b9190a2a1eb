"""Jitter: a box that trembles around its label."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.cornercases.jitter import Jitter
from hilgui.records import Hit
from hilgui.settings import CornerCaseLimits
from tests.unit.cornercases.drive import PERSON, B, Corners, Known, context, look, moment, seqs

BOX = (300.0, 200.0, 340.0, 300.0)
LIMITS = CornerCaseLimits.model_validate({"jitter": {"deviation": 0.05}})


def boxed(*boxes: Corners | None) -> list[Hit]:
    truth = [Known(PERSON, BOX, track=1, distance_m=20.0)]
    moments = [
        moment(seq, truth=truth, seen={B: [] if box is None else [(PERSON, box, 0.8)]}) for seq, box in enumerate(boxes)
    ]
    return look(Jitter(context(LIMITS, candidate=False)), moments)


def aside(x: float, taller: float = 0.0) -> Corners:
    return (BOX[0] + x, BOX[1] - taller, BOX[2] + x, BOX[3])


def test_a_box_that_trembles_sideways_is_reported_from_its_tenth_frame_on() -> None:
    hits = boxed(*[aside(3.0 if seq % 2 else -3.0) for seq in range(12)])
    assert seqs(hits) == [9, 10, 11]
    assert hits[0].evidence["deviation_x"] == pytest.approx(3.0 / 40)
    assert "trembles for {duration}: by 8% of its size sideways" in hits[0].why


def test_the_deviation_is_that_of_the_last_ten_frames() -> None:
    random = np.random.default_rng(5)
    offsets = random.normal(0, 4, 30)
    heights = random.normal(0, 6, 30)
    hits = boxed(*[aside(x, y) for x, y in zip(offsets.tolist(), heights.tolist(), strict=True)])
    last = hits[-1]
    assert last.evidence["deviation_x"] == pytest.approx(np.std(offsets[-10:]) / 40, rel=1e-4)
    assert last.evidence["deviation_log_height"] == pytest.approx(np.std(np.log1p(heights[-10:] / 100)), rel=1e-4)


def test_a_box_that_is_always_wrong_in_the_same_way_does_not_tremble() -> None:
    assert boxed(*[aside(10.0)] * 30) == []


def test_just_below_the_limit_and_before_ten_frames_in_a_row_nothing_is_said() -> None:
    assert boxed(*[aside(1.9 if seq % 2 else -1.9) for seq in range(30)]) == []
    assert boxed(*[None if seq % 10 == 9 else aside(5.0 if seq % 2 else -5.0) for seq in range(40)]) == []


def test_a_tremble_of_two_pixels_is_that_of_the_grid() -> None:
    small = (300.0, 200.0, 320.0, 240.0)
    for pixels, count in ((1.9, 0), (2.1, 3)):
        moments = [
            moment(
                seq,
                truth=[Known(PERSON, small, track=1)],
                seen={B: [(PERSON, (300 + step, 200.0, 320 + step, 240.0), 0.8)]},
            )
            for seq, step in enumerate([pixels, -pixels] * 6)
        ]
        assert len(look(Jitter(context()), moments)) == count
