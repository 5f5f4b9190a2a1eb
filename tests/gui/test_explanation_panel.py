"""A person asks why on the Findings page: real keys, a real run of a network with a known reason, a real process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from hilgui.explanations import stored
from hilgui.explanations.shelf import FOLDER
from hilgui.gui.findings.page import FindingsPage
from hilgui.records import Role
from tests.unit.explanations import lamp


@pytest.fixture
def run(settings) -> Path:
    """A run in the home of the bench."""
    return lamp.write_run(settings.home, settings=settings)


@pytest.fixture
def page(qtbot, bench, run):
    made = FindingsPage(bench)
    qtbot.addWidget(made)
    made.resize(1200, 660)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is made)
    settle(qtbot, made)
    choose(qtbot, made, "missed_critical")
    yield made
    made.close_page()


def settle(qtbot, page) -> None:
    qtbot.waitUntil(lambda: not page.is_busy)


def choose(qtbot, page, kind: str) -> None:
    rows = range(page.model.rowCount())
    row = next(row for row in rows if page.model.finding(row).finding.kind == kind)
    page.table.selectRow(row)
    settle(qtbot, page)


def test_x_explains_the_miss_and_it_is_there_the_next_time(qtbot, page, run, settings, bench):
    qtbot.keyClick(page.table, Qt.Key.Key_X)
    panel = page.explanation
    assert page.sheets.currentWidget() is panel and panel.busy.isVisible()
    qtbot.waitUntil(lambda: panel.explanation is not None)
    made = panel.explanation
    assert "below the threshold of 0.35" in panel._sentence.text()
    assert "Would have saved it" in panel._words[2].text()
    assert not panel.busy.isVisible() and panel.go.text() == "Explain again"
    assert sum(tile.isVisible() for tile in panel._tiles[0]) == 3
    kept = stored(run, settings.home, made.finding, Role.BASELINE)
    assert kept is not None and kept[0] == run / FOLDER

    choose(qtbot, page, "phantom")
    assert panel.explanation is None and not panel._sentence.isVisible()
    choose(qtbot, page, "missed_critical")
    qtbot.waitUntil(lambda: panel.explanation == made)  # read again, not worked out again
    assert panel.command.startswith("hilgui explain ") and panel.command.endswith(f" {made.finding}")


def test_a_picture_that_is_chosen_is_seen_large(qtbot, page, run, settings):
    from hilgui.explanations import Wish, explain

    wish = Wish(run, page.current.finding.number, methods=("drise",), masks=60, provider="cpu")
    explain(wish, settings.home, lambda *_: None)
    page.sheets.setCurrentWidget(page.explanation)
    qtbot.waitUntil(lambda: page.explanation.explanation is not None)
    tile = page.explanation._tiles[0][1]
    with qtbot.waitSignal(page.explanation.picture_chosen) as chosen:
        qtbot.mouseClick(tile, Qt.MouseButton.LeftButton)
    assert chosen.args[0].name == page.explanation.explanation.saliency.whole
    assert "saliency" in page.clip.view.mark
    qtbot.keyClick(tile, Qt.Key.Key_Return)
    assert tile.accessibleName().startswith("saliency")


def test_what_is_cancelled_keeps_nothing(qtbot, page, run):
    page.explain()
    assert page.explanation.is_busy
    page.explanation.busy.cancelled.emit()
    settle(qtbot, page)
    assert page.explanation.explanation is None and page.explanation.go.isVisible()
    assert not (run / FOLDER).exists()


def test_a_model_that_is_gone_is_said_and_can_be_tried_again(qtbot, page, run, settings):
    (settings.home / "lamp.onnx").unlink()
    said = []
    page.trouble.connect(lambda sentence, details: said.append(sentence))
    page.explain()
    qtbot.waitUntil(lambda: bool(said))
    settle(qtbot, page)
    assert "which is gone" in said[0] and page.explanation.go.isEnabled()


def test_a_damaged_document_shows_nothing(qtbot, page, run):
    (run / FOLDER).mkdir()
    number = page.current.finding.number
    (run / FOLDER / f"{number:04d}-baseline.json").write_text(json.dumps({"schema": "?"}), encoding="utf-8")
    page.sheets.setCurrentWidget(page.explanation)
    settle(qtbot, page)
    assert page.explanation.explanation is None and page.explanation.go.isVisible()
