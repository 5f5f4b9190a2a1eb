"""What triage leads to: corrected labels, a run judged by them, a data set."""

import base64
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from mcap.reader import make_reader

from hilgui.cli.app import main
from hilgui.settings import load_settings
from hilgui.store import RunReader
from hilgui.truth import read_labels
from tests.gui.replay_run import MISSED, PHANTOM, WORST, Made, make_run, person_box


@pytest.fixture
def made() -> Made:
    return make_run(load_settings().home)


def fingerprint(folder: Path) -> str:
    return hashlib.sha256((folder / "run.sqlite").read_bytes()).hexdigest()


def findings_of(folder: Path) -> list:
    with closing(RunReader(folder)) as reader:
        return reader.findings()


def test_a_phantom_that_was_a_real_object_is_labelled_and_gone_after_rejudging(made, tmp_path, capsys):
    before = fingerprint(made.folder)
    assert main(["triage", "last", "1", "--state", "unlabelled_object", "--note", "a drone"]) == 0
    assert main(["labels", "corrections", "last", "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "drive.corrections.json").read_text())["corrections"]
    assert {each["action"] for each in told} == {"added"} and len(told) == len(PHANTOM)
    assert told[0]["why"] == "unlabelled_object: a drone" and told[0]["who_says"] == "baseline 0.66"
    corrected = tmp_path / "drive.corrected.coco.json"
    labels = read_labels(corrected)
    assert sum(len(frame.truth) for frame in labels.frames) == 54 * 2 + len(PHANTOM)
    capsys.readouterr()
    assert main(["rejudge", "last", "--truth", str(corrected), "--out", str(tmp_path / "runs"), "--json"]) == 0
    (new,) = (tmp_path / "runs").iterdir()
    kinds = [finding.kind.value for finding in findings_of(new)]
    assert "phantom" not in kinds and "missed_object" in kinds
    assert fingerprint(made.folder) == before
    with closing(RunReader(new)) as reader:
        assert reader.meta("rejudged_from")["run_id"] == made.folder.name
        assert reader.moment(PHANTOM[0]).comparisons["baseline"].phantoms == 0


def test_a_label_where_no_model_sees_anything_is_removed_and_one_that_is_off_is_moved(made, tmp_path):
    assert main(["triage", "last", "2", "--state", "label_error"]) == 0
    assert main(["labels", "corrections", "last", "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "drive.corrections.json").read_text())["corrections"]
    assert {each["action"] for each in told} == {"changed"} and {each["frame"] for each in told} == set(MISSED)
    worst = next(each for each in told if each["frame"] == WORST)
    assert np.allclose(worst["before"], person_box(WORST)) and np.allclose(worst["after"], np.add(worst["before"], 0.4))


def test_nothing_triaged_is_nothing_to_correct(made, tmp_path, capsys):
    assert main(["labels", "corrections", "last", "--out", str(tmp_path)]) == 2
    assert "nothing to correct" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["coco", "cvat", "yolo", "kitti", "openlabel"])
def test_a_data_set_is_read_back_with_its_labels(made, tmp_path, form):
    out = tmp_path / "set"
    assert main(["export-dataset", "last", "--select", "1-2", "--format", form, "--out", str(out)]) == 0
    told = json.loads((out / "dataset.json").read_text())
    assert [picture["frame"] for picture in told["pictures"]] == [WORST, 46]
    first = cv2.imread(str(out / told["pictures"][0]["file"]))
    assert first.shape == (180, 320, 3)
    where = {
        "coco": "annotations.coco.json",
        "openlabel": "annotations.openlabel.json",
        "cvat": "annotations.xml",
        "kitti": "labels",
        "yolo": "",
    }
    path = out / where[form]
    if form != "yolo":
        assert sum(len(frame.truth) for frame in read_labels(path).frames) == 4
    else:
        assert len(list((path / "labels").glob("*.txt"))) == 2


def test_what_shall_be_blurred_is_blurred_and_what_nobody_can_find_is_not_exported(made, tmp_path, capsys):
    plain, blurred = tmp_path / "plain", tmp_path / "blurred"
    assert main(["export-dataset", "last", "--select", "2", "--out", str(plain)]) == 0
    assert main(["export-dataset", "last", "--select", "2", "--out", str(blurred), "--blur", "person"]) == 0
    name = json.loads((plain / "dataset.json").read_text())["pictures"][0]["file"]
    before, after = (cv2.imread(str(folder / name)).astype(int) for folder in (plain, blurred))
    x1, y1, _, y2 = (round(value) for value in person_box(WORST))
    edge = np.abs(before[y1:y2, x1 - 4 : x1 + 4] - after[y1:y2, x1 - 4 : x1 + 4])
    assert edge.max() > 25, "the outline of the person is still there"
    assert np.abs(before[:16, :112] - after[:16, :112]).max() < 10, "the rest of the picture stays"
    capsys.readouterr()
    assert main(["export-dataset", "last", "--out", str(tmp_path / "no"), "--blur", "face"]) == 2
    assert "face" in capsys.readouterr().err and not (tmp_path / "no").exists()


def test_a_picture_that_is_gone_stops_the_export(made, tmp_path, capsys):
    made.video.unlink()
    assert main(["export-dataset", "last", "--select", "2", "--out", str(tmp_path / "clip")]) == 0  # from the clip
    (made.folder / "pictures" / f"{WORST:08d}.jpg").unlink()
    assert main(["export-dataset", "last", "--select", "2", "--out", str(tmp_path / "gone2")]) == 4
    assert f"no picture of frame {WORST}" in capsys.readouterr().err
    assert not (tmp_path / "gone2").exists()


def test_one_missing_picture_of_many_is_found_before_anything_is_written(made, tmp_path, capsys):
    made.video.unlink()
    (made.folder / "pictures" / f"{WORST:08d}.jpg").unlink()
    assert main(["export-dataset", "last", "--out", str(tmp_path / "all")]) == 4
    assert f"no picture of frame {WORST}" in capsys.readouterr().err and not (tmp_path / "all").exists()


def test_a_label_that_no_model_confirms_is_removed(made, tmp_path):
    with closing(sqlite3.connect(made.folder / "run.sqlite")) as database, database:
        for role in ("baseline", "candidate"):  # nothing reaches such a threshold: nobody sees the person
            where = f"$.models.{role}.threshold"
            database.execute("UPDATE meta SET value=json_set(value, ?, 0.999) WHERE key='header'", (where,))
    assert main(["triage", "last", "2", "--state", "label_error", "--note", "a poster"]) == 0
    assert main(["labels", "corrections", "last", "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "drive.corrections.json").read_text())["corrections"]
    assert {each["action"] for each in told} == {"removed"} and {each["frame"] for each in told} == set(MISSED)
    assert all(each["after"] is None and each["who_says"] == "" for each in told)
    labels = read_labels(tmp_path / "drive.corrected.coco.json")
    assert sum(len(frame.truth) for frame in labels.frames) == 54 * 2 - len(MISSED)


@pytest.mark.parametrize("form", ["mp4", "mcap"])
def test_clips_of_findings_are_exported_and_read_back(made, tmp_path, form):
    out = tmp_path / "set"
    assert (
        main(["export-dataset", "last", "--select", "2", "--clips", form, "--blur", "person", "--out", str(out)]) == 0
    )
    (told,) = json.loads((out / "dataset.json").read_text())["clips"]
    assert told["finding"] == 2 and told["frames"] == len(MISSED) + 20
    if form == "mp4":
        with av.open(str(out / told["file"])) as container:
            frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
            assert float(container.streams.video[0].average_rate) == pytest.approx(30.0)
        assert len(frames) == told["frames"] and frames[0].shape == (180, 320, 3)
        return
    with (out / told["file"]).open("rb") as file:
        messages = [
            (channel.topic, schema.name, json.loads(message.data))
            for schema, channel, message in make_reader(file).iter_messages()
        ]
    images = [each for topic, name, each in messages if (topic, name) == ("/camera", "foxglove.CompressedImage")]
    drawn = [each for topic, name, each in messages if name == "foxglove.ImageAnnotations"]
    assert len(images) == len(drawn) == told["frames"]
    image = cv2.imdecode(np.frombuffer(base64.b64decode(images[0]["data"]), np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (180, 320, 3) and len(drawn[0]["points"]) == len(drawn[0]["texts"]) >= 4


def test_an_unknown_form_of_clips_is_refused_before_anything_is_written(made, tmp_path, capsys):
    assert main(["export-dataset", "last", "--clips", "gif", "--out", str(tmp_path / "no")]) == 2
    assert "mp4, mcap" in capsys.readouterr().err and not (tmp_path / "no").exists()
