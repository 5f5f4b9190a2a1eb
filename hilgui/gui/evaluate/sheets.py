"""What the tables of the Evaluate page say: figures as rows of cells with their links; no widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hilgui.evaluation import Figure, Interval
from hilgui.evaluation.disparity import Disparity
from hilgui.evaluation.slice_figures import SliceFigures
from hilgui.gui.linked_table import Cell, number
from hilgui.gui.short_numbers import short, span
from hilgui.records import Role
from hilgui.report.measured import Measured
from hilgui.report.slices import Sliced

Tr = Callable[[str], str]

_BY_CLASS = {
    "map_50_95": "AP", "map_50": "AP50", "map_75": "AP75", "recall": "rec.", "precision": "prec.", "f1": "F1",
    "critical_recall": "crit.", "hota": "HOTA", "idf1": "IDF1", "iou": "IoU", "pixel_accuracy": "acc.",
    "top_1": "top 1",
}  # fmt: skip
"""Figures that are measured by class, and what stands above their columns."""

_LEFT_OUT = ("tide",)  # has its own plot


@dataclass(frozen=True, slots=True)
class Link:
    """A figure of a model, or some frames, that somebody clicked on."""

    role: Role
    figure: str
    frames: tuple[tuple[str, int], ...] | None = None  # run and frame; None: to be asked for


def in_words(figure: Figure | None) -> str:
    """Write the value of a figure."""
    if figure is None or figure.value is None:
        return "–"
    return f"{figure.value:,}" if isinstance(figure.value, int) else short(figure.value)


def interval_in_words(figure: Figure | None) -> str:
    """Write the interval of a figure."""
    if figure is None or figure.interval is None:
        return "–" if figure is not None and figure.why_no_interval else ""
    return span(figure.interval.low, figure.interval.high)


def _tip(tr: Tr, figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return tr("Nothing to measure here.")
    if figure.interval is None:
        click = tr("Click for the frames behind it.")
        return tr("No interval: {0}. {1}").format(figure.why_no_interval, click) if figure.why_no_interval else click
    interval = figure.interval
    words = tr("{0:.0%} interval over {1} × {2} ({3}). Click for the frames behind it.")
    return words.format(interval.level, interval.clusters, interval.unit, interval.method)


def _is_of_class(name: str, classes: Sequence[str]) -> bool:
    return any(name.endswith(f".{label}") for label in classes) and name.split(".")[0] != "confusion"


def figure_rows(tr: Tr, measured: Measured) -> tuple[list[str], list[list[Cell]]]:
    """Give one row for each figure of all classes together, both models beside each other."""
    roles = measured.roles
    titles = [tr("figure")]
    for role in roles:
        titles += [role.value, tr("95 %")]
    titles.append(tr("count"))
    names = dict.fromkeys(name for role in roles for name in measured.figures[role])
    rows = []
    for name in names:
        if _is_of_class(name, measured.classes) or name.split(".")[0] in _LEFT_OUT:
            continue
        row = [Cell(name)]
        counts, rests, links = [], [], []
        for role in roles:
            figure = measured.figures[role].get(name)
            link = None if figure is None or figure.value is None else Link(role, name)
            row.append(number(in_words(figure), link, colour=role.value, tip=_tip(tr, figure)))
            row.append(number(interval_in_words(figure), link, colour="text_soft", tip=_tip(tr, figure)))
            links += [] if link is None else [link]
            if figure is not None:
                counts.append(f"{figure.count:,}")
                rests.append(f"{figure.count:,} {figure.of}")
        tip = tr("rests on {0}").format(" / ".join(dict.fromkeys(rests)))
        link = links[0] if links else None
        row.append(Cell(" / ".join(dict.fromkeys(counts)), link, colour="text_faint", tip=tip))
        rows.append(row)
    return titles, rows


def class_rows(tr: Tr, measured: Measured) -> tuple[list[str], list[list[Cell]], list[str]]:
    """Give a row for each class and model, and columns for what is measured by class; with the tips of the titles."""
    roles, classes = measured.roles, measured.classes
    heads = [
        head
        for head in _BY_CLASS
        if any(f"{head}.{label}" in measured.figures[role] for label in classes for role in roles)
    ]
    titles = [tr("class"), tr("truths"), *_model_title(roles), *(_BY_CLASS[head] for head in heads)]
    tips = ["", "", *[tr("model")] * (len(roles) > 1), *heads]
    rows = []
    for label in classes:
        counts = [figure.count for role in roles if (figure := measured.figures[role].get(f"recall.{label}"))]
        for role in roles:
            row = [Cell(label, colour="" if role is roles[0] else "text_faint")]
            row.append(number(f"{max(counts, default=0):,}", Link(role, f"truths.{label}"), colour="text_faint"))
            row += _model_cell(role, roles)
            for head in heads:
                name = f"{head}.{label}"
                figure = measured.figures[role].get(name)
                link = None if figure is None or figure.value is None else Link(role, name)
                tip = f"{name} {interval_in_words(figure)}\n{_tip(tr, figure)}".strip()
                row.append(number(in_words(figure), link, colour=role.value, tip=tip))
            rows.append(row)
    return titles, rows, tips


def _model_title(roles: Sequence[Role]) -> list[str]:
    return [""] if len(roles) > 1 else []


def _model_cell(role: Role, roles: Sequence[Role]) -> list[Cell]:
    return [Cell(role.value[0].upper(), colour=role.value, tip=role.value)] if len(roles) > 1 else []


def confusion_rows(tr: Tr, measured: Measured, role: Role) -> tuple[list[str], list[list[Cell]]]:
    """Give the confusion matrix of a model, shaded by the share of each row; rows are what was there."""
    plain = measured.details.get(role, {}).get("confusion")
    if not plain:
        return [tr("there \\ shown")], []
    names, counts = plain["classes"], plain["counts"]
    kept = [place for place in range(len(names)) if sum(counts[place]) or sum(row[place] for row in counts)]
    titles = [tr("there \\ shown"), *(names[column] for column in kept)]
    rows = []
    for line in kept:
        total = sum(counts[line]) or 1
        row = [Cell(names[line], colour="text_soft")]
        for column in kept:
            count = counts[line][column]
            link = Link(role, f"confusion.{names[line]}.{names[column]}") if count else None
            behind = "good" if line == column else "missed" if names[column] == "background" else "phantom"
            text = f"{count:,}" if count else "·"
            tip = tr("{0} shown as {1}: {2:,} ({3:.0%} of the row)").format(
                names[line], names[column], count, count / total
            )
            row.append(Cell(text, link, shade=count / total, behind=behind, tip=tip, is_number=True))
        rows.append(row)
    return titles, rows


def slice_rows(tr: Tr, sliced: Sequence[Sliced]) -> tuple[list[str], list[list[Cell]], list[str]]:
    """Give a row for each slice and model, then how far apart its groups lie; with the tips of the titles.

    A click leads to the frames with the most misses, false positives or labels.
    """
    roles = [one.role for one in sliced]
    titles = [tr("dimension"), tr("slice"), tr("truths"), *_model_title(roles)]
    titles += [tr("recall"), tr("95 %"), tr("prec."), "AP50"]
    tips = ["", "", "", *[tr("model")] * (len(roles) > 1), "", tr("interval of the recall"), tr("precision"), "map_50"]
    by_place: dict[str, dict[str, dict[Role, SliceFigures]]] = {}
    for one in sliced:
        for figures in one.figures:
            by_place.setdefault(figures.dimension, {}).setdefault(figures.value, {})[one.role] = figures
    rows: list[list[Cell]] = []
    for dimension, values in by_place.items():
        mine = []
        for value, found in values.items():
            truths = max((each.truths for each in found.values()), default=0)
            for role, each in ((role, found[role]) for role in roles if role in found):
                is_first = each is next(iter(found.values()))
                head = [Cell(value, colour="" if is_first else "text_faint")]
                held = _link(role, "truths", each, each.holders)
                head += [number(f"{truths:,}", held, colour="text_faint"), *_model_cell(role, roles)]
                mine.append([*head, *_slice_cells(each, role)])
        for one in sliced:
            told = one.disparities.get(dimension)
            mine += [] if told is None else _gap_rows(tr, told, values, one.role, roles)
        for place, row in enumerate(mine):
            rows.append([Cell(dimension if place == 0 else "", colour="text_soft"), *row])
    return titles, rows, tips


def _gap_rows(
    tr: Tr, gap: Disparity, groups: Mapping[str, Mapping[Role, SliceFigures]], role: Role, roles: Sequence[Role]
) -> list[list[Cell]]:
    """Give the difference of recall between the best and the worst group, and name the smallest.

    A click leads to the misses of the worst, and to the smallest.
    """
    if gap.gap is None or gap.worst is None:
        return []
    worst, smallest = groups[gap.worst][role], groups[gap.smallest][role]
    missed = _link(role, "recall", worst, worst.examples)
    held = _link(role, "truths", smallest, smallest.holders)
    words = tr("Δ; least: {0}").format(gap.smallest)
    return [
        [
            Cell(words, colour="text_soft", tip=gap.in_words),
            number(f"{gap.counts[gap.smallest]:,}", held, colour="text_faint", tip=tr("truths of the smallest group")),
            *_model_cell(role, roles),
            number(short(gap.gap), missed, colour=role.value, tip=gap.in_words),
            number(_span_of(gap.interval), missed, colour="text_soft", tip=gap.in_words),
            number(""),
            number(""),
        ]
    ]


def _span_of(interval: Interval | None) -> str:
    return "–" if interval is None else span(interval.low, interval.high)


def _slice_cells(each: SliceFigures, role: Role) -> list[Cell]:
    missed = None if each.recall is None else _link(role, "recall", each, each.examples)
    false = None if each.precision is None else _link(role, "precision", each, each.phantoms)
    both = tuple(dict.fromkeys((*each.examples, *each.phantoms)))
    wrong = None if each.map_50 is None else _link(role, "map_50", each, both)
    return [
        number(short(each.recall), missed, colour=role.value),
        number(_span_of(each.recall_interval), missed, colour="text_soft", tip=each.why_no_interval),
        number(short(each.precision), false, colour=role.value, tip=_between(each.precision_interval)),
        number(short(each.map_50), wrong, colour=role.value, tip=_between(each.map_50_interval)),
    ]


def _link(role: Role, figure: str, each: SliceFigures, frames: tuple[tuple[str, int], ...]) -> Link:
    return Link(role, f"{figure}, {each.dimension} = {each.value}", frames)


def _between(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.level:.0%}: {interval.words}"
