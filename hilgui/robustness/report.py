"""The report of a result: what is left of the figure, what hurts most, what was lost first, pictures that show it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from hilgui import __version__
from hilgui.colours import ON_PICTURE
from hilgui.numerals import number_of
from hilgui.records import Role
from hilgui.report.document import Document, Facts, Picture, Pictures, Section, Sentences, Table, Verbatim
from hilgui.report.shown import between, figure, signed, words
from hilgui.report.words import Statement, Tone
from hilgui.robustness.result import ATTACKS, AUDIT, DRIFT, Example, Headline, Result, Shown
from hilgui.robustness.shelf import picture_path

_NAMES = {"clean": "clean", "mPC": "mPC", "rPC": "rPC"}
_UNTOLD = "NOT CONCLUSIVE", "warning"
_PICTURED = 8  # examples
_WIDEST = 1280  # px of two pictures beside each other


def result_document(folder: Path, result: Result) -> Document:
    """Build the report of a result of any kind; pictures that are gone are left out."""
    word, tone = _word(result)
    return Document(
        title=result.title,
        subtitle=f"Robustness: {result.kind} · {result.created[:16].replace('T', ' ')} · {result.measure}",
        word=word,
        tone=tone,
        lead=" ".join(_lead(result)),
        why=tuple(_why(result)),
        next_steps=tuple(_next(result)),
        figures=tuple(
            (f"{_name(result, one)}, {result.called(one.role)}", _with_interval(one))
            for one in result.headlines
            if one.role
        ),
        sections=tuple(_sections(folder, result)),
        footer=f"Result {result.id}, measured by hilgui {result.version}; report by hilgui {__version__}",
    )


def _word(result: Result) -> tuple[str, str]:
    if any(check.is_good is False for check in result.checks):
        return {AUDIT: ("OPEN", "missed"), ATTACKS: ("TOO WEAK", "warning")}.get(result.kind, _UNTOLD)
    if result.kind == DRIFT:
        said = str(result.question.get("verdict", ""))
        return said, {"NO DRIFT": "good", "DRIFT": "missed"}.get(said, "warning")
    if any(check.is_good is None for check in result.checks):
        return "UNSURE", "warning"
    return ("MEASURED", "good") if result.is_whole else ("NOT WHOLE", "warning")


def _lead(result: Result) -> Iterator[str]:
    for role in result.roles:
        found = {name: result.headline(name, role) for name in _NAMES}
        clean, left, share = (found[name] for name in _NAMES)
        if clean is not None and left is not None and share is not None and share.value is not None:
            whole = f"{result.called(role)}'s {result.measure} of {figure(clean.value)}"
            yield f"Of the {whole}, {figure(left.value)} is left on average ({share.value:.0%})."


def _why(result: Result) -> Iterator[Statement]:
    for one in result.headlines:
        if one.role is not None or one.value is None:
            continue
        sure = "" if one.interval is None else f" ({between(one.interval.low, one.interval.high)})"
        tone = Tone.LEVEL
        if one.interval is not None and (one.interval.low > 0 or one.interval.high < 0):
            tone = Tone.BETTER if (one.interval.low > 0) == (one.better == "higher") else Tone.WORSE
        yield Statement(f"{_name(result, one)}, candidate minus baseline: {signed(one.value)}{sure}.", tone)
    for role in result.roles:
        last = {row: line[-1] for row in result.rows if (line := result.line(row, role))}
        known = [(row, value) for row, value in last.items() if value is not None]
        worst = sorted(known, key=lambda each: each[1], reverse=result.better == "lower")[:3]
        if worst:
            told = ", ".join(f"{words(row)} ({figure(value)})" for row, value in worst)
            yield Statement(f"The {result.called(role)} stands {told} worst.", Tone.NOTE)
    for check in result.checks:
        tone = {True: Tone.BETTER, False: Tone.WORSE, None: Tone.NOTE}[check.is_good]
        yield Statement(f"{check.name}: {check.sentence}", tone)


def _next(result: Result) -> Iterator[str]:
    if not result.is_whole:
        yield "Run the call again: it goes on where it was stopped."
    for role in result.roles:
        early = [one for one in result.tippings if one.role == role and one.severity is not None]
        if early:
            first = min(early, key=lambda one: one.severity or 0.0)
            whose, where = result.called(role), f"{words(first.row)} at {first.severity}"
            yield f"Look at what the {whose} loses first: {where}, {first.words}."


def _sections(folder: Path, result: Result) -> Iterator[Section]:
    head = ("", *result.heads, *(("lost at",) if result.tippings else ()))
    note = "lost at: the severity at which the first critical object is lost; ~: not monotone"
    for subject in result.models:
        lost = {one.row: one for one in result.tippings if one.role == subject.role}
        rows = []
        for row in result.rows:
            tipping = lost.get(row)
            edge = "" if tipping is None else "never" if tipping.severity is None else f"{tipping.severity:.2f}"
            edge += "" if tipping is None or tipping.is_monotone else " ~"
            line = (words(row), *map(figure, result.line(row, subject.role)), edge)
            rows.append(line[: len(head)])
        table = Table(head, tuple(rows), frozenset(range(1, len(head))), note if result.tippings else "")
        yield Section(f"{result.called(subject.role)}: {subject.name}", (table,))
    pictures = tuple(_pictures(folder, result))
    if pictures:
        yield Section("Frames that went worst, clean beside changed", (Pictures(pictures),))
    facts = [(result.called(one.role), f"{one.path} · sha256 {one.sha256}") for one in result.models]
    facts += [
        (one.name, f"{number_of(one.frames, 'frame')} · {one.path} · sha256 {one.sha256}") for one in result.drives
    ]
    asked = json.dumps(result.question, indent=1, ensure_ascii=False)
    yield Section("How it was measured", (Sentences(result.notes), Facts(tuple(facts)), Verbatim(asked)))


def _pictures(folder: Path, result: Result) -> Iterator[Picture]:
    """Show what was lost first, then the worst frame of each row at its middle column."""
    middle = result.columns[len(result.columns) // 2] if result.columns else ""
    found = [(f"{one.row}, first lost", one.role, example) for one in result.tippings for example in one.examples]
    found += [
        (f"{one.row} {one.column}", one.role, example)
        for one in result.cells
        if one.column == middle
        for example in one.examples[:1]
    ]
    made = 0
    for name, role, example in found:
        jpeg = _side_by_side(folder, example, role)
        if jpeg is not None:
            yield Picture(
                jpeg, f"{words(name)} · {result.called(role)}", f"{example.drive} #{example.seq}: {example.words}"
            )
            made += 1
            if made == _PICTURED:
                return


def _side_by_side(folder: Path, example: Example, role: Role) -> bytes | None:
    sides = []
    for name, objects in ((example.clean, example.clean_objects), (example.changed, example.changed_objects)):
        path = picture_path(folder, name)
        image = None if path is None else cv2.imread(str(path))
        if image is None:
            return None
        _draw(image, objects, role)
        sides.append(image)
    if sides[0].shape != sides[1].shape:
        return None
    both = np.hstack(sides)
    scale = min(1.0, _WIDEST / both.shape[1])
    small = cv2.resize(both, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return data.tobytes()


def _draw(image: np.ndarray, objects: tuple[Shown, ...], role: Role) -> None:
    for one in objects:
        colour = ON_PICTURE[role.value if one.fate == "found" else one.fate]
        bgr = tuple(int(colour[place : place + 2], 16) for place in (5, 3, 1))
        x1, y1, x2, y2 = (round(min(max(side, -1e4), 1e5)) for side in one.box)
        cv2.rectangle(image, (x1, y1), (x2, y2), bgr, 1 if one.fate == "found" else 3)


def _with_interval(one: Headline) -> str:
    value = figure(one.value)
    return value if one.interval is None else f"{value} [{figure(one.interval.low)}, {figure(one.interval.high)}]"


def _name(result: Result, one: Headline) -> str:
    return f"clean {result.measure}" if one.name == "clean" else one.name
