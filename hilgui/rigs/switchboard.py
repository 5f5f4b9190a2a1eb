"""The supervisor's ears and mouth: one ear per pipe, one mouth for all events, and the pulses."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection

from hilgui.rigs.arming import Source
from hilgui.rigs.lines import Lines
from hilgui.rigs.messages import Event, Request, StateChanged, StopNow, StopTimed

_MOUTHFUL = 4000  # events that wait for a front end that sleeps; then the oldest go


@dataclass(frozen=True, slots=True)
class Heard:
    """A request, and when it came."""

    source: Source
    request: Request
    at_ns: int


@dataclass(frozen=True, slots=True)
class Silence:
    """The other side is gone."""

    source: Source


class Switchboard:
    """`inbox` gets what is heard. A STOP, and the death of somebody who is needed, are put on the wires by the ear."""

    def __init__(
        self,
        lines: Mapping[Source, Lines],
        inbox: Callable[[Heard | Silence], None],
        stop_wires: Callable[[], int],
        is_needed: Callable[[Source], bool],
    ) -> None:
        self._lines = lines
        self._inbox = inbox
        self._stop_wires = stop_wires
        self._is_needed = is_needed
        self._events: dict[Source, deque[Event]] = {source: deque(maxlen=_MOUTHFUL) for source in lines}
        self._has_events = threading.Event()
        self._beats: dict[Source, int] = {}

    def start(self) -> None:
        """Begin to listen and to speak."""
        for source, lines in self._lines.items():
            _thread(f"stop:{source.value}", self._listen, source, lines.stops)
            _thread(f"ear:{source.value}", self._listen, source, lines.requests)
        _thread("mouth", self._speak)

    def tell(self, event: Event) -> None:
        """Tell the front end; changes of state the engine too."""
        self.answer(Source.FRONT_END, event)
        if isinstance(event, StateChanged):
            self.answer(Source.ENGINE, event)

    def answer(self, source: Source, event: Event) -> None:
        """Tell one of them."""
        if source in self._events:
            self._events[source].append(event)
            self._has_events.set()

    def fresh_beats(self, now_ns: int) -> list[tuple[Source, int]]:
        """Give the pulses that were stamped since the last call, with their stamps."""
        fresh = []
        for source, lines in self._lines.items():
            stamp = lines.pulse.last_ns(now_ns)
            if stamp is not None and stamp > self._beats.get(source, 0):
                self._beats[source] = stamp
                fresh.append((source, stamp))
        return fresh

    def _listen(self, source: Source, pipe: Connection) -> None:
        while True:
            try:
                request: Request = pipe.recv()
            except (EOFError, OSError):
                if self._is_needed(source):
                    self._stop_wires()
                if pipe is self._lines[source].requests:
                    self._inbox(Silence(source))
                return
            heard_ns = time.monotonic_ns()
            if isinstance(request, StopNow):
                devices = self._stop_wires()
                self.answer(source, StopTimed(request.sent_ns, heard_ns, time.monotonic_ns(), devices))
            self._inbox(Heard(source, request, heard_ns))

    def _speak(self) -> None:
        while True:
            self._has_events.wait()
            self._has_events.clear()
            for source, events in self._events.items():
                while events:
                    try:
                        self._lines[source].requests.send(events.popleft())
                    except (OSError, IndexError):
                        break


def _thread(name: str, target: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=target, args=arguments, name=name, daemon=True).start()
