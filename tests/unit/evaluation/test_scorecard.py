"""The scorecard: fed while the drive plays or from the store, it says the same."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hilgui.evaluation import Scorecard
from hilgui.records import Judgement, Moment, Role
from tests.unit.report.night_run import FRAMES, header, moment_of


def night_moments() -> list[Moment]:
    rng = np.random.default_rng(7)
    return [moment_of(seq, header(), rng) for seq in range(FRAMES)]


def test_reading_in_between_changes_nothing() -> None:
    once, often = Scorecard(header()), Scorecard(header())
    for moment in night_moments():
        once.add(moment)
        often.add(moment)
        often.figures()
    assert once.as_json() == often.as_json()


def test_every_figure_carries_its_count() -> None:
    scorecard = Scorecard(header())
    moments = night_moments()
    for moment in moments:
        scorecard.add(moment)
    figures = scorecard.figures()[Role.CANDIDATE]
    judged = [moment.comparisons[Role.CANDIDATE].truths for moment in moments if moment.truth is not None]
    counted = sum(int(np.count_nonzero(rows != Judgement.IGNORED)) for rows in judged)
    found = sum(int(np.count_nonzero(rows == Judgement.MATCHED)) for rows in judged)
    assert figures["recall"].count == figures["map_50_95"].count == counted
    assert figures["recall"].value == pytest.approx(found / counted)
    assert figures["recall.bus"].value is None


def test_what_a_run_stores_is_json_and_keeps_the_old_names() -> None:
    scorecard = Scorecard(header())
    for moment in night_moments():
        scorecard.add(moment)
    plain = json.loads(json.dumps(scorecard.as_json(), allow_nan=False))["baseline"]
    assert {"map_50_95", "map_50", "map_75", "frames", "truths", "per_class", "figures", "details"} <= set(plain)
    assert plain["figures"]["map_50"]["value"] == plain["map_50"]


def test_a_frame_without_truth_is_not_judged() -> None:
    scorecard = Scorecard(header())
    scorecard.add(night_moments()[-1])
    assert scorecard.figures()[Role.BASELINE]["recall"].count == 0
