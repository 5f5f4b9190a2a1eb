"""What hilgui logs reaches standard error, also after another one was put in its place and closed."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from hilgui import log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    ours = logging.getLogger("hilgui")
    before = (list(ours.handlers), ours.level, ours.propagate)
    ours.handlers.clear()
    yield
    ours.handlers[:], ours.level, ours.propagate = before


def test_a_warning_reaches_the_standard_error_of_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, now = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stderr", gone)
    log.set_up()
    monkeypatch.setattr("sys.stderr", now)
    gone.close()
    logging.getLogger("hilgui.gui").warning("no figures for the status strip")
    assert now.getvalue().endswith("hilgui.gui: no figures for the status strip\n")
    assert "Logging error" not in now.getvalue()


def test_without_a_standard_error_nothing_is_said_and_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    log.set_up()
    logging.getLogger("hilgui.gui").warning("nobody reads this")
