"""A person at the Findings page: real keys and clicks on stored runs."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QApplication

from hilgui.gui.findings.page import FindingsPage
from hilgui.gui.findings.table_model import Column
from hilgui.pipeline import RunPlan
from hilgui.records import Ledger, Outcome, Verdict
from hilgui.records.triage import TriageState
from hilgui.report.finding_table import page_of
from hilgui.store import RunWriter
from hilgui.triage import Journal
from tests.gui.replay_run import MISSED, WORST, make_run
from tests.unit.store.rows import header
from tests.unit.triage import many

Key = Qt.Key
SELECT = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows


@pytest.fixture
def open_page(qtbot, bench):
    pages = []

    def opened() -> FindingsPage:
        page = FindingsPage(bench)
        pages.append(page)
        qtbot.addWidget(page)
        page.resize(1200, 660)
        page.show()
        page.activateWindow()
        qtbot.waitUntil(lambda: QApplication.activeWindow() is page)
        settle(qtbot, page)
        return page

    yield opened
    for page in pages:
        page.close_page()


@pytest.fixture
def run(settings) -> Path:
    return make_run(settings.home).folder


def settle(qtbot, page) -> None:
    qtbot.waitUntil(lambda: not page.is_busy)


def standing(run: Path, home: Path) -> dict:
    return {number: triage.state for number, triage in Journal(run, home).states().items() if triage.state != "open"}


def test_the_miss_is_found_triaged_by_key_and_taken_back(qtbot, open_page, run, settings):
    page = open_page()
    assert page.current is not None and page.current.finding.kind == "missed_object"
    qtbot.keyClick(page.table, Key.Key_1)
    settle(qtbot, page)
    assert standing(run, settings.home) == {2: TriageState.MODEL_FAULT}
    settle(qtbot, page)
    row = page.table.currentIndex().row()
    assert page.model.data(page.model.index(row, Column.STATE)) == "Model fault"
    assert page.panel.buttons[TriageState.MODEL_FAULT].isChecked()
    qtbot.keyClick(page.table, Key.Key_U)
    settle(qtbot, page)
    assert standing(run, settings.home) == {}
    assert page.current.triage.state is TriageState.OPEN
    assert [change.who for change in Journal(run, settings.home).history(2)] == ["Ada", "Ada"]


def test_the_clip_runs_in_a_loop_and_stands_at_the_worst_frame(qtbot, open_page, run):
    page = open_page()
    qtbot.waitUntil(lambda: page.clip.player.is_playing)
    assert page.clip.player.loop == (MISSED[0] - 10, MISSED[-1] + 10)
    qtbot.keyClick(page.table, Key.Key_W)
    qtbot.waitUntil(lambda: not page.clip.player.is_waiting)
    assert page.clip.player.picture.seq == WORST
    assert page.clip.view.selection is not None and page.clip.view.selection.name == "person #7"


def test_enter_shows_the_worst_frame_on_replay(qtbot, open_page, run):
    page = open_page()
    with qtbot.waitSignal(page.open_run_asked) as asked:
        qtbot.keyClick(page.table, Key.Key_Return)
    assert asked.args == [run, WORST]


def test_several_are_decided_at_once_and_taken_back_at_once(qtbot, open_page, run, settings):
    page = open_page()
    qtbot.keyClick(page.table, Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(page.chosen) == 3
    qtbot.keyClick(page.table, Key.Key_6)
    settle(qtbot, page)
    assert set(standing(run, settings.home)) == {1, 2, 3}
    settle(qtbot, page)
    qtbot.keyClick(page.table, Key.Key_U)
    settle(qtbot, page)
    assert standing(run, settings.home) == {}


def test_more_than_a_page_is_decided_copied_and_taken_back_at_once(qtbot, open_page, settings):
    run = many.make_run(settings.runs, 300)
    page = open_page()
    qtbot.keyClick(page.table, Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(page.chosen_ids) == 300 and page.table.spans == [(0, 299)]
    qtbot.keyClick(page.table, Key.Key_6)
    settle(qtbot, page)
    assert standing(run, settings.home) == dict.fromkeys(range(1, 301), TriageState.DUPLICATE)
    settle(qtbot, page)
    qtbot.keyClick(page.table, Key.Key_U)
    settle(qtbot, page)
    assert standing(run, settings.home) == {}
    settle(qtbot, page)
    qtbot.keyClick(page.table, Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    page.copy()
    settle(qtbot, page)
    assert len(QApplication.clipboard().text().splitlines()) == 301


def test_what_is_decided_leaves_a_list_of_open_findings_and_the_next_one_is_there(qtbot, open_page, run, settings):
    page = open_page()
    qtbot.keyClick(page.table, Key.Key_O)
    settle(qtbot, page)
    first = page.current.finding.number
    qtbot.keyClick(page.table, Key.Key_5)
    settle(qtbot, page)
    assert page.model.rowCount() == 2 and page.table.currentIndex().row() == 0
    assert page.current.finding.number != first


def test_notes_tags_and_an_assignee_are_typed_and_kept_with_enter(qtbot, open_page, run, settings):
    page = open_page()
    for key, field, text in (
        (Key.Key_N, page.panel.note, "late 1 frame"),
        (Key.Key_T, page.panel.tags, "Fog, night"),
        (Key.Key_A, page.panel.assignee, "Bo"),
    ):
        qtbot.keyClick(page.table, key)
        assert field.hasFocus()
        field.clear()
        qtbot.keyClicks(field, text)  # the digit decides nothing while it is typed
        qtbot.keyClick(field, Key.Key_Return)
        settle(qtbot, page)
    triage = Journal(run, settings.home).states()[2]
    assert (triage.note, triage.tags, triage.assignee) == ("late 1 frame", ("fog", "night"), "Bo")
    assert triage.state is TriageState.OPEN


def test_filters_and_the_command_say_the_same(qtbot, open_page, run, capsys):
    from hilgui.cli.app import main

    page = open_page()
    page.filters.chips["kinds"].choose(("phantom",))
    page.filters.changed.emit()
    settle(qtbot, page)
    assert page.model.rowCount() == 1
    assert page.command == "hilgui findings all --kind phantom"
    assert main([*page.command.split()[1:], "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert isinstance(told["findings"], list)
    qtbot.keyClicks(page.filters.text, "nothing like it")
    qtbot.waitUntil(lambda: page.empty.isVisible())
    qtbot.mouseClick(page.empty.clear, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.model.rowCount() == 3)


def test_rows_are_copied_as_text(qtbot, open_page, run):
    page = open_page()
    qtbot.keyClick(page.table, Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    head, line = QApplication.clipboard().text().splitlines()
    assert head.startswith("run\tno\tseverity\tkind") and "missed_object" in line and "was missed" in line


def test_an_empty_bench_offers_the_first_step(qtbot, open_page):
    page = open_page()
    assert page.empty.isVisible()
    with qtbot.waitSignal(page.demo_asked):
        qtbot.mouseClick(page.empty.demo, Qt.MouseButton.LeftButton)


def test_only_the_open_run_is_listed_when_asked(qtbot, open_page, run, bench, settings):
    other = many.make_run(settings.runs, 7, "20260102-other")
    page = open_page()
    assert page.model.rowCount() == 10
    bench.run.put(other)
    qtbot.keyClick(page.table, Key.Key_R)
    settle(qtbot, page)
    assert page.model.rowCount() == 7


def test_small_pictures_show_the_object(qtbot, open_page, run):
    page = open_page()
    index = page.model.index(page.table.currentIndex().row(), Column.PICTURE)
    qtbot.waitUntil(lambda: page.model.data(index, Qt.ItemDataRole.DecorationRole) is not None)
    qtbot.keyClick(page.table, Key.Key_V)
    assert page.table.isColumnHidden(Column.PICTURE)


def test_ten_thousand_rows_are_scrolled_without_asking_for_all(qtbot, open_page, settings):
    many.make_run(settings.runs, 10_000, "20260103-many")
    page = open_page()
    assert page.model.rowCount() == 10_000
    asked = []
    fetch = page.model._fetch
    page.model._fetch = lambda number: asked.append(number) or fetch(number)
    for share in (0.25, 0.5, 0.75, 1.0):
        page.table.verticalScrollBar().setValue(int(page.table.verticalScrollBar().maximum() * share))
        page.table.viewport().repaint()
    assert 4 <= len(set(asked)) <= 12


def test_the_chosen_findings_are_exported_as_a_data_set(qtbot, open_page, run, tmp_path):
    page = open_page()
    said = []
    page.message.connect(lambda tone, sentence: said.append(sentence))
    qtbot.keyClick(page.table, Key.Key_E)
    dialog = page.dialog
    assert dialog.isVisible() and not dialog.go.isEnabled()
    dialog.folder.setText(str(tmp_path / "set"))
    dialog.blur.setText("face")
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "face" in dialog._trouble.text())
    dialog.blur.setText("person; 0,0,20,20")
    assert dialog.command.endswith("--blur person --blur 0,0,20,20") and "--select 2" in dialog.command
    with qtbot.waitSignal(dialog.exported):
        qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert len(list((tmp_path / "set" / "images").iterdir())) == 1
    assert "1 picture exported" in said[0]


def test_stories_are_shown_as_cards_and_opening_one_lists_its_findings(qtbot, open_page, run):
    page = open_page()
    qtbot.keyClick(page.table, Key.Key_G)
    qtbot.waitUntil(lambda: bool(page.stories.cards))
    assert sum(card.findings for card in page.stories.cards) == page.model.rowCount()
    assert page.command.endswith("--stories")
    card = next(card for card in page.stories.cards if "missed" in card.title)
    page.stories.setCurrentIndex(page.stories.model().index(page.stories.cards.index(card), 0))
    qtbot.keyClick(page.stories, Key.Key_Return)
    settle(qtbot, page)
    assert page.model.rowCount() == card.findings < 3 and page.filters.story.isVisible()
    assert page.current.finding.kind == "missed_object"
    page.filters.story.click()
    settle(qtbot, page)
    assert page.model.rowCount() == 3 and not page.filters.story.isVisible()


def test_stories_tell_what_came_since_they_were_looked_at(qtbot, open_page, run, settings):
    page = open_page()
    qtbot.keyClick(page.table, Key.Key_G)
    qtbot.waitUntil(lambda: sum(card.findings for card in page.stories.cards) == 3)
    qtbot.keyClick(page.stories, Key.Key_G)
    RunWriter(settings.home / "runs", header("20260131-142233-drive-0001")).write([], [many.varied(1)])
    page.refresh()
    settle(qtbot, page)
    qtbot.keyClick(page.table, Key.Key_G)
    qtbot.waitUntil(lambda: sum(card.findings for card in page.stories.cards) == 4)


def test_the_history_of_a_finding_comes_after_it_is_shown(qtbot, open_page, run):
    page = open_page()
    qtbot.keyClick(page.table, Key.Key_1)
    settle(qtbot, page)
    qtbot.waitUntil(lambda: "Ada" in page.panel._history.text())


def test_a_decision_made_just_before_the_end_is_written(qtbot, open_page, run, settings):
    page = open_page()
    page.decide(state=TriageState.ACCEPTED)
    page.decide(note="last words")
    page.close_page()
    assert [change.note for change in Journal(run, settings.home).history(2)] == [None, "last words"]


def test_what_comes_in_while_a_drive_plays_leaves_place_choice_and_note_alone(
    qtbot, open_page, settings, bench, monkeypatch
):
    writer = RunWriter(settings.home / "runs", header("20260131-142233-drive-0001"))
    writer.write([], [many.varied(number) for number in range(1, 61)])
    page = open_page()
    page._show_pictures(False)
    assert page.model.rowCount() == 60
    page.table.go_to(30)
    page.table.selectionModel().select(page.model.index(33, 0), SELECT)
    QApplication.processEvents()
    chosen, shown = {row.finding.number for row in page.chosen}, page.clip.finding_id
    here, top = page.current.finding.number, page.model.id_at(page.table.rowAt(0))
    qtbot.keyClick(page.table, Key.Key_N)
    qtbot.keyClicks(page.panel.note, "half a sent")
    writer.write([], [many.varied(number) for number in range(61, 200)])
    settle(qtbot, page)
    fetched_here = []

    def fetch(*given):
        fetched_here.append(given)
        return page_of(*given)

    monkeypatch.setattr(
        "hilgui.gui.findings.table_model.page_of", lambda *given: fetched_here.append(given) or page_of(*given)
    )
    bench.bridge.run(RunPlan(Path("drive.mp4"), Path("model.onnx"), settings.runs, settings))
    page.listing.follow()
    settle(qtbot, page)
    assert page.model.rowCount() == 199  # at once, also while the process beside the screen starts
    qtbot.waitUntil(lambda: page.listing._desk._beside is None)
    writer.write([], [many.varied(number) for number in range(200, 251)])
    fetched_here.clear()
    page.listing.follow()
    assert not page.is_busy  # nobody waits for it
    qtbot.waitUntil(lambda: page.model.rowCount() == 250)
    assert not fetched_here  # the rows in sight came along
    assert page.current.finding.number == here
    assert {row.finding.number for row in page.chosen} == chosen
    assert page.model.id_at(page.table.rowAt(0)) == top
    assert page.clip.finding_id == shown
    assert page.panel.note.hasFocus() and page.panel.note.text() == "half a sent"
    page.table.setFocus()  # the note is still unfinished
    page.refresh()  # as at the end of the run
    settle(qtbot, page)
    assert page.panel.note.text() == "half a sent"
    writer.finish(Verdict(Outcome.PASS), Ledger(0, 0, 0, 0, 0))


def test_what_is_asked_or_decided_while_news_are_looked_for_goes_first(qtbot, open_page, run, settings, bench):
    page = open_page()
    bench.bridge.run(RunPlan(Path("drive.mp4"), Path("model.onnx"), settings.runs, settings))
    answers = []
    page.listing._desk.followed.connect(answers.append)
    page.listing.follow()
    beside = page.listing._desk._beside
    page.decide(state=TriageState.ACCEPTED)
    settle(qtbot, page)
    page.filters.set_states((TriageState.ACCEPTED,))
    settle(qtbot, page)
    assert page.model.rowCount() == 1
    qtbot.waitUntil(lambda: not beside.is_under_way)
    assert not answers and page.model.rowCount() == 1  # older than the decision: dropped
    page.listing.follow()
    qtbot.waitUntil(lambda: bool(answers))
    assert page.model.rowCount() == 1 and page.current.triage.state is TriageState.ACCEPTED


def test_a_page_does_not_look_for_news_where_nothing_plays(qtbot, open_page, run):
    page = open_page()
    page.listing.follow()
    assert not page.is_busy


def test_nothing_scrolls_sideways_and_what_all_rows_share_is_left_out(qtbot, open_page, run):
    page = open_page()
    table = page.table
    for width in (1280, 1000, 1920):
        page.resize(width, 720)
        for pictures in (True, False):
            page._show_pictures(pictures)
            QApplication.processEvents()
            assert table.horizontalScrollBar().maximum() == 0, (width, pictures)
            for needed in (Column.SEVERITY, Column.KIND, Column.CLASS, Column.STATE, Column.TIME, Column.WHY):
                assert not table.isColumnHidden(needed)
            for column in (Column.KIND, Column.CLASS, Column.MODEL, Column.STATE):
                if not table.isColumnHidden(column):
                    assert table.columnWidth(column) >= table.sizeHintForColumn(column), column.name  # no "pers…"
    assert table.isColumnHidden(Column.DRIVE) and table.isColumnHidden(Column.TAGS)
    page._give("tags", ["glare", "truck", "night", "rain"])
    qtbot.waitUntil(lambda: not page.is_busy and not table.isColumnHidden(Column.TAGS))
    assert table.horizontalScrollBar().maximum() == 0
    bare = table.grab().toImage()
    table.setItemDelegateForColumn(Column.TAGS, None)
    assert table.grab().toImage() != bare  # tags are painted as chips
