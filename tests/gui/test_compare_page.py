"""A person at the Compare page: two runs of one drive, findings new and gone, a waiver that is written and expires."""

import shutil
import sqlite3
from datetime import date

import pytest
from PySide6.QtCore import Qt

from hilgui.gui.compare.page import ComparePage
from hilgui.report.waivers import load_waivers
from tests.gui.replay_run import make_run

TODAY = date(2026, 1, 10)
FIRST, SECOND = "20260105-220000-night-aaaa", "20260105-230000-night-bbbb"


@pytest.fixture
def runs(settings):
    """Two runs of one drive; the first one knows one finding less."""
    made = make_run(settings.home).folder
    settings.runs.mkdir(parents=True, exist_ok=True)
    for name in (FIRST, SECOND):
        folder = settings.runs / name
        shutil.copytree(made, folder)
        with sqlite3.connect(folder / "run.sqlite") as database:
            database.execute("UPDATE meta SET value=json_set(value, '$.run_id', ?) WHERE key='header'", (name,))
            if name == FIRST:
                database.execute("DELETE FROM finding WHERE number=2")
        database.close()
    if made.parent == settings.runs:
        shutil.rmtree(made)
    return settings.runs


@pytest.fixture
def page(qtbot, bench):
    page = ComparePage(bench, today=lambda: TODAY)
    qtbot.addWidget(page)
    page.resize(1200, 660)
    page.show()
    yield page
    page.close_page()


def compared(qtbot, page):
    qtbot.waitUntil(lambda: page.compared is not None and not page.is_busy)


def states(page):
    return [cells[1].text for cells in page.findings.rows]


def test_without_runs_the_page_says_what_belongs_there(qtbot, page):
    qtbot.waitUntil(lambda: not page.is_busy)
    with qtbot.waitSignal(page.demo_asked):
        qtbot.mouseClick(page.empty.button, Qt.MouseButton.LeftButton)


def test_two_runs_of_a_drive_are_proposed_and_compared(qtbot, runs, page):
    compared(qtbot, page)
    assert page.reference.currentText() == FIRST and page.others.chosen == (SECOND,)
    assert states(page).count("new") == 1 and states(page)[0] == "new"
    assert {"same"} == set(states(page)[1:])
    assert [cells[6].text for cells in page.table.rows][:3] == ["same"] * 3
    assert page.command == f"hilgui compare {FIRST} {SECOND}"
    new = page.findings.rows[0][0].link
    qtbot.waitUntil(lambda: page.left.player.picture is not None and page.right.player.picture is not None)
    assert page.left.folder == runs / FIRST and page.right.folder == runs / SECOND
    assert page.right.player.picture.seq == new.finding.worst_seq
    with qtbot.waitSignal(page.open_run_asked) as asked:
        page.open_on_replay()
    assert asked.args == [runs / SECOND, new.finding.worst_seq]


def test_a_waiver_is_written_from_the_page_holds_and_expires(qtbot, runs, page, settings):
    compared(qtbot, page)
    page.show_standing(page.findings.rows[0][0].link)
    qtbot.keyClick(page.findings, Qt.Key.Key_W)
    dialog = page.dialog
    dialog.owner.clear()
    dialog.go.click()
    assert "owner" in dialog._trouble.text() and not page.waivers.exists()
    dialog.owner.setText("Ada")
    dialog.reason.setText("lens was wet")
    dialog.expires.setText("2026-01-09")
    dialog.go.click()
    assert "past" in dialog._trouble.text()
    dialog.expires.setText("2026-01-31")
    dialog.go.click()
    qtbot.waitUntil(lambda: "waived" in states(page))
    assert "new" not in states(page)
    (waiver,) = load_waivers(settings.home / "waivers.yaml")
    assert (waiver.owner, waiver.reason, waiver.expires) == ("Ada", "lens was wet", date(2026, 1, 31))
    row = next(cells for cells in page.findings.rows if cells[1].text == "waived")
    assert row[7].text == "Ada: lens was wet (2026-01-31)"
    assert "--waivers" in page.command
    page._today = lambda: date(2026, 2, 1)
    page.compare()
    qtbot.waitUntil(lambda: "expired" in states(page))
