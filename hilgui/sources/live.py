"""A live camera as a source: fresh frames, every loss noticed and counted, reconnected with patience."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import numpy as np

from hilgui.errors import HilguiError, PluginBroken, SourceBroken
from hilgui.numerals import number_of
from hilgui.records import Fate, Frame, FrameRef, Loss, SourceFacts
from hilgui.sources.camera import Camera, CameraFacts, Shot, Shown, Wish, make_camera, read_address, without_password
from hilgui.sources.stamps import Stamps
from hilgui.stream import Channel, Closed, Overflow, StopToken

log = logging.getLogger(__name__)

AWAY = "went missing while the camera was away"
UNSEEN = "of the drive could not be seen whole"
MISSING = "never came from the camera"
OVERRUN = "had to be dropped, as hilgui was too slow"

_SLOTS = 4  # pictures between driver and capture; more would be stale


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """How patient a live source is."""

    silence_s: float = 0.25  # a camera that is silent for this long, and for three periods, is lost
    remote_silence_s: float = 1.0  # the same for network streams
    open_s: float = 15.0  # to give the first picture
    patience_s: float = 30.0  # a camera that stays away for longer ends the run
    first_retry_s: float = 0.25  # doubled after every attempt
    longest_retry_s: float = 2.0


class LiveSource:
    """Watches over one camera. Its driver lives on a thread of its own from `open` to `close`, always emptied.

    `frames` runs on the capture thread; what was taken before it is stale and thrown away. A frame that did not come,
    came too late to be taken or cannot be used is a Loss; a camera that stays away longer than the limits allow
    raises SourceBroken.
    """

    suffixes: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        camera: Camera,
        address: str,
        wish: Wish | None = None,
        *,
        duration_s: float | None = None,
        limits: LiveLimits | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._camera = camera
        self._address = without_password(address)
        self._wish = wish or Wish()
        self._duration_s = duration_s
        self._limits = limits or LiveLimits()
        self._now_ns = now_ns
        self._shots: Channel[tuple[int, int, Shot]] = Channel(_SLOTS, Overflow.DROP_OLDEST)
        self._ready: Channel[CameraFacts | HilguiError] = Channel(1)
        self._ending = StopToken()
        self._renew = threading.Event()  # asks the driver's thread for a new connection
        self._is_flowing = False  # the connection has given a picture
        self._driver: threading.Thread | None = None
        self._facts: CameraFacts | None = None
        self._trouble = ""  # what the driver said last
        self._failure: HilguiError | None = None
        self._has_arrived = False  # the first picture, ever
        self._attempts = 0
        self._counts: Counter[str] = Counter()

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """No path is a camera; `live_source` makes them from addresses."""
        return False

    def open(self) -> SourceFacts:
        """Start the driver and wait for its facts; raises SourceBroken."""
        self._driver = threading.Thread(target=self._drive, name=f"camera:{self._address}")
        self._driver.start()
        try:
            told = self._ready.take(self._limits.open_s)
        except TimeoutError:
            self.close()
            raise SourceBroken(
                f"camera {self._address} gave no picture within {self._limits.open_s:g} s; is it in use elsewhere?"
            ) from None
        if isinstance(told, HilguiError):
            self.close()
            raise told
        self._facts = told
        return SourceFacts(
            name=told.name,
            kind=told.kind,
            path=f"camera:{self._address}",
            sha256=f"live:{secrets.token_hex(16)}",  # no two sessions are the same drive
            width=told.width,
            height=told.height,
            fps=told.fps,
            frames=None,
            ordered=True,
            live=True,
            notes=told.notes,
        )

    def refs(self) -> list[FrameRef]:
        """Give nothing: what a camera will see is not known."""
        return []

    def frame_at(self, seq: int) -> Frame:
        """Refuse: a camera cannot be wound back."""
        raise SourceBroken(f"camera {self._address} cannot be wound back to frame {seq}; record the session")

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        """Deliver until stopped, until the duration is over, or until the camera says that it has ended."""
        assert self._facts is not None
        stop.on_stop(self._shots.close)
        self._shots.take_more(_SLOTS)
        watch = _Watch(self._facts, self._limits, self._now_ns())
        for item in self._watched(watch):
            if stop.is_set or (self._duration_s is not None and item.ref.time_s >= self._duration_s):
                return
            yield item

    def account(self) -> tuple[str, ...]:
        """Say in sentences what happened to the camera."""
        tell = getattr(self._camera, "account", None)  # a driver may have something to say, and need not
        told: tuple[str, ...] = () if tell is None else tell()
        lost, again = self._counts["lost"], self._counts["again"]
        if not lost and not again:
            return told
        return (
            f"camera {self._address} was lost {number_of(lost, 'time')} and connected again {number_of(again, 'time')}",
            *told,
        )

    def close(self) -> None:
        """Let go of the camera and wait for its thread; may be called twice."""
        self._ending.stop("closed")
        self._shots.abort()
        if self._driver is not None:
            self._driver.join()
            self._driver = None

    def _watched(self, watch: _Watch) -> Iterator[Frame | Loss]:
        while True:
            try:
                connection, index, shot = self._shots.take(self._wait_s(watch))
            except Closed:
                if self._failure is not None:
                    raise self._failure from None
                return
            except TimeoutError:
                now = self._now_ns()
                if watch.is_late(now):
                    self._counts["lost"] += 1
                    log.warning("camera %s is lost: %s", self._address, self._trouble or "it gives no pictures")
                if self._is_flowing and watch.away_s(now) > 3 * watch.silence_s:
                    self._renew.set()
                yield from watch.losses(now)
                if watch.away_s(now) > self._limits.patience_s:
                    raise SourceBroken(self._gone()) from None
                if self._duration_s is not None and watch.time_s(now) >= self._duration_s:
                    return
                continue
            if watch.is_lost:
                log.warning("camera %s is back after %.1f s", self._address, max(watch.away_s(shot.arrival_ns), 0))
            yield from watch.take(connection, index, shot)

    def _wait_s(self, watch: _Watch) -> float:
        now = self._now_ns()
        wait_s = watch.silence_s if watch.is_lost else watch.silence_s - watch.away_s(now)
        if self._duration_s is not None:
            wait_s = min(wait_s, self._duration_s - watch.time_s(now))
        return max(wait_s, 0.001)

    def _gone(self) -> str:
        why = f": {self._trouble}" if self._trouble else ""
        return (
            f"camera {self._address} stayed away for {self._limits.patience_s:g} s, "
            f"{number_of(self._attempts, 'attempt')} to connect again failed{why}; is it plugged in and powered?"
        )

    # The driver's thread.

    def _drive(self) -> None:
        try:
            self._drain_until_closed()
        except HilguiError as failure:
            self._fail(failure)
        except Exception as failure:  # a plug-in call: a stranger's code may raise anything
            log.error("the driver of camera %s failed", self._address, exc_info=True)
            self._fail(
                PluginBroken(f"the driver of camera {self._address} failed: {type(failure).__name__}: {failure}")
            )
        finally:
            self._camera.close()
            self._shots.close()

    def _fail(self, failure: HilguiError) -> None:
        self._failure = failure
        if not self._has_arrived:
            self._ready.put(failure)

    def _drain_until_closed(self) -> None:
        retry_s, connection = self._limits.first_retry_s, 0
        while not self._ending.is_set:
            try:
                facts = self._camera.open(self._wish)
                self._renew.clear()
                is_first_picture = True
                for index, shot in enumerate(self._read_all()):
                    if is_first_picture:
                        self._arrived(facts, connection)
                        is_first_picture, retry_s = False, self._limits.first_retry_s
                        self._renew.clear()
                        self._is_flowing = True
                    self._put((connection, index, shot))
                if not self._renew.is_set():
                    return
                self._trouble = self._trouble or "it stopped giving pictures"
            except SourceBroken as failure:
                if not self._has_arrived:
                    raise
                self._trouble = str(failure)
            self._camera.close()
            self._is_flowing = False
            self._renew.clear()
            connection += 1
            self._attempts += 1
            self._ending.wait(retry_s)
            retry_s = min(2 * retry_s, self._limits.longest_retry_s)

    def _read_all(self) -> Iterator[Shot]:
        while not self._ending.is_set and not self._renew.is_set():
            shot = self._camera.read()
            if shot is None:
                return
            yield shot

    def _arrived(self, facts: CameraFacts, connection: int) -> None:
        if not self._has_arrived:
            self._has_arrived = True
            self._ready.put(facts)
        else:
            self._counts["again"] += 1
            self._attempts, self._trouble = 0, ""

    def _put(self, item: tuple[int, int, Shot]) -> None:
        try:
            self._shots.put(item)
        except Closed:  # the run has ended; nobody wants the rest
            self._ending.stop("nobody takes pictures any more")


class _Watch:
    """Numbers frames, places them in time and knows which are missing; on the capture thread."""

    def __init__(self, facts: CameraFacts, limits: LiveLimits, now_ns: int) -> None:
        self._facts = facts
        self._period_ns = 1e9 / facts.fps
        self.silence_s = max(3.0 / facts.fps, limits.remote_silence_s if facts.is_remote else limits.silence_s)
        self._stamps = Stamps(is_ours=facts.has_our_clock)
        self._started_ns = now_ns
        self._wall = datetime.now(UTC)
        self._seq = 0
        self._at_ns: float = now_ns  # capture time of the newest frame or loss
        self._arrived_ns = now_ns
        self._connection = -1
        self._index = 0
        self.is_lost = False
        self._told_away = 0  # losses since the last picture that the time alone told

    def time_s(self, now_ns: float) -> float:
        """Give the recording time."""
        return (now_ns - self._started_ns) / 1e9

    def away_s(self, now_ns: int) -> float:
        """Give the time since the last picture."""
        return (now_ns - self._arrived_ns) / 1e9

    def is_late(self, now_ns: int) -> bool:
        """Say whether the camera is lost since this moment."""
        if self.is_lost or self.away_s(now_ns) < self.silence_s:
            return False
        self.is_lost = True
        return True

    def losses(self, until_ns: float, count: int | None = None, why: str = AWAY) -> Iterator[Loss]:
        """Give the frames that should have come until now, or `count` of them spread until then."""
        if count is None:
            count = max(round((until_ns - self._at_ns) / self._period_ns) - 1, 0) if self.is_lost else 0
            step = self._period_ns
            self._told_away += count
        else:
            step = (until_ns - self._at_ns) / (count + 1)
        for _ in range(count):
            yield Loss(self._ref(self._at_ns + step, 0, 0), Fate.DROPPED, why)

    def take(self, connection: int, index: int, shot: Shot) -> Iterator[Frame | Loss]:
        """Give the frame of a picture, after the losses before it."""
        if connection != self._connection or self.is_lost:
            self._stamps.forget()
        placed = self._stamps.place(shot.stamp_ns, shot.arrival_ns)
        at_ns = max(float(placed.captured_ns), self._at_ns + 1)
        overrun = index - self._index - 1 if connection == self._connection else 0
        if self._connection == -1:  # the first frame starts the clock
            self._started_ns = self._at_ns = round(at_ns)
            self._wall = datetime.now(UTC) - timedelta(microseconds=(shot.arrival_ns - at_ns) / 1e3)
        elif self.is_lost or connection != self._connection:
            self.is_lost = True
            # A camera that is back may give what it owes in a burst, and more than can be taken.
            untold = overrun - self._told_away
            away = round((at_ns - self._at_ns) / self._period_ns) - 1
            yield from self.losses(at_ns) if away >= untold else self.losses(at_ns, untold, OVERRUN)
        elif overrun:
            yield from self.losses(at_ns, overrun, OVERRUN)
        elif placed.missing:
            yield from self.losses(at_ns, placed.missing, MISSING)
        if shot.shown is not None and shot.shown.missed:
            yield from self.losses(at_ns, shot.shown.missed, UNSEEN)
        self._connection, self._index, self._arrived_ns, self.is_lost = connection, index, shot.arrival_ns, False
        self._told_away = 0
        yield self._frame(shot, at_ns, placed.wrong)

    def _frame(self, shot: Shot, at_ns: float, wrong: str) -> Frame | Loss:
        size = (self._facts.height, self._facts.width, 3)
        image = shot.image
        if image is None:
            wrong = shot.why or "could not be decoded"
        elif image.shape != size or image.dtype != np.uint8:
            wrong = f"came in another size or form than {size[1]} x {size[0]} BGR"
        if wrong or image is None:
            return Loss(self._ref(at_ns, 0, 0), Fate.DROPPED, wrong)
        image.flags.writeable = False
        return Frame(self._ref(at_ns, size[1], size[0], shot.shown), image)

    def _ref(self, at_ns: float, width: int, height: int, shown: Shown | None = None) -> FrameRef:
        seq, self._seq, self._at_ns = self._seq, self._seq + 1, at_ns
        time_s = self.time_s(at_ns)
        return FrameRef(
            seq=seq,
            key=f"{self._facts.name}#{seq:06d}" if shown is None else shown.key,
            time_s=time_s,
            stamp=self._wall + timedelta(seconds=time_s),
            captured_ns=round(at_ns),
            width=width,
            height=height,
            shown=None if shown is None else shown.number,
            shown_ns=None if shown is None else shown.shown_ns,
        )


def live_source(path: Path, *, fps: float | None = None, duration_s: float | None = None) -> LiveSource:
    """Give an unopened source for a camera address; raises CallWrong."""
    address, wish = read_address(path)
    if fps is not None:
        wish = Wish(wish.width, wish.height, fps, wish.pixel_format, wish.exposure_ms)
    return LiveSource(make_camera(address), address, wish, duration_s=duration_s)
