"""The tables of the Robustness page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hilgui.evaluation import Interval
from hilgui.gui.linked_table import Cell, number
from hilgui.records import Role
from hilgui.robustness import Example, Headline, Result, Tipping

Rows = tuple[tuple[str, ...], list[tuple[Cell, ...]]]
Say = Callable[[str], str]

_SIGNS = {True: ("good", "✓"), False: ("missed", "✕"), None: ("warning", "?")}
_NO_FIELD = -1.0  # the shade of what stands beside the heat map


@dataclass(frozen=True, slots=True)
class Link:
    """What a field leads to."""

    row: str
    column: str  # of the heat map; "" for where the first critical object is lost
    role: Role | None


def heat_rows(tr: Say, result: Result, roles: Sequence[Role]) -> Rows:
    """Lay out the heat map: for each model its columns, their mean, and where the first critical object is lost."""
    has_tippings = bool(result.tippings)
    titles = [tr("Row")]
    for role in roles:
        letter = f"{role.value[0].upper()} " if len(roles) > 1 else ""
        titles += [f"{letter}{column}" for column in result.columns]
        titles += [f"{letter}{tr('mean')}"] if result.is_averaged else []
        titles += [f"{letter}{tr('lost at')}"] if has_tippings else []
    rows: list[tuple[Cell, ...]] = []
    for row in result.rows:
        cells = [Cell(row, tip=result.families.get(row, ""))]
        for role in roles:
            cells += _of_model(tr, result, row, role, has_tippings=has_tippings)
        rows.append(tuple(cells))
    return tuple(titles), rows


def blocks_of(result: Result) -> tuple[tuple[str, str, int], ...]:
    """Give words, colour and number of columns of each model in the heat map."""
    columns = len(result.heads) + bool(result.tippings)
    return tuple((f"{result.called(one.role)}: {one.name}", one.role.value, columns) for one in result.models)


def headline_rows(tr: Say, result: Result) -> Rows:
    """Say the figures over the whole, a model beside the other, with their difference; then what checks itself."""
    names = list(dict.fromkeys(one.name for one in result.headlines))
    titles = [tr("Figure"), *(result.called(role) for role in result.roles)]
    has_difference = any(one.role is None for one in result.headlines)
    titles += [tr("candidate − baseline")] if has_difference else []
    words = {
        "clean": (tr("clean {0}").format(result.measure), tr("on the frames as they are")),
        "mPC": ("mPC", tr("mean over all corruptions and severities (Michaelis et al. 2019)")),
        "rPC": ("rPC", tr("mPC as a share of the clean figure")),
    }
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        text, tip = words.get(name, (name, ""))
        cells = [Cell(text, tip=tip), *(_figure(result.headline(name, role)) for role in result.roles)]
        if has_difference:
            cells.append(_difference(result.headline(name, None)))
        rows.append(tuple(cells))
    said = {True: tr("yes"), False: tr("NO"), None: tr("cannot be told")}
    for check in result.checks:
        colour, sign = _SIGNS[check.is_good]
        answer = number(said[check.is_good], colour=colour, tip=check.sentence)
        rows.append((Cell(f"{sign} {check.name}", tip=check.sentence), answer, *[Cell()] * (len(titles) - 2)))
    return tuple(titles), rows


def example_rows(tr: Say, result: Result, found: Sequence[tuple[Role, Example]]) -> Rows:
    """List frames that fooled a model; which one is said where there are two."""
    are_two = len(result.models) > 1
    titles = (*([tr("Model")] if are_two else []), tr("Drive"), tr("Frame"), tr("What was lost"))
    rows: list[tuple[Cell, ...]] = [
        (
            *([Cell(role.value, (role, example), colour=role.value)] if are_two else []),
            Cell(example.drive, (role, example)),
            number(f"{example.seq:,}", (role, example)),
            Cell(example.words, (role, example)),
        )
        for role, example in found
    ]
    return titles, rows


def note_rows(tr: Say, result: Result) -> Rows:
    """Say what checks itself, and what else is to be known."""
    rows: list[tuple[Cell, ...]] = [
        (
            Cell(f"{_SIGNS[one.is_good][1]} {one.name}", colour=_SIGNS[one.is_good][0]),
            Cell(one.sentence, tip=one.sentence),
        )
        for one in result.checks
    ]
    rows += [
        (
            Cell(f"{one.row} · {one.role.value}", Link(one.row, "", one.role) if one.examples else None),
            Cell(_where_lost(one), tip=tipping_words(tr, one)),
        )
        for one in result.tippings
    ]
    rows += [(Cell(tr("note")), Cell(note, tip=note)) for note in result.notes]
    return (tr("What"), tr("Says")), rows


def tipping_words(tr: Say, one: Tipping) -> str:
    """Say where the first critical object is lost."""
    if one.severity is None:
        return one.words
    return tr("first critical object lost at {0}: {1}").format(f"{one.severity:.2f}", one.words)


def _where_lost(one: Tipping) -> str:
    return one.words if one.severity is None else f"{one.severity:.2f}: {one.words}"


def examples_of(result: Result, link: Link) -> list[tuple[Role, Example]]:
    """Give the examples behind a field, those of both models for a row."""
    found: list[tuple[Role, Example]] = []
    for tipping in result.tippings:
        if link.column == "" and tipping.row == link.row and link.role in (None, tipping.role):
            found += [(tipping.role, replace(each, words=_where_lost(tipping))) for each in tipping.examples]
    for cell in result.cells:
        if cell.row == link.row and cell.column == link.column and link.role in (None, cell.role):
            found += [(cell.role, example) for example in cell.examples]
    return found


def in_words(value: float | int | None, interval: Interval | None, sign: str = "") -> str:
    """Write a figure with its interval."""
    if value is None:
        return "–"
    text = f"{value:{sign},}" if isinstance(value, int) else f"{value:{sign}.3f}"
    return text if interval is None else f"{text} [{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def _of_model(tr: Say, result: Result, row: str, role: Role, *, has_tippings: bool) -> list[Cell]:
    clean = result.headline("clean", role)
    whole = None if clean is None else clean.value
    cells = []
    for column in result.columns:
        cell = result.cell(row, column, role)
        value = None if cell is None else cell.value
        tip = tr("{0} at {1}, {2}: {3}").format(
            row, column, result.called(role), in_words(value, None if cell is None else cell.interval)
        )
        if cell is not None and cell.by_class:
            tip += "\n" + "\n".join(f"{name}: {in_words(one, None)}" for name, one in cell.by_class.items())
        cells.append(_field(value, whole, role, result.better, Link(row, column, role), tip))
    if result.is_averaged:
        tip = tr("mean of {0}, {1}").format(row, result.called(role))
        cells.append(_field(result.mean(row, role), whole, role, result.better, None, tip))
    if has_tippings:
        cells.append(_tipping(tr, result, row, role))
    return cells


def _field(value: float | None, whole: float | None, role: Role, better: str, link: Link | None, tip: str) -> Cell:
    """Shade by what is lost of the clean figure; without one, by the figure itself."""
    shade = 0.0
    if value is not None and whole:
        shade = min(max(1.0 - value / whole, 0.0), 1.0)
    elif value is not None:
        shade = min(max(value if better == "lower" else 1.0 - value, 0.0), 1.0)
    text = "–" if value is None else f"{value:.2f}".removeprefix("0")
    return Cell(text, link, shade=shade, behind=role.value, tip=tip, is_number=True)


def _tipping(tr: Say, result: Result, row: str, role: Role) -> Cell:
    one = next((one for one in result.tippings if (one.row, one.role) == (row, role)), None)
    if one is None:
        return Cell(shade=_NO_FIELD, is_number=True)
    text = tr("never") if one.severity is None else f"{one.severity:.2f}{'' if one.is_monotone else '~'}"
    link = Link(row, "", role) if one.examples else None
    return Cell(text, link, shade=_NO_FIELD, tip=tipping_words(tr, one), is_number=True)


def _figure(one: Headline | None) -> Cell:
    return number("–") if one is None else number(in_words(one.value, one.interval), colour=one.role or "")


def _difference(one: Headline | None) -> Cell:
    """Write a difference; it is better or worse only where its interval does not hold 0."""
    if one is None:
        return number("–")
    colour = ""
    if one.interval is not None and (one.interval.low > 0 or one.interval.high < 0):
        is_better = (one.interval.low > 0) == (one.better == "higher")
        colour = "good" if is_better else "missed"
    sign = {"good": "▲ ", "missed": "▼ "}.get(colour, "")
    return number(sign + in_words(one.value, one.interval, "+"), colour=colour)
