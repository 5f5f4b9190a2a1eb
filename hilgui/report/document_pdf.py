"""A report as PDF (A4), with the fonts that every reader has and the colours of paper."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from functools import singledispatchmethod
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics import shapes
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Image,
    KeepTogether,
    LongTable,
    PageBreak,
    Paragraph,
    Preformatted,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)
from reportlab.platypus import Table as Grid

from hilgui.colours import LIGHT
from hilgui.report.document import Charts, Document, Facts, Part, Pictures, Section, Sentences, Table, Verbatim
from hilgui.report.drawing import Block, Drawing, Word
from hilgui.report.printable import Printable

_MARGIN = 16 * mm
_WIDTH = A4[0] - 2 * _MARGIN - 12  # the frame keeps 6 points on each side
_MARKS = {"worse": "WORSE", "better": "BETTER", "level": "LEVEL", "note": "NOTE"}
_TONES = {"worse": "missed", "better": "good", "level": "text_faint", "note": "text_faint"}
_LONGEST_CELL = 600  # characters; a cell cannot be broken over pages
_LINE = 104  # characters of a verbatim line

Flow = Any


def pdf_of(document: Document) -> bytes:
    """Render the pages; the same document gives the same bytes."""
    return _Pages(document).write()


class _Pages:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._print = Printable()

    def write(self) -> bytes:
        document, out = self._document, io.BytesIO()
        story = [*self._first_page()]
        for section in document.sections:
            story += self._section(section)
        if self._print.replaced:
            text = "[U+…]: a character that this file's fonts do not hold, by its Unicode number; the HTML has it."
            story.append(self._paragraph(text, "small"))
        SimpleDocTemplate(
            out, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=18 * mm,
            title=f"{document.word}: {document.title}", author="hilgui", subject=document.lead, invariant=1,
        ).build(story, onFirstPage=self._foot, onLaterPages=self._foot)  # fmt: skip
        return out.getvalue()

    def _foot(self, canvas: Canvas, template: Any) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(_colour("text_faint"))
        canvas.drawString(_MARGIN, 10 * mm, self._print(textwrap.shorten(self._document.footer, 130)))
        canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, f"page {template.page}")
        canvas.restoreState()

    def _first_page(self) -> Iterator[Flow]:
        document = self._document
        badge = Grid([[self._paragraph(document.word, "word", colour=document.tone)]], colWidths=[46 * mm])
        badge.setStyle(
            TableStyle(
                [
                    ("BOX", (0, 0), (-1, -1), 1.6, _colour(document.tone)),
                    ("ALIGN", (0, 0), (-1, -1), "CENTER"),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
                ]
            )
        )
        title = [self._paragraph(document.title, "title"), self._paragraph(document.subtitle, "soft")]
        head = Grid([[title, badge]], colWidths=[_WIDTH - 50 * mm, 50 * mm])
        head.setStyle(
            TableStyle(
                [
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LEFTPADDING", (0, 0), (0, 0), 0),
                    ("RIGHTPADDING", (1, 0), (1, 0), 0),
                ]
            )
        )
        yield head
        yield Spacer(1, 5 * mm)
        yield self._paragraph(document.lead, "lead")
        if document.why:
            yield self._paragraph("Why", "heading")
            yield self._grid(
                [
                    [
                        self._paragraph(_MARKS[one.tone], "mark", colour=_TONES[one.tone]),
                        self._paragraph(one.text, "body"),
                    ]
                    for one in document.why
                ],
                [20 * mm, _WIDTH - 20 * mm],
            )
        yield self._paragraph("What next", "heading")
        for number, step in enumerate(document.next_steps or ("Nothing is asked for.",), 1):
            yield self._paragraph(f"{number}.  {step}", "step")
        yield Spacer(1, 5 * mm)
        yield from self._tiles(document.figures)
        if document.chart is not None:
            yield Spacer(1, 5 * mm)
            yield from self._part(document.chart)
        yield PageBreak()

    def _tiles(self, figures: tuple[tuple[str, str], ...]) -> Iterator[Flow]:
        cells = [[self._paragraph(name, "small"), self._paragraph(value, "value")] for name, value in figures]
        across = 4
        rows = [cells[at : at + across] for at in range(0, len(cells), across)]
        for row in rows:
            row += [[]] * (across - len(row))
        if rows:
            tiles = Grid(rows, colWidths=[_WIDTH / across] * across)
            tiles.setStyle(
                TableStyle(
                    [
                        ("INNERGRID", (0, 0), (-1, -1), 0.5, _colour("line")),
                        ("BOX", (0, 0), (-1, -1), 0.5, _colour("line")),
                        ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ]
                )
            )
            yield tiles

    def _section(self, section: Section) -> Iterator[Flow]:
        parts = [flow for part in section.parts for flow in (*self._part(part), Spacer(1, 2 * mm))]
        yield CondPageBreak(45 * mm)
        begun = [self._paragraph(section.title, "heading")]
        while parts and not isinstance(parts[0], LongTable | Preformatted):
            begun.append(parts.pop(0))
            if not isinstance(begun[-1], Paragraph | Spacer):  # the first picture; words alone would stay behind
                break
        yield KeepTogether(begun)
        yield from parts
        yield Spacer(1, 3 * mm)

    @singledispatchmethod
    def _part(self, part: Part) -> Iterable[Flow]:
        raise TypeError(f"{type(part).__name__} has no place on paper")

    @_part.register
    def _(self, part: Table) -> Iterable[Flow]:
        rows = [[self._cell(name, place in part.numbers, "th") for place, name in enumerate(part.columns)]]
        rows += [[self._cell(cell, place in part.numbers, "td") for place, cell in enumerate(row)] for row in part.rows]
        yield self._grid(rows, _widths([part.columns, *part.rows]), repeat=1)
        yield from self._note(part.note)

    @_part.register
    def _(self, part: Charts) -> Iterable[Flow]:
        across = max(1, min(3, len(part.drawings)))
        room = _WIDTH / across
        for at in range(0, len(part.drawings), across):
            row = [self._drawn(drawing, room) for drawing in part.drawings[at : at + across]]
            grid = Grid([row + [""] * (across - len(row))], colWidths=[room] * across)
            grid.setStyle(
                TableStyle(
                    [
                        ("LEFTPADDING", (0, 0), (-1, -1), 0),
                        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                        ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ]
                )
            )
            yield grid
        yield from self._note(part.note)

    @_part.register
    def _(self, part: Pictures) -> Iterable[Flow]:
        yield from self._note(part.note)
        for picture in part.pictures:
            width, height = ImageReader(io.BytesIO(picture.jpeg)).getSize()
            wide = min(_WIDTH, 120 * mm * width / height)
            image = Image(io.BytesIO(picture.jpeg), wide, wide * height / width)
            image.hAlign = "LEFT"
            title, text = self._paragraph(picture.title, "strong"), self._paragraph(picture.text, "body")
            yield KeepTogether([title, image, Spacer(1, 1.2 * mm), text, Spacer(1, 3 * mm)])

    @_part.register
    def _(self, part: Facts) -> Iterable[Flow]:
        rows = [[self._cell(name, False, "soft"), self._cell(value, False, "td")] for name, value in part.rows]
        if rows:
            longest = max(stringWidth(word, "Helvetica", 9) for name, _ in part.rows for word in name.split(" "))
            left = min(max(34 * mm, longest + 8), 62 * mm)  # the id of a run in one line
            yield self._grid(rows, [left, _WIDTH - left])

    @_part.register
    def _(self, part: Verbatim) -> Iterable[Flow]:
        lines = [
            piece
            for row in self._print(part.text).splitlines()
            for piece in textwrap.wrap(row, _LINE, drop_whitespace=False) or [""]
        ]
        yield Preformatted("\n".join(lines), _STYLES["code"])

    @_part.register
    def _(self, part: Sentences) -> Iterable[Flow]:
        for sentence in part.lines:
            yield self._paragraph(sentence, "body")

    def _note(self, note: str) -> Iterator[Flow]:
        if note:
            yield self._paragraph(note, "small")

    def _cell(self, text: str, is_number: bool, style: str) -> Flow:
        return self._paragraph(
            textwrap.shorten(text, _LONGEST_CELL, placeholder=" …"), f"{style}_number" if is_number else style
        )

    def _grid(self, rows: list[list[Flow]], widths: list[float], repeat: int = 0) -> Flow:
        grid = LongTable(rows, colWidths=widths, repeatRows=repeat)
        style: list[tuple[Any, ...]] = [
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _colour("line")), ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ("LEFTPADDING", (0, 0), (-1, -1), 3), ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ]  # fmt: skip
        if repeat:
            style.append(("LINEBELOW", (0, 0), (-1, 0), 0.8, _colour("line_strong")))
        grid.setStyle(TableStyle(style))
        return grid

    def _paragraph(self, text: str, style: str, colour: str = "") -> Flow:
        words = escape(self._print(text)).replace("\n", "<br/>")
        if colour:
            words = f'<font color="{LIGHT[colour]}">{words}</font>'
        return Paragraph(words, _STYLES[style])

    def _drawn(self, drawing: Drawing, room: float) -> shapes.Drawing:
        """Draw in points, made smaller where the room is."""
        scale = min(1.0, room / drawing.width)
        group = shapes.Group(*(self._mark(mark, drawing.height) for mark in drawing.marks))
        group.scale(scale, scale)
        return shapes.Drawing(drawing.width * scale, drawing.height * scale, group)

    def _mark(self, mark: Any, height: float) -> shapes.Shape:
        colour = _colour(mark.colour)
        if isinstance(mark, Word):
            font = "Helvetica-Bold" if mark.is_bold else "Helvetica"
            return shapes.String(
                mark.x, height - mark.y, self._print(mark.text), fontName=font, fontSize=mark.size, fillColor=colour,
                textAnchor=mark.anchor,
            )  # fmt: skip
        if isinstance(mark, Block):
            return shapes.Rect(
                mark.x, height - mark.y - mark.height, mark.width, mark.height, fillColor=colour, strokeColor=None
            )
        points = [value for x, y in mark.points for value in (x, height - y)]
        dash = list(mark.dash) or None
        return shapes.PolyLine(points, strokeColor=colour, strokeWidth=mark.width, strokeDashArray=dash)


def _widths(rows: Sequence[Sequence[str]]) -> list[float]:
    """Give each column its longest word, and share out the rest by how much text there is."""
    least, wanted = [], []
    for column in zip(*rows, strict=True):
        texts = [text[:_LONGEST_CELL] for text in column]
        widest = max(
            (stringWidth(word, "Helvetica-Bold", 8.2) for text in texts for word in text.split(" ")), default=0.0
        )
        least.append(min(widest, 40 * mm) + 7)
        wanted.append(max(len(text) for text in texts) + 4)
    if sum(least) > _WIDTH:
        return _squeezed(least)
    return [width + (_WIDTH - sum(least)) * share / sum(wanted) for width, share in zip(least, wanted, strict=True)]


def _squeezed(widths: Sequence[float]) -> list[float]:
    """Make columns fit: the widest are cut to one width, the others keep their words whole."""
    room, left = _WIDTH, len(widths)
    for width in sorted(widths):
        if width > room / left:
            break
        room, left = room - width, left - 1
    most = room / max(left, 1)
    return [min(width, most) for width in widths]


def _colour(name: str) -> colors.Color:
    return colors.HexColor(LIGHT[name])


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:
    values = {"fontName": "Helvetica", "leading": size * 1.35, "textColor": _colour("text"), **more}
    return ParagraphStyle(name, fontSize=size, **values)


_STYLES = {
    style.name: style
    for style in (
        _style("title", 19, fontName="Helvetica-Bold", spaceAfter=3),
        _style("word", 14, fontName="Helvetica-Bold", alignment=1),
        _style("lead", 13, fontName="Helvetica-Bold", spaceAfter=4),
        _style("heading", 12.5, fontName="Helvetica-Bold", spaceBefore=10, spaceAfter=5),
        _style("strong", 9.5, fontName="Helvetica-Bold", spaceBefore=4, spaceAfter=2),
        _style("body", 9.5, spaceAfter=2),
        _style("step", 10, spaceAfter=3, leftIndent=14, firstLineIndent=-14),
        _style("mark", 7.5, fontName="Helvetica-Bold"),
        _style("soft", 9, textColor=_colour("text_soft")),
        _style("small", 7.8, textColor=_colour("text_faint"), spaceBefore=2),
        _style("value", 13, fontName="Helvetica-Bold"),
        _style("th", 8, fontName="Helvetica-Bold", textColor=_colour("text_soft")),
        _style("th_number", 8, fontName="Helvetica-Bold", textColor=_colour("text_soft"), alignment=2),
        _style("td", 8.2),
        _style("td_number", 8.2, alignment=2),
        _style("code", 7.2, fontName="Courier", leading=9),
    )
}
