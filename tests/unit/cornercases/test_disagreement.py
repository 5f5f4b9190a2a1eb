"""Disagreement: smoothed over frames, and at once for a close person seen by one model alone."""

from __future__ import annotations

import pytest

from hilgui.cornercases.disagreement import ModelDisagreement
from hilgui.records import Moment, Severity
from tests.unit.cornercases.drive import CAR, PERSON, B, C, Seen, context, look, moment, seqs

FAR_CARS: list[Seen] = [(CAR, (100.0 * place, 200.0, 100.0 * place + 50, 230.0), 0.8) for place in range(4)]
CLOSE: Seen = (PERSON, (500.0, 200.0, 560.0, 400.0), 0.9)


def shared(seq: int, of_four: int, *, ordered: bool = True) -> Moment:
    """Let the candidate see so many of the baseline's four cars."""
    return moment(seq, seen={B: FAR_CARS, C: FAR_CARS[:of_four]}, ordered=ordered)


def test_models_that_differ_for_long_disagree() -> None:
    hits = look(ModelDisagreement(context()), [shared(seq, of_four=1) for seq in range(8)])
    assert seqs(hits) == [4, 5, 6, 7]  # the mean needs five frames
    assert hits[0].evidence == pytest.approx({"value": 0.6, "smoothed": 0.6, "only_baseline": 3, "only_candidate": 0})
    assert hits[0].role is None
    assert [found.label for found in hits[0].objects] == ["car", "car", "car"]
    assert "seen by the baseline alone: 3 × car; by the candidate alone: nothing" in hits[0].why


def test_one_frame_is_smoothed_away() -> None:
    moments = [shared(seq, of_four=1 if seq == 6 else 4) for seq in range(12)]
    assert look(ModelDisagreement(context()), moments) == []


def test_models_that_agree_do_not_disagree() -> None:
    assert look(ModelDisagreement(context()), [shared(seq, of_four=4) for seq in range(8)]) == []


def test_a_disagreement_at_the_limit_is_allowed() -> None:
    three = [shared(seq, of_four=3) for seq in range(8)]  # 1 - F1 = 1/7
    assert look(ModelDisagreement(context()), three) == []


def test_a_close_person_that_one_model_alone_sees_counts_although_the_rest_agrees() -> None:
    many = FAR_CARS * 1 + [(CAR, (100.0 * place, 300.0, 100.0 * place + 50, 330.0), 0.8) for place in range(4)]
    moments = [moment(seq, seen={B: [*many, CLOSE], C: many}) for seq in range(6)]
    hits = look(ModelDisagreement(context()), moments)
    assert seqs(hits) == [4, 5]
    assert {hit.severity for hit in hits} == {Severity.HIGH}
    assert hits[0].why.endswith(
        "a person is seen by the baseline alone, critical: in the corridor (box height and corridor polygon)"
    )


def test_frames_that_the_candidate_skipped_are_not_looked_at() -> None:
    moments = [shared(seq, of_four=1) if seq % 2 else moment(seq, seen={B: FAR_CARS}) for seq in range(12)]
    assert seqs(look(ModelDisagreement(context()), moments)) == [9, 11]


def test_in_an_unordered_set_each_frame_speaks_for_itself() -> None:
    moments = [shared(seq, of_four=1 if seq == 1 else 4, ordered=False) for seq in range(3)]
    assert seqs(look(ModelDisagreement(context(ordered=False)), moments)) == [1]
