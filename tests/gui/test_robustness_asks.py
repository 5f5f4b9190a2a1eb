"""People at the other tabs of the Robustness page: each asks for its own work, does it aside, and shows what came."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from hilgui.attacks.aims import Goal
from hilgui.drift import write_reference
from hilgui.gui.robustness.attack_dialog import AttackDialog
from hilgui.gui.robustness.audit_dialog import AuditDialog
from hilgui.gui.robustness.drift_dialog import DriftDialog
from hilgui.gui.robustness.measure_dialog import MeasureDialog
from hilgui.gui.robustness.page import RobustnessPage
from hilgui.gui.robustness.tabs import TABS
from hilgui.robustness import ATTACKS, AUDIT, CORRUPTIONS, DRIFT
from hilgui.robustness.drifting import Target, reference_of
from tests.dark_street import write_light_model, write_street
from tests.flow.test_drift import write_pictures

_LONG = 180_000
_KINDS = [tab.kind for tab in TABS]


@pytest.fixture
def page(qtbot, bench):
    page = RobustnessPage(bench)
    qtbot.addWidget(page)
    page.resize(1240, 660)
    page.show()
    qtbot.waitUntil(lambda: not page.is_busy, timeout=_LONG)
    yield page
    page.close_page()


def ask(qtbot, page, kind):
    """Go to a tab and press its button."""
    page.tabs.setCurrentIndex(_KINDS.index(kind))
    qtbot.mouseClick(page.go, Qt.MouseButton.LeftButton)
    return page.dialog


def go(qtbot, page, kind):
    """Press the button of the dialog and wait for what comes."""
    qtbot.mouseClick(page.dialog.go, Qt.MouseButton.LeftButton)
    assert page.is_busy
    qtbot.waitUntil(lambda: page.views[kind].result is not None and not page.is_busy, timeout=_LONG)
    assert page.tab.kind == kind
    return page.view


def reference(tmp_path: Path) -> Path:
    """Make a reference of bright pictures without order."""
    day = write_pictures(tmp_path / "day", 240, 140.0, seed=1)
    made, _ = reference_of((Target(day, False),), "", lambda done, total: None)
    write_reference(tmp_path / "day.json", made)
    return tmp_path / "day.json"


def test_each_tab_has_words_button_and_dialog_of_its_own(qtbot, page):
    dialogs = {CORRUPTIONS: MeasureDialog, ATTACKS: AttackDialog, AUDIT: AuditDialog, DRIFT: DriftDialog}
    seen = set()
    for kind, dialog in dialogs.items():
        assert type(ask(qtbot, page, kind)) is dialog
        assert page.go.text() == page.empties[kind].button.text() == page.tab.action_words
        seen.add((page.go.text(), page.tab.empty_words, page.tab.hint_words, page.command))
        page.dialog.agree()
        assert page.dialog.isVisible()  # nothing was chosen
        assert any(page.dialog.problems().values())
        page.dialog.reject()
    assert len({each[0] for each in seen}) == len(dialogs)
    assert len({each[3] for each in seen}) == len(dialogs)


def test_the_key_asks_for_what_the_tab_in_sight_shows(qtbot, page):
    page.tabs.setCurrentIndex(_KINDS.index(DRIFT))
    page.view.setFocus()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    qtbot.keyClick(page, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    assert isinstance(page.dialog, DriftDialog)
    page.dialog.reject()


def test_drift_is_checked_and_its_command_does_the_same(qtbot, page, tmp_path):
    night = write_pictures(tmp_path / "night", 120, 50.0, seed=3)
    dialog = ask(qtbot, page, DRIFT)
    dialog.target.text, dialog.reference.text = str(night), str(reference(tmp_path))
    dialog.features.setChecked(True)
    assert "choose one" in dialog.problems()[dialog.model]
    dialog.features.setChecked(False)
    words = shlex.split(dialog.wish.command)
    assert words[:4] == ["hilgui", "drift", "check", str(night)]
    view = go(qtbot, page, DRIFT)
    assert view.words.text().startswith("Drift: 1 of 1 windows")
    assert list(view.result.command) == words


def test_what_is_stopped_is_not_kept_and_what_is_wrong_is_a_sentence(qtbot, page, tmp_path):
    dialog = ask(qtbot, page, DRIFT)
    dialog.target.text, dialog.reference.text = str(tmp_path / "nowhere"), str(reference(tmp_path))
    with qtbot.waitSignal(page.trouble, timeout=_LONG) as told:
        dialog.agree()
    assert "no run and no recording" in told.args[0]
    dialog = ask(qtbot, page, DRIFT)
    assert dialog.target.text.endswith("nowhere")  # what was asked last
    dialog.target.text = str(tmp_path / "day")
    dialog.agree()
    with qtbot.waitSignal(page.message, timeout=_LONG) as said:
        page.busy.cancelled.emit()
    assert "Stopped" in said.args[1]
    qtbot.waitUntil(lambda: not page.is_busy, timeout=_LONG)


def test_a_model_is_attacked_and_audited(qtbot, page, tmp_path):
    street, labels = write_street(tmp_path)
    model = write_light_model(tmp_path / "light.onnx")
    dialog = ask(qtbot, page, ATTACKS)
    dialog.model.text, dialog.source.text, dialog.truth.text = str(model), str(street), str(labels)
    dialog.goal.setCurrentIndex(dialog.goal.findData(Goal.CHANGE))
    dialog.class_name.setText("person")
    assert "--goal change --class person" in dialog.wish.command
    dialog.goal.setCurrentIndex(dialog.goal.findData(Goal.HIDE))
    dialog.method.setCurrentIndex(dialog.method.findData("noise"))
    dialog.count.setValue(2)
    view = go(qtbot, page, ATTACKS)
    assert view.result.command[:3] == ("hilgui", "attack", "noise")
    assert view.result.command[-6:-4] == ("--class", "person")
    dialog = ask(qtbot, page, AUDIT)
    dialog.model.text, dialog.images.text = str(model), str(street)
    dialog.suite.setCurrentIndex(dialog.suite.findData("A"))
    dialog.count.setValue(2)
    view = go(qtbot, page, AUDIT)
    assert view.result.rows
    assert (page._bench.settings.home / "audits" / "light" / "audit.html").is_file()
