"""Each export is read by a library that knows nothing of hilgui."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from hilgui.errors import CallWrong
from hilgui.records import Attestation, Role
from hilgui.report import export_run, formats
from hilgui.report.junit import suites_of
from hilgui.report.summary import summary
from hilgui.store import RunReader
from hilgui.truth.openlabel import OpenLabelReader
from tests.unit.report.night_run import FPS, FRAMES, LOST, STARTED, UNLABELLED
from tests.unit.report.several_run import CAMERAS, PAIRS, write_several

JUDGED_FRAMES = FRAMES - len(LOST) - 1


@pytest.fixture(scope="module")
def several_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_several(tmp_path_factory.mktemp("several"))


@pytest.fixture
def several(several_folder: Path) -> Iterator[RunReader]:
    reader = RunReader(several_folder)
    yield reader
    reader.close()


def test_every_format_is_announced() -> None:
    assert {"parquet", "coco", "mcap", "mdf4", "openlabel"} <= set(formats())


# Parquet by pyarrow


def table(folder: Path, name: str) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(folder / f"{name}.parquet")


def test_parquet_has_every_frame_detection_truth_and_finding(reader: RunReader, tmp_path: Path) -> None:
    folder = export_run(reader, "parquet", tmp_path / "tables")
    moments = list(reader.moments())
    frames, detections = table(folder, "frames"), table(folder, "detections")
    assert frames["seq"].to_pylist() == list(range(FRAMES))
    assert frames["fate"].to_pylist()[20] == "dropped"
    assert detections.num_rows == sum(len(one.detections) for each in moments for one in each.inferences.values())
    first = moments[0].inferences[Role.BASELINE].detections
    assert np.float32(detections["x1"].to_pylist()[: len(first)]).tolist() == first.boxes[:, 0].tolist()
    truths = table(folder, "truths")
    assert truths.num_rows == 4 * JUDGED_FRAMES
    assert truths["class"].to_pylist()[:4] == ["car", "person", "person", None]
    assert truths["track"].to_pylist()[:4] == [1, 2, 3, None]
    findings = table(folder, "findings").to_pylist()
    assert [each["kind"] for each in findings] == ["missed_object", "phantom"]
    assert dict(findings[0]["evidence"]) == {"height_px": 48.0, "best_iou": None}


def test_counts_from_the_parquet_tables_are_those_of_the_run(reader: RunReader, tmp_path: Path) -> None:
    folder = export_run(reader, "parquet", tmp_path / "tables")
    rows = table(folder, "detections").to_pylist()
    phantoms = Counter(row["role"] for row in rows if row["judgement"] == "phantom")
    models = summary(reader)["models"]
    assert {role: phantoms[role] for role in ("baseline", "candidate")} == {
        role: models[role]["phantoms"] for role in ("baseline", "candidate")
    }
    missed = table(folder, "truths")["candidate"].to_pylist().count("missed")
    assert (
        missed
        == models["candidate"]["missed"]
        == sum(filter(None, table(folder, "frames")["candidate_missed"].to_pylist()))
    )
    assert all((row["judgement"] is not None) <= row["above"] for row in rows)


def test_a_parquet_export_takes_the_place_of_the_one_before(reader: RunReader, tmp_path: Path) -> None:
    place = tmp_path / "tables"
    export_run(reader, "parquet", place)
    (place / "stale.txt").write_text("old")
    export_run(reader, "parquet", place.with_name("other"))
    assert export_run(reader, "parquet", tmp_path).name == f"{reader.header.run_id}-parquet"
    assert {each.name for each in tmp_path.iterdir()} == {"tables", "other", f"{reader.header.run_id}-parquet"}


def test_a_file_in_the_place_of_a_folder_is_a_wrong_call(reader: RunReader, tmp_path: Path) -> None:
    (tmp_path / "tables").write_text("mine")
    with pytest.raises(CallWrong, match="is a file"):
        export_run(reader, "parquet", tmp_path / "tables")
    assert (tmp_path / "tables").read_text() == "mine"


# COCO by pycocotools


def test_coco_gives_pycocotools_the_figures_of_the_run(reader: RunReader, tmp_path: Path) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    folder = export_run(reader, "coco", tmp_path / "coco")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "truth.json"))
        assert len(truth.imgs) == JUDGED_FRAMES
        assert all(each["segmentation"] == [] for each in truth.anns.values())  # Datumaro warns where it is missing
        for role in Role:
            evaluation = COCOeval(truth, truth.loadRes(str(folder / f"{role.value}.json")), "bbox")
            evaluation.params.catIds = [1, 2]  # no bus is labelled; regions have a category of their own
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
            stored = (reader.figures()[role] or {})["per_class"]
            ours = np.mean([stored[name]["map_50_95"] for name in ("car", "person")])
            assert evaluation.stats[0] == pytest.approx(ours, abs=2e-3)


def test_a_run_without_labels_is_refused_by_formats_of_labels(
    several: RunReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunReader, "moments", lambda *_: iter(()))
    for form in ("coco", "openlabel"):
        with pytest.raises(CallWrong, match="without labelled boxes"):
            export_run(several, form, tmp_path / form)


# MCAP by mcap


def messages(path: Path) -> list[tuple[str, str, str, int, dict[str, Any]]]:
    from mcap.reader import make_reader

    with path.open("rb") as file:
        return [
            (channel.topic, schema.name, channel.message_encoding, message.log_time, json.loads(message.data))
            for schema, channel, message in make_reader(file).iter_messages()
            if schema is not None
        ]


def test_mcap_has_pictures_and_boxes_on_one_clock(reader: RunReader, tmp_path: Path) -> None:
    read = messages(export_run(reader, "mcap", tmp_path / "run.mcap"))
    schemas = {topic: schema for topic, schema, *_ in read}
    assert schemas["/camera/image"] == "foxglove.CompressedImage"
    assert schemas["/camera/truth"] == schemas["/camera/candidate"] == "foxglove.ImageAnnotations"
    assert {encoding for _, _, encoding, *_ in read} == {"json"}
    at_12 = int(STARTED.timestamp()) * 10**9 + round(12 / FPS * 1e9)
    frame = {topic: message for topic, _, _, at, message in read if abs(at - at_12) < 1000}
    jpeg = np.frombuffer(base64.b64decode(frame["/camera/image"]["data"]), np.uint8)
    assert cv2.imdecode(jpeg, cv2.IMREAD_COLOR).shape == (180, 320, 3)
    moment = reader.moment(12)
    assert moment is not None
    assert moment.truth is not None
    drawn = frame["/camera/truth"]
    assert [text["text"] for text in drawn["texts"]] == [
        "car",
        "person missed by candidate",
        "person missed by candidate",
    ]
    corners = [(point["x"], point["y"]) for point in drawn["points"][0]["points"]]
    x1, y1, x2, y2 = moment.truth.boxes[0].tolist()
    assert corners == [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    above = moment.inferences[Role.CANDIDATE].detections.count_above(0.4)
    assert len(frame["/camera/candidate"]["points"]) == above
    assert any(text["text"].endswith(" phantom") for text in frame["/camera/candidate"]["texts"])
    assert len([1 for topic, *_ in read if topic == "/findings"]) == 2
    assert len([1 for topic, *_ in read if topic == "/camera/figures"]) == FRAMES - len(LOST)


# MDF4 by asammdf


def test_mdf4_has_the_figures_of_each_frame_and_marks_what_is_not_known(reader: RunReader, tmp_path: Path) -> None:
    from asammdf import MDF

    with MDF(export_run(reader, "mdf4", tmp_path / "run.mf4")) as file:
        assert abs((file.start_time - STARTED).total_seconds()) < 1e-3
        missed = file.get("candidate_missed")
        judged = [each for each in reader.moments() if each.truth is not None]
        assert missed.samples.tolist() == [float(each.comparisons[Role.CANDIDATE].missed) for each in judged]
        assert missed.timestamps.tolist() == pytest.approx([each.ref.time_s for each in judged])
        latency = file.get("baseline_latency")
        assert latency.unit == "ms"
        assert latency.samples[0] == pytest.approx(judged[0].inferences[Role.BASELINE].latency_ms, rel=1e-5)
        assert [seq for seq, one in enumerate(file.get("lost").samples) if one] == sorted(LOST)
        active = file.get("finding_phantom").samples
        assert np.flatnonzero(active).tolist() == list(range(10, 18))
        assert "baseline ran on" in file.header.comment


def test_mdf4_puts_the_signals_of_the_vehicle_on_the_same_clock(several: RunReader, tmp_path: Path) -> None:
    from asammdf import MDF

    with MDF(export_run(several, "mdf4", tmp_path / "run.mf4")) as file:
        speed = file.get("ego_speed")
        assert (speed.unit, len(speed.samples), speed.timestamps[1]) == ("m/s", 20, 0.01)
        assert len(file.get("baseline_latency_front").samples) == PAIRS
        assert file.get("findings_=rear").samples.max() == 2
        assert (
            "missed_object" not in str(list(file.channels_db)) or "finding_missed_object_front" not in file.channels_db
        )


# OpenLABEL by our reader, and by its structure


def test_openlabel_reads_back_as_the_labels_of_the_run(reader: RunReader, tmp_path: Path) -> None:
    path = export_run(reader, "openlabel", tmp_path / "labels.json")
    read = OpenLabelReader.read(path)
    moments = {each.ref.seq: each for each in reader.moments() if each.truth is not None}
    assert UNLABELLED not in moments
    assert [frame.index for frame in read.frames] == list(moments)
    for frame in read.frames:
        truth, stored = frame.truth, moments[frame.index or 0].truth
        assert truth is not None
        assert stored is not None
        assert np.sort(truth.boxes, axis=0) == pytest.approx(np.sort(stored.boxes, axis=0))
        assert sorted(truth.tracks.tolist()) == sorted(stored.tracks.tolist())


def test_openlabel_has_the_structure_of_the_standard(several: RunReader, tmp_path: Path) -> None:
    document = json.loads(export_run(several, "openlabel", tmp_path / "labels.json").read_text())
    assert set(document) == {"openlabel"}
    root = document["openlabel"]
    assert set(root) == {"metadata", "streams", "objects", "frames", "frame_intervals"}
    assert root["metadata"]["schema_version"] == "1.0.0"
    assert root["frame_intervals"] == [{"frame_start": 0, "frame_end": 2 * PAIRS - 1}]
    assert {stream["type"] for stream in root["streams"].values()} == {"camera"}
    for number, frame in root["frames"].items():
        assert number.isdigit()
        (stream,) = frame["frame_properties"]["streams"]
        assert stream == CAMERAS[int(number) % 2]
        for uid, held in frame["objects"].items():
            assert set(root["objects"][uid]) == {"name", "type"}
            for box in held["object_data"]["bbox"]:
                assert len(box["val"]) == 4
                assert all(isinstance(value, float | int) for value in box["val"])


# what they share


def test_every_export_of_a_drive_of_several_cameras_names_them(several: RunReader, tmp_path: Path) -> None:
    with export_run(several, "csv", tmp_path / "frames.csv").open(newline="", encoding="utf-8") as file:
        assert [row["channel"] for row in csv.DictReader(file)][:2] == ["front", "'=rear"]
    lines = export_run(several, "jsonl", tmp_path / "frames.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[2])["channel"] == "=rear"
    folder = export_run(several, "parquet", tmp_path / "tables")
    for name in ("frames", "detections", "truths", "findings"):
        assert set(table(folder, name)["channel"].to_pylist()) <= set(CAMERAS)
    coco = json.loads((export_run(several, "coco", tmp_path / "coco") / "truth.json").read_text())
    assert [image["channel"] for image in coco["images"]][:2] == list(CAMERAS)
    topics = {topic for topic, *_ in messages(export_run(several, "mcap", tmp_path / "run.mcap"))}
    assert {"/front/image", "/=rear/truth", "/vehicle/ego_speed", "/findings"} <= topics
    for form, word in (("html", "camera =rear"), ("junit", "camera =rear")):
        assert word in export_run(several, form, tmp_path / form).read_text(encoding="utf-8")


def test_junit_carries_the_attestation(reader: RunReader) -> None:
    facts = summary(reader)
    made_of = Attestation(
        {"CPUExecutionProvider": 8}, {"CPUExecutionProvider": 1.0}, "fp32", libraries={"onnxruntime": "1.31"}
    )

    facts["models"]["candidate"]["attestation"] = asdict(made_of)
    suites = ElementTree.fromstring(ElementTree.tostring(suites_of(facts, [])))
    told = {each.get("name"): each.get("value") for each in suites.iter("property")}
    assert told["candidate.attestation.nodes"] == "CPUExecutionProvider=8"
    assert told["candidate.attestation.libraries"] == "onnxruntime=1.31"
    assert told["candidate.attestation.precision"] == "fp32"


def test_exports_leave_nothing_beside_themselves(several_folder: Path, tmp_path: Path) -> None:
    with contextlib.closing(RunReader(several_folder)) as reader:
        for form in ("parquet", "coco", "mcap", "mdf4", "openlabel"):
            export_run(reader, form, tmp_path / f"x.{form}")
    assert not list(tmp_path.glob(".*"))
