"""People at the Drift tab: they read the verdict, choose a statistic, click an alarm, go to its frame."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.gui.robustness.drift_sheets import Place
from hilgui.gui.robustness.drift_view import DriftView
from hilgui.records import Role
from hilgui.robustness import DRIFT, Cell, Drive, Example, Result, write_picture


def drifted(run: str = "", picture: str = "") -> Result:
    """Give a check of two windows: the brightness leaves its limits in the second, the noise tells nothing."""
    numbers = [
        {"value": value, "limit": 2.0, "before": 120.0, "now": now} for value, now in ((1.0, 118.0), (6.0, 60.0))
    ]
    example = Example("night.mp4", 150, "brightness: mean shifted 6, limit 2", "", picture)
    silent = {"value": 0.3, "limit": None, "before": None, "now": None}
    cells = (
        Cell("noise psi", "1", Role.BASELINE, None, by_class=silent),
        Cell("brightness shift", "1", Role.BASELINE, 0.5, by_class=numbers[0]),
        Cell("brightness shift", "2", Role.BASELINE, 3.0, by_class=numbers[1], examples=(example,)),
    )
    question = {
        "verdict": "DRIFT",
        "run": run,
        "rate": 0.05,
        "window_frames": 100,
        "windows": [[0, 99, 0.0, 9.9], [100, 199, 10.0, 19.9]],
    }
    return Result(
        kind=DRIFT, id="drift-1", created="2026-11-25T12:00:00+00:00", version="1", title="night", question=question,
        command=(), models=(), drives=(Drive("night.mp4", "night.mp4", "ab", "", 200),), measure="value in limits",
        rows=("noise psi", "brightness shift"), columns=("1", "2"), cells=cells, better="lower", is_whole=True,
    )  # fmt: skip


@pytest.fixture
def view(qtbot, theme, tmp_path):
    from PySide6.QtWidgets import QWidget

    parent = QWidget()
    qtbot.addWidget(parent)
    yield DriftView(theme, DRIFT, parent)  # the parent lives as long as the test


def test_the_verdict_the_worst_statistic_and_the_alarm_are_in_sight(view, tmp_path: Path) -> None:
    view.show_result(tmp_path, drifted())
    assert view.words.text().startswith("Drift: 1 of 2 windows of 100 frames with alarms.")
    assert [cell.text for cell in view.statistics.rows[0]] == ["brightness", "mean shift", "6", "2", "3"]
    assert view.statistics.rows[1][3].text == "–"
    assert "says nothing" in view.statistics.rows[1][3].tip
    assert [cell.text for cell in view.alarms.rows[0]] == ["#150", "brightness", "mean shift", "120", "60"]
    assert view.chart.accessibleName().startswith("brightness: mean")


def test_an_alarm_shows_its_picture_and_the_frame_of_a_run_opens(view, qtbot, tmp_path: Path) -> None:
    _, data = cv2.imencode(".jpg", np.full((40, 60, 3), 90, np.uint8))
    picture = write_picture(tmp_path, "000150.jpg", data.tobytes())
    view.show_result(tmp_path, drifted(run="/runs/night", picture=picture))
    view.show_worst()
    assert "#150" in view._under.text()
    with qtbot.waitSignal(view.frame_asked) as asked:
        view.alarms.asked.emit(view.alarms.rows[0][0].link)
    assert asked.args == [Path("/runs/night"), 150]


def test_a_window_without_an_alarm_says_so_and_a_click_on_the_chart_goes_to_the_nearest(view, tmp_path: Path) -> None:
    view.show_result(tmp_path, drifted())
    view.chart.clicked.emit(19.0, 1.0)
    assert "#150" in view._under.text()
    view.chart.clicked.emit(2.0, 1.0)
    assert view._under.text() == ""


def test_a_recording_has_no_frame_to_open(view, qtbot, tmp_path: Path) -> None:
    view.show_result(tmp_path, drifted())
    with qtbot.assertNotEmitted(view.frame_asked):
        view.alarms.asked.emit(view.alarms.rows[0][0].link)
    assert view.alarms.rows[0][0].link == Place("brightness shift", "2", 150)


def test_the_chart_is_saved_and_a_check_without_windows_says_why(view, tmp_path: Path) -> None:
    view.show_result(tmp_path, drifted())
    assert view.save(tmp_path / "drift.svg") == [tmp_path / "drift.svg"]
    assert (tmp_path / "drift.svg").read_text().startswith("<?xml")
    short = drifted()
    short.question.update(verdict="INCONCLUSIVE", why="30 frames are too few", windows=[])
    view.show_result(tmp_path / "other", short)
    assert view.words.text() == "Inconclusive: 30 frames are too few"
