from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from hilgui.engine import RunFailed, RunFinished
from hilgui.errors import SourceBroken
from hilgui.gui.bridge import Bridge
from hilgui.gui.errand import Errand
from hilgui.pipeline import RunPlan
from hilgui.records import Outcome
from tests.gui.shell_bench import FakeEngine, progress, shown


@pytest.fixture
def plan(settings):
    return RunPlan(source=Path("drive.mp4"), baseline=Path("model.onnx"), out=settings.runs, settings=settings)


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def bridge(application, engine):
    made = Bridge(lambda: engine)
    yield made
    made.close()


def test_a_run_starts_and_ends(qtbot, bridge, engine, plan):
    with qtbot.waitSignal(bridge.run_started) as started:
        bridge.run(plan)
    assert started.args[0].folder == engine.folder == bridge.folder
    assert bridge.is_busy
    engine.events.append(RunFinished(engine.folder, Outcome.PASS, ()))
    with qtbot.waitSignal(bridge.run_finished):
        pass
    assert not bridge.is_busy


def test_an_engine_that_does_not_start_is_a_failed_run(qtbot, settings, plan):
    bridge = Bridge(lambda: FakeEngine(starts=False))
    with qtbot.waitSignal(bridge.run_failed) as failed:
        bridge.run(plan)
    assert "does not start" in failed.args[0].sentence
    assert not bridge.is_busy


def test_a_crash_of_the_engine_ends_the_run_only(qtbot, bridge, engine, plan):
    bridge.run(plan)
    engine.events.append(RunFailed("the engine process crashed (SIGSEGV)", "trace", engine.folder))
    with qtbot.waitSignal(bridge.run_failed):
        pass
    with qtbot.waitSignal(bridge.run_started):
        bridge.run(plan)


def test_progress_is_told_five_times_a_second_at_most_and_the_last_is_never_lost(qtbot, application, engine, plan):
    now = [0.0]
    bridge = Bridge(lambda: engine, now=lambda: now[0])
    told = []
    bridge.progress.connect(told.append)
    bridge.run(plan)
    for step in range(200):  # four seconds of ticks, progress with each
        now[0] = step * 0.02
        engine.events.append(progress(step))
        bridge._pull()
    assert 17 <= len(told) <= 21
    engine.events.extend([progress(200), RunFinished(engine.folder, Outcome.PASS, ())])
    bridge._pull()
    assert told[-1].evaluated == 200
    bridge.close()


@pytest.mark.parametrize(
    ("source", "speed", "rate"),
    [
        ("drive.mp4", "max", 10),
        ("drive.mp4", "4", 10),
        ("drive.mp4", "realtime", 30),
        ("drive.mp4", "0.5", 30),
        ("drive.mp4", "quick", 30),
        ("camera:uvc:0", "max", 30),
    ],
)
def test_a_run_faster_than_its_drive_shows_a_third_of_the_pictures(bridge, plan, source, speed, rate):
    bridge.run(replace(plan, source=Path(source), speed=speed))
    assert round(1000 / bridge._timer.interval()) == rate


def test_only_the_newest_frame_is_shown(qtbot, bridge, engine, plan):
    seen = []
    bridge.frame_shown.connect(lambda frame: seen.append(frame.ref.seq))
    bridge.run(plan)
    for seq in range(500):
        engine.frame = shown(seq)
    with qtbot.waitSignal(bridge.frame_shown):
        pass
    assert seen == [499]


def test_pause_and_stop_reach_the_engine(qtbot, bridge, engine, plan):
    bridge.run(plan)
    with qtbot.waitSignal(bridge.held):
        bridge.pause()
    assert engine.is_held and bridge.is_held
    bridge.resume()
    assert not engine.is_held
    bridge.stop()
    with qtbot.waitSignal(bridge.run_finished) as finished:
        pass
    assert finished.args[0].outcome is Outcome.ABORTED


def test_close_ends_the_engine_and_may_be_called_twice(bridge, engine, plan):
    bridge.run(plan)
    bridge.close()
    bridge.close()
    assert engine.is_closed


class Canvas(QWidget):
    """Paints lines and tells so."""

    painted = Signal(bool, object)

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def paintEvent(self, event):
        painter = QPainter(self)
        painter.setPen(QPen("#ffffff"))
        for line in range(50):
            painter.drawRect(line, line, 20, 10)
            painter.drawLine(0, line, 100, line)
        painter.end()
        self.count += 1
        self.painted.emit(True, None)


def test_emitting_and_painting_thousands_of_times_is_survived(qtbot):
    """PySide6 6.12.0 on Python 3.11 lost references to True and None here and aborted after some 50 frames."""
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(120, 80)
    canvas.show()
    qtbot.waitExposed(canvas)
    qtbot.wait(20)
    heard = []
    canvas.painted.connect(lambda is_done, nothing: heard.append((is_done, nothing)))
    canvas.count = 0
    for _ in range(3000):
        canvas.repaint()
    assert canvas.count == 3000
    assert heard[-3000:] == [(True, None)] * 3000


def test_an_errand_answers_on_the_gui_thread(qtbot):
    owner, answers = QObject(), []
    Errand(owner, "sum", lambda: 40 + 2, answers.append, lambda *words: answers.append(words))
    qtbot.waitUntil(lambda: answers == [42])


def test_an_errand_that_fails_says_the_sentence(qtbot):
    owner, answers = QObject(), []

    def break_down() -> None:
        raise SourceBroken("drive.mp4 is truncated; record it again")

    Errand(owner, "open", break_down, answers.append, lambda sentence, details: answers.append(sentence))
    qtbot.waitUntil(lambda: answers == ["drive.mp4 is truncated; record it again"])


def test_a_forgotten_errand_stays_silent(qtbot):
    owner, answers = QObject(), []
    errand = Errand(owner, "sum", lambda: 1, answers.append, lambda *words: answers.append(words))
    errand.forget()
    errand.wait(240.0)
    qtbot.wait(50)
    assert not answers and isValid(owner)
