import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QTableView,
    QVBoxLayout,
)

from hilgui.engine import RunFailed, RunFinished
from hilgui.gui.app import Trouble
from hilgui.gui.bridge import Bridge
from hilgui.gui.library.runs_model import LibraryRow, read_rows
from hilgui.gui.main_window import MainWindow
from hilgui.gui.memory import Memory
from hilgui.gui.pages import PAGES
from hilgui.gui.run_request import RunRequest
from hilgui.gui.status import ReplayStatus, clock_words, provider_words, span_words
from hilgui.gui.status_strip import StatusStrip
from hilgui.records import Outcome, Role
from hilgui.store import RunSummary
from tests.gui.shell_bench import FakeEngine, fake_pages, progress


def make_run_folder(root: Path, name: str = "20260101-120000-night-0001") -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "run.sqlite").touch()
    return folder


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def open_window(qtbot, settings, theme, engine, memory):
    made = []

    def opened() -> MainWindow:
        window = MainWindow(settings, theme, Bridge(lambda: engine), memory, pages=fake_pages())
        window.setWindowState(Qt.WindowState.WindowNoState)  # the offscreen platform has 800 by 800 pixels
        window.resize(1280, 720)
        window.show()
        qtbot.waitExposed(window)
        window.activateWindow()
        qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
        made.append(window)
        return window

    yield opened
    for window in made:
        window._bridge._is_busy = False
        window.close()
        window.deleteLater()


@pytest.fixture
def window(open_window):
    return open_window()


@pytest.fixture
def files(tmp_path):
    made = {}
    for field, name in (("source", "drive.mp4"), ("baseline", "base.onnx")):
        (tmp_path / name).touch()
        made[field] = str(tmp_path / name)
    return made


def drop(window: MainWindow, *paths: Path) -> bool:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    actions, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(200, 200), actions, mime, buttons, keys)
    QApplication.sendEvent(window, enter)
    if not enter.isAccepted():
        return False
    QApplication.sendEvent(window, QDropEvent(QPointF(200, 200), actions, mime, buttons, keys))
    return True


def library(window: MainWindow):
    return window.pages.page("library").runs


def press_page_key(qtbot, widget, name: str) -> None:
    """Press Ctrl and the place of a page on the rail."""
    place = [entry.name for entry in PAGES].index(name)
    qtbot.keyClick(widget, Qt.Key(Qt.Key.Key_1 + place), Qt.KeyboardModifier.ControlModifier)


def sentences(window: MainWindow) -> list[str]:
    return [banner.sentence for banner in window.messages.banners]


# -- dropping ----------------------------------------------------------------------------------------------------------


def test_a_dropped_video_opens_the_form_with_it(qtbot, window, files):
    assert drop(window, Path(files["source"]))
    qtbot.waitUntil(lambda: window.launcher.dialog is not None)
    assert window.launcher.dialog.source.text == files["source"]


def test_dropped_models_and_labels_fill_their_fields(qtbot, window, files, tmp_path):
    for name in ("cand.onnx", "truth.json"):
        (tmp_path / name).touch()
    drop(window, Path(files["baseline"]), tmp_path / "cand.onnx", tmp_path / "truth.json")
    qtbot.waitUntil(lambda: window.launcher.dialog is not None)
    request = window.launcher.dialog.request
    assert [Path(text).name for text in (request.baseline, request.candidate, request.truth)] == [
        "base.onnx",
        "cand.onnx",
        "truth.json",
    ]


def test_a_dropped_run_opens(qtbot, window, tmp_path):
    folder = make_run_folder(tmp_path)
    drop(window, folder)
    qtbot.waitUntil(lambda: window.page is not None and window.page.runs == [folder])
    assert folder.name in window.windowTitle()


def test_something_strange_is_named(qtbot, window, tmp_path):
    (tmp_path / "letter.pdf").touch()
    drop(window, tmp_path / "letter.pdf")
    qtbot.waitUntil(lambda: bool(sentences(window)))
    assert "letter.pdf" in sentences(window)[0]


def test_text_from_elsewhere_is_not_taken(window):
    mime = QMimeData()
    mime.setText("hello")
    enter = QDragEnterEvent(
        QPoint(9, 9), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    enter.ignore()
    QApplication.sendEvent(window, enter)
    assert not enter.isAccepted()


# -- runs --------------------------------------------------------------------------------------------------------------


def test_a_run_from_the_form_to_its_end(qtbot, window, engine, files):
    window.launcher.ask(RunRequest(**files))
    qtbot.keyClick(window.launcher.dialog.source.focusProxy(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.run_bar.isVisible())
    assert str(engine.plan.source) == files["source"]
    engine.events.append(progress(40))
    qtbot.waitUntil(lambda: window.run_bar.words == "40 frames".replace("40", "40 / 100") + " · 25.0 fps · 3 findings")
    assert window.strip.speed.value == "25.0"
    engine.events.append(RunFinished(engine.folder, Outcome.PASS, ()))
    qtbot.waitUntil(lambda: not window.run_bar.isVisible())
    assert sentences(window) == ["Run finished: PASS."]


def test_a_crash_of_the_engine_is_shown_and_the_application_lives_on(qtbot, window, engine, files):
    window.launcher.start(RunRequest(**files))
    crash = "the engine process crashed (SIGSEGV), most likely inside a model or a codec; try --provider cpu"
    engine.events.append(RunFailed(crash, "Fatal Python error: Segmentation fault", engine.folder))
    qtbot.waitUntil(lambda: bool(sentences(window)))
    banner = window.messages.banners[0]
    assert banner.sentence == crash.replace("the", "The", 1)
    assert banner.details.startswith("Fatal Python error")
    assert not window.run_bar.isVisible()
    window.launcher.start(RunRequest(**files))
    qtbot.waitUntil(lambda: window.run_bar.isVisible())


def test_frames_that_were_lost_are_a_warning(qtbot, window, engine, files):
    window.launcher.start(RunRequest(**files))
    engine.events.append(RunFinished(engine.folder, Outcome.INCONCLUSIVE, ("3 frames were dropped",)))
    qtbot.waitUntil(lambda: bool(sentences(window)))
    assert sentences(window) == ["Run finished: INCONCLUSIVE. 3 frames were dropped."]


def test_a_second_run_waits_for_the_first(qtbot, window, files):
    window.launcher.start(RunRequest(**files))
    window.launcher.ask()
    assert window.launcher.dialog is None
    assert "under way" in sentences(window)[0]


@pytest.mark.parametrize("ends", ["finished", "failed"])
def test_the_word_that_a_run_is_under_way_leaves_with_it(qtbot, window, engine, files, ends):
    window.launcher.start(RunRequest(**files))
    window.launcher.ask()
    if ends == "finished":
        engine.events.append(RunFinished(engine.folder, Outcome.PASS, ()))
    else:
        engine.events.append(RunFailed("the disk is full", ""))
    qtbot.waitUntil(lambda: not window._bridge.is_busy)
    assert not any("under way" in sentence for sentence in sentences(window))


def test_pause_and_stop_by_keyboard(qtbot, window, engine, files):
    window.launcher.start(RunRequest(**files))
    qtbot.waitUntil(lambda: window.page is not None and window.run_bar.isVisible())
    window.run_bar.hold.setFocus()
    qtbot.keyClick(window.run_bar.hold, Qt.Key.Key_Space)
    assert engine.is_held
    qtbot.keyClick(window, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: any("ABORTED" in each for each in sentences(window)))


def test_quitting_during_a_run_asks_first(qtbot, window, engine, files):
    window.launcher.start(RunRequest(**files))

    def stay() -> None:
        box = next(
            each for each in QApplication.topLevelWidgets() if isinstance(each, QMessageBox) and each.isVisible()
        )
        next(button for button in box.buttons() if button.text() == "Stay").click()

    QTimer.singleShot(100, stay)
    window.close()
    assert window.isVisible() and not engine.is_closed


def test_a_folder_that_is_no_run_is_named(window, tmp_path):
    window.open_run(tmp_path)
    assert "holds no run" in sentences(window)[0]


# -- what comes back ---------------------------------------------------------------------------------------------------


def test_geometry_theme_and_last_run_come_back(open_window, settings, tmp_path):
    folder = make_run_folder(tmp_path)
    first = open_window()
    first.resize(1100, 650)
    first.open_run(folder)
    first._actions.theme.choose("light")
    page = first.page
    first.close()
    assert page.is_remembered
    again = Memory(settings.home)
    assert (again.theme, again.text("last_run")) == ("light", str(folder))
    assert again.shape("geometry") is not None
    assert [path.name for path in open_window()._recent.paths] == [folder.name]


def test_the_welcome_page_lists_what_was_open(qtbot, open_window, memory, tmp_path):
    folder = make_run_folder(tmp_path)
    memory.add("recent_runs", str(folder))
    memory.add("recent_runs", str(tmp_path / "gone"))
    window = open_window()
    buttons = [each for each in window.welcome.findChildren(QAbstractButton) if each.toolTip() == str(folder)]
    qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)
    assert window.page.runs == [folder]


def test_closing_a_run_goes_back_to_the_welcome_page(qtbot, window, tmp_path):
    window.open_run(make_run_folder(tmp_path))
    assert not window.welcome.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert window.welcome.isVisible() and window.page.runs == []


# -- pages, keys, names ------------------------------------------------------------------------------------------------


def test_the_library_opens_a_run_by_enter_and_by_double_click(qtbot, window, tmp_path):
    folders = [make_run_folder(tmp_path, name) for name in ("20260102-a", "20260101-b")]
    rows = [LibraryRow(RunSummary(folder, folder.name, folder.name[:8], outcome="PASS")) for folder in folders]
    library(window)._read = lambda _root: rows
    press_page_key(qtbot, window, "library")
    table = library(window).findChild(QTableView)
    qtbot.waitUntil(lambda: table.model().rowCount() == 2)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert window.page.runs == [folders[0]]
    press_page_key(qtbot, window, "library")
    qtbot.waitUntil(lambda: not library(window).is_reading)
    place = table.visualRect(table.model().index(1, 1)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.page.runs[-1] == folders[1]


def test_the_library_reads_filters_and_copies_real_runs(qtbot, window, settings):
    from tests.gui.replay_run import make_run

    made = make_run(settings.home)
    runs = made.folder.parent
    (runs / "broken").mkdir()
    (runs / "broken" / "run.sqlite").write_text("not a database")
    library(window)._runs = runs
    rows = {row.summary.folder.name: row for row in read_rows(runs)}
    assert set(rows) == {made.folder.name, "broken"}
    assert rows["broken"].summary.problem and not rows[made.folder.name].summary.problem
    window.show_page("library")
    table = library(window).table
    qtbot.waitUntil(lambda: table.model().rowCount() == 2)
    library(window).findChild(QLineEdit).setText(made.folder.name)
    assert table.model().rowCount() == 1
    table.selectRow(0)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].startswith("Date\tDrive\tVerdict") and made.folder.name in lines[1]


def test_the_overlay_lists_every_key_and_keeps_them_to_itself(qtbot, window, tmp_path):
    window.open_run(make_run_folder(tmp_path))
    qtbot.keyClick(window, Qt.Key.Key_Question)
    overlay = window._overlay
    assert overlay is not None and overlay.isVisible()
    words = " ".join(label.text() for label in overlay.findChildren(type(overlay._head)))
    assert "Ctrl+Shift+O" in words and "Play or pause" in words
    press_page_key(qtbot, overlay, "library")
    assert not library(window).isVisible()
    qtbot.keyClick(overlay, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window._overlay is None)


def test_the_theme_is_switched_by_key(qtbot, window, theme):
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert theme.colours.name == "light"
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert theme.colours.name == "dark"


def test_the_demo_is_asked_for_with_one_key(qtbot, window, monkeypatch, files):
    monkeypatch.setattr("hilgui.gui.launcher.demo_request", lambda: RunRequest(**files))
    window.welcome.demo.setFocus()
    qtbot.keyClick(window.welcome.demo, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.run_bar.isVisible())


def test_everything_one_can_use_has_a_name(window):
    nameless = [
        each
        for kind in (QAbstractButton, QLineEdit, QComboBox, QTableView)
        for each in window.findChildren(kind)
        if each.isVisible() and not (each.accessibleName() or getattr(each, "text", str)())
    ]
    assert not nameless


def test_the_window_holds_at_1280_by_720(window):
    assert window.minimumSizeHint().width() <= 1280
    assert window.minimumSizeHint().height() <= 720
    assert window.strip.geometry().bottom() < 720
    latency = dict.fromkeys(Role, (110.25, 123.45))
    device = "NVIDIA RTX 6000 Ada Generation"
    status = ReplayStatus("CUDAExecutionProvider", device, False, 1234.5, latency, 33.3, 1234, 1234, 4000.0, 7200.0)
    window.strip.show_status(status)
    assert window.minimumSizeHint().width() <= 1280


# -- status strip ------------------------------------------------------------------------------------------------------


@pytest.fixture
def strip(qtbot, theme, tmp_path, window):
    return StatusStrip(
        theme,
        tmp_path,
        window,
        now=lambda: datetime(2026, 1, 1, 13, 5, 9),
        free_bytes=lambda _folder: 3_000_000_000,
    )


def test_a_modal_dialog_has_a_stop_for_the_mouse_while_there_is_a_rig_and_enter_stays_with_the_dialog(qtbot, strip):
    stopped, accepted = [], []
    strip.rig.show_rig(lambda: stopped.append(1))
    dialog = QDialog()
    qtbot.addWidget(dialog)
    layout = QVBoxLayout(dialog)
    field, good = QLineEdit(dialog), QPushButton("Good", dialog)
    layout.addWidget(field)
    layout.addWidget(good)
    good.setDefault(True)
    good.clicked.connect(lambda: accepted.append(1))
    dialog.setModal(True)
    dialog.show()
    stops = lambda: [each for each in dialog.findChildren(QPushButton) if each.text() == "STOP (software)"]  # noqa: E731
    qtbot.waitUntil(lambda: len(stops()) == 1)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert (stopped, accepted) == ([], [1])
    qtbot.mouseClick(stops()[0], Qt.MouseButton.LeftButton)
    assert stopped == [1]
    strip.rig.hide_rig()
    qtbot.waitUntil(lambda: not stops())
    dialog.close()


def test_a_run_on_a_bench_that_was_not_fit_says_so_on_every_page(strip):
    strip.show_status(ReplayStatus(provider="CPUExecutionProvider", is_bench_unfit=True))
    assert (strip.device.value, strip.device.tone) == ("CPU · bench not fit", "warning")


def test_the_cpu_is_a_warning_where_a_gpu_was_expected(strip):
    strip.show_status(ReplayStatus(provider="CPUExecutionProvider", gpu_expected=True))
    assert (strip.device.value, strip.device.tone) == ("CPU (GPU expected)", "warning")
    strip.show_status(ReplayStatus(provider="CPUExecutionProvider"))
    assert (strip.device.value, strip.device.tone) == ("CPU", "")


def test_figures_are_shown_and_what_is_not_known_is_a_dash(strip):
    latency = {Role.BASELINE: (10.0, 40.0), Role.CANDIDATE: (float("nan"), float("nan"))}
    strip.show_status(ReplayStatus("CUDAExecutionProvider", "NVIDIA H100", False, 59.94, latency, 33.3, 2, 0, 7.25, 20))
    assert strip.device.value == "CUDA · NVIDIA H100"
    assert strip.speed.value == "59.9"
    assert (strip.latency[Role.BASELINE].value, strip.latency[Role.BASELINE].tone) == ("10.0 / 40.0 ms > 33", "warning")
    assert strip.latency[Role.CANDIDATE].value == "–"
    assert (strip.dropped.value, strip.dropped.tone, strip.skipped.value) == ("2", "warning", "0")
    assert strip.recording.value == "0:07.25 / 0:20.00"
    strip.show_status(ReplayStatus())
    assert {strip.speed.value, strip.dropped.value, strip.recording.value} == {"–"}


def test_little_disk_is_a_warning_and_the_clock_runs(strip):
    assert (strip.disk.value, strip.disk.tone) == ("3.0 GB", "warning")
    assert strip.clock.value == "13:05:09"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (clock_words(7.256), "0:07.26"),
        (clock_words(59.999), "1:00.00"),
        (clock_words(3723.0), "1:02:03.00"),
        (span_words(8.2), "8 s"),
        (span_words(200), "3 min 20 s"),
        (span_words(7500), "2 h 05 min"),
        (provider_words("TensorrtExecutionProvider", "NVIDIA L4"), "TensorRT · NVIDIA L4"),
        (provider_words("CPUExecutionProvider", "cpu"), "CPU"),
    ],
)
def test_words_for_figures(said, expected):
    assert said == expected


# -- what nobody caught ------------------------------------------------------------------------------------------------


def test_what_nobody_caught_is_shown_and_logged(qtbot, window, caplog):
    trouble = Trouble()
    trouble.happened.connect(window.messages.show_error)
    trouble.watch()
    try:
        sys.excepthook(ValueError, ValueError("a wire is loose"), None)
        hook = threading.excepthook
        hook(threading.ExceptHookArgs((KeyError, KeyError("gone"), None, threading.Thread(name="judge"))))
    finally:
        trouble.forget()
    assert "ValueError: a wire is loose" in sentences(window)[0]
    assert "on judge" in sentences(window)[1]
    assert sys.excepthook is not trouble._caught
