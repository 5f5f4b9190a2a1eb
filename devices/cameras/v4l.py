"""What Linux knows about its cameras: nodes and identities from /sys, modes from the V4L2 driver."""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hilgui.sources.camera import Mode

# linux/videodev2.h: _IOR/_IOWR('V', number, size)
_QUERYCAP = 0x80685600  # struct v4l2_capability, 104 bytes
_ENUM_FMT = 0xC0405602  # struct v4l2_fmtdesc, 64
_ENUM_FRAMESIZES = 0xC02C564A  # struct v4l2_frmsizeenum, 44
_ENUM_FRAMEINTERVALS = 0xC034564B  # struct v4l2_frmivalenum, 52
_CAPTURE = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE, and V4L2_CAP_VIDEO_CAPTURE
_DEVICE_CAPS = 0x80000000
_DISCRETE = 1
_MOST = 200  # modes of one camera; a driver that lists without end is cut off

Ioctl = Callable[[int, int, bytearray], int]


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the system shows its cameras."""

    sys: Path = Path("/sys/class/video4linux")
    dev: Path = Path("/dev")


SYSTEM = Folders()


@dataclass(frozen=True, slots=True)
class Node:
    """One video node that captures."""

    number: int
    name: str
    modes: tuple[Mode, ...]
    note: str = ""


def nodes(folders: Folders = SYSTEM, ioctl: Ioctl | None = None) -> list[Node]:
    """List the nodes that give pictures; empty on systems without V4L2. A node that cannot be asked says why."""
    listed = []
    for number in _numbers(folders):
        try:
            modes = read_modes(folders.dev / f"video{number}", ioctl or _ioctl())
        except OSError as failure:
            reason = "it is in use" if failure.errno == errno.EBUSY else failure.strerror or str(failure)
            listed.append(Node(number, name_of(number, folders), (), f"its modes cannot be read: {reason}"))
            continue
        if modes is not None:
            listed.append(Node(number, name_of(number, folders), modes))
    return listed


def name_of(number: int, folders: Folders = SYSTEM) -> str:
    """Give the name of a camera as its driver says it, "" where it says none."""
    return _read(folders.sys / f"video{number}" / "name")


def identity(number: int, folders: Folders = SYSTEM) -> str:
    """Give what stays the same when a camera is plugged in again: its serial number, else its socket."""
    node = folders.sys / f"video{number}"
    index = _read(node / "index")  # a camera may have several nodes
    device = (node / "device").resolve()
    serial = _read(device.parent / "serial")
    if serial:
        return f"serial {serial} {index}"
    return f"socket {device.name} {index}" if device.exists() else ""


def find(wanted: str, folders: Folders = SYSTEM) -> int | None:
    """Give the number under which a camera is plugged in now."""
    return next((number for number in _numbers(folders) if identity(number, folders) == wanted), None)


def read_modes(node: Path, ioctl: Ioctl) -> tuple[Mode, ...] | None:
    """Ask a node for its modes; None where it does not capture video. Raises OSError."""
    handle = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    try:
        answer = bytearray(104)
        ioctl(handle, _QUERYCAP, answer)
        capabilities, of_node = struct.unpack_from("<II", answer, 84)
        if not (of_node if capabilities & _DEVICE_CAPS else capabilities) & _CAPTURE:
            return None
        return tuple(mode for _, mode in zip(range(_MOST), _modes(handle, ioctl), strict=False))
    finally:
        os.close(handle)


def _modes(handle: int, ioctl: Ioctl) -> Iterator[Mode]:
    for form in _listed(handle, ioctl, _ENUM_FMT, 64, lambda index: struct.pack("<II", index, _CAPTURE)):
        pixel_format = bytes(form[44:48])
        name = pixel_format.decode("ascii", errors="replace").rstrip("\0 ")

        def sizes_of(index: int, wanted: bytes = pixel_format) -> bytes:
            return struct.pack("<I4s", index, wanted)

        for size in _listed(handle, ioctl, _ENUM_FRAMESIZES, 44, sizes_of):
            width, height = _largest(size)

            def rates_of(index: int, wanted: bytes = pixel_format, side: tuple[int, int] = (width, height)) -> bytes:
                return struct.pack("<I4sII", index, wanted, *side)

            for rate in _listed(handle, ioctl, _ENUM_FRAMEINTERVALS, 52, rates_of):
                seconds, parts = struct.unpack_from("<II", rate, 20)  # the shortest interval, where it is a range
                if seconds:
                    yield Mode(width, height, round(parts / seconds, 3), name)


def _largest(size: bytearray) -> tuple[int, int]:
    (kind,) = struct.unpack_from("<I", size, 8)
    if kind == _DISCRETE:
        width, height = struct.unpack_from("<II", size, 12)
        return width, height
    _, width, _, _, height, _ = struct.unpack_from("<6I", size, 12)  # min, max and step of either side
    return width, height


def _listed(handle: int, ioctl: Ioctl, request: int, size: int, ask: Callable[[int], bytes]) -> Iterator[bytearray]:
    """Ask for one entry after the other until the driver says that there are no more."""
    for index in range(_MOST):
        answer = bytearray(ask(index).ljust(size, b"\0"))
        try:
            ioctl(handle, request, answer)
        except OSError as failure:
            if failure.errno in (errno.EINVAL, errno.ENOTTY):
                return
            raise
        yield answer


def _numbers(folders: Folders) -> list[int]:
    found = []
    with suppress(OSError):
        for entry in folders.sys.iterdir():
            number = entry.name.removeprefix("video")
            if entry.name.startswith("video") and number.isdecimal():
                found.append(int(number))
    return sorted(found)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _ioctl() -> Ioctl:
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, "this system has no V4L2")
    import fcntl

    def call(handle: int, request: int, answer: bytearray) -> int:
        done: int = fcntl.ioctl(handle, request, answer, True)
        return done

    return call
