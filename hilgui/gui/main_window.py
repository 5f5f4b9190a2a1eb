"""The window: rail, pages, messages, the run under way, the status strip, and what connects them."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from hilgui.gui.about import About, CutRun
from hilgui.gui.bridge import Bridge
from hilgui.gui.cases.desk import CaseDesk
from hilgui.gui.dropped import sort_paths
from hilgui.gui.drops import Drops
from hilgui.gui.launcher import Launcher
from hilgui.gui.memory import Memory
from hilgui.gui.menus import Menus
from hilgui.gui.messages import Messages
from hilgui.gui.page import Bench, OpenRun, Page, RunPage
from hilgui.gui.page_stack import PageStack
from hilgui.gui.pages import PAGES, Entry
from hilgui.gui.rail import Rail
from hilgui.gui.recent import Recent
from hilgui.gui.rig.badge_follower import BadgeFollower
from hilgui.gui.rig.link import RigLink
from hilgui.gui.rig.states_recorder import StatesRecorder
from hilgui.gui.run_bar import RunBar
from hilgui.gui.run_request import RunRequest
from hilgui.gui.shortcuts_overlay import ShortcutsOverlay
from hilgui.gui.status_follower import StatusFollower
from hilgui.gui.status_strip import StatusStrip
from hilgui.gui.theme import Theme
from hilgui.gui.welcome import Welcome
from hilgui.settings import Settings

if TYPE_CHECKING:
    from hilgui.engine import RunFailed, RunFinished, RunStarted
    from hilgui.gui.decide.page import DecidePage
    from hilgui.gui.library.page import LibraryPage

_SIZE = (1440, 900)
_LEAST = (960, 600)
_PATIENCE_S = 5.0


class MainWindow(QMainWindow):
    """One window for one bench; it owns the pages and passes intentions on to the bridge.

    `pages` are made when somebody first goes there, so that the window itself is there at once.
    """

    def __init__(
        self,
        settings: Settings,
        theme: Theme,
        bridge: Bridge,
        memory: Memory,
        *,
        pages: Sequence[Entry] = PAGES,
        rig: RigLink | None = None,
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._rig = rig or RigLink(settings.home, self)
        self._rig.setParent(self)
        self._cases = CaseDesk(settings, settings.operator or getpass.getuser(), self)
        self._bench = Bench(settings, theme, memory, bridge, OpenRun(self), self._rig, self._cases)
        self._overlay: ShortcutsOverlay | None = None
        self.setWindowTitle(self.tr("hilgui"))
        self.setMinimumSize(*_LEAST)
        self._build(pages)
        self._recent = Recent(theme, memory, self)
        self.launcher = Launcher(self._bench, self.messages, self)
        self._status = StatusFollower(self.strip, bridge, self)
        self._badge = BadgeFollower(self.strip.rig, self._rig, self._cases, settings.operator, self)
        self._states = StatesRecorder(settings.home, self._rig, self)
        self._actions = Menus(self, theme, memory, self._recent, self._doers())
        self._actions.add_pages(self._pages.entries, self._rail, self.show_page)
        self._actions["replay"].setChecked(True)
        self._connect(Drops(self))
        self._restore()

    @property
    def page(self) -> RunPage | None:
        """Give the Replay page, once a run was opened or asked for."""
        return cast("RunPage | None", self._pages.existing("replay"))

    @property
    def rig(self) -> RigLink:
        """Give the link to the rig, whether one is open or not."""
        return self._rig

    @property
    def pages(self) -> PageStack:
        """Give the pages."""
        return self._pages

    def open_run(self, folder: Path, seq: int | None = None) -> None:
        """Show a stored run on the Replay page: at a frame, or where it opens."""
        from hilgui.store import is_run

        if not is_run(folder):
            self.messages.show_error(self.tr("{folder} holds no run; choose a run folder.").format(folder=folder))
            return
        if self._bridge.is_busy and self._bridge.folder != folder:
            self.messages.show_info(self.tr("The run under way goes on in the background."))
        self._show_replay().open_run(folder, seq)
        self._note_run(folder)

    def close_run(self) -> None:
        """Go back to the welcome page."""
        if self.page is not None:
            self.page.close_run()
        self._recent.forget_last()
        self._bench.run.put(None)
        self._status.clear()
        self.setWindowTitle(self.tr("hilgui"))
        self._actions["close_run"].setEnabled(False)
        self.show_page("replay")
        self.welcome.show_recent(self._recent.paths)
        self.welcome.demo.setFocus()

    def take_paths(self, paths: Iterable[Path]) -> None:
        """Do the obvious thing with paths that were dropped or are recent."""
        found = sort_paths(paths)
        for strange in found.strange:
            words = self.tr("{path} is nothing that opens here; drop a recording, a model, labels or a run folder.")
            self.messages.show_warning(words.format(path=strange))
        if found.bundles:
            self.show_page("decide")
            cast("DecidePage", self._pages.page("decide")).verify(found.bundles[0])
        elif found.runs:
            self.open_run(found.runs[0])
        elif found.models and not found.recordings and not found.truths and self._pages.current_name == "library":
            cast("LibraryPage", self._pages.page("library")).import_models(found.models)
        elif found.recordings or found.models or found.truths:
            first = [str(each[0]) if each else "" for each in (found.recordings, found.truths, found.models)]
            second = str(found.models[1]) if len(found.models) > 1 else ""
            self.launcher.ask(RunRequest(source=first[0], truth=first[1], baseline=first[2], candidate=second))

    def show_page(self, name: str) -> None:
        """Go to a page of the rail; Replay shows the welcome page while no run is open."""
        self._actions[name].setChecked(True)
        if name == "replay" and not self._actions["close_run"].isEnabled():
            self._pages.setCurrentWidget(self.welcome)
        else:
            self._pages.setCurrentWidget(self._pages.page(name))

    def show_shortcuts(self) -> None:
        """Lay the list of all keys over the window."""
        groups = [(self.tr("Everywhere"), self._actions.shortcuts()), *self._pages.shortcuts()]
        self._overlay = ShortcutsOverlay(groups, self)
        self._overlay.destroyed.connect(self._forget_overlay)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the overlay as large as the window."""
        super().resizeEvent(event)
        if self._overlay is not None:
            self._overlay.setGeometry(self.rect())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask when a run would be cut; then remember the window and end what runs."""
        if self._bridge.is_busy and not CutRun(self).ask():
            event.ignore()
            return
        self._bench.memory.put_shape("geometry", self.saveGeometry())
        self.hide()
        self._pages.close_pages()
        self._cases.shut()
        self._rig.shut()
        self._states.close()
        self.launcher.close(_PATIENCE_S)
        self._status.close(_PATIENCE_S)
        self._bench.memory.save()
        self._bridge.close()
        event.accept()

    def _build(self, entries: Sequence[Entry]) -> None:
        theme, runs = self._bench.theme, self._bench.settings.runs
        self.messages = Messages(theme, self)
        self.welcome = Welcome(theme, self)
        self._pages = PageStack(entries, self._bench, self)
        self._pages.addWidget(self.welcome)
        self._rail = Rail(theme, self)
        self.run_bar = RunBar(theme, self._bridge, self)
        self.strip = StatusStrip(theme, runs, self)
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

    def _doers(self) -> dict[str, Callable[[], object]]:
        return {
            "open_recording": self.launcher.ask_for_recording,
            "open_run": self._choose_run,
            "run": self.launcher.ask,
            "demo": self.launcher.show_demo,
            "stop": self._bridge.stop,
            "close_run": self.close_run,
            "quit": self.close,
            "full_screen": self._toggle_full_screen,
            "shortcuts": self.show_shortcuts,
            "about": self._show_about,
            "close_message": self.messages.close_newest,
        }

    def _connect(self, drops: Drops) -> None:
        drops.hovered.connect(self.welcome.show_hot)
        drops.dropped.connect(self.take_paths)
        self._recent.asked.connect(self._take_path)
        self._pages.made.connect(self._on_made)
        self._states.told.connect(self.messages.show_error)
        self.launcher.found.connect(self.open_run)
        self.welcome.demo_asked.connect(self.launcher.show_demo)
        self.welcome.recording_asked.connect(self.launcher.ask_for_recording)
        self.welcome.run_asked.connect(self._choose_run)
        self.welcome.path_asked.connect(self._take_path)
        self._bridge.run_asked.connect(self._on_asked)
        self._bridge.run_started.connect(self._on_started)
        self._bridge.run_finished.connect(self._on_finished)
        self._bridge.run_failed.connect(self._on_failed)

    def _on_made(self, name: str, page: Page) -> None:
        """Connect a page that was just made."""
        page.message.connect(self._on_message)
        page.trouble.connect(self.messages.show_error)
        page.open_run_asked.connect(self.open_run)
        page.demo_asked.connect(self.launcher.show_demo)
        page.status_changed.connect(self._status.show_status)
        if isinstance(page, RunPage):
            page.opened.connect(self._status.read_run)
            page.follow(self._bridge)

    def _restore(self) -> None:
        geometry = self._bench.memory.shape("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(*_SIZE)
            room = self.screen().availableGeometry().size()
            if QSize(*_SIZE).boundedTo(room) != QSize(*_SIZE):
                self.setWindowState(Qt.WindowState.WindowMaximized)
        self.welcome.show_recent(self._recent.paths)
        self.welcome.demo.setFocus()

    def _show_replay(self) -> RunPage:
        page = cast("RunPage", self._pages.page("replay"))
        self._actions["close_run"].setEnabled(True)
        self.show_page("replay")
        page.setFocus()
        return page

    def _note_run(self, folder: Path) -> None:
        self._recent.note_run(folder)
        self._bench.run.put(folder)
        self.setWindowTitle(f"{folder.name} – hilgui")

    def _take_path(self, path: Path) -> None:
        self.take_paths([path])

    def _choose_run(self) -> None:
        runs = self._bench.settings.runs
        start = runs if runs.is_dir() else Path.home()
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Open a run folder"), str(start))
        if chosen:
            self.open_run(Path(chosen))

    def _forget_overlay(self) -> None:
        self._overlay = None

    def _on_asked(self) -> None:
        self._actions["stop"].setEnabled(True)
        self._pages.page("replay")  # it opens the run by itself when it starts

    def _on_started(self, started: RunStarted) -> None:
        self._show_replay()
        self._note_run(started.folder)
        for note in started.notes:
            self.messages.show_info(note)

    def _on_message(self, tone: str, sentence: str) -> None:
        show = {"error": self.messages.show_error, "warning": self.messages.show_warning}
        show.get(tone, self.messages.show_info)(sentence)

    def _on_finished(self, finished: RunFinished) -> None:
        self._actions["stop"].setEnabled(False)
        self._status.read_run(finished.folder)
        words = self.tr("Run finished: {outcome}.").format(outcome=finished.outcome.value)
        sentence = " ".join([words, *(f"{reason[:1].upper()}{reason[1:]}." for reason in finished.reasons)])
        is_good = finished.outcome.exit_code == 0
        banner = self.messages.show_info(sentence) if is_good else self.messages.show_warning(sentence)
        if self._pages.current_name != "replay":
            banner.offer(self.tr("Open"), lambda: self.open_run(finished.folder))
        self._pages.refresh_current()

    def _on_failed(self, failed: RunFailed) -> None:
        self._actions["stop"].setEnabled(False)
        self.messages.show_error(failed.sentence, failed.details)

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _show_about(self) -> None:
        About(self._bench.settings.runs, self).open()
