from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hilgui.errors import StoreBroken
from hilgui.records import Comparison, Detections, Disagreement, Finding, FoundObject, Kind, Role, Severity, Truth
from hilgui.store import codec

FLOAT32 = st.floats(width=32, allow_infinity=False)
COUNTS = st.integers(0, 12)


def columns(count: int, kind: str, *shape: int, **limits: Any) -> st.SearchStrategy[Any]:
    return arrays(np.dtype(kind), (count, *shape), **limits)


@st.composite
def some_detections(draw: st.DrawFn) -> Detections:
    count = draw(COUNTS)
    return Detections(
        draw(columns(count, "f4", 4)),
        draw(columns(count, "f4")),
        draw(columns(count, "i4", elements=st.integers(-1, 32767))),
    )


@st.composite
def some_truth(draw: st.DrawFn) -> Truth:
    count = draw(COUNTS)
    return Truth(
        draw(columns(count, "f8", 4)),
        draw(columns(count, "i4", elements=st.integers(-1, 32767))),
        draw(columns(count, "i8")),
        draw(columns(count, "f8")),
        draw(columns(count, "?")),
        draw(columns(count, "?")),
        draw(columns(count, "f4")),
        draw(columns(count, "f4")),
        np.full(count, np.nan, np.float32),  # lies beside the boxes, see test_answers.py
    )


@st.composite
def some_comparison(draw: st.DrawFn) -> Comparison:
    count = draw(COUNTS)
    return Comparison(
        draw(columns(draw(COUNTS), "u1")),
        draw(columns(count, "u1")),
        draw(columns(count, "i4")),
        draw(columns(count, "f4")),
    )


NUMBERS = st.integers(0, 10**9)
TIMES = st.one_of(st.just(math.nan), st.floats(0, 1e6))
SOME_FINDING = st.builds(
    Finding,
    number=NUMBERS,
    kind=st.sampled_from(Kind),
    severity=st.sampled_from(Severity),
    role=st.one_of(st.none(), st.sampled_from(Role)),
    first_seq=NUMBERS,
    last_seq=NUMBERS,
    worst_seq=NUMBERS,
    frames=NUMBERS,
    first_s=TIMES,
    last_s=TIMES,
    worst_s=TIMES,
    why=st.text(),
    objects=st.lists(
        st.builds(
            FoundObject,
            label=st.text(),
            box=st.tuples(*[st.floats(-1e4, 1e4)] * 4),
            track=NUMBERS,
            score=st.one_of(st.none(), st.floats(0, 1)),
            distance_m=st.one_of(st.none(), st.floats(0, 1e3)),
        ),
        max_size=3,
    ).map(tuple),
    suspect_role=st.one_of(st.none(), st.sampled_from(Role)),
    evidence=st.dictionaries(st.text(max_size=5), st.floats(-1e6, 1e6), max_size=3),
    clip_first=st.one_of(st.none(), NUMBERS),
    clip_last=st.one_of(st.none(), NUMBERS),
)


def assert_same(first: Any, second: Any) -> None:
    for field in fields(first):
        mine, theirs = getattr(first, field.name), getattr(second, field.name)
        if field.name == "tags":  # they lie beside, see answers.py
            continue
        assert mine.dtype == theirs.dtype, field.name
        np.testing.assert_array_equal(mine, theirs, field.name)


@given(some_detections())
@settings(max_examples=60, deadline=None)
def test_detections_come_back_as_they_were(detections: Detections) -> None:
    assert_same(codec.unpack_detections(codec.pack_detections(detections)), detections)


@given(some_truth())
@settings(max_examples=60, deadline=None)
def test_truth_comes_back_as_it_was(truth: Truth) -> None:
    assert_same(codec.unpack_truth(codec.pack_truth(truth)), truth)


@given(some_comparison())
@settings(max_examples=60, deadline=None)
def test_comparisons_come_back_as_they_were(comparison: Comparison) -> None:
    assert_same(codec.unpack_comparison(codec.pack_comparison(comparison)), comparison)


@given(st.lists(st.integers(0, 10**6)), st.lists(st.integers(0, 10**6)))
@settings(max_examples=40, deadline=None)
def test_disagreements_come_back_as_they_were(mine: list[int], theirs: list[int]) -> None:
    rows = Disagreement(0.5, np.array(mine, np.int32), np.array(theirs, np.int32))
    back = codec.unpack_disagreement(0.5, codec.pack_disagreement(rows))
    np.testing.assert_array_equal(back.only_baseline, rows.only_baseline)
    np.testing.assert_array_equal(back.only_candidate, rows.only_candidate)


@given(SOME_FINDING)
@settings(max_examples=60, deadline=None)
def test_findings_come_back_as_they_were_through_valid_json(finding: Finding) -> None:
    text = json.dumps(codec.finding_json(finding), allow_nan=False)
    assert repr(codec.finding_from_json(json.loads(text))) == repr(finding)  # NaN is not equal to itself


def test_evidence_that_is_not_a_number_stays_valid_json() -> None:
    from tests.unit.store.rows import finding

    odd = finding(1)
    odd.evidence["ratio"] = math.inf
    odd.evidence["best_iou"] = math.nan
    assert json.loads(json.dumps(codec.finding_json(odd), allow_nan=False))["evidence"]["best_iou"] is None


@pytest.mark.parametrize("unpack", [codec.unpack_detections, codec.unpack_truth])
def test_a_blob_that_was_cut_is_refused(unpack: Any) -> None:
    with pytest.raises(StoreBroken, match="the run is damaged"):
        unpack(b"\x00" * 21)


def test_a_suspected_model_is_written_only_where_there_is_one() -> None:
    from tests.unit.store.rows import finding

    assert "suspect_role" not in codec.finding_json(finding(1))
    named = replace(finding(1), suspect_role=Role.CANDIDATE)
    plain = json.loads(json.dumps(codec.finding_json(named)))
    assert plain["suspect_role"] == "candidate"
    assert codec.finding_from_json(plain) == named


def test_a_finding_of_a_run_from_before_there_were_levels_still_opens() -> None:
    from tests.unit.store.rows import finding

    newer = {"level", "trigger", "suspect", "suspect_why", "frame_hash", "crop_hash", "clip_note"}
    plain = {name: value for name, value in codec.finding_json(finding(1)).items() if name not in newer}
    assert codec.finding_from_json(plain) == finding(1)
