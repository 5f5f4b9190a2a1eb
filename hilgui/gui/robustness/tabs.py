"""The tabs of the Robustness page: one line each; a result shows under the tab of its kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from PySide6.QtWidgets import QWidget

from hilgui.gui.robustness.ask_dialog import AskDialog, Wish
from hilgui.gui.robustness.attack_dialog import AttackDialog, AttackWish
from hilgui.gui.robustness.audit_dialog import AuditDialog, AuditWish
from hilgui.gui.robustness.audit_view import AuditView
from hilgui.gui.robustness.drift_dialog import DriftDialog, DriftWish
from hilgui.gui.robustness.drift_view import DriftView
from hilgui.gui.robustness.measure_dialog import MeasureDialog, MeasureWish
from hilgui.gui.robustness.result_view import ResultView
from hilgui.gui.robustness.shown_result import ShownResult
from hilgui.gui.theme import Theme
from hilgui.robustness import ATTACKS, AUDIT, CORRUPTIONS, DRIFT


@dataclass(frozen=True, slots=True)
class Tab:
    """One kind of result. `make` gives another view than heat map, figures and pictures where a kind needs one."""

    kind: str  # of hilgui.robustness.KINDS
    text: str  # as it is looked up in the translation
    empty: str  # what an empty tab says first
    hint: str  # ... and then
    action: str  # on the button
    command: str  # that makes such a result
    wish: Callable[[], Wish]  # with which the dialog begins
    ask: Callable[[Theme, Any, QWidget], AskDialog]  # the dialog, with a wish of this kind
    make: Callable[[Theme, str, QWidget], ShownResult] = ResultView

    @property
    def words(self) -> str:
        """Give the name in the operator's language."""
        return QCoreApplication.translate("RobustnessTabs", self.text)

    @property
    def empty_words(self) -> str:
        """Give what an empty tab says first."""
        return QCoreApplication.translate("RobustnessTabs", self.empty)

    @property
    def action_words(self) -> str:
        """Give what stands on the button."""
        return QCoreApplication.translate("RobustnessTabs", self.action)

    @property
    def hint_words(self) -> str:
        """Give the hint in the operator's language."""
        return QCoreApplication.translate("RobustnessTabs", self.hint)


TABS: tuple[Tab, ...] = (
    Tab(
        CORRUPTIONS,
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Corruptions")),
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "No model was measured yet")),
        str(
            QT_TRANSLATE_NOOP(
                "RobustnessTabs",
                "Fog, noise, blur, dirt, low light: how much average precision is left, and at which severity the "
                "first critical object is lost. Measure it on labelled frames of a run or a recording.",
            )
        ),
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Measure…")),
        "hilgui robustness DRIVE --model MODEL",
        MeasureWish,
        MeasureDialog,
    ),
    Tab(
        ATTACKS,
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Attacks")),
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "No model was attacked yet")),
        str(
            QT_TRANSLATE_NOOP(
                "RobustnessTabs",
                "Pixels changed so little that no person sees it, until the model is fooled: AP or accuracy before "
                "and after, beside random noise of the same size. A patch to print: hilgui attack patch.",
            )
        ),
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Attack…")),
        "hilgui attack square MODEL IMAGES --truth LABELS",
        AttackWish,
        AttackDialog,
    ),
    Tab(
        AUDIT,
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Audit")),
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "No model was audited yet")),
        str(
            QT_TRANSLATE_NOOP(
                "RobustnessTabs",
                "A curated suite tries sensing, semantics, patches, pixels, malformed input and timing. Every finding "
                "has its success rate and what reproduces it; the next audit says what closed.",
            )
        ),
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Audit…")),
        "hilgui audit MODEL",
        AuditWish,
        AuditDialog,
        AuditView,
    ),
    Tab(
        DRIFT,
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Drift")),
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Nothing was compared with a reference yet")),
        str(
            QT_TRANSLATE_NOOP(
                "RobustnessTabs",
                "How far pictures and outputs have moved from a reference, window by window. Make the reference of "
                "drives where all was well: hilgui drift reference DRIVE --model MODEL --out REF.",
            )
        ),
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Check…")),
        "hilgui drift check RUN --reference REF",
        DriftWish,
        DriftDialog,
        DriftView,
    ),
)
