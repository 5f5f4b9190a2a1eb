"""The Replay page: the picture, the findings, the inspector, the timeline, and what connects them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from hilgui.gui.bridge import Bridge
from hilgui.gui.memory import Memory
from hilgui.gui.page import RunPage
from hilgui.gui.replay.cameras import CameraStage
from hilgui.gui.replay.command_actions import LAYER_COMMANDS, CommandActions
from hilgui.gui.replay.commands import COMMANDS
from hilgui.gui.replay.compare_mode import CompareMode
from hilgui.gui.replay.corrupting import Corrupting
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.findings_list import FindingsList
from hilgui.gui.replay.findings_walk import FindingsWalk
from hilgui.gui.replay.frame_view import FrameView
from hilgui.gui.replay.ink import picture_ink
from hilgui.gui.replay.inspector import Inspector
from hilgui.gui.replay.overlay import Layer
from hilgui.gui.replay.page_layout import PageLayout, WarningBar
from hilgui.gui.replay.picture_bar import PictureBar
from hilgui.gui.replay.picture_stage import PictureStage
from hilgui.gui.replay.pictures import live_picture
from hilgui.gui.replay.player import Player
from hilgui.gui.replay.plots import Plots
from hilgui.gui.replay.run_status import latencies, status_of
from hilgui.gui.replay.session import RunSession
from hilgui.gui.replay.spotlight import Spotlight
from hilgui.gui.replay.timeline import Timeline
from hilgui.gui.replay.transport import Transport
from hilgui.gui.theme import Theme
from hilgui.records import Finding, Role
from hilgui.scaling import Cut

if TYPE_CHECKING:
    from hilgui.engine import RunFinished, RunStarted, Shown


class ReplayPage(RunPage):
    """Shows one run, finished or under way. Reads the run folder and its recording; changes nothing in them."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, memory: Memory | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._memory = memory
        self._session = RunSession(self)
        self._player = Player(self)
        self._bridge: Bridge | None = None
        self._is_live = False
        self._wanted_seq: int | None = None  # where the run that is being opened shall stand
        self._latency_ms: dict[Role, tuple[float, float]] = {}
        self._is_away = False  # another page is in front, or the window is minimised
        self._unseen: Shown | None = None  # the newest frame that came meanwhile
        self.view = FrameView(picture_ink(theme), self)
        self.cameras = CameraStage(self.view, picture_ink(theme), self)
        self.findings = FindingsList(theme, self)
        self.inspector = Inspector(self)
        self.timeline = Timeline(theme, self)
        self.plots = Plots(theme, self)
        self.transport = Transport(self._player, self)
        self._bar = PictureBar(self)
        self._banner = WarningBar(theme, self)
        self._spotlight = Spotlight(self.view, self.inspector, self)
        self._walk = FindingsWalk(self._session, self._player, self.findings, self._spotlight, self)
        self._actions = CommandActions(self, theme, self._doers(), self.set_mode)
        self._stage = PictureStage(self.view, self._actions, self)
        self.corrupting = Corrupting(self._session, self._player, self.cameras, self._actions["corrupt"], self)
        self._lay_out()
        self._connect()
        self._show_nothing()

    # -- what others call ---------------------------------------------------------------------------------------------

    def open_run(self, folder: Path, seq: int | None = None) -> None:
        """Open a run folder, finished or under way, at a frame; returns at once, what goes wrong comes as `message`."""
        if folder == self._session.folder:
            self._go_to_wanted(seq)
            return
        self.close_run()
        self._wanted_seq = seq
        self.view.show_frame(None, (), self.tr("Opening {0} …").format(folder.name))
        self._session.open(folder)

    def close_run(self) -> None:
        """Let go of the run; may be called twice."""
        self._keep_bookmarks()
        self._wanted_seq = None
        self._player.load(None, None)
        self.corrupting.set_run(None, None)
        self._session.close()
        self._show_nothing()

    def follow(self, bridge: Bridge) -> None:
        """Show each run of the engine while it is under way; called once."""
        self._bridge = bridge
        self.corrupting.follow(bridge)
        bridge.run_started.connect(self._on_run_started)
        bridge.frame_shown.connect(self._on_frame_shown)
        bridge.run_finished.connect(self._on_run_finished)
        self._tell_cut()

    def shortcuts(self) -> list[tuple[str, str]]:
        """Give every key of this page with what it does, for the overlay of shortcuts."""
        return [("  ".join(command.keys), command.translated) for command in COMMANDS]

    @property
    def folder(self) -> Path | None:
        """Give the folder of the run on the screen."""
        return self._session.folder

    @property
    def drive(self) -> Drive | None:
        """Give the run on the screen, None while it is being opened."""
        return self._session.drive

    @property
    def player(self) -> Player:
        """Give what plays."""
        return self._player

    @property
    def is_live(self) -> bool:
        """Say whether the newest frame of a run under way is followed."""
        return self._is_live

    @property
    def finding(self) -> Finding | None:
        """Give the finding that is looked at."""
        return self._spotlight.finding

    def action(self, name: str) -> QAction:
        """Give a command of `commands.COMMANDS`, for menus."""
        return self._actions[name]

    @property
    def banner(self) -> str:
        """Give what the page warns of, "" when all is well."""
        return self._banner.sentence

    # -- Qt -----------------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Show the newest frame that came while the page was not in sight."""
        super().showEvent(event)
        self._is_away = False
        self._tell_cut()
        if self._unseen is not None:
            self._on_frame_shown(self._unseen)

    def hideEvent(self, event: QHideEvent) -> None:
        """Prepare no pictures that nobody sees."""
        super().hideEvent(event)
        self._is_away = True
        self._tell_cut()

    # -- building -----------------------------------------------------------------------------------------------------

    def _doers(self) -> dict[str, Callable[[], object]]:
        player, view = self._player, self.view
        return {
            "play": self._toggle_play,
            "step_back": partial(self._move, partial(player.step, -1)),
            "step_forward": partial(self._move, partial(player.step, 1)),
            "second_back": partial(self._move, partial(player.skip_s, -1.0)),
            "second_forward": partial(self._move, partial(player.skip_s, 1.0)),
            "to_start": partial(self._move, partial(player.go_to, 0)),
            "to_end": partial(self._move, partial(player.go_to, 2**62)),
            "slower": player.slower,
            "faster": player.faster,
            "go_to": self.transport.edit_position,
            "live": self._toggle_live,
            "worst": self._walk.go_to_worst,
            "previous": partial(self._walk.go, -1),
            "next": partial(self._walk.go, 1),
            "clip": self._walk.play_clip,
            "search": self.findings.search,
            "truth": lambda: self._stage.toggle_layer(Layer.TRUTH),
            "baseline": lambda: self._stage.toggle_layer(Layer.BASELINE),
            "candidate": lambda: self._stage.toggle_layer(Layer.CANDIDATE),
            "errors": lambda: self._stage.toggle_errors(),
            "view": lambda: self._stage.next_mode(),
            "corrupt": lambda: self.corrupting.toggle(),
            "fit": view.fit,
            "actual": view.actual_size,
            "zoom_in": partial(view.zoom, 1),
            "zoom_out": partial(view.zoom, -1),
            "next_object": partial(self._spotlight.go_to_object, 1),
            "previous_object": partial(self._spotlight.go_to_object, -1),
            "no_object": self._spotlight.look_away,
            "loop_in": player.loop_from_here,
            "loop_out": player.loop_to_here,
            "loop": self._toggle_loop,
            "bookmark": player.toggle_bookmark,
            "next_bookmark": partial(self._move, partial(player.go_to_bookmark, 1)),
            "plots": self._toggle_plots,
            "whole": self.timeline.show_all,
        }

    def _lay_out(self) -> None:
        actions = self._actions
        self._bar.add_actions(tuple(actions[name] for name in (*LAYER_COMMANDS, "errors")), with_text=True)
        self._bar.add_actions((None, *actions.modes, None))
        self._bar.add_actions((actions["fit"], actions["corrupt"]))
        self._bar.finish()
        play = ("to_start", "step_back", "play", "step_forward", "to_end")
        self.transport.add_actions((*(actions[name] for name in play), None))
        self.transport.add_actions(
            (
                actions["live"],
                None,
                *(actions[name] for name in ("previous", "worst", "next")),
                None,
                *(actions[name] for name in ("loop", "bookmark", "plots")),
            ),
            at_end=True,
        )
        self._layout = PageLayout(
            self,
            self._banner,
            (self._bar, self.corrupting.bar, self.cameras),
            (self.findings, self.inspector),
            (self.transport, self.timeline, self.plots),
        )
        self.plots.hide()
        self.setFocusProxy(self.view)
        if self._memory is not None:
            self._layout.restore(self._memory)
            if self._memory.text("replay/plots"):
                self._toggle_plots()

    def _connect(self) -> None:
        session, player = self._session, self._player
        session.opened.connect(self._on_opened)
        session.grew.connect(self._on_grew)
        session.finished.connect(self._on_finished)
        session.failed.connect(self._on_failed)
        self.cameras.chosen.connect(self._on_picture)
        self.findings.chosen.connect(lambda finding: self.cameras.choose(finding.channel))
        session.noted.connect(self._banner.say)
        player.picture_changed.connect(self._on_picture)
        self.corrupting.message.connect(self.message)
        player.position_changed.connect(self.timeline.set_position)
        player.position_changed.connect(self.plots.set_position)
        player.position_changed.connect(lambda row: self._tell_status())
        player.playing_changed.connect(self._actions.show_playing)
        player.loop_changed.connect(self._show_loop)
        player.bookmarks_changed.connect(lambda: self.timeline.set_bookmarks(player.bookmarks))
        for seeker in (self.timeline, self.plots, self.transport):
            seeker.sought.connect(self._seek)
        self.transport.left.connect(self.view.setFocus)
        self.timeline.loop_marked.connect(player.set_loop)
        self.timeline.finding_hit.connect(self._walk.hit)
        self.timeline.range_changed.connect(self.plots.set_span)
        self._walk.left_live.connect(partial(self._set_live, False))
        self._walk.message.connect(self.message)
        self.view.cut_changed.connect(self._on_cut)
        self.view.zoom_changed.connect(self._bar.show_zoom)
        self._theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.cameras.set_ink(picture_ink(self._theme))

    # -- the run ------------------------------------------------------------------------------------------------------

    def _on_opened(self) -> None:
        drive, decoder = self._session.drive, self._session.decoder
        assert drive is not None and self._session.folder is not None
        self._player.load(drive, decoder)
        self.corrupting.set_run(drive, decoder)
        self._on_cut(self.view.cut)
        self._player.set_bookmarks(self._kept_bookmarks())
        self._stage.fit(drive)
        self.cameras.set_drive(drive)
        self._actions["live"].setEnabled(self._session.is_under_way)
        self._tell_aborted(drive)
        self._spotlight.set_drive(drive)
        self._latency_ms = latencies(drive)
        self._set_live(self._session.is_under_way and self._bridge is not None and self._bridge.is_busy)
        self.timeline.set_drive(drive)
        self.plots.set_drive(drive)
        self.plots.set_span(*self.timeline.span)
        self.transport.set_drive(drive)
        self.findings.set_drive(drive)
        self._layout.make_room()
        if not self._is_live:
            self._player.go_to(0)
            self._go_to_wanted(self._wanted_seq)
        self._tell_status()
        self.opened.emit(self._session.folder)

    def _go_to_wanted(self, seq: int | None) -> None:
        """Stand at a frame that was asked for from outside, once the run is open."""
        if seq is None:
            return
        if self.drive is None:
            self._wanted_seq = seq
            return
        self._wanted_seq = None
        self._move(partial(self._player.go_to_seq, seq))

    def _on_grew(self) -> None:
        drive = self._session.drive
        if drive is None:
            return
        self.timeline.grew()
        if not self.plots.isHidden():
            self.plots.renew()
        self.transport.grew()
        self.findings.set_drive(drive)
        if not self._is_live:
            self._player.grew()
        self._latency_ms = latencies(drive)
        self._tell_status()

    def _on_finished(self) -> None:
        drive = self._session.drive
        self._actions["live"].setEnabled(False)
        was_live, self._is_live = self._is_live, False
        self._actions["live"].setChecked(False)
        if was_live:
            self._player.go_to(self._player.position)
        if drive is not None:
            self._tell_aborted(drive)

    def _on_failed(self, sentence: str) -> None:
        self._show_nothing()
        self.view.show_frame(None, (), sentence)
        self.message.emit("error", sentence)

    def _tell_aborted(self, drive: Drive) -> None:
        if drive.verdict is not None and drive.state == "aborted":
            self._banner.say(self.tr("This run was aborted: {0}").format("; ".join(drive.verdict.reasons)))

    def _show_nothing(self) -> None:
        self._set_live(False)
        self._banner.hide()
        self.view.show_frame(None, (), self.tr("No run is open."))
        self.transport.show_title("")
        for part in (self.timeline, self.plots, self.transport, self.findings):
            part.set_drive(None)
        self._spotlight.set_drive(None)
        self._actions["live"].setEnabled(False)

    # -- the run under way --------------------------------------------------------------------------------------------

    def _on_run_started(self, event: RunStarted) -> None:
        self.open_run(event.folder)
        self._set_live(True)

    def _on_frame_shown(self, shown: Shown) -> None:
        self._unseen = None
        if not self._is_live or self._session.drive is None:
            return
        if self._is_away:
            self._unseen = shown
            return
        self._player.show_live(live_picture(shown))

    def _on_run_finished(self, event: RunFinished) -> None:
        self._session.look()

    def _set_live(self, is_live: bool) -> None:
        self._is_live = is_live
        self._actions["live"].setChecked(is_live)

    def _toggle_live(self) -> None:
        is_possible = self._session.is_under_way and self._bridge is not None
        self._set_live(is_possible and not self._is_live)
        if not self._is_live:
            self._player.go_to(self._player.position)

    # -- moving -------------------------------------------------------------------------------------------------------

    def _move(self, step: Callable[[], object]) -> None:
        """Leave the newest frame, then go."""
        self._set_live(False)
        step()

    def _seek(self, row: int) -> None:
        self._set_live(False)
        self._player.go_to(row)

    def _toggle_play(self) -> None:
        self._set_live(False)
        self._player.toggle()

    def _toggle_loop(self) -> None:
        """Take the loop away, or repeat the whole drive."""
        if self._player.loop is None:
            self._player.set_loop(0, 2**62)
        else:
            self._player.clear_loop()
        self._show_loop()

    def _show_loop(self) -> None:
        self.timeline.set_loop(self._player.loop)
        self._actions["loop"].setChecked(self._player.loop is not None)

    # -- the picture --------------------------------------------------------------------------------------------------

    def set_mode(self, mode: CompareMode) -> None:
        """Choose how the models are put beside each other."""
        self._stage.set_mode(mode)

    def _on_picture(self) -> None:
        picture, drive = self._player.picture, self.drive
        if picture is None or drive is None:
            return
        main = self.cameras.of_main(picture)
        things = self._stage.show(main, drive)
        self.cameras.show_others(picture, drive)
        self.transport.show_title(self._stage.title(main, drive))
        self._spotlight.show_picture(main, things)

    def _on_cut(self, cut: Cut) -> None:
        decoder = self._session.decoder
        if decoder is not None:
            decoder.cut = cut
        self._tell_cut()

    def _tell_cut(self) -> None:
        """Let the engine scale what is in sight."""
        if self._bridge is not None:
            self._bridge.look_at(None if self._is_away else self.view.cut)

    def _toggle_plots(self) -> None:
        self.plots.setVisible(self.plots.isHidden())
        self._actions["plots"].setChecked(not self.plots.isHidden())
        self._layout.make_room()
        self.plots.renew()

    # -- memory and status --------------------------------------------------------------------------------------------

    def close_page(self) -> None:
        """Remember the layout and let go of the run."""
        self.remember()
        self.close_run()

    def remember(self) -> None:
        """Keep the layout for the next start."""
        self._keep_bookmarks()
        if self._memory is None:
            return
        self._layout.remember(self._memory)
        self._memory.put("replay/plots", "" if self.plots.isHidden() else "shown")

    def _keep_bookmarks(self) -> None:
        if self._memory is not None and self.drive is not None:
            text = " ".join(str(seq) for seq in self._player.bookmarks)
            self._memory.put(f"bookmarks/{self.drive.header.run_id}", text)

    def _kept_bookmarks(self) -> tuple[int, ...]:
        if self._memory is None or self.drive is None:
            return ()
        words = self._memory.text(f"bookmarks/{self.drive.header.run_id}").split()
        return tuple(int(word) for word in words if word.isdecimal())

    def _tell_status(self) -> None:
        drive = self.drive
        if drive is not None:
            self.status_changed.emit(status_of(drive, self._player.position, self._latency_ms))
