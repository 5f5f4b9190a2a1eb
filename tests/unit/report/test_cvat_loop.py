"""Chosen findings go to CVAT and come back: what a person corrected there judges the stored run."""

import json
import xml.etree.ElementTree as ET
from contextlib import closing
from pathlib import Path

import pytest

from hilgui.cli.app import main
from hilgui.records import Role
from hilgui.settings import load_settings
from hilgui.store import RunReader
from hilgui.truth.cvat import CvatReader
from tests.gui.replay_run import MISSED, PHANTOM, Made, make_run

SPECK = (140.4, 8.4, 190.4, 40.4)  # where the baseline sees a car in the sky

# The head as CVAT 2.x writes it when a job is exported as "CVAT for images 1.1".
HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <job>
      <id>41</id>
      <size>{size}</size>
      <mode>annotation</mode>
      <overlap>0</overlap>
      <bugtracker></bugtracker>
      <created>2026-11-25 19:02:11.517325+00:00</created>
      <updated>2026-11-25 19:20:43.020871+00:00</updated>
      <subset>default</subset>
      <start_frame>0</start_frame>
      <stop_frame>{last}</stop_frame>
      <frame_filter></frame_filter>
      <segments><segment><id>41</id><start>0</start><stop>{last}</stop>
        <url>http://localhost:8080/api/jobs/41</url></segment></segments>
      <owner><username>ada</username><email>ada@example.com</email></owner>
      <assignee></assignee>
      <labels>
        <label><name>person</name><color>#fa3253</color><type>any</type><attributes>
          <attribute><name>ignore</name><mutable>False</mutable><input_type>checkbox</input_type>
            <default_value>false</default_value><values>false</values></attribute>
        </attributes></label>
        <label><name>car</name><color>#3d3df5</color><type>any</type><attributes></attributes></label>
      </labels>
    </job>
    <dumped>2026-11-25 19:21:02.004417+00:00</dumped>
  </meta>
"""


@pytest.fixture
def made() -> Made:
    return make_run(load_settings().home)


def exported(tmp_path: Path, number: int) -> ET.Element:
    """Export every frame of a finding and read it with the rules of CVAT's own reader."""
    out = tmp_path / "set"
    said = ["export-dataset", "last", "--select", str(number), "--all-frames", "--format", "cvat", "--out", str(out)]
    assert main(said) == 0
    root = ET.parse(out / "annotations.xml").getroot()
    pictures = [Path(each["file"]).name for each in json.loads((out / "dataset.json").read_text())["pictures"]]
    assert [image.attrib["name"] for image in root.iter("image")] == pictures
    assert [image.attrib["id"] for image in root.iter("image")] == [str(place) for place in range(len(pictures))]
    for box in root.iter("box"):
        assert box.attrib["occluded"] in {"0", "1"}  # it opens no file without
        assert box.attrib["label"] in {"person", "car"} and {"xtl", "ytl", "xbr", "ybr", "z_order"} <= set(box.attrib)
    return root


def saved_by_cvat(root: ET.Element, path: Path, *, adds: bool, removes: str = "") -> Path:
    """Write the same as CVAT does, with the speck labelled as a car, or without the boxes of a class."""
    images = list(root.iter("image"))
    rows = [HEAD.format(size=len(images), last=len(images) - 1)]
    for image in images:
        size = f'width="{image.attrib["width"]}" height="{image.attrib["height"]}"'
        rows.append(f'  <image id="{image.attrib["id"]}" name="{image.attrib["name"]}" {size}>\n')
        boxes = [
            (box.attrib["label"], box.attrib["occluded"], *(float(box.attrib[side]) for side in _SIDES))
            for box in image.iter("box")
            if box.attrib["label"] != removes
        ]
        for label, occluded, *corners in [*boxes, *([("car", "0", *SPECK)] if adds else [])]:
            places = " ".join(f'{side}="{value:.2f}"' for side, value in zip(_SIDES, corners, strict=True))
            rows.append(f'    <box label="{label}" source="manual" occluded="{occluded}" {places} z_order="0">\n')
            rows += ['      <attribute name="ignore">false</attribute>\n'] if label == "person" else []
            rows.append("    </box>\n")
        rows.append("  </image>\n")
    path.write_text("".join([*rows, "</annotations>\n"]), encoding="utf-8")
    return path


_SIDES = ("xtl", "ytl", "xbr", "ybr")


def rejudged(tmp_path: Path, labels: Path) -> RunReader:
    assert main(["rejudge", "last", "--truth", str(labels), "--out", str(tmp_path / "runs")]) == 0
    (new,) = (tmp_path / "runs").iterdir()
    return RunReader(new)


def test_what_was_added_in_cvat_is_no_phantom_any_more(made, tmp_path):
    labels = saved_by_cvat(exported(tmp_path, 1), tmp_path / "annotations.xml", adds=True)
    assert CvatReader.recognises(labels)
    with closing(rejudged(tmp_path, labels)) as reader:
        judged = [moment for moment in reader.moments() if moment.truth is not None]
        assert [moment.ref.seq for moment in judged] == list(PHANTOM)  # only what was looked at in CVAT
        counts = [moment.comparisons[Role.BASELINE] for moment in judged]
        assert {(each.matched, each.missed, each.phantoms) for each in counts} == {(3, 0, 0)}
        figures = reader.figures()
        assert figures[Role.BASELINE]["figures"]["precision"]["value"] == 1.0
        assert figures[Role.BASELINE]["figures"]["recall"]["value"] == 1.0
        assert figures[Role.CANDIDATE]["figures"]["recall"]["value"] == pytest.approx(2 / 3)
        assert "phantom" not in [finding.kind.value for finding in reader.findings()]


def test_what_was_taken_away_in_cvat_is_missed_no_more(made, tmp_path):
    labels = saved_by_cvat(exported(tmp_path, 2), tmp_path / "annotations.xml", adds=False, removes="person")
    with closing(rejudged(tmp_path, labels)) as reader:
        judged = [moment for moment in reader.moments() if moment.truth is not None]
        assert [moment.ref.seq for moment in judged] == list(MISSED)
        counts = [moment.comparisons[Role.CANDIDATE] for moment in judged]
        assert {(each.matched, each.missed, each.phantoms) for each in counts} == {(1, 0, 0)}
        assert {moment.comparisons[Role.BASELINE].phantoms for moment in judged} == {1}  # the person it still sees
