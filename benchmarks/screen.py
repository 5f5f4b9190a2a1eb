"""The picture, the timeline and the plots of the Replay page against the way tutorials show it.

    python benchmarks/screen.py [--frames 300] [--boxes 50]

Both sides of each pair run in turns on the same frames; medians of the thread's processor time and their ratio are
printed. Runs on the offscreen platform unless QT_QPA_PLATFORM says otherwise.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from statistics import median

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from hilgui.gui.qt_environment import create_application
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.frame_view import FrameView
from hilgui.gui.replay.ink import picture_ink
from hilgui.gui.replay.overlay import Layer, State, Thing
from hilgui.gui.replay.pictures import for_screen
from hilgui.gui.replay.plots import LATENCIES, DrivePlot
from hilgui.gui.replay.timeline import Timeline
from hilgui.gui.theme import Theme
from hilgui.records import ModelFacts, People, Role, RunHeader, SourceFacts, TruthFacts, Vocabulary
from hilgui.scaling import scaled
from hilgui.store import RoleTimeline
from hilgui.store import Timeline as Numbers

WIDTH, HEIGHT = 1280, 720


class TutorialView(QLabel):
    """A QLabel with a QPixmap, boxes drawn into it one by one: what one finds first when one searches."""

    def show_frame(self, image: np.ndarray, things: tuple[Thing, ...]) -> None:
        """Convert, draw, set."""
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        pixmap = QPixmap.fromImage(QImage(rgb.data, WIDTH, HEIGHT, WIDTH * 3, QImage.Format.Format_RGB888))
        painter = QPainter(pixmap)
        for thing in things:
            x1, y1, x2, y2 = thing.box
            painter.setPen(QPen(QColor("orange"), 2))
            painter.drawRect(int(x1), int(y1), int(x2 - x1), int(y2 - y1))
            painter.setFont(QFont("Arial", 8))
            painter.drawText(int(x1), int(y1) - 3, f"{thing.name} {thing.score:.2f}")
        painter.end()
        self.setPixmap(pixmap)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--frames", type=int, default=300)
    arguments.add_argument("--boxes", type=int, default=50)
    given = arguments.parse_args()
    application = create_application(["screen"])
    theme = Theme(application, "dark")
    print(f"platform {application.platformName()}, {WIDTH}×{HEIGHT}, {given.boxes} boxes with labels")
    measure_picture(application, theme, given.frames, given.boxes)
    measure_long_drive(application, theme)


def measure_picture(application: QApplication, theme: Theme, frames: int, boxes: int) -> None:
    """Paint changing frames in our view and in the tutorial's, in turns."""
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8) for _ in range(8)]
    ready = [for_screen(image) for image in images]  # the decoder thread does this, and the scaling
    sets = [things(rng, boxes) for _ in range(8)]
    view, fitted, tutorial = FrameView(picture_ink(theme)), FrameView(picture_ink(theme)), TutorialView()
    view.resize(WIDTH, HEIGHT)
    fitted.resize(900, 520)
    tutorial.resize(WIDTH, HEIGHT)
    show(view, fitted, tutorial)
    fitted.show_frame(ready[0], sets[0])
    cut = fitted.cut
    parts = [(cut, scaled(image, cut)) for image in ready]
    times: dict[str, list[float]] = {name: [] for name in ("1280×720", "fitted to 900×520", "tutorial", "ahead")}
    for turn in range(frames):
        image, part, set_ = images[turn % 8], parts[turn % 8], sets[turn % 8]
        four = ready[turn % 8]
        times["1280×720"].append(spent(partial(view.show_frame, four, set_), view))
        times["fitted to 900×520"].append(spent(partial(fitted.show_frame, four, set_, "", part), fitted))
        times["tutorial"].append(spent(partial(tutorial.show_frame, image, set_), tutorial))
        begin = time.perf_counter()
        scaled(for_screen(image), cut)
        times["ahead"].append((time.perf_counter() - begin) * 1000)
    peer = median(times["tutorial"])
    for name, values in times.items():
        ratio = "" if name == "ahead" else f"   × {median(values) / peer:.2f}"
        print(f"  {name:<20} {median(values):6.2f} ms   p99 {np.quantile(values, 0.99):6.2f} ms{ratio}")
    print("  (ahead: BGR to 32 bit and scaling, on the decoder's thread)")
    for widget in (view, fitted, tutorial):
        widget.hide()


def measure_long_drive(application: QApplication, theme: Theme) -> None:
    """Draw a drive of a million frames: timeline and plot, whole and zoomed, against setData with every point."""
    drive = long_drive(1_000_000)
    timeline = Timeline(theme)
    timeline.resize(1200, 200)
    timeline.set_drive(drive)
    plot = DrivePlot(theme, LATENCIES)
    plot.resize(1200, 100)
    plot.set_drive(drive)
    peer = pg.PlotWidget()
    peer.resize(1200, 100)
    show(timeline, plot, peer)
    curve = peer.plot()
    y = drive.roles[Role.BASELINE].latency_ms.values
    x = np.arange(len(y))
    spans = [(0.0, 1e6), (1e5, 6e5), (4e5, 4.2e5), (5e5, 5.01e5)]
    print("a drive of 1,000,000 frames:")
    changes = {
        "plot, reduced": (plot, plot.set_span),
        "plot, setData": (peer, lambda first, last: (curve.setData(x, y), peer.setXRange(first, last, padding=0))),
        "timeline": (timeline, timeline.show_span),
        "timeline, cursor": (timeline, lambda first, last: timeline.set_position(int(first + last) // 2)),
    }
    for first, last in spans:
        print(f"  rows {first:,.0f} to {last:,.0f}")
        for name, (widget, change) in changes.items():
            times = []
            for turn in range(20):
                moved = partial(change, first + turn, last + turn)  # as panning does
                times.append(spent(moved, widget))
            print(f"    {name:<20} {median(times):7.2f} ms")
    for widget in (timeline, plot, peer):
        widget.hide()


def show(*widgets: QWidget) -> None:
    """Show widgets and wait until the platform paints them."""
    for widget in widgets:
        widget.show()
        QTest.qWaitForWindowExposed(widget)
    QTest.qWait(100)


def spent(change: Callable[[], object], widget: QWidget) -> float:
    """Make a change and paint it; milliseconds of processor time of this thread."""
    begin = time.thread_time()
    change()
    (widget.viewport() if isinstance(widget, pg.PlotWidget) else widget).repaint()
    return (time.thread_time() - begin) * 1000


def things(rng: np.random.Generator, count: int) -> tuple[Thing, ...]:
    """Make boxes as a street has them: truths, both models, some errors."""
    made = []
    for row in range(count):
        x, y = rng.uniform(0, WIDTH - 120), rng.uniform(30, HEIGHT - 120)
        box = (x, y, x + rng.uniform(20, 110), y + rng.uniform(20, 110))
        layer = (Layer.TRUTH, Layer.BASELINE, Layer.CANDIDATE)[row % 3]
        state = State.MATCHED if row % 7 else (State.MISSED if layer is Layer.TRUTH else State.PHANTOM)
        missed_by = (Role.CANDIDATE,) if state is State.MISSED else ()
        made.append(Thing(layer, row, box, "pedestrian", state, float(rng.random()), missed_by))
    return tuple(made)


def long_drive(frames: int) -> Drive:
    """Make the numbers of a long drive."""
    rng = np.random.default_rng(2)
    facts = SourceFacts("long.mp4", "video", "long.mp4", "", WIDTH, HEIGHT, 30.0, frames, ordered=True)
    model = ModelFacts("m", "m", "", "a", "CPUExecutionProvider", "CPU", 1, 0.35, None, 640, 640, ("car",))
    header = RunHeader(
        "long", "", "", "", (), {}, {}, People(), facts, TruthFacts("t", "", "coco", "frame", frames),
        dict.fromkeys(Role, model), Vocabulary(("car",), frozenset({0})), "max", 1,
    )  # fmt: skip
    drive = Drive(header)

    def noise() -> np.ndarray:
        return rng.random(frames).astype(np.float32)

    def counts(rate: float) -> np.ndarray:
        return rng.poisson(rate, frames).astype(np.int32)

    roles = {
        role: RoleTimeline(
            np.ones(frames, bool), 5 + noise(), noise(), 4 + noise(), noise(),
            counts(5), noise(), counts(4), counts(0.01), counts(0.01),
        )
        for role in Role
    }  # fmt: skip
    drive.extend(
        Numbers(
            np.arange(frames), np.arange(frames) / 30, np.zeros(frames, np.uint8), np.ones(frames, bool),
            noise(), noise(), roles,
        )
    )  # fmt: skip
    drive.state = "finished"
    return drive


if __name__ == "__main__":
    main()
