"""The tabs of the Robustness page: one line each; a result shows under the tab of its kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from PySide6.QtWidgets import QWidget

from hilgui.gui.robustness.drift_view import DriftView
from hilgui.gui.robustness.result_view import ResultView
from hilgui.gui.robustness.shown_result import ShownResult
from hilgui.gui.theme import Theme
from hilgui.robustness import ATTACKS, AUDIT, CORRUPTIONS, DRIFT


@dataclass(frozen=True, slots=True)
class Tab:
    """One kind of result. `make` gives another view than heat map, figures and pictures where a kind needs one."""

    kind: str  # of hilgui.robustness.KINDS
    text: str  # as it is looked up in the translation
    hint: str  # what an empty tab says
    command: str  # that makes such a result
    make: Callable[[Theme, str, QWidget], ShownResult] = ResultView

    @property
    def words(self) -> str:
        """Give the name in the operator's language."""
        return QCoreApplication.translate("RobustnessTabs", self.text)

    @property
    def hint_words(self) -> str:
        """Give the hint in the operator's language."""
        return QCoreApplication.translate("RobustnessTabs", self.hint)


TABS: tuple[Tab, ...] = (
    Tab(
        CORRUPTIONS,
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Corruptions")),
        str(
            QT_TRANSLATE_NOOP(
                "RobustnessTabs",
                "Fog, noise, blur, dirt, low light: how much average precision is left, and at which severity the "
                "first critical object is lost. Measure it on labelled frames of a run or a recording.",
            )
        ),
        "hilgui robustness DRIVE --model MODEL",
    ),
    Tab(
        ATTACKS,
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Attacks")),
        str(
            QT_TRANSLATE_NOOP(
                "RobustnessTabs", "Pictures made to fool the model. Results of attacks on this bench show up here."
            )
        ),
        "hilgui attack fgsm MODEL IMAGES --truth LABELS",
    ),
    Tab(
        AUDIT,
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Audit")),
        str(
            QT_TRANSLATE_NOOP(
                "RobustnessTabs", "Findings of a red-team audit with their reproducers. Results show up here."
            )
        ),
        "hilgui audit MODEL",
    ),
    Tab(
        DRIFT,
        str(QT_TRANSLATE_NOOP("RobustnessTabs", "Drift")),
        str(
            QT_TRANSLATE_NOOP(
                "RobustnessTabs",
                "How far pictures and outputs have moved from a reference, window by window. Make one with "
                "hilgui drift reference; what hilgui drift check finds shows up here.",
            )
        ),
        "hilgui drift check RUN --reference REF",
        DriftView,
    ),
)
