"""A moment on its way to the screen: nothing that is drawn changes, and what is as large as the picture stays."""

from __future__ import annotations

import pickle
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from hilgui.engine.packing import pack, without_maps
from hilgui.records import Role
from tests.unit.store.rows import moment
from tests.unit.store.test_answers import answered


def test_a_packed_moment_is_the_same_moment() -> None:
    given = moment(3)
    assert_same(pickle.loads(pack(given)), given)


def test_maps_stay_behind_and_everything_else_travels() -> None:
    given = answered()
    sent = pickle.loads(pack(without_maps(given)))
    for name in ("mask_truth", "depth_truth"):
        assert getattr(given, name) is not None and getattr(sent, name) is None
    before, after = given.inferences[Role.BASELINE], sent.inferences[Role.BASELINE]
    assert after.segmentation is None and after.depth is None
    assert_same(after.detections, before.detections)
    assert_same(after.classification, before.classification)
    assert_same(after.lanes, before.lanes)
    assert_same(sent.inferences[Role.CANDIDATE], given.inferences[Role.CANDIDATE])
    assert_same(sent.lane_truth, given.lane_truth)
    assert len(pack(without_maps(given))) < len(pack(given)) / 4


def assert_same(one: Any, other: Any) -> None:
    """Compare field by field; NaN is NaN, arrays have the same type of number."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    elif is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            assert_same(mine, theirs)
    else:
        assert one == other or one != one
