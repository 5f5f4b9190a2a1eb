"""What connects the supervisor with one other process: requests and events, a lane for STOP alone, a pulse."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext

from hilgui.errors import SupervisorLost
from hilgui.rigs.messages import Event, Request, StopNow
from hilgui.rigs.pulse import Pulse

_DRAIN_LIMIT = 512
_ENDED = "the rig supervisor ended; the devices stop by their dead-man"


@dataclass(frozen=True, slots=True)
class Lines:
    """One end. Picklable into a process that is being started."""

    requests: Connection
    stops: Connection  # carries StopNow and nothing else: no queue before a STOP
    pulse: Pulse

    def send(self, request: Request) -> None:
        """Ask for something; raises SupervisorLost."""
        _send(self.requests, request)

    def stop(self, stop: StopNow) -> None:
        """Send a STOP, from any thread; raises SupervisorLost."""
        _send(self.stops, stop)

    def drain(self) -> list[Event]:
        """Give what has arrived, without waiting, and beat meanwhile; raises SupervisorLost."""
        events: list[Event] = []
        try:
            while len(events) < _DRAIN_LIMIT and self.requests.poll(0.0):
                events.append(self.requests.recv())
                self.pulse.beat()
        except (EOFError, OSError) as failure:
            if events:
                return events
            raise SupervisorLost(_ENDED) from failure
        return events

    def wait(self, timeout_s: float) -> None:
        """Wait until something arrives."""
        with suppress(OSError, EOFError):
            self.requests.poll(timeout_s)

    def close(self) -> None:
        """Let go; the other end notices at once. May be called twice."""
        for pipe in (self.requests, self.stops):
            if not pipe.closed:
                pipe.close()


def connected(context: SpawnContext) -> tuple[Lines, Lines]:
    """Make both ends; our end's pulse has to be closed in the end."""
    requests, their_requests = context.Pipe()
    stops, their_stops = context.Pipe()
    pulse = Pulse.make()
    return Lines(requests, stops, pulse), Lines(their_requests, their_stops, pulse)


def _send(pipe: Connection, request: Request) -> None:
    try:
        pipe.send(request)
    except OSError as failure:
        raise SupervisorLost(_ENDED) from failure
