"""Attributes of labels, as each format writes them, on their way to groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hilgui.records import Moment, Tags, Truth
from hilgui.store import answers
from hilgui.truth.coco import CocoReader
from hilgui.truth.cvat import CvatReader
from hilgui.truth.openlabel import OpenLabelReader
from hilgui.truth.protocol import TruthReader
from hilgui.truth.rows import Attributes, LabelledObject, truth_of
from hilgui.truth.scalabel import ScalabelReader
from tests.unit.store import rows
from tests.unit.truth.samples import COCO, CVAT_IMAGES, OPENLABEL, SCALABEL

DARK: Tags = (("clothing", "dark"),)


def tags(tmp_path: Path, reader: type[TruthReader], content: str) -> tuple[Tags, ...]:
    path = tmp_path / "labels"
    path.write_text(content)
    truth = reader.read(path).frames[0].truth
    assert truth is not None
    return truth.tags


def test_coco_gives_the_attributes_of_cvat_and_further_texts(tmp_path: Path) -> None:
    assert tags(tmp_path, CocoReader, COCO) == ()
    more = COCO.replace('"occlusion": 0.25', '"attributes": {"clothing": "dark", "age": 7, "bag": true}, "skin": "III"')
    assert tags(tmp_path, CocoReader, more) == ((("bag", "yes"), *DARK, ("skin", "III")),)


def test_scalabel_gives_all_attributes_but_crowd(tmp_path: Path) -> None:
    more = SCALABEL.replace('"occluded": true', '"occluded": true, "clothing": "dark"')
    assert tags(tmp_path, ScalabelReader, more) == ((*DARK, ("occluded", "yes")),)


def test_cvat_gives_all_attributes_but_crowd(tmp_path: Path) -> None:
    more = CVAT_IMAGES.replace("<attribute", '<attribute name="clothing">dark</attribute><attribute', 1)
    assert tags(tmp_path, CvatReader, more) == (DARK,)


def test_openlabel_gives_texts_of_the_box_and_of_the_object(tmp_path: Path) -> None:
    more = OPENLABEL.replace(
        '"type": "car"}', '"type": "car", "object_data": {"text": [{"name": "clothing", "val": "dark"}]}}'
    ).replace('"num": [', '"text": [{"name": "pose", "val": "sits"}], "num": [')
    assert tags(tmp_path, OpenLabelReader, more) == ((*DARK, ("occluded", "yes"), ("pose", "sits")),)


def test_numbers_colours_and_free_text_are_no_groups() -> None:
    attributes = Attributes()
    said = [("age", 7), ("colour", "#aabbcc"), ("note", "x" * 65), ("", "dark"), (3, "dark"), ("a", " "), ("bag", True)]
    assert attributes.tags_of(said) == (("bag", "yes"),)
    (note,) = attributes.notes
    assert note.endswith("make no groups and were left out: age, colour, note")
    assert Attributes().notes == ()


def test_the_labels_tell_which_attributes_are_no_groups(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_text(COCO.replace('"occlusion": 0.25', '"attributes": {"clothing": "dark", "age": 7}'))
    assert [note for note in CocoReader.read(path).notes if note.endswith("left out: age")]
    path.write_text(COCO)
    assert CocoReader.read(path).notes == ()


def test_tags_follow_their_rows_and_come_back_from_the_store() -> None:
    box = (0.0, 0.0, 4.0, 4.0)
    truth = truth_of([LabelledObject(box, 0, tags=DARK), LabelledObject(box, 1)])
    assert truth.tags == (DARK, ())
    assert truth.where(np.array([False, True])).tags == ((),)
    assert Truth.none().beside(truth).tags == (DARK, ())
    assert truth.beside(Truth.of(np.array([box]), np.array([0], np.int32))).tags == (DARK, (), ())
    moment = Moment(rows.ref(0), rows.moment(0).health, truth, {})
    bare = Truth.of(truth.boxes, truth.classes)
    stored = answers.with_tags(bare, dict(answers.answers_of(moment)))
    assert stored is not None and stored.tags == (DARK, ())
    assert answers.with_tags(bare, {}) is bare
