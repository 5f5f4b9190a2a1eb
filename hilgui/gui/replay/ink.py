"""The colours that the Replay page paints with, taken from the theme once per theme."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor

from hilgui.gui.colours import ON_PICTURE
from hilgui.gui.theme import Theme
from hilgui.records import Severity


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """Colours over a picture: the same in both themes, as pictures are; the stage around it follows the theme."""

    truth: QColor
    baseline: QColor
    candidate: QColor
    missed: QColor
    phantom: QColor
    ignored: QColor
    selection: QColor
    stage: QColor
    on_stage: QColor
    border: QColor
    accent: QColor
    mark: QColor  # behind words that warn


def picture_ink(theme: Theme) -> Ink:
    """Take the colours for the frame view."""
    return Ink(
        truth=QColor(ON_PICTURE.truth),
        baseline=QColor(ON_PICTURE.baseline),
        candidate=QColor(ON_PICTURE.candidate),
        missed=QColor(ON_PICTURE.missed),
        phantom=QColor(ON_PICTURE.phantom),
        ignored=QColor(ON_PICTURE.text_faint),
        selection=QColor(ON_PICTURE.truth),
        stage=theme.colour("picture"),
        on_stage=theme.colour("text_soft"),
        border=theme.colour("line_strong"),
        accent=theme.colour("accent"),
        mark=QColor(ON_PICTURE.warning),
    )


def readable_on(colour: QColor) -> QColor:
    """Choose black or white for a text on a plate of this colour, by the contrast that WCAG 2 defines."""
    luminance = _luminance(colour)
    return QColor("white") if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else QColor("black")


SEVERITY_COLOURS = {Severity.HIGH: "missed", Severity.MEDIUM: "warning", Severity.LOW: "text_soft"}
"""Names in `Colours`; a severity is also told by height, shape or word."""


def _luminance(colour: QColor) -> float:
    channels = (colour.redF(), colour.greenF(), colour.blueF())
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
