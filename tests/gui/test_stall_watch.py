"""A screen that stands still is written into the log."""

import logging
import time

import pytest
from PySide6.QtCore import QTimer

from hilgui.gui import stall_watch
from hilgui.gui.stall_watch import STALL_S, StallWatch


@pytest.fixture
def logged():
    """What is written; not caplog, which hears nothing once the application has set its log up."""
    lines = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    listener = Listener()
    stall_watch.log.addHandler(listener)
    yield lines
    stall_watch.log.removeHandler(listener)


def test_a_slot_that_sleeps_is_logged(qtbot, application, logged):
    watch = StallWatch(application)
    QTimer.singleShot(150, watch, lambda: time.sleep(STALL_S + 0.2))
    qtbot.waitUntil(lambda: watch.stalls >= 1)
    watch.setParent(None)
    watch.deleteLater()
    assert "stood still" in logged[0]


def test_a_screen_in_time_is_not_logged(qtbot, logged):
    now_s = 0.0
    watch = StallWatch(now_s=lambda: now_s)
    watch._timer.stop()
    for step in (0.1, 0.3, 0.59):
        now_s += step
        watch._look()
    assert watch.stalls == 0 and not logged
    now_s += 0.61
    watch._look()
    assert watch.stalls == 1 and "stood still for 0.5 s" in logged[0]
