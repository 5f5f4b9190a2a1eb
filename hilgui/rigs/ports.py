"""The lowest piece: a serial port, pseudo terminal or TCP connection that is ours alone, and never waits unasked."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit

import serial

from hilgui.errors import CallWrong, RigBusy, RigLost

if sys.platform == "win32":
    _TerminalError: type[Exception] = OSError
else:
    import termios

    _TerminalError = termios.error  # of a port that is gone; it is no OSError

_CONNECT_S = 2.0
_GONE = {errno.EIO, errno.ENXIO, errno.ENODEV, errno.EBADF, errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN}


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """How bytes are framed on the wire; without meaning for TCP and pseudo terminals."""

    baud: int = 115200
    data_bits: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    raise_dtr: bool = True  # an Arduino resets when DTR rises


class Port(Protocol):
    """An open port; raises RigLost when it is gone."""

    def receive(self, limit: int, timeout_s: float) -> bytes:
        """Wait for bytes and give what is there, b"" when the time is over."""
        ...

    def send(self, data: bytes, timeout_s: float) -> int:
        """Hand over what the system takes now, waiting at most `timeout_s` until it takes any; gives how many."""
        ...

    def forget_output(self) -> None:
        """Throw away what the system has taken and not sent yet."""
        ...

    def close(self) -> None:
        """Close; may be called twice."""
        ...


def open_port(address: str, settings: SerialSettings) -> Port:
    """Open `/dev/…`, `COM3` or `socket://host:port` for ourselves alone; raises RigBusy, RigLost, CallWrong."""
    if address.startswith("socket://"):
        return SocketPort(address)
    if "://" in address:
        raise CallWrong(f"{address}: a port is a device file, COM3 or socket://host:port")
    return SerialPort(address, settings)


class SerialPort:
    """A serial port or pseudo terminal."""

    def __init__(self, address: str, settings: SerialSettings) -> None:
        self._address = address
        self._serial = serial.Serial()
        self._serial.port = address
        self._serial.baudrate = settings.baud
        self._serial.bytesize = settings.data_bits
        self._serial.parity = settings.parity
        self._serial.stopbits = settings.stop_bits
        self._serial.timeout = 0
        self._serial.write_timeout = 0
        self._serial.exclusive = True if sys.platform != "win32" else None
        if not settings.raise_dtr:
            self._serial.dtr = False
        try:
            self._serial.open()
            self._claim(True)
        except (serial.SerialException, OSError, ValueError) as failure:
            self._serial.close()
            if _is_busy(failure):
                sentence = f"{address} is in use by another program; close it there and try again"
                raise RigBusy(sentence, port=address) from failure
            sentence = f"{address} cannot be opened: {_reason(failure)}; is the cable in and may you use the port?"
            raise RigLost(sentence, port=address) from failure

    def receive(self, limit: int, timeout_s: float) -> bytes:
        """Wait for bytes; see Port."""
        with _translated(self._address):
            if sys.platform == "win32":
                self._serial.timeout = timeout_s
                return bytes(self._serial.read(max(1, min(limit, self._serial.in_waiting))))
            if not _is_ready(self._serial.fileno(), select.POLLIN, timeout_s):
                return b""
            data = os.read(self._serial.fileno(), limit)
            if not data:
                raise OSError(errno.EIO, "end of file")
            return data

    def send(self, data: bytes, timeout_s: float) -> int:
        """Hand over bytes; see Port."""
        with _translated(self._address):
            if sys.platform == "win32":
                self._serial.write_timeout = timeout_s
                try:
                    return int(self._serial.write(data) or 0)
                except serial.SerialTimeoutException:
                    return 0
            if not _is_ready(self._serial.fileno(), select.POLLOUT, timeout_s):
                return 0
            try:
                return os.write(self._serial.fileno(), data)
            except BlockingIOError:
                return 0

    def forget_output(self) -> None:
        """Throw away what was not sent."""
        with contextlib.suppress(OSError, serial.SerialException, _TerminalError):
            self._serial.reset_output_buffer()

    def close(self) -> None:
        """Close; see Port."""
        with contextlib.suppress(OSError, serial.SerialException):
            if self._serial.is_open:
                self._claim(False)
        with contextlib.suppress(OSError, serial.SerialException):
            self._serial.close()

    def _claim(self, is_ours: bool) -> None:
        """Refuse further opens by programs that know nothing of flock.

        Not on pseudo terminals: there the mark outlives a killed owner as long as the other end is open.
        """
        if sys.platform == "win32" or os.path.realpath(self._address).startswith("/dev/pts/"):
            return
        import fcntl
        import termios

        fcntl.ioctl(self._serial.fileno(), termios.TIOCEXCL if is_ours else termios.TIOCNXCL)


class SocketPort:
    """A TCP connection, for simulators and serial servers; a second one is for the server to refuse."""

    def __init__(self, address: str) -> None:
        self._address = address
        try:
            parts = urlsplit(address)
            host, number = parts.hostname or "", parts.port
        except ValueError:
            host, number = "", None
        if not host or not number:
            raise CallWrong(f"{address}: write socket://host:port")
        try:
            self._socket = socket.create_connection((host, number), _CONNECT_S)
        except OSError as failure:
            sentence = f"{address} cannot be reached: {_reason(failure)}; does the device or simulator listen there?"
            raise RigLost(sentence, port=address) from failure
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self, limit: int, timeout_s: float) -> bytes:
        """Wait for bytes; see Port."""
        with _translated(self._address):
            if not select.select([self._socket], [], [], timeout_s)[0]:
                return b""
            data = self._socket.recv(limit)
            if not data:
                raise OSError(errno.ECONNRESET, "the other end closed")
            return data

    def send(self, data: bytes, timeout_s: float) -> int:
        """Hand over bytes; see Port."""
        with _translated(self._address):
            if not select.select([], [self._socket], [], timeout_s)[1]:
                return 0
            try:
                return self._socket.send(data)
            except BlockingIOError:
                return 0

    def forget_output(self) -> None:
        """Do nothing: what TCP has taken it delivers."""

    def close(self) -> None:
        """Close; see Port."""
        self._socket.close()


def _is_ready(handle: int, event: int, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(handle, event)
    happened = poll.poll(max(0.0, timeout_s) * 1000)
    flags = happened[0][1] if happened else 0
    if flags & (select.POLLHUP | select.POLLERR | select.POLLNVAL) and not flags & select.POLLIN:
        raise OSError(errno.EIO, "hung up")
    return bool(flags)


@contextlib.contextmanager
def _translated(address: str) -> Iterator[None]:
    """Turn what the system and pyserial raise into RigLost, in one place."""
    try:
        yield
    except (serial.SerialException, OSError, ValueError, TypeError) as failure:
        what = "was unplugged or closed" if getattr(failure, "errno", None) in _GONE else f"failed: {_reason(failure)}"
        sentence = f"{address} {what}; whether the last command was carried out is unknown"
        raise RigLost(sentence, port=address) from failure


def _is_busy(failure: Exception) -> bool:
    if getattr(failure, "errno", None) in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        return True
    return "exclusively lock" in str(failure) or "Access is denied" in str(failure)


def _reason(failure: Exception) -> str:
    code = getattr(failure, "errno", None)
    return os.strerror(code) if isinstance(code, int) and code > 0 else str(failure).splitlines()[0]
