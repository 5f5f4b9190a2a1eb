"""What the simulated devices share: a pseudo terminal or TCP port, the thread that serves it, faults of the cable."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping

from hilgui.rigs import DeviceSpec

_KEPT = 2**20  # bytes from the host; older ones are forgotten
_TICK_S = 0.004
_CHUNK = 4096
_GARBAGE = b"\xa5U" * 256


class PortSimulator(ABC):
    """A device behind a port: it hears bytes, says bytes, and time passes for it, also when the cable is out.

    `hear` and `tick` run on its own thread; everything else may be called from any.
    """

    def __init__(self, device: DeviceSpec) -> None:
        self.device = device
        self._sent = bytearray()
        self._lock = threading.RLock()
        self._end = threading.Event()
        self._is_stalled = threading.Event()
        self._floods = threading.Event()
        self._thread: threading.Thread | None = None
        self._port: _Terminal | _Listener | None = None

    @abstractmethod
    def hear(self, data: bytes) -> None:
        """Take what came from the host."""

    @abstractmethod
    def tick(self, now_s: float) -> None:
        """Let time pass; called every few milliseconds."""

    @abstractmethod
    def outputs(self) -> Mapping[str, float]:
        """Give what the outputs really are."""

    def start(self, *, over_tcp: bool = not hasattr(os, "openpty")) -> str:
        """Open a port and serve it; see RigSimulator."""
        self._port = _Listener() if over_tcp else _Terminal()
        self._thread = threading.Thread(target=self._serve, name=f"simulator:{self.device.name}")
        self._thread.start()
        return self._port.address

    def say(self, data: bytes) -> None:
        """Send to the host; what nobody takes is lost, as on a wire."""
        if self._port is not None and not self._is_stalled.is_set():
            self._port.write(data)

    def sent(self) -> bytes:
        """Give the bytes from the host."""
        with self._lock:
            return bytes(self._sent)

    def stall(self, is_stalled: bool = True) -> None:
        """Take nothing and say nothing; the device itself goes on."""
        (self._is_stalled.set if is_stalled else self._is_stalled.clear)()

    def flood(self) -> None:
        """Send garbage without end from now on."""
        self._floods.set()

    def unplug(self) -> None:
        """Pull the cable: the port hangs up, the device goes on and feels its dead-man."""
        with self._lock:
            if self._port is not None:
                self._port.close()
                self._port = None

    def close(self) -> None:
        """End; may be called twice."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.unplug()

    def _serve(self) -> None:
        while not self._end.is_set():
            data = b""
            port = self._port
            if port is None or self._is_stalled.is_set():
                self._end.wait(_TICK_S)
            else:
                data = port.read(_TICK_S)
            if self._floods.is_set():
                self.say(_GARBAGE)
            with self._lock:
                self._sent += data
                del self._sent[:-_KEPT]
                if data:
                    self.hear(data)
                self.tick(time.monotonic())


class _Terminal:
    """A pseudo terminal whose other end the host opens."""

    def __init__(self) -> None:
        import tty

        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.address = os.ttyname(self._slave)

    def read(self, timeout_s: float) -> bytes:
        with contextlib.suppress(OSError, ValueError):
            if select.select([self._master], [], [], timeout_s)[0]:
                return os.read(self._master, _CHUNK)
        return b""

    def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(self._master, data)

    def close(self) -> None:
        for handle in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(handle)
        self._master = self._slave = -1


class _Listener:
    """A TCP port of this machine for one host at a time, where there are no pseudo terminals."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._host: socket.socket | None = None
        self.address = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"

    def read(self, timeout_s: float) -> bytes:
        with contextlib.suppress(OSError, ValueError):
            known = [self._listener, *([] if self._host is None else [self._host])]
            for ready in select.select(known, [], [], timeout_s)[0]:
                if ready is self._listener:
                    self._accept()
                elif data := ready.recv(_CHUNK):
                    return data
                else:
                    ready.close()
                    self._host = None
        return b""

    def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            if self._host is not None:
                self._host.send(data)

    def close(self) -> None:
        self._listener.close()
        if self._host is not None:
            self._host.close()

    def _accept(self) -> None:
        host, _ = self._listener.accept()
        if self._host is not None:
            host.close()  # two programs on one port: the second is refused
            return
        host.setblocking(False)
        self._host = host
