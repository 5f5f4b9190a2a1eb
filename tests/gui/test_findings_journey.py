"""One person, one keyboard: find the miss of the night, triage it, take it back, decide again, export it."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from hilgui.gui.bridge import Bridge
from hilgui.gui.main_window import MainWindow
from hilgui.records.triage import TriageState
from hilgui.triage import Journal
from tests.gui.replay_run import WORST, make_run
from tests.gui.shell_bench import FakeEngine

Key = Qt.Key
Control = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot, settings, theme, memory):
    window = MainWindow(settings, theme, Bridge(lambda: FakeEngine()), memory)
    window.resize(1280, 720)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    yield window
    window.close()
    window.deleteLater()


def test_the_miss_is_found_triaged_taken_back_and_exported_by_keys_alone(qtbot, window, settings, tmp_path):
    run = make_run(settings.home).folder
    qtbot.keyClick(window, Key.Key_2, Control)
    page = window.pages.existing("findings")
    qtbot.waitUntil(lambda: page is not None and not page.is_busy)
    qtbot.keyClick(page.table, Key.Key_Slash)
    assert page.filters.text.hasFocus()
    qtbot.keyClicks(page.filters.text, "missed person")
    qtbot.waitUntil(lambda: not page.is_busy and page.model.rowCount() == 1)
    qtbot.keyClick(page.filters.text, Key.Key_Escape)
    assert page.table.hasFocus() and page.current.finding.kind == "missed_object"
    for key, state in (
        (Key.Key_1, TriageState.MODEL_FAULT),
        (Key.Key_U, None),
        (Key.Key_2, TriageState.LABEL_ERROR),
    ):
        qtbot.keyClick(page.table, key)
        qtbot.waitUntil(lambda: not page.is_busy)
        stood = Journal(run, settings.home).states().get(page.current.finding.number)
        assert (None if stood is None else stood.state) == state
    qtbot.keyClick(page.table, Key.Key_E)
    dialog = page.dialog
    qtbot.waitUntil(dialog.isVisible)
    dialog.folder.setFocus()
    qtbot.keyClicks(dialog.folder, str(tmp_path / "set"))
    with qtbot.waitSignal(dialog.exported):
        dialog.go.click()
    told = json.loads((tmp_path / "set" / "dataset.json").read_text())
    assert [picture["frame"] for picture in told["pictures"]] == [WORST]
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    qtbot.keyClick(page.table, Key.Key_Return)
    qtbot.waitUntil(lambda: window.pages.current_name == "replay")
    qtbot.waitUntil(lambda: window.page.player.picture is not None)
    qtbot.waitUntil(lambda: window.page.player.picture.seq == WORST)
