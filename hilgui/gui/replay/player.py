"""Where the replay stands: position, play and pause, speed, loop, bookmarks."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from hilgui.gui.replay.decoder import Decoder
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.pictures import Picture

SPEEDS: tuple[float | None, ...] = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, None)  # None: as fast as frames are decoded
_TICK_MS = 15
_HOLD_S = 0.25  # a frame that is late by more than this shifts the schedule instead of being chased
_AROUND_PLAYING = (32, 0)  # frames decoded after and before the position
_AROUND_RESTING = (8, 40)


class Player(QObject):
    """Moves through the rows of a drive and shows the frame of each as soon as it is decoded.

    Lives on the GUI thread; decoding happens on the decoder's thread and is looked at by a timer, which runs only
    while something is awaited. Signals are emitted from that timer, at display rate at most.
    """

    position_changed = Signal(int)
    picture_changed = Signal()
    playing_changed = Signal(bool)
    speed_changed = Signal()
    loop_changed = Signal()
    bookmarks_changed = Signal()

    def __init__(self, parent: QObject | None = None, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._now = now
        self._drive: Drive | None = None
        self._decoder: Decoder | None = None
        self._position = 0
        self._picture: Picture | None = None
        self._is_stale = False  # what is on show is not what it would be now
        self._is_playing = False
        self._speed: float | None = 1.0
        self._anchor = (0.0, 0.0)  # clock and recording time that belong together
        self._loop: tuple[int, int] | None = None
        self._bookmarks: list[int] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.tick)

    def load(self, drive: Drive | None, decoder: Decoder | None) -> None:
        """Take another drive, at its beginning; None empties the player. The caller closes the decoder."""
        self._timer.stop()
        self._set_playing(False)
        self._drive, self._decoder = drive, decoder
        self._position, self._picture, self._is_stale = 0, None, False
        self._loop, self._bookmarks = None, []
        self.loop_changed.emit()
        self.bookmarks_changed.emit()
        self.picture_changed.emit()

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """Give the row that is asked for."""
        return self._position

    @property
    def picture(self) -> Picture | None:
        """Give the frame on show; it follows the position as soon as it is decoded."""
        return self._picture

    @property
    def is_playing(self) -> bool:
        """Say whether time runs."""
        return self._is_playing

    @property
    def is_waiting(self) -> bool:
        """Say whether the frame at the position is still being decoded."""
        drive = self._drive
        if drive is None or not len(drive):
            return False
        return self._is_stale or self._picture is None or self._picture.seq != drive.seq_at(self._position)

    @property
    def speed(self) -> float | None:
        """Give the factor, None for as fast as possible."""
        return self._speed

    @property
    def loop(self) -> tuple[int, int] | None:
        """Give the first and last row of the range that repeats."""
        return self._loop

    @property
    def bookmarks(self) -> tuple[int, ...]:
        """Give the frame numbers that the operator marked, in order."""
        return tuple(self._bookmarks)

    # -- moving -------------------------------------------------------------------------------------------------------

    def go_to(self, row: int) -> None:
        """Go to a row, frame-exactly; play goes on from there."""
        drive = self._drive
        if drive is None or not len(drive):
            return
        self._move(min(max(row, 0), len(drive) - 1))
        self._set_anchor()

    def go_to_seq(self, seq: int) -> None:
        """Go to a frame number."""
        if self._drive is not None:
            self.go_to(self._drive.row_of(seq))

    def step(self, frames: int) -> None:
        """Pause and go some frames on, or back."""
        self.pause()
        self.go_to(self._position + frames)

    def skip_s(self, seconds: float) -> None:
        """Go some seconds on, or back."""
        drive = self._drive
        if drive is not None and len(drive):
            self.go_to(drive.row_at_time(drive.time_at(self._position) + seconds))

    def tick(self) -> None:
        """Advance to what is due and take the frame if it is ready; called by the timer."""
        drive = self._drive
        if drive is None or not len(drive):
            self._timer.stop()
            return
        if self._is_playing:
            if self.is_waiting and not self._take():
                self._hold()
                return
            self._advance(drive)
        self._take()
        if not self._is_playing and not self.is_waiting:
            self._timer.stop()

    def renew(self) -> None:
        """Take the frame at the position anew: frames look different from now on."""
        self._is_stale = self._picture is not None
        self._ask()

    def grew(self) -> None:
        """Learn that the drive has more rows; a player that waits for its first frame starts with it."""
        if self._picture is None and self._drive is not None and len(self._drive):
            self._ask()

    def show_live(self, picture: Picture) -> None:
        """Show the newest frame of a run that is under way, and stand where it is stored."""
        drive = self._drive
        if drive is None:
            return
        self._timer.stop()
        self._set_playing(False)
        self._picture, self._is_stale = picture, False
        row = drive.row_of(picture.seq) if len(drive) else 0
        if row != self._position:
            self._position = row
            self.position_changed.emit(row)
        self.picture_changed.emit()

    # -- playing ------------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Let time run; from the end, start again."""
        drive = self._drive
        if drive is None or not len(drive):
            return
        first, last = self._range(drive)
        if self._position >= last or self._position < first:
            self._move(first)
        self._set_playing(True)
        self._set_anchor()
        self._ask()

    def pause(self) -> None:
        """Stay at the frame on show."""
        if self._is_playing:
            self._set_playing(False)
            self._ask()

    def toggle(self) -> None:
        """Play or pause."""
        if self._is_playing:
            self.pause()
        else:
            self.play()

    def set_speed(self, speed: float | None) -> None:
        """Choose one of SPEEDS."""
        if speed not in SPEEDS:
            raise ValueError(f"speed {speed} is not one of {SPEEDS}")
        self._speed = speed
        self._set_anchor()
        self.speed_changed.emit()

    def faster(self) -> None:
        """Take the next speed up."""
        self.set_speed(SPEEDS[min(SPEEDS.index(self._speed) + 1, len(SPEEDS) - 1)])

    def slower(self) -> None:
        """Take the next speed down."""
        self.set_speed(SPEEDS[max(SPEEDS.index(self._speed) - 1, 0)])

    # -- loop and bookmarks -------------------------------------------------------------------------------------------

    def set_loop(self, first: int, last: int) -> None:
        """Repeat the rows from `first` to `last`."""
        drive = self._drive
        if drive is None or not len(drive):
            return
        end = len(drive) - 1
        first, last = sorted((min(max(first, 0), end), min(max(last, 0), end)))
        self._loop = (first, last)
        self.loop_changed.emit()

    def loop_from_here(self) -> None:
        """Begin the loop at the position."""
        end = self._loop[1] if self._loop and self._loop[1] > self._position else 2**62
        self.set_loop(self._position, end)

    def loop_to_here(self) -> None:
        """End the loop at the position."""
        start = self._loop[0] if self._loop and self._loop[0] < self._position else 0
        self.set_loop(start, self._position)

    def clear_loop(self) -> None:
        """Play the whole drive again."""
        if self._loop is not None:
            self._loop = None
            self.loop_changed.emit()

    def set_bookmarks(self, seqs: tuple[int, ...]) -> None:
        """Take the bookmarks of this drive, as they were kept."""
        self._bookmarks = sorted(set(seqs))
        self.bookmarks_changed.emit()

    def toggle_bookmark(self) -> None:
        """Mark the frame at the position, or take the mark away."""
        drive = self._drive
        if drive is None or not len(drive):
            return
        seq = drive.seq_at(self._position)
        if seq in self._bookmarks:
            self._bookmarks.remove(seq)
        else:
            insort(self._bookmarks, seq)
        self.bookmarks_changed.emit()

    def go_to_bookmark(self, direction: int) -> bool:
        """Go to the next (1) or previous (-1) bookmark, around the end; say whether there is one."""
        drive = self._drive
        if drive is None or not len(drive) or not self._bookmarks:
            return False
        seq = drive.seq_at(self._position)
        if direction > 0:
            index = bisect_right(self._bookmarks, seq) % len(self._bookmarks)
        else:
            index = bisect_left(self._bookmarks, seq) - 1
        self.go_to_seq(self._bookmarks[index])
        return True

    # -- inside -------------------------------------------------------------------------------------------------------

    def _range(self, drive: Drive) -> tuple[int, int]:
        return self._loop if self._loop is not None else (0, len(drive) - 1)

    def _advance(self, drive: Drive) -> None:
        first, last = self._range(drive)
        if self._position >= last or self._position < first:
            if self._loop is None:
                self.pause()
                return
            self._move(first)
            self._set_anchor()
            return
        if self._speed is None:
            self._move(self._furthest_ready(drive, last))
            return
        clock, recorded = self._anchor
        due = recorded + (self._now() - clock) * self._speed
        self._move(min(max(drive.row_at_time(due), self._position), last))

    def _furthest_ready(self, drive: Drive, last: int) -> int:
        assert self._decoder is not None
        row = self._position
        while row < last and self._decoder.ready(drive.seq_at(row + 1)) is not None:
            row += 1
        return min(max(row, self._position + 1), last)

    def _hold(self) -> None:
        """Let the clock stand while a frame is late, so that slow decoding plays slowly instead of jumping."""
        drive = self._drive
        if drive is None or self._speed is None:
            return
        clock, recorded = self._anchor
        behind_s = recorded + (self._now() - clock) * self._speed - drive.time_at(self._position)
        if behind_s > _HOLD_S * self._speed:
            self._set_anchor()

    def _move(self, row: int) -> None:
        if row != self._position:
            self._position = row
            self.position_changed.emit(row)
        self._ask()

    def _ask(self) -> None:
        drive, decoder = self._drive, self._decoder
        if drive is None or decoder is None or not len(drive):
            return
        ahead, behind = _AROUND_PLAYING if self._is_playing else _AROUND_RESTING
        decoder.want(drive.seq_at(self._position), end=drive.next_seq, ahead=ahead, behind=behind)
        self._take()
        if self.is_waiting or self._is_playing:
            if not self._timer.isActive():
                self._timer.start()
        else:
            self._timer.stop()

    def _take(self) -> bool:
        drive, decoder = self._drive, self._decoder
        if drive is None or decoder is None or not self.is_waiting:
            return True
        picture = decoder.ready(drive.seq_at(self._position))
        if picture is None:
            return False
        self._picture, self._is_stale = picture, False
        self.picture_changed.emit()
        return True

    def _set_anchor(self) -> None:
        if self._drive is not None and len(self._drive):
            self._anchor = (self._now(), self._drive.time_at(self._position))

    def _set_playing(self, is_playing: bool) -> None:
        if is_playing != self._is_playing:
            self._is_playing = is_playing
            self.playing_changed.emit(is_playing)
