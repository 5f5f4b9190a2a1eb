"""UVC cameras with a capture object that behaves like OpenCV's: frozen, unplugged, garbage, under another number."""

from __future__ import annotations

import errno
import struct
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from devices.cameras import v4l
from devices.cameras.uvc import UvcCamera
from hilgui.errors import SourceBroken
from hilgui.records import Frame, Loss
from hilgui.sources.camera import Mode, Wish
from hilgui.sources.live import LiveLimits, LiveSource
from hilgui.stream import StopToken

GOOD, FROZEN, EMPTY, ODD, GREY = "good", "frozen", "empty", "odd", "grey"


class Capture:
    """Speaks the API of cv2.VideoCapture: grab, retrieve, get, set; `script` says what each grab brings."""

    def __init__(self, script: list[str], *, stamped: bool = True, fps: float = 100.0) -> None:
        self._script = list(script)
        self._stamped = stamped
        self._properties: dict[int, float] = {
            cv2.CAP_PROP_FRAME_WIDTH: 640,
            cv2.CAP_PROP_FRAME_HEIGHT: 480,
            cv2.CAP_PROP_FPS: fps,
        }
        self._now = ""
        self._count = 0
        self._is_open = True

    def isOpened(self) -> bool:
        return self._is_open

    def grab(self) -> bool:
        time.sleep(0.01)
        if not self._script or not self._is_open:
            return False
        self._now = self._script.pop(0)
        if self._now == "unplugged":
            self._script.clear()
            return False
        if self._now == "crash":
            raise cv2.error("select() failed")
        self._count += 1
        return True

    def retrieve(self) -> tuple[bool, Any]:
        size = int(self.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(self.get(cv2.CAP_PROP_FRAME_WIDTH))
        if self._now == EMPTY:
            return False, None
        if self._now == ODD:
            return True, np.zeros((7, 11, 3), np.uint8)
        if self._now == GREY:
            return True, np.zeros(size, np.uint8)
        return True, np.full((*size, 3), 9 if self._now == FROZEN else self._count % 200, np.uint8)

    def get(self, prop: int) -> float:
        if prop == cv2.CAP_PROP_POS_MSEC:
            return time.monotonic() * 1e3 - 2 if self._stamped else -1.0
        return self._properties.get(prop, 0.0)

    def set(self, prop: int, value: float) -> bool:
        if prop == cv2.CAP_PROP_FRAME_WIDTH and value not in (640, 1280):
            return False
        self._properties[prop] = value
        return True

    def release(self) -> None:
        self._is_open = False


def camera(*captures: Capture, known: v4l.Folders | None = None) -> UvcCamera:
    left = list(captures)
    nobody = v4l.Folders(Path("/nonexistent"), Path("/nonexistent"))
    return UvcCamera("uvc:0", lambda *_: left.pop(0) if left else closed(), known or nobody)


def closed() -> Capture:
    capture = Capture([])
    capture.release()
    return capture


def items(driver: UvcCamera, patience_s: float = 0.3) -> list[Frame | Loss]:
    limits = LiveLimits(silence_s=0.08, patience_s=patience_s, first_retry_s=0.01)
    source = LiveSource(driver, "uvc:0", limits=limits)
    got: list[Frame | Loss] = []
    try:
        source.open()
        got.extend(source.frames(StopToken()))
    except SourceBroken as failure:
        assert "stayed away" in str(failure)
    finally:
        source.close()
    return got


def test_a_camera_grants_what_it_can_and_says_what_not() -> None:
    driver = camera(Capture([GOOD] * 9))
    facts = driver.open(Wish(width=1920, height=1080, fps=60, exposure_ms=8, pixel_format="MJPG"))
    assert (facts.width, facts.height, facts.fps, facts.has_our_clock) == (640, 1080, 60, True)
    assert facts.notes == ("the camera gives 640 x 1080, not 1920 x 1080",)
    driver.close()
    driver.close()


def test_a_camera_without_stamps_and_rate_is_taken_by_arrival() -> None:
    driver = camera(Capture([GOOD] * 9, stamped=False, fps=0.0))
    facts = driver.open(Wish())
    assert not facts.has_our_clock and facts.fps == 30
    assert "does not say its rate" in facts.notes[0]
    assert driver.read().stamp_ns is None
    driver.close()


def test_the_stamp_of_the_driver_is_when_the_frame_was_taken() -> None:
    frames = [item for item in items(camera(Capture([GOOD] * 30))) if isinstance(item, Frame)]
    assert all(frame.ref.captured_ns < time.monotonic_ns() for frame in frames) and len(frames) > 10


def test_garbage_is_counted_and_what_follows_is_seen() -> None:
    got = items(camera(Capture([GOOD] * 8 + [EMPTY, ODD, GREY] + [GOOD] * 8)))
    reasons = [item.reason for item in got if isinstance(item, Loss)]
    assert "could not be decoded" in reasons
    assert "came in another size or form than 640 x 480 BGR" in reasons
    assert isinstance(
        [item for item in got if getattr(item, "reason", "") != "went missing while the camera was away"][-1], Frame
    )


@pytest.mark.parametrize("end", ["unplugged", "crash"])
def test_an_unplugged_camera_is_lost_and_plugged_in_again_is_found(end: str) -> None:
    got = items(camera(Capture([GOOD] * 10 + [end]), closed(), Capture([GOOD] * 10)))
    kinds = ["f" if isinstance(item, Frame) else "l" for item in got]
    text = "".join(kinds).strip("l")
    assert "fl" in text and "lf" in text, text
    assert [item.ref.seq for item in got] == list(range(len(got)))


def test_a_camera_in_use_elsewhere_is_one_sentence() -> None:
    with pytest.raises(SourceBroken, match="cannot be opened; is it plugged in, in use elsewhere"):
        camera().open(Wish())
    with pytest.raises(SourceBroken, match="opens but gives no pictures"):
        camera(Capture([])).open(Wish())
    with pytest.raises(SourceBroken, match="has no number"):
        UvcCamera("uvc:front").open(Wish())


def plug(root: Path, number: int, serial: str, name: str = "Bench Cam") -> None:
    """Make the files that Linux shows for a camera."""
    device = root / "devices" / serial / "1-1:1.0"
    device.mkdir(parents=True, exist_ok=True)
    (device.parent / "serial").write_text(serial)
    node = root / "sys" / f"video{number}"
    node.mkdir(parents=True)
    (node / "name").write_text(f"{name}\n")
    (node / "index").write_text("0\n")
    (node / "device").symlink_to(device)
    (root / "dev").mkdir(exist_ok=True)
    (root / "dev" / f"video{number}").touch()


def unplug(root: Path, number: int) -> None:
    node = root / "sys" / f"video{number}"
    for entry in node.iterdir():
        entry.unlink()
    node.rmdir()


def test_a_camera_that_comes_back_under_another_number_is_the_same_camera(tmp_path: Path) -> None:
    folders = v4l.Folders(tmp_path / "sys", tmp_path / "dev")
    plug(tmp_path, 0, "A1")
    plug(tmp_path, 2, "B2", "Other Cam")
    opened: list[int] = []

    def opener(number: int, *_: object) -> Capture:
        opened.append(number)
        return Capture([GOOD] * 3 + ["unplugged"])

    driver = UvcCamera("uvc:0", opener, folders)
    assert driver.open(Wish()).name == "Bench Cam"
    unplug(tmp_path, 0)
    with pytest.raises(SourceBroken, match="gives no pictures"):
        for _ in range(9):
            driver.read()
    driver.close()
    with pytest.raises(SourceBroken, match="not plugged in"):
        driver.open(Wish())
    plug(tmp_path, 4, "A1")
    driver.open(Wish())
    driver.close()
    assert opened == [0, 4]


class Driver:
    """A V4L2 driver that answers the four requests with bytes, as linux/videodev2.h lays them out."""

    def __init__(self, *, captures: bool = True, failure: int = 0) -> None:
        self._captures = captures
        self._failure = failure

    def __call__(self, handle: int, request: int, answer: bytearray) -> int:
        if self._failure:
            raise OSError(self._failure, "busy")
        number, index = request & 0xFF, struct.unpack_from("<I", answer)[0]
        assert len(answer) == (request >> 16) & 0x3FFF
        if number == 0:
            struct.pack_into("<II", answer, 84, 0x80000001, 1 if self._captures else 0x00800000)
        elif number == 2 and index < 2:
            answer[44:48] = (b"MJPG", b"YUYV")[index]
        elif number == 74 and index < 2:
            struct.pack_into("<III", answer, 8, 1, *((1280, 720), (640, 480))[index])
        elif number == 75 and index < 1:
            assert answer[4:8] in (b"MJPG", b"YUYV")
            struct.pack_into("<III", answer, 16, 1, 1, 30)
        else:
            raise OSError(errno.EINVAL, "no more")
        return 0


def test_the_modes_of_a_camera_are_read_from_its_driver(tmp_path: Path) -> None:
    plug(tmp_path, 0, "A1")
    (node,) = v4l.nodes(v4l.Folders(tmp_path / "sys", tmp_path / "dev"), Driver())
    assert (node.number, node.name) == (0, "Bench Cam")
    assert node.modes[:2] == (Mode(1280, 720, 30.0, "MJPG"), Mode(640, 480, 30.0, "MJPG")) and len(node.modes) == 4


def test_nodes_that_do_not_capture_are_left_out_and_busy_ones_say_so(tmp_path: Path) -> None:
    plug(tmp_path, 0, "A1")
    folders = v4l.Folders(tmp_path / "sys", tmp_path / "dev")
    assert v4l.nodes(folders, Driver(captures=False)) == []
    (busy,) = v4l.nodes(folders, Driver(failure=errno.EBUSY))
    assert busy.modes == () and "in use" in busy.note


def test_a_system_without_video_nodes_has_no_cameras(tmp_path: Path) -> None:
    assert v4l.nodes(v4l.Folders(tmp_path / "nothing", tmp_path)) == []
