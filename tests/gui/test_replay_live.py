"""A run that is watched while it is written."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from hilgui.engine import RunFinished, RunStarted, Shown
from hilgui.gui.bridge import Bridge
from hilgui.gui.memory import Memory
from hilgui.gui.replay import ReplayPage
from hilgui.gui.status import ReplayStatus
from hilgui.gui.theme import Theme
from hilgui.pipeline import RunPlan
from hilgui.records import Ledger, Outcome, Verdict
from hilgui.scaling import Cut, scaled
from hilgui.settings import Settings
from hilgui.sources import source_for
from hilgui.store import RunWriter
from tests.gui.replay_run import findings, frame_image, header_of, moment_of, ref_of, write_video

FRAMES = 60


@dataclass
class WritingEngine:
    """Writes a run a stretch at a time, when the test says so, and shows the newest frame."""

    root: Path
    writer: RunWriter
    written: int = 0

    def __post_init__(self) -> None:
        self._events: list[object] = []
        self._shown: Shown | None = None
        self.looks: list[tuple[Cut | None, float]] = []

    def run(self, plan: RunPlan | None) -> None:
        self._events.append(RunStarted(self.writer.folder, "live", FRAMES))

    def write(self, until: int) -> None:
        self.writer.write([moment_of(seq) for seq in range(self.written, until)])
        self.written = until
        self._shown = Shown(ref_of(until - 1), frame_image(until - 1), moment_of(until - 1))

    def show(self, shown: Shown) -> None:
        self._shown = shown

    def finish(self) -> None:
        self.writer.write([], findings())
        self.writer.finish(Verdict(Outcome.PASS), Ledger(FRAMES, FRAMES, 0, 0, FRAMES))
        self._events.append(RunFinished(self.writer.folder, Outcome.PASS, ()))

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self, reason: str = "") -> None: ...

    def poll(self) -> list[object]:
        events, self._events = self._events, []
        return events

    def look_at(self, cut: Cut | None, period_s: float) -> None:
        self.looks.append((cut, period_s))

    def newest(self) -> Shown | None:
        shown, self._shown = self._shown, None
        return shown

    @property
    def is_taken(self) -> bool:
        return self._shown is None

    def close(self) -> None:
        self.writer.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WritingEngine]:
    video = tmp_path / "drive.mp4"
    write_video(video, FRAMES)
    source = source_for(video)
    facts = source.open()
    source.close()
    engine = WritingEngine(tmp_path, RunWriter(tmp_path / "runs", header_of(facts)))
    yield engine
    engine.close()


@pytest.fixture
def page(qtbot: QtBot, theme: Theme, memory: Memory, settings: Settings, engine: WritingEngine) -> Iterator[ReplayPage]:
    page = ReplayPage(theme, None, memory)
    bridge = Bridge(lambda: engine, page)
    page.follow(bridge)
    qtbot.addWidget(page)
    page.show()
    bridge.run(RunPlan(Path("drive.mp4"), Path("model.onnx"), settings.runs, settings))
    qtbot.waitUntil(lambda: page.drive is not None)
    yield page
    page.close_run()
    bridge.close()


def test_the_newest_frame_is_on_the_screen_before_the_run_is_over(
    qtbot: QtBot, page: ReplayPage, engine: WritingEngine
) -> None:
    engine.write(10)
    qtbot.waitUntil(lambda: page.player.picture is not None and page.player.picture.seq == 9)

    assert page.is_live
    assert page.action("live").isChecked()
    qtbot.waitUntil(lambda: len(page.drive or ()) == 10)
    assert page.timeline.span == (0.0, float(FRAMES))


def test_a_page_that_nobody_sees_prepares_no_picture_and_shows_the_newest_when_it_is_back(
    qtbot: QtBot, page: ReplayPage, engine: WritingEngine
) -> None:
    engine.write(10)
    qtbot.waitUntil(lambda: page.player.picture is not None and page.player.picture.seq == 9)
    page.hide()
    engine.write(20)
    qtbot.waitUntil(lambda: engine.is_taken and len(page.drive or ()) == 20)

    assert page.player.picture is not None and page.player.picture.seq == 9
    page.show()
    assert page.player.picture.seq == 19


def test_going_back_leaves_the_newest_frame_and_l_returns(
    qtbot: QtBot, page: ReplayPage, engine: WritingEngine
) -> None:
    engine.write(20)
    qtbot.waitUntil(lambda: len(page.drive or ()) == 20)
    QTest.keyClick(page.view, Qt.Key.Key_Home)
    engine.write(30)
    qtbot.waitUntil(lambda: not page.player.is_waiting)

    assert not page.is_live
    assert page.player.picture is not None and page.player.picture.seq == 0
    QTest.keyClick(page.view, Qt.Key.Key_L)
    engine.write(40)
    qtbot.waitUntil(lambda: page.player.picture is not None and page.player.picture.seq == 39)


def test_a_run_that_ends_becomes_a_stored_one(qtbot: QtBot, page: ReplayPage, engine: WritingEngine) -> None:
    engine.write(FRAMES)
    engine.finish()
    qtbot.waitUntil(lambda: page.drive is not None and page.drive.state == "finished" and not page.player.is_waiting)

    assert not page.is_live
    assert not page.action("live").isEnabled()
    assert page.findings.model.rowCount() == 3
    QTest.keyClick(page.view, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: not page.player.is_waiting)
    assert "was missed for 16 frames" in page.inspector.why


def test_the_status_tells_provider_latency_and_time(qtbot: QtBot, page: ReplayPage, engine: WritingEngine) -> None:
    told: list[ReplayStatus] = []
    page.status_changed.connect(told.append)
    engine.write(30)
    qtbot.waitUntil(lambda: bool(told) and told[-1].duration_s == pytest.approx(29 / 30))

    assert told[-1].provider == "CPUExecutionProvider"
    assert all(4 < p50 <= p99 < 6 for p50, p99 in told[-1].latency_ms.values())


def test_the_engine_learns_what_is_in_sight_and_that_nobody_looks(
    qtbot: QtBot, page: ReplayPage, engine: WritingEngine
) -> None:
    engine.write(10)
    qtbot.waitUntil(lambda: page.player.picture is not None and page.player.picture.seq == 9)
    seen, period_s = engine.looks[-1]
    assert seen == page.view.cut and (seen.x1, seen.y1) == (0, 0)
    page.view.zoom(4)
    assert engine.looks[-1] == (page.view.cut, period_s) and page.view.cut != seen
    page.hide()
    assert engine.looks[-1][0] is None and engine.looks[-1][1] > period_s
    page.show()
    assert engine.looks[-1] == (page.view.cut, period_s)


def test_a_live_picture_of_which_a_part_came_is_fetched_when_more_is_in_sight(
    qtbot: QtBot, page: ReplayPage, engine: WritingEngine
) -> None:
    engine.write(10)
    qtbot.waitUntil(lambda: page.player.picture is not None and page.player.picture.seq == 9)
    image, fitted = frame_image(10), page.view.cut
    whole = page.view.grab().toImage()
    fetched: list[int] = []

    def fetch() -> NDArray[np.uint8] | None:
        fetched.append(1)
        return image if len(fetched) < 2 else None

    def show() -> None:
        engine.show(Shown(ref_of(10), None, moment_of(10), (fitted, scaled(image, fitted)), fetch))
        qtbot.waitUntil(lambda: engine.is_taken and page.player.picture is not None and page.player.picture.seq == 10)

    show()
    as_it_came = page.view.grab().toImage()
    assert not fetched and as_it_came != whole
    page.view.zoom(3)
    close_up = page.view.grab().toImage()
    assert len(fetched) == 1 and close_up != as_it_came
    page.view.fit()
    assert page.view.grab().toImage() == as_it_came and len(fetched) == 1
    show()
    page.view.zoom(3)
    stretched = page.view.grab().toImage()  # what came last, larger, until the next frame comes
    assert len(fetched) == 2 and stretched.size() == close_up.size()
    apart = np.abs(pixels_of(stretched).astype(np.int16) - pixels_of(close_up))
    assert apart.mean() < 8


def pixels_of(picture: QImage) -> NDArray[np.uint8]:
    picture = picture.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.width(), 4)[..., :3]
