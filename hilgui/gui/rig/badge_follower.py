"""Fills the badge of the status strip: the open rig's arming state and its STOP, on whatever page one is."""

from __future__ import annotations

import getpass

from PySide6.QtCore import QObject

from hilgui.gui.rig.link import RigLink
from hilgui.gui.rig_badge import RigBadge
from hilgui.rigs.arming import State

_TONES = {
    State.SAFE: "good",
    State.ARMING: "warning",
    State.ARMED: "warning",
    State.HOLD: "warning",
    State.STOPPING: "missed",
    State.LATCHED: "missed",
}


class BadgeFollower(QObject):
    """Lives as long as the window."""

    def __init__(self, badge: RigBadge, link: RigLink, operator: str, parent: QObject) -> None:
        super().__init__(parent)
        self._badge = badge
        self._link = link
        self._operator = operator or getpass.getuser()
        self._is_shown = False
        link.state_changed.connect(self._follow)

    def _follow(self) -> None:
        state = self._link.state
        if state is None:
            self._is_shown = False
            self._badge.hide_rig()
            return
        if not self._is_shown:
            self._is_shown = True
            self._badge.show_rig(lambda: self._link.stop(self._operator))
        self._badge.show_state(state.name, _TONES.get(state, ""))
