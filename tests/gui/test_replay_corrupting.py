"""People corrupt what is on the Replay page: the models are asked again, it is marked, and a run is made so."""

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from hilgui.gui.bridge import Bridge
from hilgui.gui.replay.overlay import State
from hilgui.gui.replay.page import ReplayPage
from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.store import RunReader
from tests.dark_street import write_light_model, write_street
from tests.gui.shell_bench import FakeEngine


def replayed(settings, tmp_path: Path, **more) -> Path:
    """Run the light model over the street; give the run folder."""
    street, labels = write_street(tmp_path)
    model = write_light_model(tmp_path / "light.onnx")
    plan = RunPlan(street, model, settings.runs, settings, truth=labels, fps=10.0, provider="cpu", **more)
    prepared = prepare(plan)
    try:
        run = Run(prepared, Watchers(progress=lambda _: None, frame=lambda _f, _m: None))
        run.execute()
    finally:
        prepared.close()
    return run.folder


@pytest.fixture
def page(qtbot, settings, theme):
    page = ReplayPage(theme)
    page.corrupting.use(settings)
    page.follow(Bridge(lambda: FakeEngine(), page))
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    yield page
    page.close_page()


def opened(qtbot, page, folder: Path) -> None:
    page.open_run(folder)
    qtbot.waitUntil(lambda: page.player.picture is not None)


def settled(qtbot, page, words: str) -> None:
    qtbot.waitUntil(lambda: words in page.view.mark and not page.player.is_waiting)


def states(page) -> set[State]:
    return {thing.state for thing in page.view.visible_things}


def test_the_models_are_asked_again_and_the_picture_says_so(qtbot, page, settings, tmp_path):
    opened(qtbot, page, replayed(settings, tmp_path))
    clean = page.player.picture.image.copy()
    assert State.MISSED not in states(page)
    qtbot.keyClick(page.view, Qt.Key.Key_K)
    bar = page.corrupting.bar
    assert bar.isVisible()
    assert page.view.mark == ""
    bar.choose("low_light", 5)
    settled(qtbot, page, "low_light at severity 5; seed 0")
    assert State.MISSED in states(page)
    assert page.player.picture.image.mean() < clean.mean() - 30
    bar.slider.setValue(0)
    qtbot.waitUntil(lambda: page.view.mark == "" and not page.player.is_waiting)
    assert np.array_equal(page.player.picture.image, clean)
    assert State.MISSED not in states(page)


def test_gone_with_its_strip_and_the_next_run_begins_as_it_is_set(qtbot, page, settings, tmp_path):
    folder = replayed(settings, tmp_path)
    opened(qtbot, page, folder)
    page.corrupting.toggle()
    page.corrupting.bar.choose("low_light", 5)
    settled(qtbot, page, "low_light")
    page.close_run()
    assert page.view.mark == ""
    opened(qtbot, page, folder)
    settled(qtbot, page, "low_light")
    page.corrupting.toggle()
    qtbot.waitUntil(lambda: page.view.mark == "" and not page.player.is_waiting)
    assert State.MISSED not in states(page)


def test_a_model_that_is_gone_says_nothing_of_a_corrupted_frame(qtbot, page, settings, tmp_path):
    folder = replayed(settings, tmp_path)
    (tmp_path / "light.onnx").unlink()
    opened(qtbot, page, folder)
    page.corrupting.toggle()
    page.corrupting.bar.choose("fog", 1)
    settled(qtbot, page, "fog")
    qtbot.waitUntil(lambda: "light.onnx" in page.corrupting._what_if.problem)
    assert not [thing for thing in page.view.visible_things if thing.score is not None]


def test_a_frame_of_which_no_picture_is_left_is_not_marked_as_changed(qtbot, page, settings, tmp_path, monkeypatch):
    folder = replayed(settings, tmp_path)
    reader = RunReader(folder)
    recording = Path(reader.header.source.path)
    reader.close()
    recording.rename(tmp_path / "moved away")
    monkeypatch.setattr(RunReader, "picture", lambda _reader, _seq: None)
    opened(qtbot, page, folder)
    before = page.player.picture
    assert before.image is None
    page.corrupting.toggle()
    page.corrupting.bar.choose("low_light", 5)
    qtbot.waitUntil(lambda: page.player.picture is not before and not page.player.is_waiting)
    assert page.corrupting.recipe.parts
    assert page.view.mark == ""
    assert State.MISSED not in states(page)


def test_the_drive_is_run_so_and_its_run_shows_what_the_models_saw(qtbot, page, settings, tmp_path):
    opened(qtbot, page, replayed(settings, tmp_path))
    page.corrupting.toggle()
    page.corrupting.bar.choose("gaussian_noise", 3, seed=7)
    with qtbot.waitSignal(page._bridge.run_asked) as asked:
        qtbot.mouseClick(page.corrupting.bar.run, Qt.MouseButton.LeftButton)
    plan = asked.args[0]
    assert plan.corrupt == ("gaussian_noise:3",)
    assert plan.corrupt_seed == 7
    assert "--corrupt gaussian_noise:3" in " ".join(plan.command)
    assert page.corrupting.bar.isHidden()


def test_a_run_that_was_corrupted_is_shown_as_the_models_saw_it(qtbot, page, settings, tmp_path):
    folder = replayed(settings, tmp_path, corrupt=("low_light:5",), corrupt_seed=3)
    reader = RunReader(folder)
    facts = reader.header.source
    reader.close()
    assert (facts.corrupt, facts.corrupt_seed) == (("low_light:5",), 3)
    assert json.dumps(facts.corrupt)
    opened(qtbot, page, folder)
    settled(qtbot, page, "low_light at severity 5; seed 3")
    assert page.player.picture.image[:, :, :3].mean() < 60
