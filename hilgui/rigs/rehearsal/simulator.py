"""The rehearsal board itself: speaks its bytes over a pseudo terminal and falls safe when nobody feeds it."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Mapping
from typing import ClassVar

from hilgui.rigs.protocol import DeviceSpec
from hilgui.rigs.rehearsal.board import CHANNELS, MODEL, options_of

_LINE_LIMIT = 200
_KEPT = 2**20  # bytes from the host; older ones are forgotten
_TICK_S = 0.005


class RehearsalSimulator:
    """See RigSimulator; `stall`, `override` and `unplug` inject faults."""

    examples: ClassVar[tuple[DeviceSpec, ...]] = (DeviceSpec("board", "rehearsal", {"dead_man_ms": 200}),)

    def __init__(self, device: DeviceSpec) -> None:
        options = options_of(device)
        self._dead_man_s = float(options.get("dead_man_ms", 200)) / 1000
        self._values = {channel.name: channel.safe or 0.0 for channel in CHANNELS}
        self._values["temperature"] = float(options.get("temperature", 23.5))
        self._is_tcp = bool(options.get("tcp", 0))
        self._listener: socket.socket | None = None
        self._fed_s = 0.0
        self._fell_s: float | None = None
        self._sent = bytearray()
        self._stopped_ns: list[int] = []
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._master = self._slave = -1
        self._is_stalled = threading.Event()
        self._is_flooding = threading.Event()
        self._overrides: dict[str, str] = {}

    def start(self) -> str:
        """Open a pseudo terminal, or a TCP port, and serve it; gives its address.

        What goes through a pseudo terminal is carried by a thread of the kernel, which a crowded machine makes late.
        """
        if self._is_tcp:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self._thread = threading.Thread(target=self._serve, name="rehearsal-board")
            self._thread.start()
            return f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        import tty

        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._thread = threading.Thread(target=self._serve, name="rehearsal-board")
        self._thread.start()
        return os.ttyname(self._slave)

    def outputs(self) -> Mapping[str, float]:
        """Give what the outputs really are."""
        return {channel.name: self._values[channel.name] for channel in CHANNELS if channel.is_writable}

    def sent(self) -> bytes:
        """Give the bytes from the host."""
        return bytes(self._sent)

    def stops(self) -> list[int]:
        """Give when STOP lines arrived, monotonic nanoseconds."""
        return list(self._stopped_ns)

    def fell_safe_at(self) -> float | None:
        """Give the monotonic second at which the dead-man acted last, None before."""
        return self._fell_s

    def close(self) -> None:
        """End; the port hangs up."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for handle in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(handle)
        self._master = self._slave = -1
        if self._listener is not None:
            self._listener.close()

    def stall(self) -> None:
        """Take nothing and answer nothing from now on; the dead-man still runs."""
        self._is_stalled.set()

    def flood(self) -> None:
        """Send endless garbage without a line end from now on, and answer nothing."""
        self._is_flooding.set()

    def override(self, channel: str, text: str) -> None:
        """Answer this for a channel, whatever it is: a stuck or broken sensor."""
        self._overrides[channel] = text

    def unplug(self) -> None:
        """Pull the cable: the port hangs up, the board goes on and feels its dead-man."""
        handles, self._master, self._slave = (self._master, self._slave), -1, -1
        for handle in handles:
            if handle >= 0:
                os.close(handle)

    def _accept(self) -> None:
        """Wait a little for whoever connects; one at a time."""
        if self._listener is None:
            self._end.wait(_TICK_S)
        elif select.select([self._listener], [], [], _TICK_S)[0]:
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._master = connection.detach()

    def _serve(self) -> None:
        pending = b""
        while not self._end.is_set():
            self._watch_dead_man()
            if self._is_stalled.is_set():
                self._end.wait(_TICK_S)
                continue
            if self._master < 0:
                self._accept()
                continue
            with contextlib.suppress(OSError, ValueError):
                if self._is_flooding.is_set():
                    os.write(self._master, b"\xa5U" * 64)
                if not select.select([self._master], [], [], _TICK_S)[0]:
                    continue
                data = os.read(self._master, 4096)
                if not data:
                    self.unplug()
                    continue
                self._sent += data
                del self._sent[:-_KEPT]
                *lines, pending = (pending + data).split(b"\n")
                pending = pending[-_LINE_LIMIT:]
                for line in lines:
                    if line:
                        os.write(self._master, self._answer(line) + b"\n")

    def _watch_dead_man(self) -> None:
        is_live = any(value for name, value in self.outputs().items())
        if self._dead_man_s and is_live and time.monotonic() - self._fed_s > self._dead_man_s:
            self._fall_safe()
            self._fell_s = time.monotonic()

    def _fall_safe(self) -> None:
        for channel in CHANNELS:
            if channel.is_writable:
                self._values[channel.name] = channel.safe or 0.0

    def _answer(self, line: bytes) -> bytes:
        match line.split(b" "):
            case [b"ID?"]:
                return f"{MODEL} 1.0 R0001".encode()
            case [b"GET?"]:
                shown = (self._overrides.get(name, f"{value:.4f}") for name, value in self._values.items())
                return " ".join(shown).encode()
            case [b"SET", name, value]:
                return self._set(name.decode("ascii", "replace"), value)
            case [b"ALIVE"]:
                self._fed_s = time.monotonic()
            case [b"STOP", category]:
                self._stopped_ns.append(time.monotonic_ns())
                if category != b"2":
                    self._fall_safe()
            case [b"SAFE"] | [b"HOME"]:
                self._fall_safe()
            case _:
                return b"ERR unknown"
        return b"OK"

    def _set(self, name: str, text: bytes) -> bytes:
        channel = next((channel for channel in CHANNELS if channel.name == name and channel.is_writable), None)
        try:
            value = float(text)
        except ValueError:
            return b"ERR number"
        if channel is None or not channel.low <= value <= channel.high:
            return b"ERR range"
        self._fed_s = time.monotonic()
        self._values[name] = value
        return b"OK"
