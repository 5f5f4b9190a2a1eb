"""Frames corrupted on the Replay page: the models of the run are asked again, and the whole drive can be run so."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from hilgui.corruptions import Recipe, parse_recipe
from hilgui.errors import HilguiError
from hilgui.gui.bridge import Bridge
from hilgui.gui.replay.cameras import CameraStage
from hilgui.gui.replay.corruption_bar import CorruptionBar
from hilgui.gui.replay.decoder import Decoder
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.pictures import Origin
from hilgui.gui.replay.player import Player
from hilgui.gui.replay.session import RunSession
from hilgui.gui.replay.what_if import WhatIf
from hilgui.gui.run_request import NO_TRUTH
from hilgui.settings import Settings

_LOOK_MS = 200  # how often the decoder's thread is asked whether a model did not load


class Corrupting(QObject):
    """Connects the strip with the decoder; GUI thread only. What was stored of the run is never touched."""

    message = Signal(str, str)  # tone, sentence

    def __init__(
        self, session: RunSession, player: Player, cameras: CameraStage, action: QAction, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.bar = CorruptionBar(parent)
        self._session = session
        self._player = player
        self._cameras = cameras
        self._action = action
        self._bridge: Bridge | None = None
        self._settings: Settings | None = None
        self._drive: Drive | None = None
        self._decoder: Decoder | None = None
        self._what_if: WhatIf | None = None
        self._looks = QTimer(self)
        self._looks.setInterval(_LOOK_MS)
        self._looks.timeout.connect(self._say_problem)
        self.bar.changed.connect(self._change)
        self.bar.run_asked.connect(self.run_so)
        player.picture_changed.connect(self._mark)

    @property
    def recipe(self) -> Recipe:
        """Give what is done to the frames on show."""
        return Recipe(()) if self._what_if is None else self._what_if.recipe

    def use(self, settings: Settings) -> None:
        """Take the settings of the bench, with which a drive is run."""
        self._settings = settings
        self._allow()

    def follow(self, bridge: Bridge) -> None:
        """Take the bridge to the engine that runs a drive; while it is busy, no other run begins."""
        self._bridge = bridge
        for signal in (bridge.run_asked, bridge.run_finished, bridge.run_failed):
            signal.connect(self._allow)  # a bound method ends with this object, the bridge does not
        self._allow()

    def toggle(self) -> None:
        """Show the strip, or take it away with what it did."""
        self.bar.toggle()
        self._action.setChecked(not self.bar.isHidden())

    def set_run(self, drive: Drive | None, decoder: Decoder | None) -> None:
        """Take another run; its decoder ends the models that were loaded for it."""
        self._drive, self._decoder, self._what_if = drive, decoder, None
        self._looks.stop()
        self.bar.say("")
        self._mark()
        self._allow()
        if drive is not None and self.bar.recipe.parts:
            self._change(self.bar.recipe)

    def run_so(self, recipe: Recipe) -> None:
        """Replay the whole drive corrupted, as a run of its own whose header says how."""
        if self._bridge is None or self._settings is None or self._drive is None or not recipe.parts:
            return
        from hilgui.pipeline.again import plan_again

        header = self._drive.header
        scratch = self._settings.home / "class-maps" / header.run_id
        try:
            scratch.mkdir(parents=True, exist_ok=True)
            plan = plan_again(header, scratch, self._settings)
        except (HilguiError, OSError) as failure:
            self.message.emit("error", str(failure))
            return
        corrupt = (*plan.corrupt, *recipe.texts)
        words = ["hilgui", "replay", header.source.path, "--baseline", str(plan.baseline)]
        words += ["--candidate", str(plan.candidate)] if plan.candidate is not None else []
        words += ["--truth", NO_TRUTH if plan.truth is None else str(plan.truth)]
        for option, value in (
            ("--provider", "" if plan.provider == "auto" else plan.provider),
            ("--classes", ",".join(plan.classes)),
            ("--topic", plan.topic or ""),
            ("--fps", "" if plan.fps is None else f"{plan.fps:g}"),
            ("--depth", "" if plan.corrupt_depth is None else str(plan.corrupt_depth)),
        ):
            words += [option, value] if value else []
        for path, offset_s in zip(plan.beside, plan.offsets_s, strict=False):
            words += ["--beside", f"{path}@{offset_s:g}"]
        words += ["--corrupt", "+".join(corrupt), "--corrupt-seed", str(recipe.seed)]
        self.toggle()  # the run is corrupted itself; its frames are shown as they came
        self._bridge.run(
            replace(plan, out=self._settings.runs, corrupt=corrupt, corrupt_seed=recipe.seed, command=tuple(words))
        )

    def _change(self, recipe: Recipe) -> None:
        decoder, drive = self._decoder, self._drive
        if decoder is None or drive is None:
            return
        if self._what_if is None:
            if not recipe.parts:
                return
            self._what_if = WhatIf(drive.header)
        what_if = self._what_if
        what_if.recipe = recipe
        if recipe.parts:
            decoder.change(what_if, what_if.close)
            self._looks.start()
        else:
            decoder.change(None, what_if.close)
            self._looks.stop()
        self._player.renew()

    def _mark(self) -> None:
        """Say on the picture what was done to it: by the run itself, and here where there are pixels of a recording."""
        picture, parts = self._player.picture, []
        if self._drive is not None and self._drive.header.source.corrupt:
            source = self._drive.header.source
            parts.append(parse_recipe(source.corrupt, source.corrupt_seed).words)
        if self.recipe.parts and picture is not None and picture.origin in (Origin.RECORDING, Origin.CLIP):
            parts.append(self.recipe.words)
        for view in self._cameras.views:
            view.set_mark(" · ".join(parts))

    def _say_problem(self) -> None:
        if self._what_if is not None:
            self.bar.say(self._what_if.problem)

    def _allow(self) -> None:
        is_free = self._bridge is not None and not self._bridge.is_busy and self._settings is not None
        is_recording = self._drive is not None and not self._drive.header.source.live
        self.bar.allow_run(is_free and is_recording)
