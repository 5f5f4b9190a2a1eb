"""Play, step, speed, position and loop, in one strip between the picture and the timeline."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLineEdit, QSizePolicy, QToolButton, QWidget

from hilgui.gui.label import Label, as_tip
from hilgui.gui.replay.drive import Drive, parse_clock
from hilgui.gui.replay.player import SPEEDS, Player
from hilgui.gui.theme import GAP, GAP_S, mark


class Transport(QFrame):
    """Shows where the player stands and sends it on; buttons are the page's actions."""

    sought = Signal(int)  # row
    left = Signal()  # the keyboard is wanted elsewhere

    def __init__(self, player: Player, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player = player
        self._drive: Drive | None = None
        self._time = QLineEdit(self)
        self._duration = Label(self)
        self._frame = QLineEdit(self)
        self._frames = Label(self)
        self._speed = QComboBox(self)
        self._title = Label(self)
        self._row = QHBoxLayout(self)
        self._build()
        player.position_changed.connect(self._show_position)
        player.speed_changed.connect(self._show_speed)

    def add_actions(self, names: tuple[QAction | None, ...], *, at_end: bool = False) -> None:
        """Put buttons into the strip, None makes a gap; at the end, or before the position."""
        place = self._row.count() if at_end else self._row.indexOf(self._time)
        for action in names:
            if action is None:
                self._row.insertSpacing(place, GAP)
            else:
                button = QToolButton(self)
                button.setDefaultAction(action)
                button.setAccessibleName(action.text())
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                self._row.insertWidget(place, button)
            place += 1

    def set_drive(self, drive: Drive | None) -> None:
        """Take another drive."""
        self._drive = drive
        self.setEnabled(drive is not None)
        self.grew()

    def grew(self) -> None:
        """Learn that the drive has more frames."""
        drive = self._drive
        if drive is None or not len(drive):
            for field in (self._time, self._frame):
                field.clear()
            self._duration.setText("")
            self._frames.setText("")
            return
        last = len(drive) - 1
        self._time.setVisible(drive.has_time)
        self._duration.setVisible(drive.has_time)
        self._duration.setText(f"/ {drive.place(last)}")
        self._frames.setText(f"/ {drive.seq_at(last)}")
        self._show_position(self._player.position)

    def show_title(self, title: str) -> None:
        """Tell what is on show; cut where there is no room."""
        if title == self._title.text():
            return
        self._title.setText(title)
        self._title.setToolTip(as_tip(title))

    def edit_position(self) -> None:
        """Put the keyboard into the position."""
        field = self._time if self._time.isVisible() else self._frame
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        field.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave a field with Escape, as it was."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self._leave()
            return True
        return super().eventFilter(watched, event)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        mark(self, surface="panel")
        self.setAccessibleName(self.tr("Transport"))
        for field, name, width in (
            (self._time, self.tr("Time; type another to go there"), 88),
            (self._frame, self.tr("Frame; type another to go there"), 66),
        ):
            field.setAccessibleName(name)
            field.setToolTip(name)
            field.setFixedWidth(width)
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            field.installEventFilter(self)
        for label in (self._duration, self._frames):
            mark(label, tone="soft")
        self._time.returnPressed.connect(self._seek_time)
        self._frame.returnPressed.connect(self._seek_frame)
        self._speed.setAccessibleName(self.tr("Speed"))
        self._speed.setToolTip(self.tr("Speed: [ slower, ] faster"))
        for speed in SPEEDS:
            self._speed.addItem(self.tr("max") if speed is None else f"{speed:g}×", speed)
        self._show_speed()
        self._speed.activated.connect(lambda index: self._player.set_speed(SPEEDS[index]))
        self._row.setContentsMargins(6, 3, 6, 3)
        self._row.setSpacing(GAP_S)
        for widget in (self._time, self._duration, self._frame, self._frames, self._speed):
            self._row.addWidget(widget)
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        mark(self._title, tone="soft")
        self._row.addSpacing(GAP)
        self._row.addWidget(self._title, 1)

    def _show_position(self, row: int) -> None:
        drive = self._drive
        if drive is None or not len(drive):
            return
        if not self._time.hasFocus():
            self._time.setText(drive.place(row))
        if not self._frame.hasFocus():
            self._frame.setText(str(drive.seq_at(row)))

    def _show_speed(self) -> None:
        self._speed.setCurrentIndex(SPEEDS.index(self._player.speed))

    def _seek_time(self) -> None:
        time_s = parse_clock(self._time.text())
        if self._drive is not None and time_s is not None:
            self.sought.emit(self._drive.row_at_time(time_s))
        self._leave()

    def _seek_frame(self) -> None:
        text = self._frame.text().strip().lstrip("#")
        if self._drive is not None and text.isdecimal():
            self.sought.emit(self._drive.row_of(int(text)))
        self._leave()

    def _leave(self) -> None:
        self.left.emit()
        self._show_position(self._player.position)
