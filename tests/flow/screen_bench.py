"""A screen window that is filmed by a simulated camera for minutes: does the truth stay with its frame?

    python -m tests.flow.screen_bench FOLDER [--seconds 160]

The window of `hilgui screen show` shows a drive whose frames carry their own number in the picture, above and below;
a rolling shutter films what the window draws, and a run judges it. In the middle the camera is unplugged, later the
window is closed and another one goes on with the drive. What the pictures themselves say is compared with the number,
the labels and the name under which the run judged them. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import av
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QSize, QTimer
from PySide6.QtGui import QImage

from devices.cameras.screen import FilmedScreen
from devices.sim.screen_camera import ScreenCamera, Seam, View
from hilgui.errors import SourceBroken
from hilgui.gui.qt_environment import create_application
from hilgui.gui.screen_window import TimedWindow, _Canvas
from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.records import Frame, Moment
from hilgui.settings import load_settings
from hilgui.sources import source_for
from hilgui.sources.camera import CameraFacts, CameraFound, Shot, Wish
from hilgui.sources.excerpt import Excerpt
from hilgui.sources.screen import Glimpse, ScreenLayout, Showing, corner_errors_px, on_screen
from hilgui.sources.screen.carrying import box_corners
from hilgui.store import RunReader
from tests.flow.tiny import write_model

SCREEN = (800, 600)
SCREEN_FPS, CAMERA_FPS = 5.0, 12.0  # most frames are seen twice; a busy machine keeps up
READOUT_S = 0.03  # from the first row of a picture to the last
VIEW = View(
    640, 480, yaw_deg=8, pitch_deg=4, roll_deg=1.5, fill=0.86, lens=-0.01, blur_px=0.5, noise=3, gain=0.9, ambient=6
)
ENOUGH = 5  # frames that are judged between two disturbances, however slow the machine is
WIDTH, HEIGHT = 256, 192
_BITS, _CELL = 12, 16
_DARK, _LIGHT = 40, 210

Image = NDArray[np.uint8]


def numbered(number: int) -> Image:
    """Give a frame that says its number in two rows of cells, at the very top and at the very bottom."""
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for place in range(_BITS):
        left = 32 + place * _CELL
        for top in (0, HEIGHT - _CELL):
            picture[top : top + _CELL, left : left + _CELL] = _LIGHT if number >> place & 1 else _DARK
    return picture


def numbers_in(picture: Image) -> tuple[int, int]:
    """Read the number above and the one below; a third is neither light nor dark."""
    told = []
    for top in (0, HEIGHT - _CELL):
        cells = picture[top + 4 : top + _CELL - 4, 32 : 32 + _BITS * _CELL].reshape(_CELL - 8, _BITS, _CELL, 3)
        told.append(sum(1 << place for place, level in enumerate(cells.mean(axis=(0, 2, 3))) if level > 120))
    return told[0], told[1]


def box_of(number: int) -> tuple[float, float, float, float]:
    """Give the labelled box of a frame, another one in each: left, top, width, height."""
    return 20.0 + number % 97, 30.0 + number % 53, 40.0, 60.0


def write_numbered(path: Path, frames: int) -> Path:
    """Write such a drive with its labels beside it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=int(SCREEN_FPS))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "12", "preset": "ultrafast"}
        for number in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), format="bgr24")))
        container.mux(stream.encode(None))
    truth = {
        "images": [
            {"id": n, "file_name": f"{path.name}#{n:06d}", "frame_index": n, "width": WIDTH, "height": HEIGHT}
            for n in range(frames)
        ],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [
            {"id": n + 1, "image_id": n, "category_id": 1, "bbox": box_of(n), "area": 2400, "iscrowd": 0}
            for n in range(frames)
        ],
    }
    path.with_suffix(".coco.json").write_text(json.dumps(truth), encoding="utf-8")
    return path


class Window:
    """The screen: a window on the thread of Qt, what it draws, and since when."""

    def __init__(self, drive: Path) -> None:
        self._drive = drive
        self._lock = threading.Lock()
        self._desktop = np.full((SCREEN[1], SCREEN[0], 3), 90, np.uint8)
        self._drawn = self._before = self._desktop
        self._since = time.monotonic()
        self._poll = QTimer()
        self._poll.timeout.connect(self._look)
        self._again = QTimer()
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._open)
        self._window: TimedWindow | None = None
        self._first = self.openings = 0
        self._open()
        self._poll.start(4)

    def seen(self) -> tuple[Image, Image, float]:
        """Give what is drawn, what was before it, and when it changed; on the camera's thread."""
        with self._lock:
            return self._drawn, self._before, self._since

    def reopen(self) -> None:
        """Close the window, and open another that goes on with the drive."""
        self._first = (self._showing.number or 0) + 1
        self.close()
        self._put(self._desktop)
        self._again.start(700)

    def close(self) -> None:
        """Let go of window and drive."""
        self._again.stop()
        if self._window is not None:
            self._window.close()
            self._window.deleteLater()
            self._window = None
        self._showing.close()

    def _open(self) -> None:
        self._showing = Showing(Excerpt(source_for(self._drive), self._first), *SCREEN, lead_s=1.0)
        self._showing.open()
        self._shown = 0
        self._window = TimedWindow(_Canvas(self._showing, QSize(*SCREEN)))
        self._window.resize(*SCREEN)
        self._window.show()
        self.openings += 1

    def _look(self) -> None:
        if self._window is None or self._showing.shown == self._shown:
            return
        self._shown = self._showing.shown
        image = self._window.grab().toImage().convertToFormat(QImage.Format.Format_BGR888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        self._put(rows[: SCREEN[1], : 3 * SCREEN[0]].reshape(SCREEN[1], SCREEN[0], 3).copy())

    def _put(self, drawn: Image) -> None:
        with self._lock:
            self._before, self._drawn, self._since = self._drawn, drawn, time.monotonic()


class RollingEye:
    """A camera whose rows are exposed one after the other: a change of the screen meanwhile leaves a seam."""

    lists: ClassVar[str] = ""

    def __init__(self, window: Window, layout: ScreenLayout) -> None:
        self._window = window
        self.optics = ScreenCamera(layout, VIEW)
        self.unplug, self.ends = threading.Event(), threading.Event()
        self.opened = 0
        self.seams = 0  # pictures of two canvases
        self._due = 0.0

    @classmethod
    def found(cls) -> Sequence[CameraFound]:
        return ()

    def open(self, wish: Wish) -> CameraFacts:
        self.opened += 1
        self._due = time.monotonic()
        return CameraFacts("rolling eye", "simulation", VIEW.width, VIEW.height, CAMERA_FPS)

    def read(self) -> Shot | None:
        if self.ends.is_set():
            return None
        if self.unplug.is_set():
            self.unplug.clear()
            raise SourceBroken("the cable was pulled")
        self._due = max(self._due + 1 / CAMERA_FPS, time.monotonic() - 0.2)
        time.sleep(max(0.0, self._due - time.monotonic()))
        drawn, before, since = self._window.seen()
        now = time.monotonic()
        share = (since - (now - READOUT_S)) / READOUT_S
        seam = Seam(share, 0.05) if share > -0.05 else None
        self.seams += seam is not None
        return Shot(self.optics.film(drawn, before, seam), round(now * 1e9))

    def close(self) -> None:
        pass


class Measuring(FilmedScreen):
    """The driver, and how far the corners that it carries are from where they are."""

    def __init__(self, window: Window) -> None:
        super().__init__("screen:uvc:0", self._look_with)
        self._window = window
        self.eye: RollingEye | None = None
        self.corner_px: list[float] = []
        self.pictures = self.clean = 0
        self.why: Counter[str] = Counter()

    def _look_with(self, _: Path, layout: ScreenLayout) -> RollingEye:
        self.eye = RollingEye(self._window, layout)
        return self.eye

    def read(self) -> Shot | None:
        """Read as the driver does, and measure."""
        shot = super().read()
        if shot is None or self.eye is None:
            return shot
        self.pictures += 1
        if shot.why:
            self.why[shot.why] += 1
        if shot.shown is not None and isinstance(self.glimpse, Glimpse) and self.layout is not None:
            x, y, wide, high = box_of(shot.shown.number)
            box = np.array([[x, y, x + wide, y + high]])
            true = self.eye.optics.place(on_screen(box_corners(box), self.layout))
            self.corner_px += corner_errors_px(box, self.layout, self.glimpse.pose, true).tolist()
        return shot


class Witness:
    """Compares what each judged picture says of itself with what the run says; on the judge's thread."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.numbers: list[int] = []
        self.resident_mib: list[float] = []
        self.threads: list[int] = []

    def look(self, frame: Frame, moment: Moment) -> None:
        """Look at one frame."""
        number = frame.ref.truth_seq
        x, y, wide, high = box_of(number)
        labelled = None if moment.truth is None else moment.truth.boxes.round(2).tolist()
        said = (*numbers_in(frame.image), frame.ref.key.rpartition("#")[2], labelled)
        if said != (number, number, f"{number:06d}", [[x, y, x + wide, y + high]]):
            self.wrong.append(f"frame {number}: {said}")
        self.numbers.append(number)
        if len(self.numbers) % 20 == 0:
            gc.collect()
            self.resident_mib.append(resident_mib())
            self.threads.append(threading.active_count())


def resident_mib() -> float:
    """Give the resident memory of this process; 0 where there is no /proc."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    lines = status.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def film(folder: Path, seconds: float) -> dict[str, Any]:
    """Show, film and judge for so long at least; reopen the camera after two fifths, the window after three fifths."""
    application = create_application(["screen_bench"])
    application.setQuitOnLastWindowClosed(False)
    folder.mkdir(parents=True, exist_ok=True)
    drive = write_numbered(folder / "numbered.mp4", round((seconds + 120) * SCREEN_FPS))
    window, witness = Window(drive), Witness()
    camera = Measuring(window)
    plan = RunPlan(
        source=Path(f"camera:screen:uvc:0#drive={drive},screen={SCREEN[0]}x{SCREEN[1]}"),
        baseline=write_model(folder / "tiny.onnx"),
        truth=drive.with_suffix(".coco.json"),
        out=folder / "runs",
        settings=load_settings(file=folder / "none.toml", environment={}, disk_reserve_mb=0),
        provider="cpu",
    )
    ended: list[Path | BaseException] = []
    reopened_at: list[int] = []
    began: list[float] = []

    def judge() -> None:
        try:
            with patch("hilgui.sources.live.make_camera", lambda _: camera):
                prepared = prepare(plan)
            try:
                run = Run(prepared, Watchers(lambda _: None, witness.look))
                began.append(time.monotonic())
                run.execute()
            finally:
                prepared.close()
            ended.append(run.folder)
        except BaseException as failure:
            ended.append(failure)

    def steer() -> None:
        """Unplug, reopen and end; a timer of the window's thread."""
        if ended:
            QCoreApplication.quit()
        step, judged = len(reopened_at), len(witness.numbers)
        is_due = bool(began) and time.monotonic() - began[0] > (0.4, 0.6, 1.0)[min(step, 2)] * seconds
        if not is_due or judged < (reopened_at or [0])[-1] + ENOUGH or camera.eye is None:
            return
        if step == 0:
            camera.eye.unplug.set()
        elif step == 1:
            window.reopen()
        elif step == 2:
            camera.eye.ends.set()
        reopened_at.append(judged)

    judging = threading.Thread(target=judge, name="judging")
    judging.start()
    timer = QTimer()
    timer.timeout.connect(steer)
    timer.start(20)
    application.exec()
    timer.stop()
    judging.join()
    window.close()
    (end,) = ended
    if isinstance(end, BaseException):
        raise end
    return told(RunReader(end), camera, window, witness, reopened_at, seconds)


def told(
    reader: RunReader, camera: Measuring, window: Window, witness: Witness, reopened_at: list[int], seconds: float
) -> dict[str, Any]:
    """Give the report of a run."""
    assert camera.eye is not None
    waited = reader.series()["screen to result"]
    thirds = np.array_split(waited.numbers, 3)
    ledger, verdict = reader.ledger, reader.verdict
    readable = camera.pictures - sum(count for why, count in camera.why.items() if "two frames" in why)
    unread = sum(count for why, count in camera.why.items() if "cannot be read" in why)
    reader.close()
    return {
        "seconds": seconds,
        "verdict": None if verdict is None else verdict.outcome.value,
        "pictures": camera.pictures,
        "pictures_of_two_canvases": camera.eye.seams,
        "judged": len(witness.numbers),
        "wrong": witness.wrong,
        "in_order": witness.numbers == sorted(set(witness.numbers)),
        "code_read_percent": round(100 * (1 - unread / max(readable, 1)), 2),
        "corner_px_median": round(float(np.median(camera.corner_px)), 3),
        "corner_px_p95": round(float(np.percentile(camera.corner_px, 95)), 3),
        "screen_to_result_ms": [
            [round(float(value), 1) for value in np.percentile(third, (50, 99))] for third in thirds if len(third)
        ],
        "resident_mib": [round(value, 1) for value in witness.resident_mib],
        "threads": witness.threads,
        "camera_opened": camera.eye.opened,
        "window_opened": window.openings,
        "judged_at_reopening": reopened_at[:2],
        "reasons": dict(camera.why),
        "ledger": {
            "captured": ledger.captured,
            "evaluated": ledger.evaluated,
            "dropped": ledger.dropped,
            "with_truth": ledger.with_truth,
            "reasons": dict(ledger.reasons),
            "closes": ledger.closes,
        },
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=160.0)
    wanted = parser.parse_args()
    sys.stdout.write(json.dumps(film(wanted.folder, wanted.seconds), indent=1) + "\n")
