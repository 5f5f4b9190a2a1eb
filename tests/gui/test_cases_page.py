"""The Test cases page: mistakes while typing, a run with a question, verdicts, STOP over a case that moves a rig."""

import shutil
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from hilgui.gui.bridge import Bridge
from hilgui.gui.cases.catalogue import read_catalogue
from hilgui.gui.cases.desk import CaseDesk
from hilgui.gui.cases.page import CasesPage
from hilgui.gui.cases.verdict_panel import worst_frame
from hilgui.gui.main_window import MainWindow
from hilgui.gui.pages import Entry
from hilgui.records import Outcome
from hilgui.resources import shipped
from hilgui.rigs.arming import State
from hilgui.sequencer.results import CaseResult, CriterionResult, ResultShelf
from hilgui.sequencer.tidings import RigStood
from hilgui.store import RunReader
from tests.gui.replay_run import make_run
from tests.gui.shell_bench import FakeEngine, fake_pages

ASKING = """\
schema: hilgui/case.v1
name: Asking
tags: [bench]
mode: shadow
rig: {profile: simulated_bench.yaml}
steps:
  - prompt: {text: How warm is it at the bench?, input: number, as: warmth}
criteria:
  - {metric: captured.warmth, limit: "<= 30", unit: °C}
"""

MOVING = """\
schema: hilgui/case.v1
name: Moving
mode: stimulus
rig: {profile: simulated_bench.yaml}
retries: 3
steps:
  - set: {channel: board.voltage, value: 12}
  - wait: {seconds: 300}
criteria:
  - {metric: rig.refused, limit: "== 0"}
"""


PLAYING = """\
schema: hilgui/case.v1
name: Playing
source: {path: gone.mp4}
models: {baseline: gone.onnx}
steps:
  - replay:
criteria:
  - {metric: frames, limit: ">= 1"}
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    place = tmp_path / "bench cases"
    place.mkdir()
    shutil.copy(shipped("testcases/rigs/simulated_bench.yaml"), place)
    (place / "asking.case.yaml").write_text(ASKING)
    (place / "moving.case.yaml").write_text(MOVING)
    (place / "broken.case.yaml").write_text(ASKING.replace("mode: shadow", "mode: shadwo"))
    return place


@pytest.fixture
def window(qtbot, settings, theme, memory, folder):
    def make(bench, parent):
        return CasesPage(bench, parent, places=[folder])

    others = [entry for entry in fake_pages() if entry.name != "cases"]
    entries = (*others, Entry("cases", "Test cases", "test_cases", make))
    window = MainWindow(settings, theme, Bridge(lambda: FakeEngine()), memory, pages=entries)
    window.resize(1280, 720)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    window.show_page("cases")
    yield window
    window.close()
    window.deleteLater()


@pytest.fixture
def page(qtbot, window):
    page = window.pages.page("cases")
    qtbot.waitUntil(lambda: page.tree.topLevelItemCount() == 1)
    return page


def choose(qtbot, page, name: str) -> None:
    assert page.tree.choose(name)
    qtbot.waitUntil(lambda: page.editor.path is not None and page.editor.path.name.startswith(name))


def test_a_case_runs_asks_inside_the_page_and_shows_its_verdict(qtbot, window, page):
    choose(qtbot, page, "asking")
    assert "an operator" in page.needs.text() and "all of it is here" in page.needs.text()
    assert page.command.startswith("hilgui run ") and "asking.case.yaml" in page.command
    page.tree.setFocus()
    QTest.keyClick(page.tree, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.question.isVisible())
    assert "How warm" in page.question.words.text()
    QTest.keyClicks(page.question.value, "warm")
    QTest.keyClick(page.question.value, Qt.Key.Key_Return)
    assert page.question.flaw.text() == "answer a number"
    page.question.value.clear()
    QTest.keyClicks(page.question.value, "21.5")
    QTest.keyClick(page.question.value, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page._desk.is_busy and bool(page.verdict.rows))
    assert page.verdict.word.text() == "✓ PASS"
    assert page.verdict.rows[0][1:] == ("21.5 °C", "<= 30 °C", "✓ PASS")
    assert not page.question.isVisible() and not window.strip.rig.isVisible()


def test_stop_ends_a_case_that_moves_a_rig_from_any_page(qtbot, window, page):
    window.show_page("library")  # made now, as making it takes its time
    for _ in range(5):
        window.show_page("cases")
        choose(qtbot, page, "moving")
        page.run_selected()
        arm(qtbot, page)
        assert window.strip.rig.isVisible() and window.strip.rig.state.text() == "ARMED"
        window.show_page("library")
        QTest.keyClick(window.windowHandle(), Qt.Key.Key_F12)
        qtbot.waitUntil(lambda: not page._desk.is_busy)
        result = ResultShelf(window._bench.settings.home).results("moving")[0]
        assert result.outcome is Outcome.ABORTED
        if "froze" not in result.reasons[0]:  # a crowded machine: the rig stopped before the key, and rightly
            break
    assert "STOP by Ada" in result.reasons[0]


def test_escape_is_heard_from_the_rail_and_said_at_once(qtbot, window, page):
    choose(qtbot, page, "asking")
    QTest.mouseClick(page.buttons["run"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.question.isVisible())
    window.setFocus()
    assert not page.isAncestorOf(QApplication.focusWidget())
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Escape)
    assert "ending what runs" in page.now.text() and not page.cancel.isEnabled()
    qtbot.waitUntil(lambda: not page._desk.is_busy)
    assert ResultShelf(window._bench.settings.home).results("asking")[0].outcome is Outcome.ABORTED


def arm(qtbot, page):
    desk = page._desk
    for _ in range(12):
        qtbot.waitUntil(lambda: bool(desk.operator.open_questions()) or desk.rig is State.ARMED)
        if desk.rig is State.ARMED:
            return
        page.question.answer("yes")
        qtbot.wait(100)


def test_mistakes_appear_with_their_lines_while_one_types_and_nothing_unsaved_runs(qtbot, page, folder):
    choose(qtbot, page, "asking")
    page.editor.text.setPlainText(ASKING.replace("criteria:", "criterai:"))
    qtbot.waitUntil(lambda: page.editor.flaws.count() > 0)
    said = [page.editor.flaws.item(row).text() for row in range(page.editor.flaws.count())]
    assert any("line 8" in each and "criteria" in each for each in said)
    assert page.editor.is_changed
    warned = []
    page.message.connect(lambda tone, sentence: warned.append(tone))
    page.run_selected()
    assert warned == ["warning"] and not page._desk.is_busy
    page.editor.text.setPlainText(ASKING.replace("<= 30", "<= 25"))
    qtbot.waitUntil(lambda: page.editor.verdict.text() == "valid")
    page.save()
    assert "<= 25" in (folder / "asking.case.yaml").read_text()
    assert not page.editor.is_changed


def test_a_broken_case_is_listed_with_its_line_and_keeps_nobody_from_running(qtbot, page):
    choose(qtbot, page, "broken")
    qtbot.waitUntil(lambda: page.editor.flaws.count() > 0)
    assert "line 4" in page.editor.flaws.item(0).text()
    assert "Line 4" in page.needs.text()
    assert {case.loaded.id for case in page.tree.suite_cases()} == {"asking", "moving"}


def test_the_trend_of_each_criterion_and_what_failed_are_remembered(qtbot, settings, page):
    shelf = ResultShelf(settings.home)
    for day, value in enumerate((20.0, 25.0, 41.0), 1):
        outcome = Outcome.PASS if value <= 30 else Outcome.FAIL
        one = CriterionResult("captured.warmth", value, "<= 30", "°C", outcome)
        path = str(page.tree.topLevelItem(0).toolTip(0)) + "/asking.case.yaml"
        started = f"2026-01-0{day}T10:00:00+00:00"
        shelf.put(CaseResult("asking", "Asking", path, "x", "shadow", outcome, started, 1.0, "Ada", criteria=(one,)))
    page.refresh()
    qtbot.waitUntil(lambda: not page.is_reading)
    choose(qtbot, page, "asking")
    qtbot.waitUntil(lambda: page.verdict.word.text() == "✕ FAIL")
    assert page.verdict.rows == [("captured.warmth", "41 °C", "<= 30 °C", "✕ FAIL")]


def test_what_a_case_lacks_is_said(tmp_path, settings):
    (tmp_path / "a.case.yaml").write_text(ASKING)
    (tmp_path / "b.case.yaml").write_text(PLAYING)
    rigless, playing = (file.cases[0] for file in read_catalogue([tmp_path], settings.home).files)
    assert [flaw.line for flaw in rigless.misfits] == [5] and "simulated_bench.yaml" in rigless.misfits[0].sentence
    assert playing.missing == (f"{tmp_path / 'gone.mp4'} is not there", f"{tmp_path / 'gone.onnx'} is not there")
    assert read_catalogue([tmp_path / "gone"], settings.home).trouble


def test_a_case_that_does_not_fit_its_rig_is_marked_in_the_tree_as_the_editor_and_validate_say(qtbot, page, folder):
    swept = MOVING.replace("value: 12", "value: ${volt}").replace("retries: 3", "parameters: {volt: [12, 99]}")
    (folder / "swept.case.yaml").write_text(swept)
    (folder / "moving.case.yaml").write_text(MOVING.replace("board.voltage", "board.volts"))
    page.refresh()
    qtbot.waitUntil(lambda: not page.is_reading and page.tree.choose("swept[volt=12]"))
    marks = {page.tree.key(item): item.text(1) for item in page.tree._items()}
    assert marks[str(folder / "moving.case.yaml")] == "✕ line 7"
    assert marks[str(folder / "swept.case.yaml")] == marks["swept[volt=99]"] != marks["swept[volt=12]"] == "never ran"
    assert "3 not valid" in page._count.text()  # broken.case.yaml cannot even be read
    choose(qtbot, page, "moving")
    assert "Does not fit its rig, line 7" in page.needs.text() and "did you mean" in page.needs.text()
    qtbot.waitUntil(lambda: page.editor.flaws.count() == 1)
    assert page.editor.flaws.item(0).text().startswith("line 7")


def test_the_run_of_a_case_opens_at_its_gravest_finding(tmp_path):
    made = make_run(tmp_path / "run")
    with closing(RunReader(made.folder)) as reader:
        gravest = max(reader.findings(), key=lambda finding: finding.severity)
    started = "2026-01-01T10:00:00+00:00"
    result = CaseResult("a", "A", "a", "x", "replay", Outcome.FAIL, started, 1.0, "Ada", runs=(str(made.folder),))
    assert worst_frame(result) == gravest.worst_seq
    assert worst_frame(replace(result, runs=(str(tmp_path / "gone"),))) is None


class FrozenSuite:
    """A suite that says its rig is armed and then waits for the stop."""

    def __init__(self, settings, operator, told, stop) -> None:
        self.told, self.stop = told, stop
        self.reason = ""

    def run(self, cases):
        self.told(RigStood("a", State.ARMED, "second confirmation"))
        assert self.stop.wait(240.0)
        self.reason = self.stop.reason
        return []


def test_a_screen_that_freezes_while_a_case_has_an_armed_rig_stops_it(qtbot, settings):
    made = []

    def make(*given):
        made.append(FrozenSuite(*given))
        return made[0]

    desk = CaseDesk(settings, "Ada", make_suite=make)
    assert desk.run([object()])
    qtbot.waitUntil(lambda: desk.rig is State.ARMED)
    deadline = time.monotonic() + 240.0
    while not made[0].reason and time.monotonic() < deadline:
        time.sleep(0.02)  # the event loop stands still: that is the point
    assert made[0].reason == "the screen froze while the rig was armed"
    qtbot.waitUntil(lambda: not desk.is_busy)
    qtbot.waitUntil(lambda: not any(each.name == "screen watch" for each in threading.enumerate()))
