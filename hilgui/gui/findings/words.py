"""How states of triage are called, drawn and keyed: one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from hilgui.gui.short_numbers import amount
from hilgui.records.triage import TriageState


@dataclass(frozen=True, slots=True)
class StateWords:
    """One state for the screen."""

    state: TriageState
    key: str
    text: str  # as it is looked up in the translation
    icon: str

    @property
    def words(self) -> str:
        """Give the name in the operator's language."""
        return QCoreApplication.translate("Triage", self.text)


STATES = (
    StateWords(TriageState.MODEL_FAULT, "1", str(QT_TRANSLATE_NOOP("Triage", "Model fault")), "model"),
    StateWords(TriageState.LABEL_ERROR, "2", str(QT_TRANSLATE_NOOP("Triage", "Label error")), "truth"),
    StateWords(TriageState.RIG_OR_TIMING_FAULT, "3", str(QT_TRANSLATE_NOOP("Triage", "Rig or timing fault")), "clock"),
    StateWords(TriageState.UNLABELLED_OBJECT, "4", str(QT_TRANSLATE_NOOP("Triage", "Unlabelled object")), "eye"),
    StateWords(TriageState.ACCEPTED, "5", str(QT_TRANSLATE_NOOP("Triage", "Accepted")), "check"),
    StateWords(TriageState.DUPLICATE, "6", str(QT_TRANSLATE_NOOP("Triage", "Duplicate")), "copy"),
    StateWords(TriageState.OPEN, "0", str(QT_TRANSLATE_NOOP("Triage", "Open")), "undo"),
)
_BY_STATE = {each.state: each for each in STATES}


def state_words(state: TriageState) -> str:
    """Name a state in the operator's language."""
    return _BY_STATE[state].words


def state_icon(state: TriageState) -> str:
    """Name the icon of a state."""
    return _BY_STATE[state].icon


def counted(tr: Callable[[str], str], shown: int, total: int, still_open: int) -> str:
    """Say how many findings are listed, of how many, and how many of them nobody has decided about."""
    words = amount(total, tr("1 finding"), tr("{0} findings"))
    if shown != total:
        words = tr("{0} of {1}").format(f"{shown:,}", words)
    return tr("{0} · {1} open").format(words, f"{still_open:,}")
