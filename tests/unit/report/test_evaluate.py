"""Stored runs measured again, by the same and by other rules."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from hilgui.errors import CallWrong
from hilgui.records import Role
from hilgui.report import Changes, evaluate_runs
from hilgui.store import RunReader
from tests.unit.report.night_run import NAMES, header, truth_of, write_run


def test_a_stored_run_gives_the_figures_that_were_stored(reader: RunReader) -> None:
    evaluated = evaluate_runs([reader])
    stored = reader.figures()[Role.CANDIDATE]
    assert stored is not None
    figures = evaluated.scorecard.figures()[Role.CANDIDATE]
    assert {name: figures[name].value for name in ("map_50_95", "map_50", "map_75")} == {
        name: stored[name] for name in ("map_50_95", "map_50", "map_75")
    }
    assert evaluated.findings[0][1] == tuple(reader.findings())


def test_a_lower_threshold_finds_no_less_and_shows_more_phantoms(reader: RunReader) -> None:
    low, card = (
        evaluate_runs([reader], Changes(threshold=value)).scorecard.figures()[Role.BASELINE] for value in (0.05, 0.4)
    )
    assert (low["precision"].value or 0.0) < (card["precision"].value or 0.0)
    assert (low["recall"].value or 0.0) >= (card["recall"].value or 0.0)
    assert low["map_50_95"].value == card["map_50_95"].value


def test_a_higher_threshold_makes_other_findings(reader: RunReader) -> None:
    high = evaluate_runs([reader], Changes(threshold=0.99)).findings[0][1]
    missed = [finding for finding in high if finding.kind.value == "missed_object" and finding.role is Role.BASELINE]
    assert missed  # at .99 the baseline finds nothing


def test_only_the_named_classes_are_judged(reader: RunReader) -> None:
    figures = evaluate_runs([reader], Changes(classes=("Person",))).scorecard.figures()[Role.BASELINE]
    assert "recall.person" in figures
    assert "recall.car" not in figures


def test_an_unknown_class_and_a_threshold_beyond_one_are_refused(reader: RunReader) -> None:
    with pytest.raises(CallWrong, match=r"persn.*person"):
        evaluate_runs([reader], Changes(classes=("persn",)))
    with pytest.raises(CallWrong, match="0 to 1"):
        evaluate_runs([reader], Changes(threshold=40.0))


def test_other_labels_are_judged_without_inference(reader: RunReader, tmp_path: Path) -> None:
    """Labels that know only the car: persons that were found become phantoms, none is missed."""
    truth = truth_of(0)
    assert truth is not None
    images = [{"id": seq + 1, "file_name": moment.ref.key} for seq, moment in enumerate(reader.moments())]
    boxes = [[float(value) for value in (box[0], box[1], box[2] - box[0], box[3] - box[1])] for box in truth.boxes[:1]]
    document = {
        "images": [{**image, "width": 320, "height": 180} for image in images],
        "categories": [{"id": number + 1, "name": name} for number, name in enumerate(NAMES)],
        "annotations": [
            {"id": number, "image_id": image["id"], "category_id": 1, "bbox": boxes[0], "area": 2000.0, "iscrowd": 0}
            for number, image in enumerate(images, 1)
        ],
    }
    labels = tmp_path / "car.coco.json"
    labels.write_text(json.dumps(document))
    figures = evaluate_runs([reader], Changes(truth=labels)).scorecard.figures()[Role.BASELINE]
    assert figures["recall.person"].count == 0
    assert figures["precision.person"].value == 0.0
    assert figures["recall.car"].count == len(images)


def test_two_drives_are_measured_together(reader: RunReader, tmp_path: Path) -> None:
    other = write_run(tmp_path, header("20260131-160000-night-bbbb"))
    with closing(RunReader(other)) as second:
        both = evaluate_runs([reader, second]).scorecard.figures()[Role.BASELINE]
    one = evaluate_runs([reader]).scorecard.figures()[Role.BASELINE]
    assert both["recall"].count == 2 * one["recall"].count
    assert both["recall"].value == pytest.approx(one["recall"].value)


def test_runs_of_other_models_are_not_pooled(reader: RunReader, lone_reader: RunReader) -> None:
    with pytest.raises(CallWrong, match="other models"):
        evaluate_runs([reader, lone_reader])
