"""Fills the badge of the status strip: the open rig's arming state and its STOP, on whatever page one is."""

from __future__ import annotations

import getpass

from PySide6.QtCore import QObject

from hilgui.gui.cases.desk import CaseDesk
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
    """Lives as long as the window. A test case that runs a rig has it before the rig of the Rig page."""

    def __init__(self, badge: RigBadge, link: RigLink, cases: CaseDesk, operator: str, parent: QObject) -> None:
        super().__init__(parent)
        self._badge = badge
        self._link = link
        self._cases = cases
        self._operator = operator or getpass.getuser()
        self._is_shown = False
        link.state_changed.connect(self._follow)
        cases.rig_changed.connect(self._follow)

    def _follow(self) -> None:
        state = self._cases.rig or self._link.state
        if state is None:
            self._is_shown = False
            self._badge.hide_rig()
            return
        if not self._is_shown:
            self._is_shown = True
            self._badge.show_rig(self._stop)
        self._badge.show_state(state.name, _TONES.get(state, ""))

    def _stop(self) -> None:
        """Stop both: nobody has to think about which rig it is."""
        if self._cases.is_busy:
            self._cases.cancel(f"STOP by {self._operator}")
        self._link.stop(self._operator)
