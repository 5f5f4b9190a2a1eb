"""Slices of stored runs: counts that add up, intervals or reasons, frames listed once; the tables that print them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from hilgui.cli.more_figures import interval_in_words, print_more
from hilgui.errors import CallWrong
from hilgui.evaluation import Figure, Interval
from hilgui.evaluation.slice_search import SearchRule, _looked_at, weaker_p
from hilgui.records import Role
from hilgui.report.slices import slice_runs
from hilgui.store import RunReader
from tests.unit.evaluation.test_slices import rows_of

from .night_run import header, write_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs"), header())


def test_slices_of_a_run_add_up_and_list_each_frame_once(folder: Path) -> None:
    with closing(RunReader(folder)) as reader:
        sliced = slice_runs([reader], with_search=True, rule=SearchRule(least_truths=5))
        truths = sum(
            moment.comparisons[Role.BASELINE].matched + moment.comparisons[Role.BASELINE].missed
            for moment in reader.moments()
            if Role.BASELINE in moment.comparisons
        )
    baseline = next(one for one in sliced if one.role is Role.BASELINE)
    assert truths
    for dimension in {each.dimension for each in baseline.figures}:
        mine = [each for each in baseline.figures if each.dimension == dimension]
        assert sum(each.truths for each in mine) == truths, dimension
    for each in baseline.figures:
        assert len(set(each.examples)) == len(each.examples)
        assert (each.recall_interval is None) == bool(each.why_no_interval)
    plain = baseline.as_json()
    assert {"recall_interval", "precision_interval", "map_50_interval", "why_no_interval"} <= plain["slices"][0].keys()
    assert plain["search"]["looked_at"] == baseline.searched.looked_at  # type: ignore[union-attr]


def test_no_run_and_no_labels_are_wrong_calls() -> None:
    with pytest.raises(CallWrong, match="at least one run"):
        slice_runs([])


@pytest.mark.parametrize("seed", range(3))
def test_all_slices_tested_together_are_those_tested_one_by_one(seed: int) -> None:
    rows, rule = rows_of(seed), SearchRule()
    tested = _looked_at(rows, rule)
    assert len(tested) == 2 + 2 + 3 + 4 + 6 + 6 + 12
    for each in tested:
        inside = (rows.codes[:, each.columns] == each.codes).all(axis=1)
        recall, outside, p = weaker_p(rows.matched, inside, rows.clusters)
        assert (each.recall, each.outside, each.p) == pytest.approx((recall, outside, p), rel=1e-9)
        assert (each.truths, each.blocks) == (int(inside.sum()), len(np.unique(rows.clusters[inside])))


def test_a_missing_interval_says_why_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    reasons: dict[str, str] = {}
    why = "only one block of 100 frames"
    assert interval_in_words(Figure(0.5, 3, why_no_interval=why), reasons) == "– (1)"
    assert interval_in_words(Figure(0.6, 3, why_no_interval=why), reasons) == "– (1)"
    assert interval_in_words(Figure(0.6, 3, interval=Interval(0.1, 0.9, 0.95, "drive", 6, "")), reasons) == (
        "0.100 … 0.900"
    )
    figures = {"hota": Figure(0.5, 3, why_no_interval=why), "iou.road": Figure(0.7, 4, "pixels"), "other": Figure(1, 1)}
    print_more(Role.BASELINE, figures, without=(), by_class=False)
    told = capsys.readouterr().out
    assert "hota" in told and "iou.road" in told and "other" not in told
    assert f"(1) no interval: {why}" in told
