"""The page's commands as Qt actions: keys, buttons, icons, and which of them make sense for a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from hilgui.gui.label import as_tip
from hilgui.gui.replay.account import score_text
from hilgui.gui.replay.commands import COMMANDS
from hilgui.gui.replay.compare_mode import CompareMode, Layers
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.legend import box_icon
from hilgui.gui.replay.overlay import Layer
from hilgui.gui.theme import Theme
from hilgui.records import Role

LAYER_COMMANDS = {"truth": Layer.TRUTH, "baseline": Layer.BASELINE, "candidate": Layer.CANDIDATE}
_MODE_ICONS = {
    CompareMode.OVERLAY: "layers",
    CompareMode.SIDE_BY_SIDE: "side_by_side",
    CompareMode.SWIPE: "swipe",
    CompareMode.DIFFERENCE: "difference",
}


class CommandActions(QObject):
    """Owns the actions; what they do is given by name in `doers`."""

    def __init__(
        self,
        page: QWidget,
        theme: Theme,
        doers: Mapping[str, Callable[[], object]],
        set_mode: Callable[[CompareMode], object],
    ) -> None:
        super().__init__(page)
        self._theme = theme
        self._is_playing = False
        self._actions: dict[str, QAction] = {}
        self._modes: dict[CompareMode, QAction] = {}
        for command in COMMANDS:
            action = QAction(command.translated, page)
            action.setShortcuts([QKeySequence(key) for key in command.keys])
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.setToolTip(f"{command.translated} ({'  '.join(command.keys)})")
            action.setCheckable(command.is_switch)
            action.triggered.connect(partial(_run, doers[command.name]))
            page.addAction(action)
            self._actions[command.name] = action
        for mode, text in (
            (CompareMode.OVERLAY, self.tr("Overlay")),
            (CompareMode.SIDE_BY_SIDE, self.tr("Side by side")),
            (CompareMode.SWIPE, self.tr("Swipe")),
            (CompareMode.DIFFERENCE, self.tr("Difference")),
        ):
            action = QAction(text, page)
            action.setToolTip(self.tr("{0} (V: next view)").format(text))
            action.setCheckable(True)
            action.triggered.connect(partial(_run, partial(set_mode, mode)))
            self._modes[mode] = action
        self._restyle()
        theme.changed.connect(self._restyle)

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    @property
    def modes(self) -> tuple[QAction, ...]:
        """Give the actions that choose how models are compared."""
        return tuple(self._modes.values())

    def allows(self, mode: CompareMode) -> bool:
        """Say whether a mode makes sense for the run."""
        return self._modes[mode].isEnabled()

    def show_mode(self, mode: CompareMode) -> None:
        """Mark the mode that is on."""
        for other, action in self._modes.items():
            action.setChecked(other is mode)

    def show_layers(self, layers: Layers) -> None:
        """Mark the layers that are on."""
        for name, layer in LAYER_COMMANDS.items():
            self._actions[name].setChecked(layer in layers.shown)
        self._actions["errors"].setChecked(layers.errors_only)

    def show_playing(self, is_playing: bool) -> None:
        """Show what the play button does now."""
        self._is_playing = is_playing
        self._actions["play"].setIcon(self._theme.icon("pause" if is_playing else "play"))

    def fit(self, drive: Drive) -> None:
        """Switch off what a run has not, and name the thresholds of its models."""
        has_candidate = Role.CANDIDATE in drive.header.models
        has_truth = drive.header.truth is not None
        self._actions["candidate"].setEnabled(has_candidate)
        for mode, action in self._modes.items():
            action.setEnabled(has_candidate or mode is CompareMode.OVERLAY)
        self._actions["truth"].setEnabled(has_truth)
        self._actions["errors"].setEnabled(has_truth)
        for role, facts in drive.header.models.items():
            word = self._actions[role.value].text().split(" ≥")[0]
            threshold = score_text(facts.threshold)
            self._actions[role.value].setText(f"{word} ≥{threshold}")
            whose = word if facts.name.lower() == role.value else f"{word}: {facts.name}"
            told = self.tr("{0}, detections from score {1} on ({2})").format(whose, threshold, role.value[0].upper())
            self._actions[role.value].setToolTip(as_tip(told))

    def _restyle(self) -> None:
        for command in COMMANDS:
            if command.icon:
                self._actions[command.name].setIcon(self._theme.icon(command.icon))
        for mode, icon in _MODE_ICONS.items():
            self._modes[mode].setIcon(self._theme.icon(icon))
        colour, plate = self._theme.colour, self._theme.colour("field")
        self._actions["truth"].setIcon(box_icon(colour("truth"), plate, dashes=(2, 1.5)))
        self._actions["baseline"].setIcon(box_icon(colour("baseline"), plate))
        self._actions["candidate"].setIcon(box_icon(colour("candidate"), plate, width=2.5))
        self._actions["errors"].setIcon(box_icon(colour("missed"), plate, width=2.0, dashes=(1.5, 1)))
        self.show_playing(self._is_playing)


def _run(doer: Callable[[], object], checked: bool = False) -> None:
    doer()
