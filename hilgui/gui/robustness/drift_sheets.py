"""The tables of the Drift tab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hilgui.gui.linked_table import Cell, number
from hilgui.robustness import Cell as Field
from hilgui.robustness import Result

Rows = tuple[tuple[str, ...], list[tuple[Cell, ...]]]
Say = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Place:
    """What an alarm leads to."""

    row: str
    column: str
    seq: int
    is_opened: bool = False  # on the Replay page, not only beside the table


def verdict_words(tr: Say, result: Result) -> str:
    """Say in a sentence how the check ended."""
    question = result.question
    verdict = {
        "DRIFT": tr("Drift"),
        "NO DRIFT": tr("No drift"),
        "INCONCLUSIVE": tr("Inconclusive"),
    }.get(str(question.get("verdict", "")), "–")
    windows = question.get("windows", [])
    alarmed = len({one.column for one in result.cells if one.examples})
    if not windows:
        return f"{verdict}: {question.get('why', '')}"
    frames, samples = question.get("window_frames", "–"), question.get("window_samples")
    size = (tr("{0} frames or {1} samples of features") if samples else tr("{0} frames")).format(frames, samples)
    words = tr("{0}: {1} of {2} windows of {3} with alarms. Without drift any alarm has a chance of {4}.")
    rate = question.get("rate") or 0.0
    return words.format(verdict, alarmed, len(windows), size, f"{rate:.1%}")


def statistic_rows(tr: Say, result: Result) -> Rows:
    """List every statistic with its worst window, the furthest from its limit first."""
    words, tips = statistic_words(tr), statistic_tips(tr)
    titles = (tr("Figure"), tr("Statistic"), tr("Worst"), tr("Limit"), tr("In limits"))
    worst: dict[str, Field] = {}
    for cell in result.cells:
        if cell.row not in worst or _measure(cell) > _measure(worst[cell.row]):
            worst[cell.row] = cell
    rows: list[tuple[Cell, ...]] = []
    for name, cell in sorted(worst.items(), key=lambda one: -_measure(one[1])):
        figure, _, statistic = name.rpartition(" ")
        limit = cell.by_class.get("limit")
        colour = "missed" if cell.examples else ""
        small = tr("a window of this size says nothing with it") if limit is None else ""
        rows.append(
            (
                Cell(figure, name),
                Cell(words.get(statistic, statistic), name, tip=tips.get(statistic, "")),
                number(_digits(cell.by_class.get("value")), name, colour=colour),
                number(_digits(limit), name, tip=small),
                number(_digits(cell.value), name, colour=colour, tip=small),
            )
        )
    return titles, rows


def alarm_rows(tr: Say, result: Result) -> Rows:
    """List the alarms, window by window; the frame opens where a run was checked."""
    words, tips = statistic_words(tr), statistic_tips(tr)
    titles = (tr("Frame"), tr("Figure"), tr("Statistic"), tr("Before"), tr("Now"))
    is_run = bool(result.question.get("run"))
    rows: list[tuple[Cell, ...]] = []
    order = {name: place for place, name in enumerate(result.columns)}
    alarms = [one for one in result.cells if one.examples]
    for cell in sorted(alarms, key=lambda one: (order.get(one.column, 0), -(one.value or 1.0))):
        figure, _, statistic = cell.row.rpartition(" ")
        place = Place(cell.row, cell.column, cell.examples[0].seq)
        opened = Place(cell.row, cell.column, cell.examples[0].seq, is_opened=is_run)
        tip = tr("Open this frame on the Replay page") if is_run else cell.examples[0].words
        rows.append(
            (
                number(f"#{cell.examples[0].seq:,}", opened, tip=tip),
                Cell(figure, place, tip=cell.examples[0].words),
                Cell(words.get(statistic, statistic), place, tip=tips.get(statistic, "")),
                number(_digits(cell.by_class.get("before")), place),
                number(_digits(cell.by_class.get("now")), place),
            )
        )
    return titles, rows


def statistic_words(tr: Say) -> dict[str, str]:
    """Name the statistics."""
    return {
        "shift": tr("mean shift"),
        "ks": tr("KS"),
        "psi": tr("PSI"),
        "mmd": tr("MMD"),
        "page_hinkley": tr("Page–Hinkley"),
        "adwin": tr("ADWIN"),
    }


def statistic_tips(tr: Say) -> dict[str, str]:
    """Say in full what a short name stands for."""
    return {
        "shift": tr("difference of the means, in standard deviations of a block"),
        "ks": tr("Kolmogorov–Smirnov: the largest distance of the two distributions"),
        "psi": tr("population stability index"),
        "mmd": tr("maximum mean discrepancy, of features"),
    }


def _measure(cell: Field) -> float:
    """Order by the ratio to the limit; ADWIN's alarms, which have none, as at the limit."""
    if cell.value is not None:
        return cell.value
    return 1.0 if cell.examples else -1.0


def _digits(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
