"""People at the Robustness page: they measure, look at the heat map, click a field, cancel, come back."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from hilgui.evaluation import Interval
from hilgui.gui.replay.overlay import State
from hilgui.gui.robustness.page import RobustnessPage
from hilgui.gui.robustness.sheets import Link
from hilgui.records import Role
from hilgui.robustness import ATTACKS, Cell, Check, Headline, Result, Subject, results_root, write_result
from tests.dark_street import write_light_model, write_street


@pytest.fixture
def page(qtbot, bench):
    page = RobustnessPage(bench)
    qtbot.addWidget(page)
    page.resize(1240, 660)
    page.show()
    yield page
    page.close_page()


def idle(qtbot, page):
    qtbot.waitUntil(lambda: not page.is_busy)


def attack(settings) -> Path:
    """Put a result of another kind on the shelf, as a colleague's attack does."""
    interval = Interval(-0.5, -0.3, 0.95, "drive", 6, "percentile bootstrap")
    result = Result(
        kind=ATTACKS, id="fgsm", created="2026-11-25T12:00:00+00:00", version="1", title="FGSM on light", question={},
        command=(), models=(Subject(Role.BASELINE, "light", "light.onnx", "ab"),), drives=(), measure="AP .50:.95",
        rows=("noise", "fgsm"), columns=("0.03",),
        cells=(Cell("noise", "0.03", Role.BASELINE, 0.9), Cell("fgsm", "0.03", Role.BASELINE, 0.2)),
        headlines=(Headline("clean", Role.BASELINE, 0.95), Headline("clean", None, -0.4, interval)),
        checks=(Check("noise hurts less than FGSM", True, "0.90 against 0.20"),), is_whole=True,
    )  # fmt: skip
    folder = results_root(settings.home) / "fgsm"
    write_result(folder, result)
    return folder


def ask_for(qtbot, page, tmp_path, *, candidate=True):
    """Fill the dialog in as a person does, with few frames."""
    street, labels = write_street(tmp_path)
    models = [write_light_model(tmp_path / f"{name}.onnx", gain) for name, gain in (("light", 1.6), ("dim", 0.8))]
    qtbot.mouseClick(page.go, Qt.MouseButton.LeftButton)
    dialog = page.dialog
    dialog.source.text, dialog.truth.text = str(street), str(labels)
    dialog.baseline.text = str(models[0])
    dialog.candidate.text = str(models[1]) if candidate else ""
    dialog.suite.setCurrentIndex(dialog.suite.findData("bench"))
    dialog.frames.setText("2")
    return dialog


def test_an_empty_page_says_what_belongs_there_and_offers_to_measure(qtbot, page):
    idle(qtbot, page)
    empty = page.empties["corruptions"]
    assert "low light" in page.tab.hint_words
    qtbot.mouseClick(empty.button, Qt.MouseButton.LeftButton)
    page.dialog.agree()
    assert page.dialog.isVisible()
    assert "Choose a recording" in page.dialog.source.hint
    assert ".onnx" in page.dialog.baseline.hint
    page.dialog.reject()


def test_a_suite_is_measured_and_a_field_of_the_heat_map_shows_what_was_lost(qtbot, page, tmp_path):
    dialog = ask_for(qtbot, page, tmp_path)
    assert "--suite bench" in dialog.wish.command
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.view.result is not None and page.view.result.is_whole)
    idle(qtbot, page)
    view = page.view
    rows = [row[0].text for row in view.heat.rows]
    assert "low_light" in rows
    assert "latency" in rows
    assert [row[0].text for row in view.headlines.rows] == ["clean AP .50:.95", "mPC", "rPC"]
    dark = view.heat.rows[rows.index("low_light")]
    place = view.heat.titles.index("B 5")
    spot = view.heat.field_rect(rows.index("low_light"), place).center()
    qtbot.mouseClick(view.heat, Qt.MouseButton.LeftButton, pos=spot)
    assert dark[place].shade > 0
    assert len(view.examples.rows) == 2
    clean, changed = view.pictures.views
    assert {thing.state for thing in changed.visible_things} >= {State.MISSED}
    assert State.MISSED not in {thing.state for thing in clean.visible_things}
    lost = view.heat.titles.index("B lost at")
    assert 0 < float(dark[lost].text) < 5
    qtbot.mouseClick(
        view.heat, Qt.MouseButton.LeftButton, pos=view.heat.field_rect(rows.index("low_light"), lost).center()
    )
    assert view.examples.rows[0][-1].text.startswith(f"{dark[lost].text}: person in frame ")
    qtbot.mouseClick(view.heat, Qt.MouseButton.LeftButton, pos=spot)
    view.heat.setFocus()
    qtbot.keyClick(view.heat, Qt.Key.Key_Left)
    assert view.heat.accessibleDescription().startswith("low_light at 4, baseline: ")
    view.heat.copy()
    assert "low_light\t" in view.heat.text
    for path in page.save(tmp_path / "map.svg"):
        assert b"low_light" in path.read_bytes()
    assert page.command.startswith("hilgui robustness --show corruptions-street")


def test_a_cancelled_measurement_is_kept_and_goes_on(qtbot, page, tmp_path):
    dialog = ask_for(qtbot, page, tmp_path, candidate=False)
    wish = replace(dialog.wish, frames=6)
    dialog.reject()
    page.measure(wish)
    qtbot.waitUntil(lambda: page.view.result is not None and len(page.view.result.cells) > 1)
    page.busy.cancelled.emit()
    idle(qtbot, page)
    result = page.view.result
    if not result.is_whole:  # a quick machine may have been done
        assert "not whole" in page.results.currentText()
    page.measure(wish)
    qtbot.waitUntil(lambda: page.view.result.is_whole and not page.is_busy)
    assert page.view.result.created == result.created


def test_results_of_others_show_under_their_tab(qtbot, page, settings):
    folder = attack(settings)
    page.refresh()
    idle(qtbot, page)
    page.show_folder(folder)
    assert page.tab.kind == ATTACKS
    assert [cell.text for cell in page.view.heat.rows[1]][:2] == ["fgsm", ".20"]
    assert page.view.headlines.rows[0][2].text.startswith("▼ -0.400")
    page.view.show_field(Link("fgsm", "0.03", Role.BASELINE))
    assert page.view.examples.rows == []
    assert "✓" in page.view.notes.rows[0][0].text
    assert page.view.headlines.rows[-1][1].text == "yes"


def test_a_damaged_result_is_a_sentence(qtbot, page, settings):
    folder = attack(settings)
    (folder / "result.json").write_text("{", encoding="utf-8")
    with qtbot.waitSignal(page.message) as said:
        page.refresh()
    assert "cannot be read" in said.args[1]
