"""The window that a camera films shows the canvas pixel by pixel, and ends with the drive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from hilgui.errors import CallWrong
from hilgui.gui.screen_window import TimedWindow, _Canvas, _screen, show_drive
from hilgui.resources import shipped
from hilgui.sources import source_for
from hilgui.sources.screen import Glimpse, ScreenFinder, Showing, Sight, lay_out, look_at


def test_what_the_window_shows_is_read_back(qtbot: QtBot) -> None:
    showing = Showing(source_for(shipped("assets/demo/day.mp4")), 800, 600, lead_s=60)
    facts = showing.open()
    window = TimedWindow(_Canvas(showing, QSize(800, 600)))
    qtbot.addWidget(window)
    window.resize(800, 600)
    window.show()
    try:
        qtbot.waitUntil(lambda: showing.shown > 0)
        seen = window.grab().toImage().convertToFormat(QImage.Format.Format_BGR888)
    finally:
        window.close()
        showing.close()
    pixels = np.frombuffer(seen.constBits(), np.uint8).reshape(seen.height(), seen.bytesPerLine())[:, : 3 * 800]
    layout = lay_out(800, 600, facts.width, facts.height)
    glimpse = look_at(pixels.reshape(600, 800, 3).copy(), layout, ScreenFinder(layout))
    assert isinstance(glimpse, Glimpse), glimpse
    assert glimpse.sight is Sight.CLEAN
    assert glimpse.code is not None
    assert glimpse.code.number == 0
    assert glimpse.pose.residual_px < 0.2


def test_a_screen_that_is_not_there_is_named(qtbot: QtBot) -> None:
    with pytest.raises(CallWrong, match="there is no screen 7; there are 0"):
        show_drive(shipped("assets/demo/day.mp4"), screen=7)
    assert _screen(["first", "second"], None) == "second"
    assert _screen(["only"], None) == "only"


def test_a_drive_that_is_not_there_is_an_error(qtbot: QtBot) -> None:
    with pytest.raises(Exception, match="there is no recording"):
        show_drive(Path("/nowhere/day.mp4"))
