"""What a camera driver is: opened with a wish, read on one thread, closed."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from hilgui import plugins
from hilgui.errors import CallWrong

log = logging.getLogger(__name__)

GROUP = "hilgui.cameras"
PREFIX = "camera:"
SCREEN = "screen"  # the kind that films a screen on which a recording is shown
_REHEARSAL = "rehearsal:"
_OPTIONS = ("size", "fps", "exposure", "format", "drive", "screen")


@dataclass(frozen=True, slots=True)
class Mode:
    """One way in which a camera delivers."""

    width: int
    height: int
    fps: float
    pixel_format: str  # four characters, as the driver calls it: "MJPG", "YUYV"

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {self.fps:g}/s {self.pixel_format}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator asks of a camera; None leaves it to the camera."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    pixel_format: str | None = None
    exposure_ms: float | None = None  # None: automatic
    drive: str | None = None  # the recording that the filmed screen shows
    screen: tuple[int, int] | None = None  # width and height of that screen in pixels


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What an opened camera says about itself."""

    name: str
    kind: str  # "uvc camera", "rtsp stream h264"
    width: int
    height: int
    fps: float
    is_remote: bool = False  # the network may hold it up for longer
    has_our_clock: bool = False  # its stamps are on the monotonic clock of this machine
    notes: tuple[str, ...] = ()  # wishes that it did not grant


@dataclass(frozen=True, slots=True)
class Shown:
    """Which frame of a recording a camera saw on a screen."""

    number: int
    key: str
    shown_ns: int | None  # monotonic clock of this machine
    missed: int = 0  # frames of the recording since the one before that were never seen whole


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One picture as the driver gave it."""

    image: NDArray[np.uint8] | None  # (height, width, 3) BGR; None where it could not be decoded
    arrival_ns: int  # monotonic
    stamp_ns: int | None = None  # on the driver's clock
    why: str = ""  # why there is no image: reads after "3 frames"
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class CameraFound:
    """One camera that this machine knows."""

    address: str  # "camera:uvc:0"
    name: str
    modes: tuple[Mode, ...] = ()
    note: str = ""  # why there are no modes, and the like


class Camera(Protocol):
    """A driver, announced by the entry point group `hilgui.cameras` under the kind in its address.

    Made with what follows `camera:` ("uvc:0", "rtsp://host/stream"). Everything but the constructor runs on one
    thread, which opens the same object again after a loss. `open` and `read` return within about a second or raise
    SourceBroken with a sentence; no exception of a vendor leaves the driver.
    """

    lists: ClassVar[str]  # what `found` looks for, for a listing that is empty; "" where there is nothing to look for

    @classmethod
    def found(cls) -> Sequence[CameraFound]:
        """List the cameras that are there, without opening them for good."""
        ...

    def __init__(self, address: str) -> None: ...

    def open(self, wish: Wish) -> CameraFacts:
        """Connect; raises SourceBroken."""
        ...

    def read(self) -> Shot | None:
        """Wait for the next picture; None at the end of what it has. Raises SourceBroken when it is gone."""
        ...

    def close(self) -> None:
        """Let go; may be called twice, also without `open`."""
        ...


def is_camera(path: Path) -> bool:
    """Say whether a source is a camera address and no path."""
    return str(path).startswith(PREFIX)


def read_address(path: Path) -> tuple[str, Wish]:
    """Split `camera:uvc:0#size=1280x720,fps=30,exposure=8,format=MJPG`; raises CallWrong.

    A path loses the second slash of `rtsp://`; it is put back.
    """
    text, _, asked = path.as_posix().partition("#")
    address = text.removeprefix(PREFIX)
    eye = address.removeprefix(f"{SCREEN}:")
    outer = address[: len(address) - len(eye)]
    if eye.startswith(_REHEARSAL):
        address = outer + re.sub("^rehearsal:/+", "rehearsal:/", eye)
    else:
        address = outer + re.sub(r"^([a-z]+):/+(?=[^/])", r"\1://", eye)
    values: dict[str, str] = {}
    for part in filter(None, asked.split(",")):
        key, _, value = part.partition("=")
        if key not in _OPTIONS or (key in ("drive", "screen") and not outer):
            raise CallWrong(
                f"{path}: a camera has no option {key!r}; there are size=1280x720, fps, exposure, format, and for "
                "camera:screen: drive, screen=1920x1080"
            )
        values[key] = value
    try:
        width, height = map(int, values["size"].split("x")) if "size" in values else (None, None)
        across, down = map(int, values["screen"].split("x")) if "screen" in values else (None, None)
        fps, exposure = (float(values[key]) if key in values else None for key in ("fps", "exposure"))
    except ValueError as failure:
        raise CallWrong(f"{path}: write #size=1280x720,fps=30,exposure=8 (milliseconds),format=MJPG") from failure
    if any(number is not None and number <= 0 for number in (width, height, fps, exposure, across, down)):
        raise CallWrong(f"{path}: size, fps and exposure are above zero")
    screen = None if across is None or down is None else (across, down)
    return address, Wish(width, height, fps, values.get("format"), exposure, values.get("drive"), screen)


def shown_drive(path: Path) -> Path | None:
    """Give the recording that a filmed screen shows; None for other sources and where nobody names it.

    `camera:screen:uvc:0#drive=day.mp4` films day.mp4; `camera:screen:rehearsal:day.mp4` rehearses filming it.
    """
    if not is_camera(path):
        return None
    address, wish = read_address(path)
    eye = address.removeprefix(f"{SCREEN}:")
    if eye == address:
        return None
    if wish.drive is not None:
        return Path(wish.drive)
    return Path(eye.removeprefix(_REHEARSAL)) if eye.startswith(_REHEARSAL) else None


def camera_beside(path: Path, folder: Path) -> Path:
    """Read the files in a camera address as relative to a folder: of a test case, to its own."""
    text, mark, asked = path.as_posix().partition("#")
    head, found, file = text.partition(_REHEARSAL)
    if found:
        text = f"{head}{found}{(folder / file).resolve().as_posix()}"
    parts = asked.split(",")
    for place, part in enumerate(parts):
        if part.startswith("drive="):
            parts[place] = f"drive={(folder / part.removeprefix('drive=')).resolve().as_posix()}"
    return Path(text + mark + ",".join(parts))


def without_password(text: str) -> str:
    """Take user and password out of the address of a network camera."""
    return re.sub(r"(//)[^/@\s]+@", r"\1", text)


def make_camera(address: str) -> Camera:
    """Find the driver for an address; opens nothing. Raises CallWrong."""
    kind = address.partition(":")[0]
    drivers = plugins.working(GROUP)
    if kind not in drivers:
        broken = plugins.load(GROUP).get(kind)
        why = f": its driver does not load ({broken.reason})" if broken else f"; there are {', '.join(drivers)}"
        raise CallWrong(f"there is no kind of camera {kind!r}{why}")
    camera: Camera = drivers[kind](address)
    return camera


def found_cameras() -> tuple[list[CameraFound], tuple[str, ...]]:
    """List what every driver finds, and say in sentences what was not found or does not load."""
    found: list[CameraFound] = []
    said: list[str] = []
    for kind, plugin in plugins.load(GROUP).items():
        if plugin.target is None:
            said.append(f"the driver {kind} does not load: {plugin.reason}")
            continue
        try:
            here = list(plugin.target.found())
            looked_for = plugin.target.lists
        except Exception as failure:  # a plug-in call: a stranger's code may raise anything
            log.warning("driver %s failed to list its cameras", kind, exc_info=True)
            said.append(f"the driver {kind} failed: {type(failure).__name__}: {failure}")
            continue
        if not here and looked_for:
            said.append(f"no {looked_for}")
        found += here
    return found, tuple(said)
