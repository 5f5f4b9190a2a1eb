"""Reports: one content, two renderings, each read by what reads such files."""

from __future__ import annotations

import hashlib
import io
import json
from contextlib import closing
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pypdf import PdfReader

from hilgui.cli.app import main
from hilgui.colours import LIGHT
from hilgui.errors import CallWrong
from hilgui.evidence import EventKind, Journal
from hilgui.gate import decide
from hilgui.records import Role
from hilgui.report.charts import Estimate, forest, precision_recall
from hilgui.report.comparison_document import comparison_document
from hilgui.report.decision_document import decision_document
from hilgui.report.document import Document, Pictures, Section, Sentences, Table, Verbatim
from hilgui.report.document_html import html_of
from hilgui.report.document_pdf import pdf_of
from hilgui.report.drawing import Block, Stroke
from hilgui.report.printable import Printable
from hilgui.report.run_document import run_document
from hilgui.report.svg import svg_of
from hilgui.report.words import Statement, Tone
from hilgui.store import RunReader
from tests.unit.gate.evidence import evidence, spec, spread
from tests.unit.report.night_run import header, write_run

HARM = {"recall": spread(-0.05)}


def pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def pictures(content: bytes) -> int:
    return sum(len(page.images) for page in PdfReader(io.BytesIO(content)).pages)


class Text(HTMLParser):
    """Collects text and tags, as a browser would show them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.tags = "", set[str]()
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)


@pytest.fixture(scope="module")
def of_run(run_folder: Path) -> Document:
    with closing(RunReader(run_folder)) as reader:
        return run_document(reader)


def test_the_first_page_of_a_run_says_verdict_why_and_what_next(of_run: Document) -> None:
    first, *others = pages(pdf_of(of_run))
    for words in (
        "INCONCLUSIVE",
        "The candidate loses people",
        "2 of 60 frames were lost",
        "What next",
        "through a gate",
    ):
        assert words in first.replace("\n", " ")
    rest = "\n".join(others)
    for title in ("Figures with their intervals", "Classes and slices", "The worst clips", "Attestation", "Settings"):
        assert title in rest


def test_html_and_pdf_say_the_same(of_run: Document) -> None:
    page, paper = Text(html_of(of_run)), "".join("".join(pages(pdf_of(of_run))).split())
    for one in of_run.why:
        assert one.text in page.words
        assert "".join(one.text.split()) in paper
    for section in of_run.sections:
        assert section.title in page.words
    assert not page.tags & {"script", "link", "iframe"}


def test_the_worst_clips_are_pictures_in_both(of_run: Document) -> None:
    assert pictures(pdf_of(of_run)) == html_of(of_run).count("data:image/jpeg") == 2


@pytest.mark.parametrize("lines", [20, 30, 36])
def test_the_heading_of_the_clips_stands_above_the_first_one(of_run: Document, lines: int) -> None:
    clips = next(one for one in of_run.sections if any(isinstance(part, Pictures) for part in one.parts))
    first = next(part for part in clips.parts if isinstance(part, Pictures)).pictures[0].title
    filler = Section("before", (Sentences(("one more line",) * lines),))
    (page,) = [one for one in pages(pdf_of(replace(of_run, sections=(filler, clips)))) if clips.title in one]
    assert first in page


def test_the_same_report_gives_the_same_bytes(of_run: Document) -> None:
    assert pdf_of(of_run) == pdf_of(of_run)


def test_names_with_markup_stay_text(of_run: Document) -> None:
    evil = "<b>&amp;</b><script>alert(1)</script><img src=x>"
    document = replace(
        of_run, title=evil, lead=evil, why=(Statement(evil, Tone.NOTE),), next_steps=(evil,), footer=evil,
        sections=(Section(evil, (Table((evil,), ((evil,),)), Verbatim(evil))),),
    )  # fmt: skip
    page = Text(html_of(document))
    assert page.words.count(evil) >= 7
    assert not page.tags & {"script", "img"}
    assert "".join(pages(pdf_of(document))).replace("\n", "").count("alert(1)") >= 7


def test_names_keep_their_umlauts_and_others_are_replaced_by_what_can_be_read(of_run: Document) -> None:
    document = replace(of_run, title="Straße Zürich Łódź 東京", sections=())
    paper = "".join(pages(pdf_of(document)))
    assert "Straße Zürich" in paper
    assert "[U+6771][U+4EAC]" in paper
    assert "by its Unicode number" in paper
    assert "東京" in html_of(document)


def test_what_the_fonts_hold_is_left_alone() -> None:
    says = Printable()
    assert says("Größe · 5 – 7 € …") == "Größe · 5 – 7 € …"
    assert says("≥ 3, −2, Dvořák") == ">= 3, –2, Dvorák"
    assert says("ε = 0.03, σ") == "epsilon = 0.03, sigma"
    assert not says.replaced
    assert says("\x00") == "[U+0000]"
    assert says.replaced


def test_a_table_longer_than_a_page_and_words_longer_than_a_line_are_laid_out(of_run: Document) -> None:
    rows = tuple((str(number), "x" * 300, "word " * 900) for number in range(80))
    document = replace(of_run, sections=(Section("long", (Table(("no", "a", "b"), rows), Verbatim("y" * 9000))),))
    assert len(pages(pdf_of(document))) > 5


def test_a_decision_shows_gates_with_margins_and_what_is_next() -> None:
    decision = decide(spec(), evidence(**HARM))
    document = decision_document(json.loads(json.dumps(decision.as_json())))
    first, *rest = pages(pdf_of(document))
    assert "ROLL BACK" in first
    assert decision.next_steps[0] in first
    assert "margin" in first
    assert decision.specification_sha256 in "".join(rest).replace("\n", "")
    assert document.tone == "missed"


@pytest.mark.parametrize(
    "broken", [{}, {"schema": "hilgui/decision.v9"}, {"schema": "hilgui/decision.v1", "action": "EAT"}]
)
def test_what_is_no_decision_is_a_wrong_call(broken: dict[str, str]) -> None:
    with pytest.raises(CallWrong, match="no decision"):
        decision_document(broken)


def test_a_comparison_says_what_got_worse(reader: RunReader, tmp_path: Path) -> None:
    worse = header("20260201-150000-night-cccc", roles=(Role.BASELINE,))
    with closing(RunReader(write_run(tmp_path, worse))) as other:
        document = comparison_document(reader, other, today=date(2026, 2, 1))
    assert document.word in {"NO DIFFERENCE", "OPEN"}
    assert "57" in dict(document.figures)["frames judged by both"]
    assert other.header.run_id in pages(pdf_of(document))[0].replace("\n", "")


def test_a_forest_turns_every_gate_so_that_left_is_worse() -> None:
    better_low = {"better": "lower", "difference": 0.4, "low": 0.3, "high": 0.5}
    decision = decide(spec(), evidence(**HARM)).as_json()
    gate = {**decision["gates"][0], **better_low, "margin": 0.1}
    marks = decision_document({**decision, "gates": [gate]}).chart.drawings[0].marks  # type: ignore[union-attr]
    zero = next(mark for mark in marks if isinstance(mark, Stroke) and mark.colour == "text_soft")
    margin = next(mark for mark in marks if isinstance(mark, Stroke) and mark.dash)
    interval = next(mark for mark in marks if isinstance(mark, Stroke) and mark.width == 2.2)
    assert max(x for x, _ in interval.points) <= margin.points[0][0] < zero.points[0][0]


def test_charts_have_the_colours_of_the_screen_in_both() -> None:
    drawing = precision_recall("car", [("baseline", [0, 0.5, 1], [1, 1, 0.5]), ("candidate", [0, 0.5], [1, 0.5])])
    svg = str(svg_of(drawing))
    assert "var(--baseline)" in svg
    assert "var(--candidate)" in svg
    assert {mark.colour for mark in drawing.marks} <= set(LIGHT)
    row = Estimate("<b>", 0.1, 0.0, 0.2, "+0.1", "good")
    assert "&lt;b&gt;" in svg_of(forest([row], in_margins=False))
    assert any(isinstance(mark, Block) for mark in forest([row], in_margins=False).marks)


# the command


@pytest.fixture
def home(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HILGUI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_writes_a_report_of_a_run(home: Path, run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run_folder), "--format", "pdf", "--out", "run.pdf", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": "run.pdf", "format": "pdf"}
    (noted,) = Journal(home / "home").events(EventKind.EXPORT)
    assert (noted.facts["file"], noted.facts["form"]) == ("run.pdf", "report pdf")
    assert noted.facts["sha256"] == hashlib.sha256(Path("run.pdf").read_bytes()).hexdigest()
    assert (home / "run.pdf").read_bytes().startswith(b"%PDF")


def test_the_command_takes_what_the_gate_printed(home: Path) -> None:
    printed = {**decide(spec(), evidence(**HARM)).as_json(), "notes": ["one drive was dusty"]}
    (home / "gate.json").write_text(json.dumps(printed))
    assert main(["report", "gate.json"]) == 0
    assert "one drive was dusty" in (home / "gate-report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nothing-here"], "nor is it a recorded decision or a file"),
        (["list.json"], "holds no decision"),
        (["torn.json"], "holds no JSON of a decision"),
        (["a", "b", "c"], "two runs or a decision"),
    ],
)
def test_a_wrong_call_of_the_command_is_one_sentence(
    home: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "list.json").write_text("[]")
    (home / "torn.json").write_text("{")
    assert main(["report", *words]) == 2
    assert sentence in capsys.readouterr().err
