"""Fairness of coverage over stored runs."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from hilgui.cli import main
from hilgui.errors import CallWrong
from hilgui.report.fairness import fairness_of
from hilgui.store import RunReader


def test_each_group_has_its_recall_and_the_smallest_is_named(run_folder: Path) -> None:
    with closing(RunReader(run_folder)) as reader:
        found = fairness_of([reader], least=1)
    for one in found:
        told = one.disparity
        assert told.counts[told.smallest] == min(told.counts.values())
        assert one.label in ("person", "pedestrian", "rider", "cyclist", "all")
    assert found


def test_an_unknown_group_or_class_names_those_that_there_are(run_folder: Path) -> None:
    with closing(RunReader(run_folder)) as reader:
        with pytest.raises(CallWrong, match=r"there is no group 'heigth' in these runs; there are .*height"):
            fairness_of([reader], dimensions=["heigth"])
        with pytest.raises(CallWrong, match="no label is of class 'unicorn'; there are "):
            fairness_of([reader], classes=["unicorn"])


def test_groups_that_are_too_small_are_inconclusive_and_a_limit_is_a_verdict(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fairness", str(run_folder), "--group", "height", "--class", "all", "--json"]
    assert main([*words, "--least", "100000"]) == 3
    assert json.loads(capsys.readouterr().out)["verdict"] == "INCONCLUSIVE"
    assert main([*words, "--least", "1", "--limit", "1"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "PASS"
    gap = max(one["gap"] for one in told["groups"])
    assert gap > 0
    assert main([*words, "--least", "1", "--limit", str(gap / 2)]) == 1


def test_tags_of_the_labels_are_groups_with_recall_and_interval_each(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The candidate never finds the person in dark clothes, the baseline finds both."""
    words = ["fairness", str(run_folder), "--group", "attribute:clothing", "--class", "person", "--json"]
    assert main(words) == 0
    told = {one["model"]: one for one in json.loads(capsys.readouterr().out)["groups"]}
    assert told["baseline"]["rates"] == {"bright": 1.0, "dark": 1.0}
    assert told["candidate"]["rates"]["dark"] == 0.0
    assert told["candidate"]["worst"] == "dark"
    assert set(told["candidate"]["intervals"]) == {"bright", "dark"}
    counts = told["candidate"]["counts"]
    assert main(["slices", str(run_folder), "--json"]) == 0
    slices = json.loads(capsys.readouterr().out)["models"]["candidate"]["slices"]
    mine = [one for one in slices if one["dimension"] == "attribute:clothing"]
    assert {one["value"]: one["truths"] for one in mine} == counts
    assert all(one["false_positives"] is None and one["map_50"] is None for one in mine)  # no detection wears any
    assert counts["bright"] == counts["dark"] > 30
    assert main(words[:-1]) == 0
    assert "attribute:clothing: dark" in capsys.readouterr().out


def test_an_attribute_that_no_label_has_is_a_wrong_call(run_folder: Path) -> None:
    with closing(RunReader(run_folder)) as reader, pytest.raises(CallWrong, match=r"there are .*attribute:clothing"):
        fairness_of([reader], dimensions=["attribute:skin_tone"])


def test_an_attribute_with_too_many_values_is_told(
    run_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hilgui.evaluation.slice_tags.MOST_VALUES", 1)  # clothing has two
    assert main(["fairness", str(run_folder), "--class", "person", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "values: attribute:clothing" in told["notes"][0]
    assert "attribute:clothing" not in {one["group"] for one in told["groups"]}
