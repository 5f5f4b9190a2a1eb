"""The window: rail, pages, messages, the run under way, the status strip; menus, drops, what comes back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from hilgui import __version__
from hilgui.errors import BenchBroken
from hilgui.gui.bridge import Bridge
from hilgui.gui.demo import demo_request, finished_demo
from hilgui.gui.dropped import sort_paths
from hilgui.gui.errand import Errand
from hilgui.gui.memory import Memory
from hilgui.gui.messages import Messages
from hilgui.gui.pages import RunPage, make_replay_page
from hilgui.gui.rail import Rail
from hilgui.gui.run_bar import RunBar
from hilgui.gui.run_dialog import RunDialog
from hilgui.gui.run_request import RunRequest, plan_of
from hilgui.gui.shortcuts_overlay import ShortcutsOverlay
from hilgui.gui.status import ReplayStatus
from hilgui.gui.status_strip import StatusStrip
from hilgui.gui.theme import CHOICES, Choice, Theme
from hilgui.gui.welcome import Welcome
from hilgui.settings import Settings

if TYPE_CHECKING:
    from hilgui.engine import RunFailed, RunFinished, RunStarted
    from hilgui.gui.library_page import LibraryPage
    from hilgui.gui.run_figures import RunFigures
    from hilgui.pipeline import Progress

log = logging.getLogger(__name__)

_SIZE = (1440, 900)
_LEAST = (960, 600)
_PATIENCE_S = 5.0


class MainWindow(QMainWindow):
    """One window for one bench; it owns the pages and passes intentions on to the bridge.

    `make_page` makes the Replay page when the first run is opened, so that the window itself is there at once.
    """

    def __init__(
        self,
        settings: Settings,
        theme: Theme,
        bridge: Bridge,
        memory: Memory,
        *,
        make_page: Callable[[Theme, QWidget, Memory], RunPage] = make_replay_page,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._theme = theme
        self._bridge = bridge
        self._memory = memory
        self._make_page = make_page
        self._page: RunPage | None = None
        self._library: LibraryPage | None = None
        self._status = ReplayStatus()
        self._figures: RunFigures | None = None
        self._figures_errand: Errand[RunFigures] | None = None
        self._errand: Errand[Path | None] | None = None
        self._overlay: ShortcutsOverlay | None = None
        self.dialog: RunDialog | None = None
        self._busy_words = self.tr("A run is under way. Stop it (Ctrl+.) or wait for its end.")
        self.setWindowTitle("hilgui")
        self.setAcceptDrops(True)
        self.setMinimumSize(*_LEAST)
        self._build()
        self._build_menus()
        self._connect()
        self._restore()
        self._draw_icons()

    @property
    def page(self) -> RunPage | None:
        """Give the Replay page, once a run was opened or asked for."""
        return self._page

    @property
    def library(self) -> LibraryPage:
        """Give the Library page, made when somebody first asks for it: it loads the store."""
        if self._library is None:
            from hilgui.gui.library_page import LibraryPage

            self._library = LibraryPage(self._theme, self._settings.runs, self._pages)
            self._library.opened.connect(self.open_run)
            self._library.demo_asked.connect(self.show_demo)
            self._library.message.connect(self.messages.show_error)
            self._pages.addWidget(self._library)
        return self._library

    def open_run(self, folder: Path) -> None:
        """Show a stored run on the Replay page."""
        from hilgui.store import is_run

        if not is_run(folder):
            self.messages.show_error(self.tr("{folder} holds no run; choose a run folder.").format(folder=folder))
            return
        if self._bridge.is_busy and self._bridge.folder != folder:
            self.messages.show_info(self.tr("The run under way goes on in the background."))
        self._show_replay().open_run(folder)
        self._note_run(folder)

    def close_run(self) -> None:
        """Go back to the welcome page."""
        if self._page is not None:
            self._page.close_run()
        self._memory.put("last_run", "")
        self._figures = None
        self._show_status(ReplayStatus())
        self.setWindowTitle("hilgui")
        self._pages.setCurrentWidget(self.welcome)
        self.welcome.show_recent(self._recent_paths())
        self.welcome.demo.setFocus()
        self._actions["close_run"].setEnabled(False)

    def open_recording(self, request: RunRequest | None = None) -> None:
        """Ask what to run; the answer starts the run."""
        if self._bridge.is_busy:
            self._say_busy()
            return
        if self.dialog is not None:
            self.dialog.reject()
        given = request or RunRequest(
            provider=self._settings.provider,
            operator=self._settings.operator,
            device_under_test=self._settings.device_under_test,
        )
        self.dialog = RunDialog(self._theme, self._memory, self, given=given)
        self.dialog.accepted.connect(self._start_asked)
        self.dialog.finished.connect(self._forget_dialog)
        self.dialog.open()

    def start(self, request: RunRequest) -> None:
        """Run a request that has no problems."""
        self._bridge.run(plan_of(request, self._settings))

    def show_demo(self) -> None:
        """Open the finished run of the night drive, or run it."""
        if self._errand is not None and self._errand.is_under_way:
            return
        self._errand = Errand(
            self, "demo", lambda: finished_demo(self._settings.runs), self._open_or_run_demo, self.messages.show_error
        )

    def take_paths(self, paths: Iterable[Path]) -> None:
        """Do the obvious thing with paths that were dropped or are recent."""
        found = sort_paths(paths)
        for strange in found.strange:
            words = self.tr("{path} is nothing that opens here; drop a recording, a model, labels or a run folder.")
            self.messages.show_warning(words.format(path=strange))
        if found.runs:
            self.open_run(found.runs[0])
        elif found.recordings or found.models or found.truths:
            first = [str(each[0]) if each else "" for each in (found.recordings, found.truths, found.models)]
            second = str(found.models[1]) if len(found.models) > 1 else ""
            self.open_recording(RunRequest(source=first[0], truth=first[1], baseline=first[2], candidate=second))

    def show_page(self, name: str) -> None:
        """Go to "replay" or "library"."""
        self._actions[name].setChecked(True)
        if name == "library":
            self._pages.setCurrentWidget(self.library)
        else:
            has_run = self._page is not None and self._actions["close_run"].isEnabled()
            self._pages.setCurrentWidget(cast("QWidget", self._page) if has_run else self.welcome)

    def show_shortcuts(self) -> None:
        """Lay the list of all keys over the window."""
        ours = [
            (action.shortcut().toString(QKeySequence.SequenceFormat.NativeText), action.text().replace("&", ""))
            for action in self._actions.values()
            if not action.shortcut().isEmpty()
        ]
        ours.append(("Shift+Esc", self.tr("Close the newest message")))
        groups = [(self.tr("Everywhere"), ours), (self.tr("Library"), self.library.shortcuts())]
        if self._page is not None:
            groups.append((self.tr("Replay"), self._page.shortcuts()))
        self._overlay = ShortcutsOverlay(groups, self)
        self._overlay.destroyed.connect(self._forget_overlay)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take local files and folders."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self.welcome.show_hot(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Cool down."""
        self.welcome.show_hot(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped, after the drag is over: the other program waits until we return."""
        self.welcome.show_hot(False)
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        QTimer.singleShot(0, self, lambda: self.take_paths(paths))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the overlay as large as the window."""
        super().resizeEvent(event)
        if self._overlay is not None:
            self._overlay.setGeometry(self.rect())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask when a run would be cut; then remember the window and end what runs."""
        if self._bridge.is_busy and not self._may_cut_run():
            event.ignore()
            return
        self._memory.put_shape("geometry", self.saveGeometry())
        self.hide()
        if self._page is not None:
            self._page.remember()
            self._page.close_run()
        if self._library is not None:
            self._library.close_page()
        for errand in (self._errand, self._figures_errand):
            if errand is not None:
                errand.forget()
                errand.wait(_PATIENCE_S)
        self._memory.save()
        self._bridge.close()
        event.accept()

    def _build(self) -> None:
        self.messages = Messages(self._theme, self)
        self.welcome = Welcome(self._theme, self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.welcome)
        self._rail = Rail(self._theme, self)
        self.run_bar = RunBar(self._theme, self._bridge, self)
        self.strip = StatusStrip(self._theme, self._settings.runs, self)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.messages)
        right.addWidget(self._pages, 1)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self._rail)
        middle.addLayout(right, 1)
        central = QWidget(self)
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(middle, 1)
        layout.addWidget(self.run_bar)
        layout.addWidget(self.strip)
        self.setCentralWidget(central)

    def _build_menus(self) -> None:
        self._actions: dict[str, QAction] = {}
        bar = self.menuBar()
        file = bar.addMenu(self.tr("&File"))
        self._act(
            file, "open_recording", self.tr("&Open recording…"), "Ctrl+O", self._choose_recording, icon="recording"
        )
        self._act(file, "open_run", self.tr("Open &run…"), "Ctrl+Shift+O", self._choose_run, icon="folder")
        self._act(file, "run", self.tr("Run &models…"), "Ctrl+R", lambda: self.open_recording(), icon="run")
        self._recent = file.addMenu(self.tr("Re&cent"))
        self._recent.aboutToShow.connect(self._fill_recent)
        self._act(file, "demo", self.tr("Show the &demo"), "Ctrl+D", self.show_demo, icon="play")
        file.addSeparator()
        self._act(file, "stop", self.tr("&Stop the run"), "Ctrl+.", self._bridge.stop, icon="stop").setEnabled(False)
        self._act(file, "close_run", self.tr("&Close run"), "Ctrl+W", self.close_run).setEnabled(False)
        file.addSeparator()
        self._act(file, "quit", self.tr("&Quit"), "Ctrl+Q", self.close)
        view = bar.addMenu(self.tr("&View"))
        pages = QActionGroup(self)
        for name, words, keys in (("replay", self.tr("Replay"), "Ctrl+1"), ("library", self.tr("Library"), "Ctrl+2")):
            action = self._act(view, name, words, keys, partial(self.show_page, name))
            action.setCheckable(True)
            action.setData(name)
            pages.addAction(action)
            self._rail.add(action)
        self._actions["replay"].setChecked(True)
        view.addSeparator()
        self._build_theme_menu(view.addMenu(self.tr("&Theme")))
        self._act(view, "full_screen", self.tr("&Full screen"), "F11", self._toggle_full_screen)
        about = bar.addMenu(self.tr("&Help"))
        self._act(about, "shortcuts", self.tr("&Keyboard shortcuts"), "?", self.show_shortcuts, icon="keyboard")
        self._act(about, "about", self.tr("&About hilgui"), "", self._show_about, icon="info")
        close_message = QAction(self)
        close_message.setShortcut("Shift+Esc")
        close_message.triggered.connect(self.messages.close_newest)
        self.addAction(close_message)

    def _build_theme_menu(self, menu: QMenu) -> None:
        group = QActionGroup(self)
        names: dict[Choice, str] = {
            "system": self.tr("As the system"),
            "dark": self.tr("Dark"),
            "light": self.tr("Light"),
        }
        for choice in CHOICES:
            action = menu.addAction(names[choice])
            action.setCheckable(True)
            action.setChecked(choice == self._theme.choice)
            action.triggered.connect(lambda _=False, choice=choice: self._choose_theme(choice))
            group.addAction(action)
        menu.addSeparator()
        self._act(menu, "other_theme", self.tr("Dark ↔ light"), "Ctrl+T", self._other_theme)
        self._theme_actions = dict(zip(CHOICES, group.actions(), strict=True))

    def _act(
        self, menu: QMenu, name: str, words: str, keys: str, action: Callable[[], object], *, icon: str = ""
    ) -> QAction:
        made = menu.addAction(words)
        made.setShortcut(QKeySequence(keys))
        made.setProperty("icon_name", icon)
        made.triggered.connect(lambda _=False: action())
        self._actions[name] = made
        return made

    def _connect(self) -> None:
        self._theme.changed.connect(self._draw_icons)
        self.welcome.demo_asked.connect(self.show_demo)
        self.welcome.recording_asked.connect(self._choose_recording)
        self.welcome.run_asked.connect(self._choose_run)
        self.welcome.path_asked.connect(self._take_path)
        self._bridge.run_asked.connect(self._on_asked)
        self._bridge.run_started.connect(self._on_started)
        self._bridge.progress.connect(self._on_progress)
        self._bridge.run_finished.connect(self._on_finished)
        self._bridge.run_failed.connect(self._on_failed)

    def _restore(self) -> None:
        geometry = self._memory.shape("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(*_SIZE)
            room = self.screen().availableGeometry().size()
            if QSize(*_SIZE).boundedTo(room) != QSize(*_SIZE):
                self.setWindowState(Qt.WindowState.WindowMaximized)
        self.welcome.show_recent(self._recent_paths())
        self.welcome.demo.setFocus()

    def _ready_page(self) -> RunPage:
        if self._page is None:
            self._page = self._make_page(self._theme, self._pages, self._memory)
            self._page.status_changed.connect(self._on_status)
            self._page.message.connect(self._on_message)
            self._page.opened.connect(self._on_opened)
            self._page.follow(self._bridge)
            self._pages.addWidget(cast("QWidget", self._page))
        return self._page

    def _show_replay(self) -> RunPage:
        page = self._ready_page()
        self._actions["close_run"].setEnabled(True)
        self.show_page("replay")
        cast("QWidget", page).setFocus()
        return page

    def _note_run(self, folder: Path) -> None:
        self._memory.add("recent_runs", str(folder))
        self._memory.put("last_run", str(folder))
        self.setWindowTitle(f"{folder.name} – hilgui")

    def _recent_paths(self) -> list[Path]:
        return self._memory.existing("recent_runs")[:4] + self._memory.existing("recent_recordings")[:4]

    def _fill_recent(self) -> None:
        self._recent.clear()
        groups = (
            (self.tr("Runs"), self._memory.existing("recent_runs"), "run"),
            (self.tr("Recordings"), self._memory.existing("recent_recordings"), "recording"),
        )
        for words, paths, icon in groups:
            if paths:
                self._recent.addSection(words)
            for path in paths:
                action = self._recent.addAction(self._theme.icon(icon), path.name)
                action.setToolTip(str(path))
                action.triggered.connect(lambda _=False, path=path: self.take_paths([path]))
        if self._recent.isEmpty():
            self._recent.addAction(self.tr("nothing yet")).setEnabled(False)

    def _take_path(self, path: Path) -> None:
        self.take_paths([path])

    def _choose_recording(self) -> None:
        self.open_recording()
        if self.dialog is not None:
            self.dialog.source.setFocus()

    def _choose_run(self) -> None:
        start = self._settings.runs if self._settings.runs.is_dir() else Path.home()
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Open a run folder"), str(start))
        if chosen:
            self.open_run(Path(chosen))

    def _start_asked(self) -> None:
        if self.dialog is not None:
            self.start(self.dialog.request)

    def _forget_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _forget_overlay(self) -> None:
        self._overlay = None

    def _open_or_run_demo(self, folder: Path | None) -> None:
        if folder is not None:
            self.open_run(folder)
            return
        if self._bridge.is_busy:
            self._say_busy()
            return
        try:
            self.start(demo_request())
        except BenchBroken as failure:
            self.messages.show_error(str(failure))

    def _say_busy(self) -> None:
        """Say that one run at a time is possible; leaves when the run ends."""
        self.messages.show_warning(self._busy_words)

    def _on_asked(self) -> None:
        self._actions["stop"].setEnabled(True)
        self._ready_page()  # it opens the run by itself when it starts

    def _on_started(self, started: RunStarted) -> None:
        self._show_replay()
        self._note_run(started.folder)
        for note in started.notes:
            self.messages.show_info(note)

    def _on_progress(self, progress: Progress) -> None:
        self.strip.show_status(
            replace(
                self._status,
                fps=progress.fps,
                latency_ms=progress.latency_ms,
                dropped=progress.dropped,
                skipped=progress.skipped,
            )
        )

    def _on_status(self, status: ReplayStatus) -> None:
        if self._figures is not None:
            status = replace(status, fps=self._figures.fps, gpu_expected=self._figures.gpu_expected)
        self._status = status
        if not self._bridge.is_busy:  # figures of the run under way come with its progress
            self.strip.show_status(status)

    def _on_message(self, tone: str, sentence: str) -> None:
        show = {"error": self.messages.show_error, "warning": self.messages.show_warning}
        show.get(tone, self.messages.show_info)(sentence)

    def _on_opened(self, folder: Path) -> None:
        from hilgui.gui.run_figures import read_figures

        self._figures = None
        if self._figures_errand is not None:
            self._figures_errand.forget()
        self._figures_errand = Errand(
            self, "figures", lambda: read_figures(folder), self._on_figures, self._on_no_figures
        )

    def _on_figures(self, figures: RunFigures) -> None:
        self._figures_errand = None
        self._figures = figures
        self._on_status(self._status)

    def _on_no_figures(self, sentence: str, details: str) -> None:
        self._figures_errand = None
        log.warning("no figures for the status strip: %s", sentence)  # the page itself says what is wrong with the run

    def _show_status(self, status: ReplayStatus) -> None:
        self._status = status
        self.strip.show_status(status)

    def _on_finished(self, finished: RunFinished) -> None:
        self.messages.withdraw(self._busy_words)
        self._actions["stop"].setEnabled(False)
        self._on_opened(finished.folder)
        words = self.tr("Run finished: {outcome}.").format(outcome=finished.outcome.value)
        sentence = " ".join([words, *(f"{reason[:1].upper()}{reason[1:]}." for reason in finished.reasons)])
        is_good = finished.outcome.exit_code == 0
        banner = self.messages.show_info(sentence) if is_good else self.messages.show_warning(sentence)
        if self._pages.currentWidget() in (self.welcome, self._library):
            banner.offer(self.tr("Open"), lambda: self.open_run(finished.folder))
        if self._library is not None and self._pages.currentWidget() is self._library:
            self._library.refresh()

    def _on_failed(self, failed: RunFailed) -> None:
        self.messages.withdraw(self._busy_words)
        self._actions["stop"].setEnabled(False)
        self.messages.show_error(failed.sentence, failed.details)

    def _may_cut_run(self) -> bool:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setText(self.tr("A run is under way."))
        box.setInformativeText(self.tr("Quitting stops it; what was stored stays readable, the verdict is ABORTED."))
        stop = box.addButton(self.tr("Stop the run and quit"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(self.tr("Stay"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.exec()
        return box.clickedButton() is stop

    def _choose_theme(self, choice: Choice) -> None:
        self._theme.choose(choice)
        self._theme_actions[choice].setChecked(True)
        self._memory.theme = choice

    def _other_theme(self) -> None:
        self._choose_theme("light" if self._theme.colours.name == "dark" else "dark")

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _show_about(self) -> None:
        box = QMessageBox(self)
        box.setWindowTitle(self.tr("About hilgui"))
        box.setIconPixmap(self.windowIcon().pixmap(64, 64))
        box.setText(f"hilgui {__version__}")
        box.setInformativeText(
            self.tr("Hardware-in-the-loop bench for perception models.\nApache-2.0. Runs are kept in {folder}.").format(
                folder=self._settings.runs
            )
        )
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _draw_icons(self) -> None:
        for action in self._actions.values():
            name = action.property("icon_name")
            if name:
                action.setIcon(self._theme.icon(name))
