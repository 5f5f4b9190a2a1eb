"""The look of the application: the only place with palettes, fonts and style sheets.

Widgets ask for a look by a dynamic property, set with `mark`:

    QLabel       tone = soft | faint | title | heading | mono | warning | missed | good | baseline | candidate
    QPushButton  kind = primary | small | link | stop
    QToolButton  kind = rail | chip
    QFrame       surface = panel | raised | strip | rail | banner_error | banner_warning | banner_info | drop
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from string import Template
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from hilgui.gui.colours import DARK, LIGHT, Colours
from hilgui.gui.icons import picture, tinted
from hilgui.resources import shipped

Choice = Literal["system", "dark", "light"]
CHOICES: tuple[Choice, ...] = ("system", "dark", "light")

SANS = ("Inter", "Segoe UI Variable Text", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans", "Liberation Sans")
MONO = ("JetBrains Mono", "Cascadia Mono", "SF Mono", "Consolas", "DejaVu Sans Mono", "Liberation Mono")

GAP_XS, GAP_S, GAP, GAP_L, GAP_XL = 2, 4, 8, 16, 32  # px between things, from same-group to page margin
ROW = 24  # px height of a row in dense tables
BODY_PT = 10.0
SMALL_PT = 9.0


class Theme(QObject):
    """Dark or light, as the system says or as the operator chose; tells everybody when it changes.

    Lives as long as the application, on the GUI thread. Painting code reads `colours` on each paint or repaints on
    `changed`; widgets with plain Qt children need to do nothing.
    """

    changed = Signal()

    def __init__(self, application: QApplication, choice: Choice = "system") -> None:
        super().__init__(application)
        self._application = application
        self._choice: Choice = choice
        self.colours: Colours = DARK
        application.setStyle("Fusion")
        application.setFont(sans(BODY_PT))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)
        self._apply()

    @property
    def choice(self) -> Choice:
        """Give what the operator chose; "system" follows the desktop."""
        return self._choice

    def choose(self, choice: Choice) -> None:
        """Take another theme now."""
        self._choice = choice
        self._apply()
        self.changed.emit()

    def colour(self, name: str) -> QColor:
        """Give a colour of the current theme by its name in `Colours`."""
        return QColor(getattr(self.colours, name))

    def icon(self, name: str) -> QIcon:
        """Give an icon of `assets/icons` in the colours of the current theme; ask again on `changed`."""
        return tinted(name, self.colours)

    def picture(self, name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
        """Give one icon as a picture of `size` logical pixels in a colour named in `Colours`."""
        pixmap = picture(name, getattr(self.colours, colour), round(size * ratio)).copy()
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _follow_system(self) -> None:
        if self._choice == "system":
            self._apply()
            self.changed.emit()

    def _apply(self) -> None:
        _tell_desktop(self._choice)
        self.colours = LIGHT if _is_light(self._choice) else DARK
        self._application.setPalette(_palette(self.colours))
        self._application.setStyleSheet(style_sheet(self.colours))
        _restyle_plots(self.colours)


def mark(widget: QWidget, **looks: str) -> None:
    """Give a widget a look of the style sheet, now or later."""
    for name, value in looks.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def sans(size_pt: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Give the text font; its digits all have one width, so that running figures stand still."""
    font = QFont()
    font.setFamilies(list(SANS))
    font.setPointSizeF(size_pt)
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def mono(size_pt: float = SMALL_PT) -> QFont:
    """Give the font of commands and paths."""
    font = QFont()
    font.setFamilies(list(MONO))
    font.setPointSizeF(size_pt)
    return font


def style_sheet(colours: Colours) -> str:
    """Fill `assets/themes/bench.qss` with the colours of a theme."""
    folder = shipped("assets/themes")
    sheet = Template((folder / "bench.qss").read_text(encoding="utf-8"))
    mono_families = ", ".join(f'"{family}"' for family in MONO)
    return sheet.substitute(asdict(colours), folder=folder.as_posix(), mono=mono_families)


def _is_light(choice: Choice) -> bool:
    if choice == "system":
        return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light  # unknown: dark suits a lab
    return choice == "light"


def _tell_desktop(choice: Choice) -> None:
    """Let title bars and native dialogs follow the operator's choice."""
    hints = QGuiApplication.styleHints()
    if choice == "system":
        hints.unsetColorScheme()
    else:
        hints.setColorScheme(Qt.ColorScheme.Light if choice == "light" else Qt.ColorScheme.Dark)


def _palette(colours: Colours) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for name, value in (
        (role.Window, colours.window),
        (role.WindowText, colours.text),
        (role.Base, colours.field),
        (role.AlternateBase, colours.panel),
        (role.Text, colours.text),
        (role.PlaceholderText, colours.text_faint),
        (role.Button, colours.raised),
        (role.ButtonText, colours.text),
        (role.BrightText, colours.missed),
        (role.ToolTipBase, colours.raised),
        (role.ToolTipText, colours.text),
        (role.Highlight, colours.accent),
        (role.HighlightedText, colours.on_accent),
        (role.Link, colours.accent),
        (role.LinkVisited, colours.accent),
        (role.Accent, colours.accent),
        (role.Light, colours.raised),
        (role.Midlight, colours.hover),
        (role.Mid, colours.line),
        (role.Dark, colours.line_strong),
        (role.Shadow, colours.picture),
    ):
        palette.setColor(name, QColor(value))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(colours.text_faint))
    return palette


def _restyle_plots(colours: Colours) -> None:
    """Give new plots the colours of the theme; plots that exist repaint themselves on `changed`."""
    if "pyqtgraph" in sys.modules:  # loading it costs a quarter of a second: only where plots are shown
        set_up_plots(colours)


def set_up_plots(colours: Colours) -> None:
    """Configure pyqtgraph; whoever shows plots calls it after importing pyqtgraph."""
    import pyqtgraph

    pyqtgraph.setConfigOptions(
        background=colours.panel,
        foreground=colours.text_soft,
        antialias=False,
        useOpenGL=False,
        imageAxisOrder="row-major",
    )
