"""A cycle that holds a Qt object is destroyed on the GUI thread, whoever allocates meanwhile."""

import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QObject, QTimer

from hilgui.gui.collector import Collector


class Holder(QObject):
    """An object of Qt with a timer, in a cycle."""

    def __init__(self) -> None:
        super().__init__()
        self.timer = QTimer(self)
        self.itself = self


def _drop_a_cycle_while_another_thread_allocates() -> list[str]:
    """Give the names of the threads on which a dropped cycle was destroyed."""
    gone: list[str] = []
    weakref.finalize(Holder(), lambda: gone.append(threading.current_thread().name))

    def allocate() -> None:
        for _ in range(60_000):
            cycle: list[object] = []
            cycle.append(cycle)

    thread = threading.Thread(target=allocate, name="allocates")
    thread.start()
    thread.join()
    return gone


@pytest.fixture
def collector(qapp):
    was_enabled = gc.isenabled()
    gc.enable()
    made = Collector(qapp)
    yield made
    made.close()
    assert gc.isenabled()
    made.deleteLater()
    (gc.enable if was_enabled else gc.disable)()


def test_garbage_is_collected_on_the_gui_thread(qtbot, collector):
    gone = _drop_a_cycle_while_another_thread_allocates()
    assert "allocates" not in gone
    gc.collect()
    assert gone == [threading.main_thread().name]


def test_the_timer_collects_when_python_would(qtbot, collector):
    gc.collect()
    dropped: list[int] = []
    for number in range(50_000):  # pages of other tests may go meanwhile: Python takes those off its count
        cycle: list[object] = []
        cycle.append(cycle)
        if number == 0:
            holder = Holder()
            weakref.finalize(holder, dropped.append, 1)
            del holder
    qtbot.waitUntil(lambda: bool(dropped))
