"""Times STOP from the key in the window to the bytes at the port: key event, filter of the window, supervisor, port.

    python benchmarks/stop_key.py [--presses N] [--idle]

A real window of hilgui is shown (without a display: on Qt's offscreen platform) beside a simulated bench. The clock
starts when the window system's event is put into the window's queue, so the wait for a busy event loop counts; it ends
when the system has taken the bytes, in the supervisor. What is not in it: keyboard, kernel and display server. Without
`--idle` four threads of the window's process and every core are busy. Every tenth press finds the rig armed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "xcb" if os.environ.get("DISPLAY") else "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, Qt, QTimer
from PySide6.QtGui import QKeyEvent

from hilgui.gui.bridge import Bridge, spawn_engine
from hilgui.gui.main_window import MainWindow
from hilgui.gui.memory import Memory
from hilgui.gui.qt_environment import create_application
from hilgui.gui.rig.link import RigLink
from hilgui.gui.theme import Theme
from hilgui.rigs.arming import State
from hilgui.rigs.selftest import Spread, load, write_profiles
from hilgui.settings import Settings

_PATIENCE_S = 60.0
_ME = "benchmark"


def main() -> int:
    """Press, and print the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=300)
    parser.add_argument("--idle", action="store_true", help="without the busy threads and cores")
    call = parser.parse_args()
    application = create_application(sys.argv[:1])
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        write_profiles(home)
        window = MainWindow(
            Settings(home=home, operator=_ME), Theme(application, "dark"), Bridge(spawn_engine), Memory(home)
        )
        window.show()
        window.activateWindow()
        link = window.rig
        link.open(home / "tcp.yaml")
        _until(lambda: link.client is not None and all(each.identity for each in link.client.devices.values()))
        with nullcontext() if call.idle else load():
            times = [_press(window, link, is_armed=press % 10 == 0) for press in range(call.presses)]
        window.close()
    to_call, to_port = (_spread([each[index] for each in times]) for index in (0, 1))
    print(f"key to the call of STOP in the window: {to_call}")
    print(f"key to bytes on the port: {to_port} (n = {len(times)}; limit p99 ≤ 100 ms, max ≤ 250 ms)")
    print(f"load average {' '.join(f'{each:.1f}' for each in os.getloadavg())}, {os.environ['QT_QPA_PLATFORM']}")
    return 0 if to_port.p99 <= 100 and to_port.longest <= 250 else 1


def _press(window: MainWindow, link: RigLink, *, is_armed: bool) -> tuple[float, float]:
    """Give milliseconds from the key to the call, and from the key to the port; infinite where nothing came."""
    if is_armed:
        _arm(link)
    client = link.client
    if client is None:
        raise SystemExit("the supervisor is gone")
    before = client.stop_timed
    pressed_ns = time.monotonic_ns()
    key = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_F12, Qt.KeyboardModifier.NoModifier)
    QCoreApplication.postEvent(window.windowHandle(), key)
    _until(lambda: client.stop_timed is not before)
    timed = client.stop_timed
    if timed is None or timed is before or not timed.devices:
        return float("inf"), float("inf")
    return (timed.called_ns - pressed_ns) / 1e6, (timed.written_ns - pressed_ns) / 1e6


def _arm(link: RigLink) -> None:
    """Reset and arm, again where a crowded machine tripped it; the press counts either way."""
    for _ in range(5):
        _until(lambda: link.state in (State.SHADOW, State.SAFE, State.LATCHED))
        (link.reset if link.state is State.LATCHED else link.select)(_ME)
        _until(lambda: link.state is State.SAFE and link.arming.is_verified)
        link.arm(_ME)
        _until(lambda: link.state is State.ARMING)
        link.confirm(_ME)
        _until(lambda: link.state is not State.ARMING)
        if link.state is State.ARMED:
            return


def _until(holds: Callable[[], object], patience_s: float = _PATIENCE_S) -> None:
    loop, timer = QEventLoop(), QTimer()
    deadline = time.monotonic() + patience_s
    timer.setInterval(5)
    timer.timeout.connect(lambda: loop.quit() if holds() or time.monotonic() > deadline else None)
    timer.start()
    loop.exec()


def _spread(times_ms: list[float]) -> Spread:
    ranked = sorted(times_ms)
    return Spread(ranked[len(ranked) // 2], ranked[-(-99 * len(ranked) // 100) - 1], ranked[-1])


if __name__ == "__main__":
    sys.exit(main())
