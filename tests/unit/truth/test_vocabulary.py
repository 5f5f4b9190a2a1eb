"""Agreeing on one vocabulary."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.errors import CallWrong
from hilgui.records import NO_CLASS, Truth
from hilgui.truth import Agreed, ClassMap, agree, relabel
from hilgui.truth.kitti import CLASSES as KITTI

COCO = ("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck")


def judged(agreed: Agreed) -> set[str]:
    return {agreed.vocabulary.name(number) for number in agreed.vocabulary.judged}


def test_labels_come_first_then_what_only_models_know() -> None:
    agreed = agree(("car", "tree"), None, [("person", "car"), ("Car", "bus")])
    assert agreed.vocabulary.names == ("car", "tree", "person", "bus")
    assert judged(agreed) == {"car"}
    assert agreed.truth_classes.tolist() == [0, 1]
    assert [table.tolist() for table in agreed.model_classes] == [[2, 0], [0, 3]]


def test_case_does_not_matter_and_the_first_spelling_stays() -> None:
    agreed = agree(("Traffic Light",), None, [("traffic light",)])
    assert agreed.vocabulary.names == ("Traffic Light",)
    assert judged(agreed) == {"Traffic Light"}


def test_without_truth_every_class_that_all_models_know_is_judged() -> None:
    agreed = agree(None, None, [COCO, ("car", "person", "cyclist")])
    assert judged(agreed) == {"car", "person"}
    assert (agreed.truth_classes.tolist(), agreed.unmapped, agreed.notes) == ([], (), ())


def test_requested_classes_narrow_what_is_judged() -> None:
    assert judged(agree(COCO, None, [COCO], ("CAR", "person"))) == {"car", "person"}


def test_a_requested_class_that_not_everybody_knows_is_noted() -> None:
    agreed = agree(("car",), None, [COCO], ("car", "bus"))
    assert judged(agreed) == {"car"}
    assert agreed.notes == ("not compared, because not every model and the labels know it: bus",)


@pytest.mark.parametrize(("name", "hint"), [("persn", "did you mean: person"), ("zzzzzz", "known: airplane, bicycle")])
def test_a_requested_class_that_nobody_knows_is_refused(name: str, hint: str) -> None:
    with pytest.raises(CallWrong, match=f"class '{name}'; {hint}"):
        agree(COCO, None, [COCO], (name,))


def test_labels_and_models_with_nothing_in_common_are_refused() -> None:
    with pytest.raises(CallWrong, match=r"labels \(tree\) and the models \(person.* no class in common"):
        agree(("tree",), None, [COCO])


def test_the_suggested_map_is_applied_where_it_fits_better() -> None:
    agreed = agree(KITTI, None, [COCO, COCO], suggested="kitti_to_coco")
    assert judged(agreed) == {"car", "truck", "person"}
    assert agreed.unmapped == ("Cyclist", "Tram", "Misc")
    names = [agreed.vocabulary.name(number) for number in agreed.truth_classes]
    assert names == ["car", "car", "truck", "person", "person", "ignore", "ignore", "ignore"]
    assert agreed.class_map["Van"] == "car"
    assert agreed.notes[0].startswith("class map kitti_to_coco applied")
    assert agreed.notes[1] == "labels without a compared class are ignore regions: Cyclist, Tram, Misc"


@pytest.mark.parametrize("models", [[KITTI], [("Car", "Pedestrian")], [("car",), ("car", "van")]])
def test_the_suggested_map_stays_off_where_names_fit_as_they_are(models: list[tuple[str, ...]]) -> None:
    agreed = agree(KITTI, None, models, suggested="kitti_to_coco")
    assert (agreed.class_map, agreed.unmapped, agreed.vocabulary.names[: len(KITTI)]) == ({}, (), KITTI)


def test_the_operator_can_keep_the_suggested_map_off() -> None:
    assert judged(agree(KITTI, "none", [COCO], suggested="kitti_to_coco")) == {"Car", "Truck"}


def test_a_map_by_name_or_as_a_value() -> None:
    assert judged(agree(KITTI, "kitti_to_coco", [("car",)])) == {"car"}
    mine = ClassMap("mine", {"cyclist": "person", "Lorry": "truck"})
    agreed = agree(KITTI, mine, [COCO])
    assert judged(agreed) == {"person"}
    assert agreed.notes[0] == "class map mine names what the labels do not have: Lorry"


def test_relabelled_truth_turns_unmapped_classes_into_ignore_regions() -> None:
    agreed = agree(KITTI, "kitti_to_coco", [COCO])
    truth = Truth.of(
        np.zeros((3, 4)), np.array([KITTI.index("Van"), KITTI.index("Tram"), NO_CLASS]), ignore=np.array([0, 0, 1]) > 0
    )
    told = relabel(truth, agreed.truth_classes)
    assert told.classes.tolist() == [agreed.vocabulary.names.index("car"), NO_CLASS, NO_CLASS]
    assert told.ignore.tolist() == [False, True, True]


def test_relabelling_an_empty_truth_gives_an_empty_truth() -> None:
    assert len(relabel(Truth.none(), np.empty(0, np.int32))) == 0


def test_a_class_map_that_does_not_exist_is_refused_without_labels_too() -> None:
    with pytest.raises(CallWrong, match="there is no class map nosuch"):
        agree(None, "nosuch", [["car"]])
