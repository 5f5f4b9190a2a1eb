"""The arming state of the rig and STOP (software): in sight on every page, hidden while there is no rig."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QWindow
from PySide6.QtWidgets import QApplication, QFrame, QGridLayout, QHBoxLayout, QPushButton, QWidget
from shiboken6 import isValid

from hilgui.gui.button_row import ROW
from hilgui.gui.label import Label
from hilgui.gui.theme import GAP, GAP_S, mark

STOP_KEY = Qt.Key.Key_F12


class RigBadge(QFrame):
    """A place that whoever knows the rig fills: `show_rig` when one comes, `show_state` when its state changes."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.state = Label(self)
        self.stop = QPushButton(self.tr("STOP (software)"), self)
        self.stop.setToolTip(
            self.tr("Stop the rig (F12, in every window). The hard-wired emergency stop stays outside the software.")
        )
        self.stop.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        mark(self.stop, kind="stop")
        self.stop.clicked.connect(self._stop_rig)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, GAP, 0)
        layout.setSpacing(GAP + GAP_S)
        layout.addWidget(self.state)
        layout.addWidget(self.stop)
        self._stop_doer: Callable[[], object] | None = None
        self._everywhere = _StopEverywhere(self._stop_rig, self)
        self.hide()

    def show_rig(self, stop: Callable[[], object]) -> None:
        """Show the badge of a rig; `stop` is called by the button and the key, and must return at once."""
        self._stop_doer = stop
        self._everywhere.listen(True)
        self.show()

    def show_state(self, state: str, tone: str = "") -> None:
        """Name the arming state: SAFE, ARMED, HOLD, STOPPING, LATCHED; the tone is one of a QLabel's."""
        self.state.setText(state)
        self.state.setAccessibleName(self.tr("Arming state: {0}").format(state))
        mark(self.state, tone=tone)

    def hide_rig(self) -> None:
        """Hide the badge; the key does nothing any more."""
        self._stop_doer = None
        self._everywhere.listen(False)
        self.hide()

    def button_for(self, dialog: QWidget) -> QPushButton:
        """Make another STOP for a dialog that keeps the mouse away from the window."""
        button = QPushButton(self.stop.text(), dialog)
        button.setToolTip(self.stop.toolTip())
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setAutoDefault(False)  # Enter belongs to what the dialog asks
        mark(button, kind="stop")
        button.clicked.connect(self._stop_rig)
        return button

    def _stop_rig(self, _is_checked: bool = False) -> None:
        if self._stop_doer is not None:
            self._stop_doer()


class _StopEverywhere(QObject):
    """The key in whichever window has the focus, and a STOP in every modal dialog, while there is a rig.

    A shortcut of Qt would be deaf behind a modal dialog, and Qt gives the window behind it no click.
    """

    def __init__(self, doer: Callable[[], object], badge: RigBadge) -> None:
        super().__init__(badge)
        self._doer = doer
        self._badge = badge
        self._window: QWindow | None = None
        self._buttons: dict[QWidget, QPushButton] = {}
        self._is_listening = False

    def listen(self, is_listening: bool) -> None:
        """Begin or end; a dialog that is open already is seen too."""
        if is_listening == self._is_listening:
            return
        self._is_listening = is_listening
        # A file dialog of the desktop would have no STOP and would keep the key to itself.
        QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, is_listening)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        if is_listening:
            application.focusWindowChanged.connect(self._follow)
            self._follow(QGuiApplication.focusWindow())
            return
        application.focusWindowChanged.disconnect(self._follow)
        self._hear(None)
        for button in self._buttons.values():
            if isValid(button):
                button.deleteLater()
        self._buttons.clear()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the key before anybody else does."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent) or event.key() != STOP_KEY:
            return False
        if not event.isAutoRepeat():
            self._doer()
        return True

    def _follow(self, window: QWindow | None) -> None:
        self._hear(window)
        self._buttons = {each: button for each, button in self._buttons.items() if isValid(each) and isValid(button)}
        dialog = QApplication.activeModalWidget()
        if dialog is not None and dialog not in self._buttons:
            self._put_button(dialog)

    def _hear(self, window: QWindow | None) -> None:
        if self._window is not None and isValid(self._window):
            self._window.removeEventFilter(self)
        self._window = window
        if window is not None:
            window.installEventFilter(self)

    def _put_button(self, dialog: QWidget) -> None:
        layout = dialog.layout()
        if layout is None:
            return
        self._buttons[dialog] = button = self._badge.button_for(dialog)
        row = dialog.findChild(QHBoxLayout, ROW)
        if row is not None:
            row.insertWidget(0, button)
        elif isinstance(layout, QGridLayout):  # those of Qt: message boxes, file dialogs
            layout.addWidget(button, layout.rowCount(), 0, 1, -1, Qt.AlignmentFlag.AlignLeft)
        else:
            layout.addWidget(button)
            layout.setAlignment(button, Qt.AlignmentFlag.AlignLeft)
        dialog.resize(dialog.size().expandedTo(dialog.sizeHint()))  # it takes its room from nobody
