"""`hilgui labels convert`, as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from hilgui import plugins
from hilgui.cli.labels import labels_app
from hilgui.errors import CallWrong
from hilgui.truth import read_labels
from hilgui.truth.classmap import shipped_maps
from hilgui.truth.label_file import read_yaml
from hilgui.truth.writers import writer_names
from tests.unit.truth.samples import SAMPLES

app = typer.Typer(pretty_exceptions_enable=False)
app.add_typer(labels_app, name="labels")


def call(*words: object) -> None:
    app([str(word) for word in ("labels", "convert", *words)], standalone_mode=False)


def sample(name: str, folder: Path) -> Path:
    (folder / "in").mkdir()
    return next(each for each in SAMPLES if each.name == name).put(folder / "in")


def test_a_conversion_says_what_is_lost(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call(sample("mot", tmp_path), tmp_path / "out.json", "--to", "coco")
    out, told = capfd.readouterr()
    assert "3 objects in 3 frames, MOT → coco" in out
    assert "1 occluder left out" in told
    assert len(read_labels(tmp_path / "out.json").frames) == 3


def test_the_account_as_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call(sample("kitti tracking", tmp_path), tmp_path / "out", "--to", "voc", "--json")
    account = json.loads(capfd.readouterr().out)
    assert (account["from"], account["to"], account["files"], account["objects"]) == ("KITTI tracking", "voc", 3, 1)
    assert account["objects_read"] == 2
    assert any("without class left out" in sentence for sentence in account["lost"])


def test_a_class_map_and_a_size(tmp_path: Path) -> None:
    source = sample("kitti", tmp_path)
    call(source, tmp_path / "out", "--to", "yolo", "--size", "1242x375", "--class-map", "kitti_to_coco")
    assert (tmp_path / "out" / "classes.txt").read_text().split() == ["person", "car", "truck"]
    assert (tmp_path / "out" / "labels" / "a.txt").read_text().startswith("1 ")


def test_yolo_comes_with_what_ultralytics_trains_from(tmp_path: Path) -> None:
    call(sample("kitti", tmp_path), tmp_path / "out", "--to", "yolo", "--size", "1242x375")
    document = read_yaml(tmp_path / "out" / "data.yaml")
    names = (tmp_path / "out" / "classes.txt").read_text().splitlines()
    assert list(document["names"].values()) == names and "path" not in document  # else relative to its own folder
    pictures = (tmp_path / "out" / document["train"]).read_text().split()
    assert pictures and document["val"] == document["train"]
    labels = [picture.replace("/images/", "/labels/").rsplit(".", 1)[0] + ".txt" for picture in pictures]
    assert sorted(labels) == sorted(f"./labels/{path.name}" for path in (tmp_path / "out" / "labels").iterdir())
    assert read_labels(tmp_path / "out" / "data.yaml", lambda _: (1242, 375)).names == tuple(names)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--to", "nothing"), "choose one of coco, cvat, kitti, mot, openlabel, voc, yolo"),
        (("--to", "coco", "--size", "12"), "not a size such as 1920x1080"),
        (("--to", "yolo"), "give --images or --size"),
        (("--to", "coco", "--class-map", "absent"), "there is no class map absent"),
    ],
)
def test_a_wrong_call_is_one_sentence(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CallWrong, match=sentence):
        call(sample("kitti", tmp_path), tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


def test_the_documentation_names_every_format_and_class_map() -> None:
    text = (Path(__file__).parents[3] / "docs" / "labels.md").read_text(encoding="utf-8")
    formats = [reader.format for reader in plugins.working("hilgui.truth_readers").values()]
    assert [name for name in (*formats, *shipped_maps(), *writer_names()) if name not in text] == []
