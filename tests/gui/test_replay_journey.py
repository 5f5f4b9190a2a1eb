"""A person at the Replay page: real keys and clicks on a stored run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from hilgui.gui.memory import Memory
from hilgui.gui.replay import ReplayPage
from hilgui.gui.replay.compare_mode import CompareMode
from hilgui.gui.replay.findings_model import Filter
from hilgui.gui.replay.overlay import Layer, State
from hilgui.gui.theme import ROW, Theme
from hilgui.records import Kind, Severity
from tests.gui.replay_run import MISSED, PHANTOM, WORST, Made, make_run, number_in

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def new_page(qtbot: QtBot, theme: Theme, memory: Memory) -> Iterator[Callable[[Path], ReplayPage]]:
    pages: list[ReplayPage] = []

    def make(folder: Path) -> ReplayPage:
        page = ReplayPage(theme, None, memory)
        pages.append(page)
        qtbot.addWidget(page)
        page.resize(1212, 640)
        page.show()
        page.open_run(folder)
        qtbot.waitUntil(lambda: page.player.picture is not None)
        qtbot.waitUntil(lambda: page.timeline.height() >= page.timeline.minimumSizeHint().height())  # laid out
        return page

    yield make
    for page in pages:
        page.close_run()


@pytest.fixture
def page(new_page: Callable[[Path], ReplayPage], made: Made) -> ReplayPage:
    return new_page(made.folder)


def settled(qtbot: QtBot, page: ReplayPage) -> int:
    """Wait for the frame of the position; give its number."""
    qtbot.waitUntil(lambda: not page.player.is_waiting)
    assert page.player.picture is not None
    return page.player.picture.seq


def press(page: ReplayPage, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(page.view, key, modifier)


def number_seen(page: ReplayPage) -> int:
    """Read the number that is drawn into the frame on the screen."""
    image: QImage = page.view.grab().toImage()

    def brightness_at(x: int, y: int) -> float:
        at_x, at_y = page.view.viewport.to_pane(x, y)
        return image.pixelColor(round(at_x), round(at_y)).lightness()

    return number_in(brightness_at)


def test_one_key_leads_from_the_open_run_to_the_worst_miss_and_its_reason(qtbot: QtBot, page: ReplayPage) -> None:
    press(page, Key.Key_W)

    assert settled(qtbot, page) == WORST
    assert number_seen(page) == WORST
    assert "was missed for 16 frames" in page.inspector.why
    assert page.inspector.sentence == "missed by the candidate; baseline found it, score .71"
    selected = page.view.selection
    assert selected is not None and selected.state is State.MISSED and selected.name == "person #7"


def test_next_and_previous_walk_the_list(qtbot: QtBot, page: ReplayPage) -> None:
    press(page, Key.Key_N)
    first = settled(qtbot, page)
    press(page, Key.Key_N)
    second = settled(qtbot, page)
    press(page, Key.Key_P)

    assert (first, second, settled(qtbot, page)) == (WORST, 46, WORST)


def test_a_run_opens_at_the_frame_that_was_asked_for_and_jumps_within_it(
    qtbot: QtBot, new_page: Callable[[Path], ReplayPage], made: Made
) -> None:
    page = new_page(made.folder)
    page.open_run(made.folder, 31)
    assert (settled(qtbot, page), number_seen(page)) == (31, 31)
    page.close_run()
    page.open_run(made.folder, 17)
    qtbot.waitUntil(lambda: page.player.picture is not None)
    assert (settled(qtbot, page), number_seen(page)) == (17, 17)


def test_the_list_begins_with_the_worst(page: ReplayPage) -> None:
    model = page.findings.model

    assert [model.finding(row).kind for row in range(3)] == [Kind.MISSED_OBJECT, Kind.PHANTOM, Kind.DISAGREEMENT]


def test_the_worst_finding_is_found_again_after_moving_away(qtbot: QtBot, page: ReplayPage) -> None:
    press(page, Key.Key_W)
    settled(qtbot, page)
    press(page, Key.Key_Home)
    assert settled(qtbot, page) == 0
    press(page, Key.Key_W)

    assert settled(qtbot, page) == WORST


def test_arrow_keys_step_frame_by_frame_both_ways(qtbot: QtBot, page: ReplayPage) -> None:
    seen = []
    for key in (Key.Key_Right, Key.Key_Right, Key.Key_Left, Key.Key_Right, Key.Key_Right):
        press(page, key)
        settled(qtbot, page)
        seen.append(number_seen(page))

    assert seen == [1, 2, 1, 2, 3]


def test_space_plays_and_pauses(qtbot: QtBot, page: ReplayPage) -> None:
    press(page, Key.Key_Space)
    qtbot.waitUntil(lambda: page.player.position >= 5)
    press(page, Key.Key_Space)
    at = page.player.position
    QTest.qWait(80)

    assert page.player.position == at


def test_a_seconds_jump_is_a_second(qtbot: QtBot, page: ReplayPage) -> None:
    press(page, Key.Key_Right, SHIFT)

    assert settled(qtbot, page) == 30


def test_a_time_that_is_typed_is_gone_to(qtbot: QtBot, page: ReplayPage) -> None:
    press(page, Key.Key_G)
    QTest.keyClicks(page.focusWidget(), "0:01.5")
    QTest.keyClick(page.focusWidget(), Key.Key_Return)

    assert settled(qtbot, page) == 45
    assert page.view.hasFocus()


def test_layers_are_switched_by_their_keys(page: ReplayPage) -> None:
    for key in (Key.Key_T, Key.Key_B):
        press(page, key)

    assert page.view.layers.shown == {Layer.CANDIDATE}
    assert not page.action("truth").isChecked()
    assert {thing.layer for thing in page.view.visible_things} == {Layer.CANDIDATE}


def test_errors_only_leaves_the_errors(qtbot: QtBot, page: ReplayPage) -> None:
    press(page, Key.Key_E)
    assert page.view.visible_things == ()
    press(page, Key.Key_W)
    settled(qtbot, page)

    assert [thing.state for thing in page.view.visible_things] == [State.MISSED]


def test_the_view_goes_around_its_modes(page: ReplayPage) -> None:
    seen = []
    for _ in CompareMode:
        press(page, Key.Key_V)
        seen.append(page.view.mode)
        page.view.grab()

    assert seen == [CompareMode.SIDE_BY_SIDE, CompareMode.SWIPE, CompareMode.DIFFERENCE, CompareMode.OVERLAY]


def test_objects_are_visited_by_key(page: ReplayPage) -> None:
    press(page, Key.Key_X)
    first = page.view.selection
    press(page, Key.Key_X, SHIFT)

    assert first is not None and page.view.selection != first
    assert page.inspector.sentence
    press(page, Key.Key_U)
    assert page.view.selection is None


def test_pointing_at_a_box_tells_about_it(qtbot: QtBot, page: ReplayPage) -> None:
    x, y = page.view.viewport.to_pane(250, 110)
    QTest.mouseMove(page.view, QPoint(round(x), round(y)))
    qtbot.waitUntil(lambda: "found" in page.inspector.sentence)

    assert page.view.pointed is not None and page.view.pointed.name.startswith("car")
    press(page, Key.Key_Right)
    settled(qtbot, page)
    assert page.view.pointed is not None and "found" in page.inspector.sentence


def test_a_click_on_a_box_selects_it(page: ReplayPage) -> None:
    x, y = page.view.viewport.to_pane(40, 110)
    QTest.mouseClick(page.view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))

    assert page.view.selection is not None and page.view.selection.name.startswith("person")


def test_zoom_keys_and_fit(page: ReplayPage) -> None:
    whole = page.view.viewport.scale
    press(page, Key.Key_Plus)
    assert page.view.viewport.scale > whole
    press(page, Key.Key_1)
    assert page.view.zoom_factor == 1.0
    press(page, Key.Key_F)
    assert page.view.viewport.scale == whole


def test_a_part_of_the_picture_is_painted_at_actual_size(page: ReplayPage) -> None:
    page.view.setFixedSize(240, 135)
    press(page, Key.Key_1)
    QTest.qWait(20)
    cut = page.view.cut

    assert (cut.x2 - cut.x1, cut.y2 - cut.y1) == (cut.width, cut.height)
    assert cut.width < 320
    assert not page.view.grab().isNull()


def test_a_click_in_the_timeline_goes_to_that_frame(qtbot: QtBot, page: ReplayPage) -> None:
    timeline = page.timeline
    place = QPoint(round(timeline.x_of(PHANTOM[0] + 0.5)), timeline.height() - 12)
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=place)

    assert settled(qtbot, page) == PHANTOM[0]


def test_dragging_in_the_timeline_scrubs(qtbot: QtBot, page: ReplayPage) -> None:
    timeline, y = page.timeline, page.timeline.height() - 12
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=QPoint(round(timeline.x_of(5)), y))
    for row in range(6, 40, 3):
        QTest.mouseMove(timeline, QPoint(round(timeline.x_of(row + 0.5)), y))
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=QPoint(round(timeline.x_of(39.5)), y))

    assert settled(qtbot, page) == 39


def test_a_click_on_a_finding_in_the_timeline_says_why(qtbot: QtBot, page: ReplayPage) -> None:
    timeline = page.timeline
    lane = next(index for index, lane in enumerate(timeline.lanes) if lane.kind is Kind.PHANTOM)
    place = QPoint(round(timeline.x_of(PHANTOM[0] + 0.5)), timeline.tops[lane] + 3)
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=place)

    assert settled(qtbot, page) == PHANTOM[0]
    assert "where the truth has nothing" in page.inspector.why
    current = page.findings.current()
    assert current is not None and current.kind is Kind.PHANTOM


def test_shift_and_drag_marks_a_loop(page: ReplayPage) -> None:
    timeline, y = page.timeline, page.timeline.height() - 12
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, SHIFT, QPoint(round(timeline.x_of(10.5)), y))
    QTest.mouseMove(timeline, QPoint(round(timeline.x_of(20.5)), y))
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, SHIFT, QPoint(round(timeline.x_of(20.5)), y))

    assert page.player.loop == (10, 20)


def test_the_clip_of_a_finding_plays_in_a_loop(qtbot: QtBot, page: ReplayPage) -> None:
    press(page, Key.Key_W)
    settled(qtbot, page)
    press(page, Key.Key_Y)

    assert page.player.loop == (MISSED[0] - 10, MISSED[-1] + 10)
    assert page.player.is_playing


def test_bookmarks_come_back_with_the_run(
    qtbot: QtBot, page: ReplayPage, new_page: Callable[[Path], ReplayPage], made: Made
) -> None:
    page.player.go_to(17)
    press(page, Key.Key_M)
    page.close_run()

    again = new_page(made.folder)

    assert again.player.bookmarks == (17,)


def test_the_plots_fold_out_and_share_the_axis(page: ReplayPage) -> None:
    press(page, Key.Key_D)
    QTest.qWait(20)

    assert not page.plots.isHidden()
    assert len(page.plots.plots[0].curves) == 2
    low, high = page.plots.plots[0].getViewBox().viewRange()[0]
    assert (low, high) == pytest.approx(page.timeline.span)


def test_typing_in_the_search_is_not_taken_for_a_command(qtbot: QtBot, page: ReplayPage) -> None:
    press(page, Key.Key_Slash)
    QTest.keyClicks(page.focusWidget(), "phantom b")
    qtbot.waitUntil(lambda: page.findings.model.rowCount() == 1)

    assert page.view.layers.shown == set(Layer)
    assert page.findings.model.finding(0).kind is Kind.PHANTOM


def test_the_filter_hides_lesser_findings(page: ReplayPage) -> None:
    page.findings.set_filter(Filter(least=Severity.HIGH))

    assert page.findings.model.rowCount() == 1
    assert page.findings.model.total == 3


def test_a_finding_copies_as_text(page: ReplayPage) -> None:
    lines = page.findings.model.text_of([0]).splitlines()

    assert lines[0].startswith("severity\tkind")
    assert lines[1].startswith("high\tmissed_object\tcandidate\t0:00.93\tperson\t16\t")


def test_both_themes_paint(page: ReplayPage, theme: Theme) -> None:
    press(page, Key.Key_D)
    dark = page.grab().toImage()
    theme.choose("light")
    light = page.grab().toImage()

    assert dark.pixelColor(5, 5).lightness() < 80 < 170 < light.pixelColor(5, 5).lightness()


def test_the_page_holds_at_1280_by_720(page: ReplayPage) -> None:
    assert page.minimumSizeHint().width() <= 1280 - 72
    assert page.minimumSizeHint().height() <= 720 - 100


def test_every_command_has_a_key_that_no_other_has(page: ReplayPage) -> None:
    keys = [key for row, _ in page.shortcuts() for key in row.split("  ")]

    assert len(keys) == len(set(keys))
    assert len(page.shortcuts()) == len({name for name, _ in page.shortcuts()})


def test_everything_that_takes_the_keyboard_has_a_name(page: ReplayPage) -> None:
    from PySide6.QtWidgets import QWidget

    nameless = [
        type(widget).__name__
        for widget in page.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisible()
        and not widget.accessibleName()
        and type(widget).__module__.startswith("hilgui")
    ]

    assert nameless == []


def test_a_moved_recording_is_told_and_the_clip_is_shown(
    qtbot: QtBot, tmp_path: Path, new_page: Callable[[Path], ReplayPage]
) -> None:
    made = make_run(tmp_path)
    made.video.unlink()
    page = new_page(made.folder)
    press(page, Key.Key_W)

    assert settled(qtbot, page) == WORST
    qtbot.waitUntil(lambda: "drive.mp4" in page.banner)
    assert page.player.picture is not None and page.player.picture.image is not None


def test_a_folder_without_a_run_is_one_sentence(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    page = ReplayPage(theme)
    qtbot.addWidget(page)
    with qtbot.waitSignal(page.message) as told:
        page.open_run(tmp_path)

    tone, sentence = told.args
    assert tone == "error" and str(tmp_path) in sentence
    page.close_run()


def test_frames_that_were_dropped_are_told_apart(
    qtbot: QtBot, tmp_path: Path, new_page: Callable[[Path], ReplayPage]
) -> None:
    page = new_page(make_run(tmp_path, lost=frozenset({3, 4})).folder)
    page.player.go_to(3)

    assert settled(qtbot, page) == 3
    assert page.view.visible_things == ()
    assert "lost" in {lane.key for lane in page.timeline.lanes}


def test_plots_leave_room_for_findings_and_their_reason_on_a_small_screen(qtbot: QtBot, page: ReplayPage) -> None:
    page.resize(1212, 634)  # what a window of 1280 by 720 leaves
    press(page, Key.Key_W)
    press(page, Key.Key_D)
    qtbot.waitUntil(lambda: page.plots.isVisible() and page.plots.plots[0].height() >= 40)

    assert page.findings.table.viewport().height() >= 3 * ROW
    assert page.inspector.height() >= 120
    for plot in page.plots.plots:
        low, high = plot.getPlotItem().getViewBox().viewRange()[1]
        numbers = [value for value, _ in plot.getPlotItem().getAxis("left")._tickLevels[0]]
        px = plot.height() / (high - low)
        assert min((high - max(numbers)) * px, (min(numbers) - low) * px) >= 6  # half of a number's height


def test_a_border_that_the_operator_moved_stays(page: ReplayPage) -> None:
    outer = page._layout._splitters["outer"]
    outer.moveSplitter(250, 1)
    outer.splitterMoved.emit(250, 1)
    before = outer.sizes()
    page._layout.make_room()

    assert outer.sizes() == before
