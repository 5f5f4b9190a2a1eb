"""Modules of pages are loaded beside the window; a page is where its entry says."""

import sys
from types import ModuleType

import pytest
from PySide6.QtWidgets import QWidget

from hilgui.gui.page import Bench, Page
from hilgui.gui.pages import PAGES, Entry
from hilgui.gui.preload import Preload


def never(_bench: Bench, _parent: QWidget) -> Page:
    raise AssertionError("a page was made")


def test_pages_are_loaded_and_none_is_made(qtbot) -> None:
    preload = Preload([Entry(entry.name, entry.text, entry.icon, never) for entry in PAGES], after_ms=0)
    with qtbot.waitSignal(preload.done, timeout=60_000):
        pass
    preload.close()
    assert all(entry.module in sys.modules for entry in PAGES)


def test_nothing_more_is_loaded_once_it_is_closed(qtbot, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr("importlib.import_module", lambda name: loaded.append(name) or ModuleType(name))
    preload = Preload(PAGES, after_ms=0)
    preload.close()
    qtbot.wait(20)
    assert not loaded
