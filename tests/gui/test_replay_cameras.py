"""Cameras of one drive side by side in time, and the signals of the bus under them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.page import ReplayPage
from hilgui.gui.theme import Theme
from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.settings import Settings
from hilgui.store import Series
from tests.flow.tiny import write_model
from tests.unit.sources.clips import grey, write_clip
from tests.unit.sources.test_signals import DBC, write_log


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a run of a camera with 20 frames and one with every second of them."""
    root = tmp_path_factory.mktemp("cameras")
    front = write_clip(root / "front.mp4", list(range(20)))
    rear = write_clip(root / "rear.mp4", list(range(0, 20, 2)))
    (root / "car.dbc").write_text(DBC)
    prepared = prepare(
        RunPlan(
            source=front,
            beside=(rear,),
            baseline=write_model(root / "model.onnx"),
            out=root / "runs",
            settings=Settings(workers=1),
            can=(write_log(root / "drive.blf"),),
            dbc=(root / "car.dbc",),
            can_offset_s=0.0,
        )
    )
    try:
        run = Run(prepared, Watchers(lambda progress: None, lambda frame, moment: None))
        run.execute()
    finally:
        prepared.close()
    return run.folder


@pytest.fixture
def page(qtbot: QtBot, qapp: QApplication, folder: Path) -> Iterator[ReplayPage]:
    page = ReplayPage(Theme(qapp, "dark"))
    qtbot.addWidget(page)
    page.resize(1280, 720)
    page.show()
    with qtbot.waitSignal(page.opened):
        page.open_run(folder)
    yield page
    page.close_page()


def shown(view: object) -> float:
    image = view._image  # type: ignore[attr-defined]
    return float("nan") if image is None else float(np.median(image[..., 1]))


def go_to(page: ReplayPage, qtbot: QtBot, row: int) -> None:
    assert page.drive is not None
    page.player.go_to(row)
    qtbot.waitUntil(lambda: page.player.picture is not None and page.player.picture.seq == row)


def test_both_cameras_show_what_they_had_at_the_cursor(page: ReplayPage, qtbot: QtBot) -> None:
    drive = page.drive
    assert drive is not None
    assert len(page.cameras.views) == 2
    row = drive.row_at_time(drive.time_at(len(drive) - 1))
    go_to(page, qtbot, row)  # the last frame of the front camera; the rear one stands at its own last
    front, rear = (shown(view) for view in page.cameras.views)
    assert front == pytest.approx(grey(19), abs=3)
    assert rear == pytest.approx(grey(9), abs=3)


def test_another_camera_can_be_the_one_that_is_inspected(page: ReplayPage, qtbot: QtBot) -> None:
    drive = page.drive
    assert drive is not None
    go_to(page, qtbot, len(drive) - 1)
    page.cameras.choose("rear")
    assert page.cameras.main == "rear"
    rear, front = (shown(view) for view in page.cameras.views)
    assert (rear, front) == (pytest.approx(grey(9), abs=3), pytest.approx(grey(19), abs=3))


def test_the_speed_is_plotted_under_the_picture_with_the_same_cursor(page: ReplayPage) -> None:
    drive = page.drive
    assert drive is not None
    assert list(drive.signals) == ["SPEED.SPEED"]
    values = drive.signals["SPEED.SPEED"].values
    assert values[0] == pytest.approx(10 / 3.6, abs=0.01)
    assert len(values) == len(drive)
    page.action("plots").trigger()
    plot = page.plots.plots[2]
    assert not plot.isHidden()
    assert (plot.quantity.title, plot.quantity.unit) == ("SPEED", "m/s")
    assert len(plot.curves) == 1


def test_signals_keep_the_names_of_the_dbc_and_those_of_two_messages_are_told_apart(page: ReplayPage) -> None:
    assert page.drive is not None
    names, flat = ("FRONT.ANGLE", "REAR.ANGLE", "STEER.TORQUE_SENSOR"), np.zeros(3)
    page.plots.set_drive(Drive(page.drive.header, {name: Series("Nm", np.arange(3.0), flat) for name in names}))
    choice = page.plots.plots[2]._choice
    assert [choice.itemText(place) for place in range(3)] == ["FRONT.ANGLE", "REAR.ANGLE", "TORQUE_SENSOR"]
    choice.setCurrentIndex(2)
    assert "TORQUE_SENSOR" in choice.toolTip()
