"""The plots of the Evaluate page: precision and recall, scores, calibration, errors, confusion."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from hilgui.evaluation.error_split import ERRORS
from hilgui.gui.chart import Chart
from hilgui.gui.evaluate.sheets import Link, confusion_rows
from hilgui.gui.label import Label
from hilgui.gui.linked_table import LinkedTable
from hilgui.gui.theme import GAP, Theme, mark
from hilgui.records import Role
from hilgui.report.measured import Measured

_WHOLE = (0.0, 1.0)
_STYLES = {"precision": "dash", "recall": "dot", "f1": "solid"}
_NEAR = 0.06  # of the axis: a click so near a curve is meant for it

_ON_AXIS = ("class", "place", "both", "double", "backgr.", "missed")
"""What stands below the bars, in the order of ERRORS: the words themselves run into each other."""


class CurvesPanel(QWidget):
    """Precision over recall of a class, and precision, recall and F1 over the threshold."""

    asked = Signal(object)  # Link
    threshold_moved = Signal(float)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._measured: Measured | None = None
        self.by_recall = Chart(theme, self.tr("Precision over recall, IoU .5"), self.tr("recall"), "", self)
        self.by_score = Chart(theme, self.tr("F1 —, precision - -, recall ···"), self.tr("threshold"), "", self)
        self.label = QComboBox(self)
        self.label.setAccessibleName(self.tr("Class of the curve"))
        self.label.currentIndexChanged.connect(lambda _place: self._draw_recall())
        head = QHBoxLayout()
        words = Label(self.tr("class"), self)
        mark(words, tone="soft")
        head.addWidget(words)
        head.addWidget(self.label)
        head.addStretch(1)
        charts = QHBoxLayout()
        charts.setSpacing(GAP)
        charts.addWidget(self.by_recall, 1)
        charts.addWidget(self.by_score, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.addLayout(head)
        layout.addLayout(charts, 1)
        self.by_recall.clicked.connect(self._on_click)
        self.by_score.moved.connect(self.threshold_moved)

    def show_measured(self, measured: Measured) -> None:
        """Draw the curves of a run."""
        self._measured = measured
        known = [self.label.itemText(place) for place in range(self.label.count())]
        if known != list(measured.classes):
            self.label.blockSignals(True)
            self.label.clear()
            self.label.addItems(list(measured.classes))
            most = max(measured.classes, key=lambda label: _count(measured, f"recall.{label}"), default="")
            self.label.setCurrentText(most)
            self.label.blockSignals(False)
        self._draw_recall()
        self.by_score.clear_curves()
        for role in measured.roles:
            curves = measured.details.get(role, {}).get("by_score")
            for name, style in _STYLES.items():
                if curves:
                    self.by_score.add_curve(curves["threshold"], _known(curves[name]), role.value, style=style)
        self.by_score.show_range(_WHOLE, _WHOLE)
        self.show_threshold(measured)

    def show_threshold(self, measured: Measured) -> None:
        """Move the line, and the points of operation on the curves."""
        self._measured = measured
        thresholds = list(measured.thresholds.values())
        self.by_score.show_line(thresholds[0] if thresholds else None)
        self._draw_recall()

    def _draw_recall(self) -> None:
        measured, label = self._measured, self.label.currentText()
        self.by_recall.clear_curves()
        if measured is None:
            return
        for role in measured.roles:
            curve = measured.details.get(role, {}).get("precision_recall", {}).get(label)
            if curve and curve["recall"]:
                self.by_recall.add_curve(_known(curve["recall"]), _known(curve["precision"]), role.value)
            known = measured.figures[role]
            at = [known[name].value for name in (f"recall.{label}", f"precision.{label}") if name in known]
            here = [value for value in at if value is not None]
            if len(here) == 2:
                self.by_recall.add_points(here[:1], here[1:], role.value, 9.0)
        self.by_recall.show_range(_WHOLE, _WHOLE)

    def _on_click(self, x: float, y: float) -> None:
        """Ask for the frames behind the average precision of the curve that was meant."""
        measured, label = self._measured, self.label.currentText()
        if measured is None:
            return
        near: list[tuple[float, Role]] = []
        for role in measured.roles:
            curve = measured.details.get(role, {}).get("precision_recall", {}).get(label) or {"recall": []}
            gaps = [math.hypot(a - x, b - y) for a, b in zip(curve["recall"], curve.get("precision", []), strict=True)]
            near += [(min(gaps), role)] if gaps else []
        if near and min(near)[0] <= _NEAR:
            self.asked.emit(Link(min(near)[1], f"map_50.{label}"))


class BeliefPanel(QWidget):
    """How far scores can be believed, and which errors cost how much average precision."""

    asked = Signal(object)  # Link

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._roles: tuple[Role, ...] = ()
        self.reliability = Chart(theme, self.tr("Share that is right by score"), self.tr("score"), "", self)
        self.errors = Chart(theme, self.tr("ΔAP50 if this error were mended"), "", "", self)
        self.errors.show_ticks(_ON_AXIS)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP)
        layout.addWidget(self.reliability, 2)
        layout.addWidget(self.errors, 3)
        self.reliability.clicked.connect(lambda _x, _y: self._ask_calibration())
        self.errors.clicked.connect(self._ask_error)

    def show_measured(self, measured: Measured) -> None:
        """Draw both plots of a run."""
        self._roles = measured.roles
        self.reliability.clear_curves()
        self.errors.clear_curves()
        self.reliability.add_curve(_WHOLE, _WHOLE, "text_faint", style="dot")
        width = 0.8 / max(len(self._roles), 1)
        top = 0.01
        for place, role in enumerate(self._roles):
            shown = measured.details.get(role, {}).get("reliability")
            if shown:
                self._draw_reliability(shown, role)
            gains = [_value(measured, role, f"tide.{error}") for error in ERRORS]
            offset = (place - (len(self._roles) - 1) / 2) * width
            self.errors.add_bars([at + offset for at in range(len(ERRORS))], gains, role.value, width=width * 0.92)
            top = max(top, *gains)
        self.reliability.show_range(_WHOLE, _WHOLE)
        self.errors.show_range((-0.5, len(ERRORS) - 0.5), (0.0, top))

    def _draw_reliability(self, shown: dict[str, Any], role: Role) -> None:
        rows = [
            (score, right, count)
            for score, right, count in zip(shown["score"], shown["right"], shown["count"], strict=True)
            if score is not None and right is not None and count
        ]
        if rows:
            scores, right, counts = zip(*rows, strict=True)
            most = max(counts)
            self.reliability.add_curve(scores, right, role.value)
            self.reliability.add_points(scores, right, role.value, [4 + 8 * math.sqrt(n / most) for n in counts])

    def _ask_calibration(self) -> None:
        if self._roles:
            self.asked.emit(Link(self._roles[-1], "calibration_error"))

    def _ask_error(self, x: float, _y: float) -> None:
        place = round(x)
        if self._roles and 0 <= place < len(ERRORS):
            role = self._roles[0] if x < place or len(self._roles) == 1 else self._roles[-1]
            self.asked.emit(Link(role, f"tide.{ERRORS[place]}"))


class ConfusionPanel(QWidget):
    """Which class was taken for which, as a heat map of one model."""

    asked = Signal(object)  # Link

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._measured: Measured | None = None
        self.role = QComboBox(self)
        self.role.setAccessibleName(self.tr("Model of the matrix"))
        self.table = LinkedTable(theme, self.tr("Confusion matrix"), self)
        hint = Label(self.tr("rows: what was there · columns: what was shown · shade: share of the row"), self)
        mark(hint, tone="faint")
        head = QHBoxLayout()
        head.addWidget(self.role)
        head.addWidget(hint, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.addLayout(head)
        layout.addWidget(self.table, 1)
        self.role.currentIndexChanged.connect(lambda _place: self._fill())
        self.table.asked.connect(self.asked)

    def show_measured(self, measured: Measured) -> None:
        """Show the matrix of a run."""
        self._measured = measured
        names = [role.value for role in measured.roles]
        if [self.role.itemText(place) for place in range(self.role.count())] != names:
            self.role.blockSignals(True)
            self.role.clear()
            self.role.addItems(names)
            self.role.setCurrentIndex(len(names) - 1)
            self.role.blockSignals(False)
        self._fill()

    def _fill(self) -> None:
        if self._measured is not None and self.role.currentText():
            self.table.put(*confusion_rows(self.tr, self._measured, Role(self.role.currentText())))


def _known(values: list[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]


def _count(measured: Measured, name: str) -> int:
    return max((figure.count for role in measured.roles if (figure := measured.figures[role].get(name))), default=0)


def _value(measured: Measured, role: Role, name: str) -> float:
    figure = measured.figures[role].get(name)
    return 0.0 if figure is None or figure.value is None else figure.value
