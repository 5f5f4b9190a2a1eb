"""People at the Library page: models come in by dropping, are named, promoted and rolled back; recordings are shown."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from hilgui.gui.library.page import LibraryPage
from hilgui.gui.library.recordings import STRIP, THUMB_H, THUMB_W, Recording, look_at, read_recordings
from hilgui.models import Alias, Registry
from hilgui.resources import shipped
from tests.paired_runs import BETTER, paired_runs
from tests.unit.inference.tiny import dense


@pytest.fixture
def page(qtbot, bench):
    page = LibraryPage(bench)
    qtbot.addWidget(page)
    page.resize(1200, 660)
    page.show()
    yield page
    page.close_page()


def idle(qtbot, page):
    qtbot.waitUntil(lambda: not page.is_reading)


def agree(qtbot, page):
    qtbot.mouseClick(page.models.acts.dialog.go, Qt.MouseButton.LeftButton)
    idle(qtbot, page)


@pytest.fixture
def shelf(settings, tmp_path):
    registry = Registry(settings.models)
    for name, score in (("old", 0.6), ("new", 0.7)):
        registry.shelf.put(dense([[1, 2, 30, 40]], [[score, 0.1]]).write(tmp_path / f"{name}.onnx"), by="ada")
    registry.set("front", Alias.CHAMPION, "old", by="ada", reason="first")
    registry.set("front", Alias.CANDIDATE, "new", by="ada", reason="trained on rain")
    return registry


def test_an_empty_registry_says_what_belongs_there(qtbot, page):
    page.tabs.setCurrentWidget(page.models)
    idle(qtbot, page)
    assert page.models.empty.isVisible() and not page.models.buttons["promote"].isEnabled()


def test_a_model_that_is_dropped_comes_in_and_is_named(qtbot, page, settings, tmp_path):
    path = dense([[1, 2, 30, 40]], [[0.9, 0.1]]).write(tmp_path / "front.onnx")
    page.import_models([path])
    idle(qtbot, page)
    dialog = page.models.acts.dialog
    assert page.tabs.currentWidget() is page.models and dialog.slot.text() == "front"
    dialog.command.setText("train.py --seed 7")
    agree(qtbot, page)
    (entry,) = Registry(settings.models).shelf.entries()
    assert entry.name == "front" and entry.lineage.command == "train.py --seed 7"
    assert ("made by", "train.py --seed 7") in [(row[0].text, row[1].text) for row in page.models.facts.rows]
    qtbot.mouseClick(page.models.buttons["name"], Qt.MouseButton.LeftButton)
    page.models.acts.dialog.slot.setText("front-detector")
    agree(qtbot, page)
    assert Registry(settings.models).entry("front-detector@candidate").sha256 == entry.sha256
    assert page.models.slots.rows[0][2].text == "◆ front"


def test_what_nobody_told_of_its_making_is_taken_from_the_card(settings):
    entry = Registry(settings.models).shelf.put(shipped("assets/demo/candidate.onnx"), by="ada")
    assert "train.py" in entry.lineage.command and "never taught" in entry.lineage.notes


def test_a_file_that_is_no_model_is_refused_in_one_sentence_and_the_next_is_asked(qtbot, page, settings, tmp_path):
    bad, good = tmp_path / "bad.onnx", dense([[1, 2, 30, 40]], [[0.9, 0.1]]).write(tmp_path / "good.onnx")
    bad.write_bytes(b"no network")
    page.import_models([bad, good])
    idle(qtbot, page)
    agree(qtbot, page)
    first = page.models.acts.dialog
    assert first.isVisible() and "bad.onnx" in first.trouble and "\n" not in first.trouble
    first.reject()
    qtbot.waitUntil(lambda: page.models.acts.dialog is not first)
    assert page.models.acts.dialog.slot.text() == "good"
    agree(qtbot, page)
    assert [one.name for one in Registry(settings.models).shelf.entries()] == ["good"]


def test_slots_show_who_is_what_and_a_rollback_takes_a_reason(qtbot, page, settings, shelf):
    shelf.promote("front", by=("ada", "bob"), reason="better in rain")
    page.tabs.setCurrentWidget(page.models)
    idle(qtbot, page)
    view = page.models
    assert [cell.text for cell in view.slots.rows[0][:4]] == ["front", "● new", "◆ new", "↺ old"]
    view.show_behind(view.shelved.slots[0])
    assert [row[1].text for row in view.moves.rows] == ["promote", "set", "set"]
    assert view.command == f"hilgui models show {view.entry.short}" and view.entry.name == "new"
    assert not view.buttons["promote"].isEnabled()  # nobody decided that
    qtbot.mouseClick(view.buttons["roll_back"], Qt.MouseButton.LeftButton)
    idle(qtbot, page)
    agree(qtbot, page)
    assert "Say why" in view.acts.dialog.trouble
    view.acts.dialog.reason.setText("misses cyclists")
    agree(qtbot, page)
    assert Registry(settings.models).entry("front@champion").name == "old"
    assert view.slots.rows[0][1].text == "● old" and view.moves.rows[0][6].text == "misses cyclists"


def test_recordings_of_runs_and_of_the_demo_are_listed_and_looked_at(qtbot, page, settings):
    runs = paired_runs(settings.runs, BETTER, drives=2)
    found = read_recordings(settings)
    assert [one.path.name for one in found[:2]] == ["drive-00.mp4", "drive-01.mp4"] and found[0].runs == (runs[0],)
    assert {"day.mp4", "night.mp4"} <= {one.path.name for one in found}
    page.tabs.setCurrentWidget(page.recordings)
    idle(qtbot, page)
    rows = {row[1].text: row for row in page.recordings.table.rows}
    assert rows["night.mp4"][5].text == "✓ labels" and "night" in rows["night.mp4"][6].text
    assert rows["drive-00.mp4"][5].colour == "missed" and "not there" in rows["drive-00.mp4"][5].tip
    page.recordings.filter.setText("night")
    assert [row[1].text for row in page.recordings.table.rows] == ["night.mp4"]


def test_a_strip_holds_pictures_from_the_whole_drive():
    looked, strip = look_at(Recording(shipped("assets/demo/day.mp4")))
    assert strip is not None and strip.shape == (THUMB_H, STRIP * THUMB_W, 3)
    parts = np.split(strip, STRIP, axis=1)
    assert all(part.std() > 5 for part in parts) and not np.array_equal(parts[0], parts[-1])
    assert looked.length_s > 1 and looked.conditions["day_part"] == "day"
