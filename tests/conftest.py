"""What every test gets: real data where it is present, a home of its own, and a watch over what it leaves behind."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything imports Qt; a test that wants a real window starts its own process under Xvfb.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

_GRACE_S = 30.0  # a worker that was told to end may need this long on a busy machine


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of real drives, models and labels: `HILGUI_TEST_DATA` or ../shared/data beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("HILGUI_TEST_DATA") or beside)
    if folder.is_dir():
        return folder
    reason = f"no test data in {folder}; HILGUI_TEST_DATA names another folder"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (on CI it has to be there)")
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the operator's own settings and runs out of every test, also out of fixtures of a wider scope."""
    folder = tmp_path_factory.mktemp("operator")
    with pytest.MonkeyPatch.context() as patch:
        kept = ("HILGUI_TEST_DATA", "HILGUI_TEST_BUNDLE")
        for name in [name for name in os.environ if name.startswith("HILGUI_") and name not in kept]:
            patch.delenv(name)
        patch.setenv("HILGUI_HOME", str(folder / "home"))
        patch.setenv("HILGUI_SETTINGS", str(folder / "settings.toml"))
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))  # home of `Settings()` without any layer
        yield


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILGUI_HOME", str(tmp_path / "hilgui-home"))


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """Fail a test that leaves a thread or a child process behind."""
    threads, children = set(threading.enumerate()), set(multiprocessing.active_children())
    yield
    deadline = time.monotonic() + _GRACE_S
    for thread in threading.enumerate():
        if thread not in threads and not thread.daemon:
            thread.join(max(0.0, deadline - time.monotonic()))
    for child in multiprocessing.active_children():
        if child not in children:
            child.join(max(0.0, deadline - time.monotonic()))
    left = [thread.name for thread in threading.enumerate() if thread not in threads and not thread.daemon]
    left += [child.name for child in multiprocessing.active_children() if child not in children]
    assert not left, f"the test left running: {', '.join(left)}"


@pytest.fixture(autouse=True)
def _usual_scheduling() -> Iterator[None]:
    """Take back the real-time priority that SVT-AV1 gives a root process which encodes."""
    yield
    if hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
