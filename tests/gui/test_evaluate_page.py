"""A person at the Evaluate page: figures, the slider, clicks that lead to frames, plots that are saved."""

import xml.etree.ElementTree as ElementTree

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication

from hilgui.gui.evaluate.page import EvaluatePage
from hilgui.gui.evaluate.sheets import Link, confusion_rows
from hilgui.gui.short_numbers import short
from hilgui.records import Ledger, Outcome, Role, Verdict
from hilgui.sources import source_for
from hilgui.store import RunWriter
from tests.gui.replay_run import MISSED, findings, header_of, make_run, moment_of

Key = Qt.Key
FRAMES = 60


@pytest.fixture
def page(qtbot, bench):
    page = EvaluatePage(bench)
    qtbot.addWidget(page)
    page.resize(1200, 660)
    yield page
    page.close_page()


@pytest.fixture
def measured(qtbot, page, bench, settings):
    """The page on a measured run."""
    bench.run.put(make_run(settings.home).folder)
    page.show()
    page.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is page)
    qtbot.waitUntil(lambda: page.measured is not None and page.measured.is_whole)
    return page


def row_of(table, name):
    return next(row for row, cells in enumerate(table.rows) if cells[0].text == name)


def test_without_a_run_the_page_says_what_belongs_there(qtbot, page):
    page.show()
    assert page._stack.currentWidget() is page.empty
    with qtbot.waitSignal(page.demo_asked):
        qtbot.mouseClick(page.empty.button, Qt.MouseButton.LeftButton)


def test_both_models_stand_beside_each_other_and_a_number_leads_to_its_frames_and_to_replay(qtbot, measured, bench):
    page = measured
    row = row_of(page.figures, "recall")
    cells = page.figures.rows[row]
    assert cells[1].colour == "baseline" and cells[3].colour == "candidate"
    assert float(cells[3].text) == pytest.approx(page.measured.figures[Role.CANDIDATE]["recall"].value, abs=5e-4)
    index = page.figures.model().index(row, 3)
    page.figures.scrollTo(index)
    qtbot.mouseClick(page.figures.viewport(), Qt.MouseButton.LeftButton, pos=page.figures.visualRect(index).center())
    qtbot.waitUntil(lambda: bool(page.frames.table.rows))
    assert set(MISSED) <= {cells[0].link for cells in page.frames.table.rows}
    assert "--explain recall" in page.command
    with qtbot.waitSignal(page.open_run_asked) as asked:
        page.frames.table.setFocus()
        page.frames.table.setCurrentIndex(page.frames.table.model().index(0, 0))
        qtbot.keyClick(page.frames.table, Key.Key_Return)
    assert asked.args == [bench.run.folder, page.frames.table.rows[0][0].link]


def test_the_slider_changes_rates_at_once_and_the_rest_follows(qtbot, measured):
    page = measured
    row = row_of(page.figures, "recall")
    page.slider.setValue(99)
    assert page.figures.rows[row][1].text == short(page.measured.kept[Role.BASELINE].at(0.99).recall)
    assert "--threshold 0.99" in page.command
    at_once = page.measured.figures[Role.CANDIDATE]["precision"].value
    qtbot.waitUntil(lambda: not page.is_busy and page.measured.is_whole)
    qtbot.waitUntil(lambda: page.measured.thresholds == dict.fromkeys(Role, 0.99))
    assert page.measured.figures[Role.CANDIDATE]["precision"].value == at_once
    qtbot.keyClick(page.figures, Key.Key_Backspace)
    assert "--threshold" not in page.command
    qtbot.waitUntil(lambda: not page.is_busy)


def test_slices_classes_and_confusion_are_shown_and_copied(qtbot, measured):
    page = measured
    page.tabs.setCurrentWidget(page.slices)
    qtbot.waitUntil(lambda: bool(page.slices.rows))
    assert page.command.startswith("hilgui slices")
    (gap,) = [cells for cells in page.slices.rows if cells[1].text.startswith("Δ; least: ")][:1]
    assert "recall differs by" in gap[1].tip and "smallest group" in gap[1].tip
    assert all(len(cells) == len(page.slices.titles) for cells in page.slices.rows)
    linked = [cell.link for cells in page.slices.rows for cell in cells if cell.link is not None]
    page.show_behind(linked[0])
    assert page.frames.table.rows
    assert page.command.endswith("--explain")  # names the frames of each slice, no figure
    page.tabs.setCurrentWidget(page.classes)
    assert [cells[0].text for cells in page.classes.rows] == ["person", "person", "car", "car"]
    page.classes.setFocus()
    page.classes.clearSelection()
    qtbot.keyClick(page.classes, Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().startswith("class\t")
    titles, rows = confusion_rows(page.tr, page.measured, Role.CANDIDATE)
    missed = rows[titles.index("person") - 1][titles.index("background")]
    assert missed.text == str(len(MISSED)) and missed.link.figure == "confusion.person.background"


def test_every_number_leads_to_frames_or_says_that_there_are_none(qtbot, measured):
    page = measured
    page.tabs.setCurrentWidget(page.slices)
    qtbot.waitUntil(lambda: bool(page.slices.rows))
    tables = (page.figures, page.classes, page.confusion.table, page.slices)
    numbers = [cell for table in tables for row in table.rows for cell in row if any(map(str.isdigit, cell.text))]
    links = {cell.link for cell in numbers if cell.is_number}
    assert None not in links
    assert {link.figure.split(",")[0] for link in links if link.frames is not None} >= {"truths", "recall", "map_50"}
    for link in (Link(Role.CANDIDATE, "truths.person"), Link(Role.CANDIDATE, "confusion.person.person")):
        assert link in links
        page.show_behind(link)
        qtbot.waitUntil(lambda: not page.frames.is_looking)
        assert page.frames.table.rows
    page.show_behind(Link(Role.BASELINE, "recall, class = car", ()))
    assert not page.frames.table.rows and "no frame" in page.frames._title.text()


def test_a_figure_without_frames_says_so_in_its_place(qtbot, measured):
    measured.show_behind(Link(Role.BASELINE, "nonsense"))
    qtbot.waitUntil(lambda: not measured.is_busy)
    assert "nonsense" in measured.frames._title.text() and not measured.frames.is_looking


def test_plots_are_saved_as_png_and_svg(measured, tmp_path):
    made = measured.save_plots(tmp_path)
    assert len(made) == 8
    for path in made:
        if path.suffix == ".png":
            image = QImage(str(path))
            colours = {image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}
            assert image.width() >= 1280 and len(colours) > 20
        else:
            assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_a_cancelled_measurement_ends_and_can_be_asked_for_again(qtbot, page, bench, settings):
    bench.run.put(make_run(settings.home).folder)
    page.show()
    page.busy.cancelled.emit()
    assert not page.is_busy
    page.refresh()
    qtbot.waitUntil(lambda: page.measured is not None and page.measured.is_whole)


@pytest.fixture
def writer(settings, tmp_path):
    """A run under way, without a frame so far."""
    source = source_for(make_run(tmp_path / "drive").video)
    facts = source.open()
    source.close()
    return RunWriter(settings.runs, header_of(facts))


def test_rates_are_renewed_while_the_process_that_measures_starts(qtbot, page, bench, writer, monkeypatch):
    monkeypatch.setattr("hilgui.gui.evaluate.page._FOLLOWS_MS", 50)
    monkeypatch.setattr(page, "_measure", lambda: page._desk.busy_changed.emit(True))  # it starts, and starts
    monkeypatch.setattr(type(page._desk), "is_busy", property(lambda _desk: True))
    writer.write([moment_of(seq) for seq in range(20)])
    bench.run.put(writer.folder)
    page.show()
    qtbot.waitUntil(lambda: page.measured is not None and page.measured.frames == 20)
    before = page.figures.rows[row_of(page.figures, "recall")][3].text
    writer.write([moment_of(seq) for seq in range(20, 40)])
    qtbot.waitUntil(lambda: page.measured.frames == 40)
    assert page.figures.rows[row_of(page.figures, "recall")][3].text != before
    writer.finish(Verdict(Outcome.PASS), Ledger(40, 40, 0, 0, 40))


def test_who_comes_late_is_led_through_the_frames_by_steps(qtbot, page, bench, writer, monkeypatch):
    monkeypatch.setattr("hilgui.gui.evaluate.page._FOLLOWS_MS", 10**6)  # nothing but the steps themselves
    seen = []
    writer.write([moment_of(seq) for seq in range(FRAMES)] + [moment_of(seq) for seq in range(FRAMES, 120)])
    bench.run.put(writer.folder)
    show = page._show
    monkeypatch.setattr(page, "_show", lambda measured: (show(measured), seen.append(measured.frames)))
    page.show()
    qtbot.waitUntil(lambda: page.measured is not None and bool(page.measured.kept) and page.measured.frames == 120)
    assert 100 in seen and not page.measured.is_behind


def test_figures_come_while_the_drive_plays_and_each_leads_to_its_frames(qtbot, page, bench, writer, monkeypatch):
    monkeypatch.setattr("hilgui.gui.evaluate.page._FOLLOWS_MS", 50)
    writer.write([moment_of(seq) for seq in range(30)])
    bench.run.put(writer.folder)
    page.show()
    page.tabs.setCurrentWidget(page.classes)
    qtbot.waitUntil(lambda: page.measured is not None and bool(page.measured.figures))
    row_of(page.figures, "recall")  # counted at once, before anything is measured
    qtbot.waitUntil(lambda: bool(page.measured.kept) and page.measured.frames == 30)
    assert "under way" in page._title.text() and not page.busy.isVisible()
    before = page.figures.rows[row_of(page.figures, "recall")][3]
    assert page.figures.rows[row_of(page.figures, "map_50_95")][3].text != "–" and "plays" in before.tip
    page.show_behind(before.link)
    qtbot.waitUntil(lambda: bool(page.frames.table.rows))
    page.tabs.setCurrentWidget(page.slices)
    qtbot.waitUntil(lambda: bool(page.slices.rows))
    writer.write([moment_of(seq) for seq in range(30, FRAMES)], findings())
    qtbot.waitUntil(lambda: page.measured.frames == FRAMES)
    assert page.tabs.currentWidget() is page.slices and page.frames.table.rows
    assert page.figures.rows[row_of(page.figures, "recall")][3].text != before.text
    writer.finish(Verdict(Outcome.PASS), Ledger(FRAMES, FRAMES, 0, 0, FRAMES))
    page.refresh()
    qtbot.waitUntil(lambda: page.measured.is_whole and not page.is_busy)
    assert "under way" not in page._title.text() and page.slices.rows
