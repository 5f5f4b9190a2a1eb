"""Figures beyond average precision: tracks, critical objects, pixels, lanes, depth, one a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from hilgui.cli.console import results

if TYPE_CHECKING:
    from hilgui.evaluation import Figure
    from hilgui.records import Role

# In this order; what is not named here is in --json.
_SHOWN = (
    "hota", "det_a", "ass_a", "mota", "motp", "idf1", "id_switches", "fragmentations", "mostly_tracked", "mostly_lost",
    "critical_recall", "missed_critical", "missed_critical_per_hour", "never_detected_critical",
    "time_to_first_detection_s", "longest_gap_s", "phantoms_per_minute",
    "miou", "pixel_accuracy", "frequency_weighted_iou", "iou",
    "tusimple_accuracy", "tusimple_fp", "tusimple_fn", "culane_f1", "culane_precision", "culane_recall",
    "abs_rel", "sq_rel", "rmse", "rmse_log", "silog", "delta_1", "delta_2", "delta_3",
    "top_1", "top_5", "ece",
    "map_small", "map_medium", "map_large", "ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large",
    "best_f1", "best_threshold", "calibration_error", "tide",
)  # fmt: skip
_ALWAYS_WHOLE = ("iou", "tide")  # figures that have no sense without what stands behind their name


def print_more(role: Role, figures: Mapping[str, Figure], *, without: Sequence[str], by_class: bool) -> None:
    """Print value, interval and count of what is measured besides the figures named in `without`.

    What has no interval says why below the table.
    """
    table = Table(role.value, "value", "95 %", "rests on", box=None)
    reasons: dict[str, str] = {}
    for wanted in _SHOWN:
        for name, figure in figures.items():
            if wanted in without or not _is(name, wanted, by_class=by_class):
                continue
            value = "–" if figure.value is None else f"{figure.value:.3f}".removesuffix(".000")
            interval = interval_in_words(figure, reasons)
            table.add_row(name, value, interval, f"{figure.count} {figure.of}")
    if table.row_count:
        results.print(table)
        print_reasons(reasons)


def interval_in_words(figure: Figure, reasons: dict[str, str]) -> str:
    """Write an interval, or the sign of the reason why there is none; a new reason is added to `reasons`."""
    if figure.interval is not None:
        return figure.interval.words
    if not figure.why_no_interval or figure.value is None:
        return ""
    return f"– ({reasons.setdefault(figure.why_no_interval, str(len(reasons) + 1))})"


def print_reasons(reasons: Mapping[str, str]) -> None:
    """Say below a table why figures have no interval."""
    for why, sign in reasons.items():
        results.print(f"  – ({sign}) no interval: {why}", markup=False)


def _is(name: str, wanted: str, *, by_class: bool) -> bool:
    """Say whether a figure is the wanted one, with a head before it or, where asked for, a class behind."""
    parts = name.split(".")
    return wanted in parts and (by_class or parts[-1] == wanted or wanted in _ALWAYS_WHOLE)
