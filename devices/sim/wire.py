"""What all simulated devices share: a pseudo terminal or a TCP port, a thread that serves it, faults of the wire."""

from __future__ import annotations

import contextlib
import os
import random
import select
import socket
import sys
import threading
import time

_KEPT = 2**20  # bytes from the host; older ones are forgotten
_TICK_S = 0.005
_GARBAGE = b"\xa5U" * 512


class SimulatedDevice:
    """Serves one host at a time. A device gives `take`, and `tick` for what happens by itself.

    `take` and `tick` run on the device's thread under `lock`; whoever looks at the device from outside takes it too.
    """

    def __init__(self, name: str) -> None:
        self.lock = threading.RLock()
        self._name = name
        self._sent = bytearray()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._master = self._slave = -1
        self._listener: socket.socket | None = None
        self._host: socket.socket | None = None
        self._is_unplugged = False
        self._fatal = b""
        self._is_stalled = threading.Event()
        self._is_flooding = threading.Event()
        self._latency_s = 0.0
        self._noise = 0.0
        self._dice = random.Random(1)

    def take(self, data: bytes) -> bytes:
        """Take bytes of the host and give the answer."""
        raise NotImplementedError

    def tick(self, now_s: float) -> bytes:
        """Let time pass, monotonic seconds; what is given goes to the host unasked."""
        return b""

    def start(self, *, over_tcp: bool = sys.platform == "win32") -> str:
        """Open a pseudo terminal, or a TCP port of this machine, and serve it on a thread; give the address."""
        if over_tcp:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self._listener.setblocking(False)
            address = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        else:
            import tty

            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            address = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._serve, name=f"simulated:{self._name}")
        self._thread.start()
        return address

    def sent(self) -> bytes:
        """Give the bytes from the host."""
        with self.lock:
            return bytes(self._sent)

    def close(self) -> None:
        """End the thread and close the port; may be called twice."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._hang_up()
        if self._listener is not None:
            self._listener.close()

    def stall(self, is_stalled: bool = True) -> None:
        """Take nothing and answer nothing; the device itself goes on."""
        (self._is_stalled.set if is_stalled else self._is_stalled.clear)()

    def flood(self, is_flooding: bool = True) -> None:
        """Send garbage without a line end, without end."""
        (self._is_flooding.set if is_flooding else self._is_flooding.clear)()

    def unplug(self) -> None:
        """Pull the cable: the port hangs up, the device goes on and feels its dead-man."""
        with self.lock:
            self._is_unplugged = True

    def unplug_at(self, part: bytes) -> None:
        """Pull the cable when the host sends these bytes: they are not taken, and nobody can tell."""
        with self.lock:
            self._fatal = part

    def slow_down(self, latency_s: float) -> None:
        """Answer so much later."""
        self._latency_s = latency_s

    def disturb(self, share: float, seed: int = 1) -> None:
        """Flip a bit in this share of the answers."""
        with self.lock:
            self._noise, self._dice = share, random.Random(seed)

    def _serve(self) -> None:
        while not self._end.is_set():
            with self.lock:
                unasked = self.tick(time.monotonic())
            if self._is_unplugged:
                self._hang_up()
            if self._is_stalled.is_set() or self._is_unplugged:
                self._end.wait(_TICK_S)
                continue
            with contextlib.suppress(OSError, ValueError):
                self._say(unasked)
                if self._is_flooding.is_set():
                    self._say(_GARBAGE)
                if data := self._hear():
                    with self.lock:
                        self._sent += data
                        del self._sent[:-_KEPT]
                        if self._fatal and self._fatal in data:
                            self._is_unplugged = True
                            continue
                        answer = self.take(data)
                    if self._latency_s:
                        self._end.wait(self._latency_s)
                    self._say(answer)

    def _hear(self) -> bytes:
        if self._listener is not None and self._host is None:
            if select.select([self._listener], [], [], _TICK_S)[0]:
                self._host = self._listener.accept()[0]
                self._host.setblocking(False)
                self._host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return b""
        heard: socket.socket | int = self._host if self._host is not None else self._master
        if not select.select([heard], [], [], _TICK_S)[0]:
            return b""
        if self._host is None:
            return os.read(self._master, 4096)
        data = self._host.recv(4096)
        if not data:
            self._host.close()
            self._host = None
        return data

    def _say(self, data: bytes) -> None:
        if not data:
            return
        if self._noise and self._dice.random() < self._noise:
            at = self._dice.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << self._dice.randrange(7)]) + data[at + 1 :]
        if self._host is not None:
            self._host.send(data)
        elif self._master >= 0:
            os.write(self._master, data)

    def _hang_up(self) -> None:
        handles, self._master, self._slave = (self._master, self._slave), -1, -1
        for handle in handles:
            if handle >= 0:
                os.close(handle)
        if self._host is not None:
            self._host.close()
            self._host = None
