"""The finding that was chosen and the object that is looked at: marked on the picture, told by the inspector."""

from __future__ import annotations

from PySide6.QtCore import QObject

from hilgui.gui.replay.account import account_of, thing_of_finding
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.frame_view import FrameView
from hilgui.gui.replay.inspector import Inspector
from hilgui.gui.replay.overlay import Thing
from hilgui.gui.replay.pictures import Picture
from hilgui.records import Finding


class Spotlight(QObject):
    """Brings picture and inspector together. A finding's object is marked once its frame is on the screen."""

    def __init__(self, view: FrameView, inspector: Inspector, parent: QObject) -> None:
        super().__init__(parent)
        self._view = view
        self._inspector = inspector
        self._drive: Drive | None = None
        self._picture: Picture | None = None
        self._things: tuple[Thing, ...] = ()
        self._finding: Finding | None = None
        self._wants_object = False
        view.hovered.connect(self._on_hovered)
        view.selected.connect(self._look_at)

    @property
    def finding(self) -> Finding | None:
        """Give the finding that was chosen."""
        return self._finding

    def set_drive(self, drive: Drive | None) -> None:
        """Take another run, or none: nothing is chosen."""
        self._drive, self._picture, self._things = drive, None, ()
        self._finding, self._wants_object = None, False
        self._inspector.show_finding(None, None)
        self._inspector.show_object(None, None)

    def show_picture(self, picture: Picture, things: tuple[Thing, ...]) -> None:
        """Learn which frame is on the screen."""
        self._picture, self._things = picture, things
        if self._wants_object:
            self._mark()
        else:
            self._look_at(self._view.pointed or self._view.selection)

    def choose(self, finding: Finding, *, is_there: bool) -> None:
        """Say why a finding was flagged and mark its object: at once when its frame `is_there`, else when it comes."""
        self._finding, self._wants_object = finding, True
        self._inspector.show_finding(finding, self._drive)
        if is_there:
            self._mark()

    def go_to_object(self, direction: int) -> None:
        """Mark the next (1) or previous (-1) object on the picture, from left to right and around."""
        things = self._view.visible_things
        if not things:
            return
        current = self._view.selection
        place = next((i for i, thing in enumerate(things) if current is not None and thing.key == current.key), None)
        index = (0 if direction > 0 else -1) if place is None else (place + direction) % len(things)
        self._view.select(things[index])
        self._look_at(things[index])

    def look_away(self) -> None:
        """Mark nothing."""
        self._view.select(None)
        self._look_at(None)

    def _mark(self) -> None:
        finding, picture = self._finding, self._picture
        self._wants_object = False
        if finding is None or picture is None or not finding.objects:
            self._view.select(None)
            self._look_at(None)
            return
        found = finding.objects[0]
        thing = thing_of_finding(self._things, found.box, finding.role)
        self._view.select(thing)
        if thing is None and picture.seq == finding.worst_seq:
            self._view.show_ghost(found.box, f"{finding.kind.value} · {found.label}")
        self._look_at(thing)

    def _on_hovered(self, thing: Thing | None) -> None:
        self._look_at(thing if thing is not None else self._view.selection)

    def _look_at(self, thing: Thing | None) -> None:
        picture, drive = self._picture, self._drive
        if thing is None or picture is None or picture.moment is None or drive is None:
            self._inspector.show_object(None, None)
            return
        self._inspector.show_object(thing, account_of(thing, picture.moment, drive.header))
