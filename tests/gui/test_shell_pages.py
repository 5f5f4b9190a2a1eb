"""What a page may count on, the jump to a frame, and the place for the rig."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit

from hilgui.gui.bridge import Bridge
from hilgui.gui.main_window import MainWindow
from hilgui.gui.page import Page
from hilgui.gui.pages import Entry
from tests.gui.shell_bench import FakeEngine, fake_pages


class NewPage(Page):
    """A page of somebody who wrote one file and one line."""

    def __init__(self, bench, parent) -> None:
        super().__init__(parent)
        self.bench = bench
        self.looks = 0
        self.is_closed = False

    def shortcuts(self):
        return [("Z", "Zeal")]

    def refresh(self) -> None:
        self.looks += 1

    def close_page(self) -> None:
        self.is_closed = True


@pytest.fixture
def window(qtbot, settings, theme, memory):
    entries = (*fake_pages(), Entry("new", "New", "info", NewPage))
    window = MainWindow(settings, theme, Bridge(lambda: FakeEngine()), memory, pages=entries)
    window.resize(1280, 720)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    yield window
    window.close()
    window.deleteLater()


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "20260101-120000-night-0001"
    folder.mkdir()
    (folder / "run.sqlite").touch()
    return folder


def test_a_page_is_made_when_its_key_is_pressed_and_looks_again_each_time(qtbot, window):
    assert window.pages.existing("new") is None
    key = Qt.Key(Qt.Key.Key_0 + len(window.pages.entries) % 10)
    qtbot.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
    page = window.pages.existing("new")
    assert page is not None and page.isVisible() and page.looks == 1
    window.show_page("replay")
    window.show_page("new")
    assert page.looks == 2
    assert ("New", [("Z", "Zeal")]) in window.pages.shortcuts()
    window.close()
    assert page.is_closed


def test_a_page_asks_for_a_run_at_a_frame(window, run):
    page = window.pages.page("new")
    heard = []
    page.bench.run.changed.connect(lambda: heard.append(page.bench.run.folder))
    page.open_run_asked.emit(run, 42)
    assert (window.page.runs, window.page.frames) == ([run], [42])
    window.close_run()
    assert heard == [run, None]


def test_what_a_page_says_becomes_a_message(window):
    page = window.pages.page("new")
    page.message.emit("warning", "a lamp is broken")
    page.trouble.emit("a wire is loose", "at plug 3")
    assert {banner.sentence.lower() for banner in window.messages.banners} == {"a lamp is broken", "a wire is loose"}


def test_stop_is_hidden_without_a_rig_and_heard_behind_a_modal_dialog(qtbot, window):
    badge = window.strip.rig
    assert not badge.isVisible()
    stops = []
    badge.show_rig(lambda: stops.append("stop"))
    badge.show_state("ARMED", "warning")
    assert badge.isVisible() and badge.state.text() == "ARMED"
    dialog = QDialog(window)
    field = QLineEdit(dialog)
    dialog.open()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is dialog)
    field.setFocus()
    QTest.keyClick(dialog.windowHandle(), Qt.Key.Key_F12)
    assert stops == ["stop"]
    dialog.close()
    qtbot.mouseClick(badge.stop, Qt.MouseButton.LeftButton)
    assert stops == ["stop", "stop"]
    badge.hide_rig()
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_F12)
    assert stops == ["stop", "stop"] and not badge.isVisible()
