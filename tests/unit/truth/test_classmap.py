"""Class maps: the shipped one, and what a typing mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgui.errors import CallWrong
from hilgui.truth import load_class_map

GOOD = "schema_version: 1\nclasses:\n  Pedestrian: person\n  Car: car\n"


def test_the_shipped_map_from_kitti_to_coco() -> None:
    assert load_class_map("kitti_to_coco").classes == {
        "Pedestrian": "person",
        "Person_sitting": "person",
        "Car": "car",
        "Van": "car",
        "Truck": "truck",
    }


def test_a_file_of_the_operator(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    class_map = load_class_map(str(path))
    assert (class_map.name, class_map.classes) == ("mine", {"Pedestrian": "person", "Car": "car"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("", "must have the keys", id="empty"),
        pytest.param("- a\n", "must have the keys", id="a list"),
        pytest.param(GOOD.replace("classes", "clases"), "line 2: unknown key", id="misspelt key"),
        pytest.param(GOOD.replace("1", "2"), "must say schema_version: 1", id="another version"),
        pytest.param(GOOD + "  Van: 3\n", "line 5: not a pair of names", id="a number as name"),
        pytest.param(GOOD + "  Van:\n", "line 5: not a pair of names", id="no name"),
        pytest.param(GOOD + "  CAR: truck\n", "line 5: CAR is mapped twice", id="twice by case"),
        pytest.param(GOOD + "  Car: truck\n", "line 5: .*duplicate key", id="twice"),
        pytest.param(GOOD + "  Van: [car\n", "line 6: ", id="bracket left open"),
        pytest.param("schema_version: 1\nclasses:\n", "must have classes", id="no classes"),
        pytest.param("a: " + "[" * 50_000, "nests too deeply", id="nested brackets"),
        pytest.param("- " * 50_000, "nests too deeply", id="nested lists"),
        pytest.param("a: \x00", "is not YAML", id="control character"),
    ],
)
def test_mistakes_name_file_and_line(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(CallWrong, match=sentence) as caught:
        load_class_map(str(path))
    assert str(path) in str(caught.value)


def test_aliases_that_would_unfold_to_gigabytes_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    levels = [f"  a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 30)]
    path.write_text("\n".join(["schema_version: 1", "classes:", "  a0: &a0 [x]", *levels]))
    with pytest.raises(CallWrong, match="line 3: not a pair of names"):
        load_class_map(str(path))


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xff")
    with pytest.raises(CallWrong, match="not UTF-8"):
        load_class_map(str(path))


def test_a_name_that_is_neither_shipped_nor_a_file() -> None:
    with pytest.raises(CallWrong, match=r"no class map kitti; give a YAML file or one of: .*kitti_to_coco"):
        load_class_map("kitti")
