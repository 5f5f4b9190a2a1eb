"""Widgets are tested with real events on the offscreen platform; QT_QPA_PLATFORM=xcb runs them in real windows."""

import gc
import os
from functools import partial
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTEST_QT_API", "pyside6")

from hilgui.gui.bridge import Bridge
from hilgui.gui.cases.desk import CaseDesk
from hilgui.gui.memory import Memory
from hilgui.gui.page import Bench, OpenRun
from hilgui.gui.qt_environment import undo_opencv
from hilgui.gui.rig.link import RigLink
from hilgui.gui.theme import Theme
from hilgui.settings import Settings
from tests.gui.shell_bench import FakeEngine

undo_opencv()

_PATIENCE_MS = 240_000  # processes start and import on machines that may be busy; a wait ends as soon as it can


@pytest.fixture
def qtbot(qtbot):
    """Wait as long as a busy machine may need where a test says no other time."""
    for name in ("waitUntil", "waitSignal", "waitSignals"):
        setattr(qtbot, name, partial(getattr(qtbot, name), timeout=_PATIENCE_MS))
    return qtbot


@pytest.fixture(autouse=True)
def _runs_looked_at_often(monkeypatch):
    """Let a test that writes a run wait a tenth of a second for what is new, not a whole one."""
    monkeypatch.setattr("hilgui.gui.replay.feed._EVERY_S", 0.1)


@pytest.fixture(autouse=True)
def _collected_on_this_thread():
    """Destroy no widget on the thread of a decoder or an errand; the application has its Collector for it."""
    gc.disable()
    yield
    gc.collect(1)  # what the test made; everything there is would take long
    gc.enable()


@pytest.fixture(autouse=True, scope="module")
def _nothing_left_for_other_threads():
    """Leave no widget in a cycle to the threads of other tests."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def application(qapp):
    return qapp


@pytest.fixture(scope="session")
def _theme_of_session(application):
    return Theme(application, "dark")


@pytest.fixture
def theme(_theme_of_session):
    """The theme, dark at the start of each test."""
    if _theme_of_session.choice != "dark":
        _theme_of_session.choose("dark")
    return _theme_of_session


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose home is the test's own folder."""
    return Settings(home=tmp_path / "home", operator="Ada")


@pytest.fixture
def memory(settings: Settings) -> Memory:
    """What the application remembers, empty."""
    return Memory(settings.home)


@pytest.fixture
def bench(settings, theme, memory) -> Bench:
    """What a page may use, with an engine that behaves."""
    bridge, rig = Bridge(lambda: FakeEngine()), RigLink(settings.home)
    return Bench(settings, theme, memory, bridge, OpenRun(), rig, CaseDesk(settings, "Ada"))
