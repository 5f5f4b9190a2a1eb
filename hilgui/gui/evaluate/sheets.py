"""What the tables of the Evaluate page say: figures as rows of cells with their links; no widgets."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hilgui.evaluation import Figure, Interval
from hilgui.evaluation.slice_figures import SliceFigures
from hilgui.gui.linked_table import Cell, number
from hilgui.records import Role
from hilgui.report.measured import Measured
from hilgui.report.slices import Sliced

Tr = Callable[[str], str]

_BY_CLASS = (
    "map_50_95", "map_50", "map_75", "recall", "precision", "f1", "critical_recall", "hota", "idf1",
    "iou", "pixel_accuracy", "top_1",
)  # fmt: skip
_LEFT_OUT = ("tide",)  # has its own plot


@dataclass(frozen=True, slots=True)
class Link:
    """A figure of a model, or some frames, that somebody clicked on."""

    role: Role
    figure: str
    frames: tuple[tuple[str, int], ...] = ()  # run and frame; empty: to be asked for


def in_words(figure: Figure | None) -> str:
    """Write the value of a figure."""
    if figure is None or figure.value is None or math.isnan(figure.value):
        return "–"
    if isinstance(figure.value, int) or (float(figure.value).is_integer() and abs(figure.value) > 1):
        return f"{figure.value:,.0f}"
    return f"{figure.value:.3f}" if abs(figure.value) < 100 else f"{figure.value:,.0f}"


def interval_in_words(figure: Figure | None) -> str:
    """Write the interval of a figure."""
    if figure is None or figure.interval is None:
        return "–" if figure is not None and figure.why_no_interval else ""
    return figure.interval.words


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
    titles.append(tr("rests on"))
    names = dict.fromkeys(name for role in roles for name in measured.figures[role])
    rows = []
    for name in names:
        if _is_of_class(name, measured.classes) or name.split(".")[0] in _LEFT_OUT:
            continue
        row = [Cell(name)]
        rests = []
        for role in roles:
            figure = measured.figures[role].get(name)
            link = None if figure is None or figure.value is None else Link(role, name)
            row.append(number(in_words(figure), link, colour=role.value, tip=_tip(tr, figure)))
            row.append(number(interval_in_words(figure), link, colour="text_soft", tip=_tip(tr, figure)))
            if figure is not None:
                rests.append(f"{figure.count:,} {figure.of}")
        row.append(Cell(" / ".join(dict.fromkeys(rests)), colour="text_faint"))
        rows.append(row)
    return titles, rows


def class_rows(tr: Tr, measured: Measured) -> tuple[list[str], list[list[Cell]]]:
    """Give one row for each class, and columns for what is measured by class."""
    roles = measured.roles
    heads = [
        (head, role)
        for head in _BY_CLASS
        for role in roles
        if any(f"{head}.{label}" in measured.figures[role] for label in measured.classes)
    ]
    titles = [tr("class"), *(f"{head} {role.value[0].upper()}" for head, role in heads), tr("truths")]
    rows = []
    for label in measured.classes:
        row = [Cell(label)]
        for head, role in heads:
            name = f"{head}.{label}"
            figure = measured.figures[role].get(name)
            link = None if figure is None or figure.value is None else Link(role, name)
            sure = interval_in_words(figure)
            tip = f"{name} {sure}\n{_tip(tr, figure)}".strip()
            row.append(number(in_words(figure), link, colour=role.value, tip=tip))
        counts = [figure.count for role in roles if (figure := measured.figures[role].get(f"recall.{label}"))]
        row.append(number(f"{max(counts, default=0):,}", colour="text_faint"))
        rows.append(row)
    return titles, rows


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
            is_right = line == column
            link = Link(role, f"confusion.{names[line]}.{names[column]}") if count and not is_right else None
            behind = "good" if is_right else "missed" if names[column] == "background" else "phantom"
            text = f"{count:,}" if count else "·"
            tip = tr("{0} shown as {1}: {2:,} ({3:.0%} of the row)").format(
                names[line], names[column], count, count / total
            )
            row.append(Cell(text, link, shade=count / total, behind=behind, tip=tip, is_number=True))
        rows.append(row)
    return titles, rows


def slice_rows(tr: Tr, sliced: Sequence[Sliced]) -> tuple[list[str], list[list[Cell]]]:
    """Give one row for each slice, both models beside each other; a click leads to its first misses."""
    titles = [tr("dimension"), tr("slice"), tr("truths")]
    for one in sliced:
        head = one.role.value[0].upper()
        titles += [tr("recall {0}").format(head), tr("95 %"), tr("precision {0}").format(head), f"AP50 {head}"]
    by_place: dict[tuple[str, str], dict[Role, SliceFigures]] = {}
    for one in sliced:
        for figures in one.figures:
            by_place.setdefault((figures.dimension, figures.value), {})[one.role] = figures
    rows, before = [], ""
    for (dimension, value), found in by_place.items():
        truths = max((each.truths for each in found.values()), default=0)
        row = [
            Cell(dimension if dimension != before else "", colour="text_soft"),
            Cell(value),
            number(f"{truths:,}", colour="text_faint"),
        ]
        before = dimension
        for one in sliced:
            each = found.get(one.role)
            if each is None:
                row += [Cell("–")] * 4
                continue
            link = Link(one.role, f"{dimension} = {value}", each.examples) if each.examples else None
            sure = each.recall_interval
            row += [
                number(_ratio(each.recall), link, colour=one.role.value),
                number(
                    "–" if sure is None else f"{sure.low:.2f} … {sure.high:.2f}",
                    link,
                    colour="text_soft",
                    tip=each.why_no_interval,
                ),
                number(_ratio(each.precision), colour=one.role.value, tip=_between(each.precision_interval)),
                number(_ratio(each.map_50), colour=one.role.value, tip=_between(each.map_50_interval)),
            ]
        rows.append(row)
    return titles, rows


def _between(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.level:.0%}: {interval.words}"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
