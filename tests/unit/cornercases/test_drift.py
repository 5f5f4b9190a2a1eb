"""Drift: scores and pictures that changed for good."""

from __future__ import annotations

import numpy as np

from hilgui.cornercases.drift import Drift
from hilgui.records import FrameHealth, Hit, Suspect
from hilgui.settings import CornerCaseLimits
from tests.unit.cornercases.drive import PERSON, B, context, look, moment

BOXES = [(100.0 + 80 * nth, 200.0, 140.0 + 80 * nth, 300.0) for nth in range(4)]


def scored(before: float, after: float) -> list[Hit]:
    """Four objects a frame; the scores are distributed around another value from frame 300 on."""
    limits = CornerCaseLimits.model_validate({"drift": {"values": 1000, "block_s": 100.0}})
    random = np.random.default_rng(4)
    detector = Drift(context(limits, candidate=False))
    hits: list[Hit] = []
    for seq in range(600):
        scores = np.clip(random.normal(before if seq < 300 else after, 0.05, 4), 0.41, 0.99).tolist()
        seen = [(PERSON, box, score) for box, score in zip(BOXES, scores, strict=True)]
        hits += look(detector, [moment(seq, seen={B: seen})])
    return hits


def test_scores_that_fall_for_good_drift() -> None:
    hits = scored(0.8, 0.7)
    assert hits
    assert {hit.thread for hit in hits} == {"psi"}
    assert hits[0].evidence["psi"] > 0.2
    assert "1000 and 1000 earlier ones" in hits[0].why


def test_scores_that_stay_or_hardly_move_do_not() -> None:
    assert scored(0.8, 0.8) == []
    assert scored(0.8, 0.795) == []


def bright(*means: float) -> list[Hit]:
    detector = Drift(context(candidate=False))
    healths = [FrameHealth(mean, 40.0, 0.0, 3.0, 400.0) for mean in means]
    return look(detector, [moment(seq, health=health) for seq, health in enumerate(healths)])


def test_a_picture_that_darkens_for_good_drifts_and_the_rig_is_suspected() -> None:
    random = np.random.default_rng(6)
    hits = bright(*random.normal(140, 10, 1200).tolist(), *random.normal(60, 10, 900).tolist())
    assert [hit.thread for hit in hits][:1] == ["mean of the grey levels"]
    assert hits[0].suspect is Suspect.RIG
    assert hits[0].seq > 1200


def test_a_tunnel_of_a_second_is_no_drift() -> None:
    random = np.random.default_rng(7)
    means = random.normal(140, 10, 2100)
    means[900:930] = 40.0
    assert bright(*means.tolist()) == []
