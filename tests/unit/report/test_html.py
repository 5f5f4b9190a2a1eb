from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from hilgui.records import Detections, Kind, Role
from hilgui.report import export_run
from hilgui.report.drive_plot import drive_plot
from hilgui.report.html import PICTURED, worst_findings
from hilgui.report.pictures import crop_box, overlays_of, picture_of
from hilgui.report.svg import Bars, Curves, Span, Spans, histogram, lanes, nice_ticks, share_bar
from hilgui.store import RunReader
from tests.unit.report.night_run import HEIGHT, WIDTH, findings_of, header, write_run

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Balance(HTMLParser):
    """Notes elements that do not close and addresses outside the file."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [
            value or "" for name, value in attrs if name in ("src", "href") and not str(value).startswith("data:")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def page(reader: RunReader, tmp_path: Path) -> str:
    return export_run(reader, "html", tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_page_stands_alone(page: str) -> None:
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert balance.outside == []
    assert "<script" not in page
    assert not re.search(r"url\(|@import", page)


def test_the_page_says_where_the_candidate_loses_and_shows_it(page: str) -> None:
    assert "The candidate loses people at night in rain: it found 16 % (18 of 114 labels)" in page
    assert page.count("data:image/jpeg;base64,") == 4  # both findings: the frame and the object
    assert "person · missed" in page
    assert "bus 0.55 · phantom" in page


def test_what_people_typed_is_escaped(page: str) -> None:
    assert "Ada &lt;&amp;&gt; Co" in page
    assert "person &lt;2&gt;, 48 px" in page
    assert "<2>" not in page


def test_the_page_repeats_what_is_needed_to_repeat_the_run(page: str, reader: RunReader) -> None:
    facts = reader.header
    for text in (
        "hilgui replay night.mp4",
        facts.source.sha256,
        facts.models[Role.CANDIDATE].sha256,
        "REQ-7",
        "decoder gave up",
    ):
        assert text in page


def test_a_lone_model_and_a_dead_run_have_a_page_too(lone_reader: RunReader, tmp_path: Path) -> None:
    assert "candidate" not in re.sub(
        r"<style>.*?</style>", "", export_run(lone_reader, "html", tmp_path / "a.html").read_text(), flags=re.S
    )
    dead = RunReader(write_run(tmp_path, header(), finish=False))
    assert "run ABORTED" in export_run(dead, "html", tmp_path / "b.html").read_text()
    dead.close()


def test_a_run_that_died_at_once_has_a_page(tmp_path: Path) -> None:
    from hilgui.store import RunWriter

    writer = RunWriter(tmp_path, header())
    writer.close()
    reader = RunReader(writer.folder)
    assert "run ABORTED" in export_run(reader, "html").read_text()
    for form in ("jsonl", "csv", "junit"):
        assert export_run(reader, form).stat().st_size
    reader.close()


def test_one_kind_does_not_crowd_out_the_others() -> None:
    missed, phantom = findings_of(tuple(Role))
    many = [replace(missed, number=number) for number in range(40)] + [phantom]
    chosen = worst_findings(many)
    assert len(chosen) == PICTURED
    assert phantom in chosen
    assert chosen[0].kind is Kind.MISSED_OBJECT


def test_the_cut_out_lies_inside_the_frame_around_the_object() -> None:
    missed, _ = findings_of(tuple(Role))
    for corner in ((0.0, 0.0), (300.0, 150.0), (150.0, 60.0)):
        found = replace(missed.objects[0], box=(*corner, corner[0] + 20, corner[1] + 30))
        box = crop_box(replace(missed, objects=(found,)), WIDTH, HEIGHT)
        assert box is not None
        assert 0 <= box[0] <= corner[0]
        assert 0 <= box[1] <= corner[1]
        assert corner[0] + 20 <= box[2] <= WIDTH
        assert corner[1] + 30 <= box[3] <= HEIGHT
    assert crop_box(replace(missed, objects=()), WIDTH, HEIGHT) is None


def test_an_object_that_flickers_is_drawn_where_it_was(reader: RunReader) -> None:
    missed, _ = findings_of(tuple(Role))
    flicker = replace(missed, kind=Kind.FLICKER)
    moment = reader.moment(12)
    assert moment is not None
    last = overlays_of(flicker, moment, reader.header)[-1]
    assert (last.style, last.label, last.is_subject) == ("missed", "person · gone", True)


def test_a_box_with_two_classes_is_drawn_once_with_both_names(reader: RunReader) -> None:
    _, phantom = findings_of(tuple(Role))
    moment = reader.moment(12)
    assert moment is not None
    found = moment.inferences[Role.CANDIDATE].detections
    twice = Detections(found.boxes[[0, 0]], found.scores[[0, 0]], np.array([0, 2], np.int32))
    inference = replace(moment.inferences[Role.CANDIDATE], detections=twice)
    drawn = overlays_of(phantom, replace(moment, inferences={Role.CANDIDATE: inference}, comparisons={}), reader.header)
    labels = [overlay.label for overlay in drawn if overlay.style == "candidate"]
    score = f"{found.scores[0]:.2f}"
    assert labels == [f"car {score} / bus {score}"]


def test_a_picture_that_was_not_kept_or_is_damaged_is_none(tmp_path: Path) -> None:
    reader = RunReader(write_run(tmp_path, header()))
    missed, _ = reader.findings()
    assert picture_of(reader, missed) is not None
    (reader.folder / "pictures" / "00000012.jpg").write_bytes(b"no picture")
    assert picture_of(reader, missed) is None
    (reader.folder / "pictures" / "00000012.jpg").unlink()
    assert picture_of(reader, missed) is None
    reader.close()


def test_plots_are_well_formed_and_stay_small_with_many_frames() -> None:
    count = 200_000
    positions = np.arange(count) / 30
    values = np.sin(positions)
    values[5000:9000] = np.nan
    rows = [
        Bars("missed", "missed", np.ones(count), 1.0),
        Spans("a <lane>", "candidate", [Span(3.0, 4.0, "5 < 6 & 7")]),
        Curves("latency", "ms", [("baseline", values)], 1.0),
    ]
    drawn = lanes(positions, rows, "s")
    ElementTree.fromstring(drawn)
    assert len(drawn) < 120_000
    ElementTree.fromstring(histogram(np.array([0, 5]), np.array([3, 0]), 5, 0.4))
    ElementTree.fromstring(share_bar([("baseline", 0.5), ("candidate", None)]))


def test_the_drive_plot_holds_one_frame_and_an_unordered_set(reader: RunReader) -> None:
    assert drive_plot(reader, reader.findings()) is not None
    ElementTree.fromstring(
        lanes(np.array([4.0]), [Curves("latency", "ms", [("baseline", np.array([2.0]))], 3.0)], "frame")
    )


@pytest.mark.parametrize(("first", "last"), [(0.0, 1.0), (0.0, 12.3), (3.0, 1e6), (0.0, 0.01)])
def test_ticks_are_few_and_inside(first: float, last: float) -> None:
    ticks = nice_ticks(first, last)
    assert 2 <= len(ticks) <= 12
    assert first <= ticks[0]
    assert ticks[-1] <= last + 1e-9
