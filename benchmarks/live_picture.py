"""What one picture of a run under way costs until it is painted: the engine's part and the window's.

    QT_QPA_PLATFORM=xcb xvfb-run -a -s '-screen 0 1400x900x24' python benchmarks/live_picture.py [--fetch]

Frames of 1280 × 720 with 300 boxes, six of them above the threshold, and six labels go through the shared memory onto
the real Replay page, all in this process, so that the processor time of each part can be told. Before each part the
caches are emptied, as a replay on all cores does. `--fetch` measures the other way: the whole picture is sent and the
window scales it, as where nobody told the engine what is in sight.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from store import header, moment_ref

from hilgui.engine import Event, RunStarted, Shown
from hilgui.engine.screen import SharedScreen
from hilgui.gui.bridge import Bridge
from hilgui.gui.memory import Memory
from hilgui.gui.qt_environment import create_application
from hilgui.gui.replay import ReplayPage
from hilgui.gui.theme import Theme
from hilgui.pipeline import RunPlan
from hilgui.records import Comparison, Detections, Frame, FrameHealth, Inference, Moment, Role, Truth
from hilgui.scaling import Cut
from hilgui.settings import Settings
from hilgui.store import RunWriter

BOXES, SEEN = 300, 6
WARM_UP = 8
CACHE_BYTES = 40 * 2**20
RNG = np.random.default_rng(0)


class OneProcess:
    """An engine whose frames this script puts into the shared memory."""

    def __init__(self, writer: RunWriter, *, may_scale: bool) -> None:
        self.writer = writer
        self.screen = SharedScreen()
        self._reader = SharedScreen(self.screen.memory)
        self._may_scale = may_scale
        self._events: list[Event] = []

    def run(self, plan: RunPlan) -> None:
        """Say that a run began."""
        self._events.append(RunStarted(self.writer.folder, "live", None))

    def pause(self) -> None:
        """Do nothing."""

    def resume(self) -> None:
        """Do nothing."""

    def stop(self, reason: str = "") -> None:
        """Do nothing."""

    def poll(self) -> list[Event]:
        """Give what happened."""
        events, self._events = self._events, []
        return events

    def newest(self) -> Shown | None:
        """Give the newest frame."""
        return self._reader.newest()

    def look_at(self, cut: Cut | None, period_s: float) -> None:
        """Pass on what is in sight."""
        self._reader.ask(cut if self._may_scale else None, period_s)

    def close(self) -> None:
        """Let go."""
        self.writer.close()
        self.screen.close()
        self._reader.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=45)
    parser.add_argument("--fetch", action="store_true")
    given = parser.parse_args()
    application = create_application(sys.argv[:1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = OneProcess(RunWriter(folder, header("live")), may_scale=not given.fetch)
        page = ReplayPage(Theme(application, "dark"), None, Memory(folder))
        bridge = Bridge(lambda: engine, page)
        page.follow(bridge)
        page.resize(1280, 650)
        page.show()
        bridge.run(RunPlan(Path("drive.mp4"), Path("m.onnx"), folder, Settings(home=folder, disk_reserve_mb=0)))
        while page.drive is None or not page.is_live:
            application.processEvents()
        images = RNG.integers(0, 256, (6, 720, 1280, 3), np.uint8)
        cache = np.zeros(CACHE_BYTES, np.uint8)
        spent: dict[str, list[float]] = {"engine": [], "window": []}
        for seq in range(given.pictures):
            moment = moment_of(seq)
            frame = Frame(moment.ref, images[seq % len(images)])
            cache[::64] += 1
            started = time.thread_time()
            engine.screen.show(frame, moment)
            spent["engine"].append(time.thread_time() - started)
            cache[::64] += 1
            started = time.process_time()
            bridge.frame_shown.emit(engine.newest())  # as its timer does
            application.processEvents()
            spent["window"].append(time.process_time() - started)
        cut = page.view.cut
        print(
            f"{application.platformName()}, picture {cut.width} × {cut.height}, median of {given.pictures - WARM_UP}:"
        )
        for part, each in spent.items():
            print(f"  {part:8} {median(each[WARM_UP:]) * 1e3:.2f} ms of processor time")
        page.close_run()
        bridge.close()


def moment_of(seq: int) -> Moment:
    """Make what a detector of YOLOv8n's kind leaves of a frame."""
    scores = np.concatenate((np.linspace(0.95, 0.6, SEEN), np.linspace(0.2, 0.001, BOXES - SEEN)))
    found = Detections(some_boxes(BOXES).astype(np.float32), scores.astype(np.float32), RNG.integers(0, 2, BOXES))
    matched = np.ones(SEEN, np.uint8)
    compared = Comparison(matched, matched, np.arange(SEEN, dtype=np.int32), np.ones(SEEN, np.float32))
    truth = Truth.of(some_boxes(SEEN), np.zeros(SEEN, np.int32))
    inferences = {Role.BASELINE: Inference(found, 1, 2, 3)}
    return Moment(moment_ref(seq), FrameHealth(80.0, 20.0, 0.0, 1.0), truth, inferences, {Role.BASELINE: compared})


def some_boxes(count: int) -> np.ndarray:
    """Place boxes of 20 to 170 pixels."""
    corners = RNG.uniform(0, (1100, 550), (count, 2))
    return np.concatenate((corners, corners + RNG.uniform(20, 170, (count, 2))), axis=1)


if __name__ == "__main__":
    main()
