"""Saves chosen findings as a list: asks for the file, says what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from hilgui.errors import HilguiError
from hilgui.gui.short_numbers import amount
from hilgui.report.finding_list import write_list
from hilgui.triage import FindingRow


def ask_where(parent: QWidget, tr: Callable[[str], str]) -> Path | None:
    """Ask for the file; None where somebody thought better of it."""
    filters = tr("Lists (*.csv *.jsonl)")
    chosen, _ = QFileDialog.getSaveFileName(parent, tr("Save the chosen findings"), "findings.csv", filters)
    return Path(chosen) if chosen else None


def save_list(rows: Sequence[FindingRow], path: Path, tr: Callable[[str], str]) -> tuple[str, str]:
    """Write the list; returns the kind of message and its words."""
    try:
        write_list(rows, path)
    except HilguiError as failure:
        return "error", str(failure)
    return "info", tr("{0} saved to {1}").format(amount(len(rows), tr("1 finding"), tr("{0} findings")), path)
