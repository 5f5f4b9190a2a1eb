"""What lies on the picture: layers, errors only, the way both models are put beside each other, the title."""

from __future__ import annotations

from PySide6.QtCore import QObject

from hilgui.gui.replay.command_actions import CommandActions
from hilgui.gui.replay.compare_mode import CompareMode, Layers
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.frame_view import FrameView
from hilgui.gui.replay.overlay import Layer, Thing, things_of
from hilgui.gui.replay.pictures import Origin, Picture
from hilgui.records import Role


class PictureStage(QObject):
    """Shows pictures on the view and keeps the buttons true to it."""

    def __init__(self, view: FrameView, actions: CommandActions, parent: QObject) -> None:
        super().__init__(parent)
        self._view = view
        self._actions = actions
        actions.show_layers(view.layers)
        self.set_mode(view.mode)

    def fit(self, drive: Drive) -> None:
        """Offer what this run has: a candidate to compare with, labels to be wrong about."""
        self._view.set_names({role: facts.name for role, facts in drive.header.models.items()})
        self._actions.fit(drive)
        if drive.header.truth is None and self._view.layers.errors_only:
            self.toggle_errors()
        if Role.CANDIDATE not in drive.header.models:
            self.set_mode(CompareMode.OVERLAY)

    def show(self, picture: Picture, drive: Drive) -> tuple[Thing, ...]:
        """Show a frame; returns what lies on it."""
        things = things_of(picture.moment, drive.header)
        self._view.show_frame(picture.image, things, self._problem(picture), picture.ready, picture.late)
        return things

    def title(self, picture: Picture, drive: Drive) -> str:
        """Say which frame this is and what is not known about it."""
        parts = [drive.header.source.name]
        if picture.moment is not None:
            if not drive.has_time:
                parts = [picture.moment.ref.key]
            parts.append(f"{picture.moment.ref.width}×{picture.moment.ref.height}")
            if drive.header.truth is not None and picture.moment.truth is None:
                parts.append(self.tr("no labels"))
        elif picture.origin is not Origin.LIVE:
            parts.append(self.tr("not evaluated"))
        if picture.origin is Origin.CLIP:
            parts.append(self.tr("from the clip"))
        return " · ".join(parts)

    def set_mode(self, mode: CompareMode) -> None:
        """Choose how the models are put beside each other."""
        if self._actions.allows(mode):
            self._view.set_mode(mode)
        self._actions.show_mode(self._view.mode)

    def next_mode(self) -> None:
        """Take the next way."""
        self.set_mode(self._view.mode.following)

    def toggle_layer(self, layer: Layer) -> None:
        """Show truth or a model, or not."""
        self._set_layers(self._view.layers.toggled(layer))

    def toggle_errors(self) -> None:
        """Show errors only, or everything."""
        layers = self._view.layers
        self._set_layers(Layers(layers.shown, not layers.errors_only))

    def _set_layers(self, layers: Layers) -> None:
        self._view.set_layers(layers)
        self._actions.show_layers(layers)

    def _problem(self, picture: Picture) -> str:
        if picture.image is not None or picture.late is not None:
            return ""
        return self.tr("No picture of frame {0}: {1}.").format(picture.seq, picture.problem.rstrip("."))
