"""People at the Decide page: a bad candidate is rolled back with reasons, a good one signed by two and promoted."""

import hashlib
import threading

import pytest
from PySide6.QtCore import Qt

from hilgui.evidence import EventKind, Journal, KeyRing
from hilgui.gui.decide.page import DecidePage
from hilgui.gui.dropped import sort_paths
from hilgui.models import Alias, Registry
from hilgui.records import Action, Role
from tests.paired_runs import BETTER, SPECIFICATION, WORSE, paired_run, paired_runs
from tests.unit.evidence.bench import WORSE as HARM
from tests.unit.evidence.bench import record
from tests.unit.inference.tiny import dense

PASSPHRASE = "three secret words"


@pytest.fixture
def page(qtbot, bench):
    page = DecidePage(bench)
    qtbot.addWidget(page)
    page.resize(1200, 660)
    page.show()
    yield page
    page.close_page()


def idle(qtbot, page):
    qtbot.waitUntil(lambda: not page.is_busy)


def decided(qtbot, page, tmp_path, text=SPECIFICATION):
    plan = tmp_path / "front.yaml"
    plan.write_text(text, encoding="utf-8")
    page.refresh()
    idle(qtbot, page)
    page.plan.text = str(plan)
    idle(qtbot, page)
    qtbot.mouseClick(page.go, Qt.MouseButton.LeftButton)
    idle(qtbot, page)
    return page.decided.decision


def press(qtbot, page, name):
    qtbot.mouseClick(page.buttons[name], Qt.MouseButton.LeftButton)
    idle(qtbot, page)


def sign(qtbot, page, name, passphrase=PASSPHRASE):
    press(qtbot, page, "sign")
    dialog = page.acts.dialog
    dialog.key.setCurrentText(name)
    qtbot.keyClicks(dialog.passphrase, passphrase)
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    idle(qtbot, page)
    return dialog


def test_a_recorded_decision_is_shown_with_its_figures(qtbot, page, settings):
    recorded = record(settings.home, **HARM)
    page.refresh()
    idle(qtbot, page)
    page.past.asked.emit(page.past.rows[0][0].link)
    assert page.recorded.id == recorded.id and page.decided is None
    assert [row[0].text for row in page.tables["plan"].rows] == ["recall", "phantoms", "gain"]
    assert page.tables["plan"].rows[0][8].text.endswith("harm")
    assert "recall: " in page.forest.accessibleDescription()
    with qtbot.waitSignal(page.message) as said:
        page.show_behind(page.tables["plan"].rows[0][0].link)
    assert "Decide again" in said.args[1]


def test_keys_and_slots_are_read_beside_the_screen(qtbot, page, settings, monkeypatch):
    threads = []

    class Watched(KeyRing):
        def all(self):
            threads.append(threading.current_thread().name)
            return super().all()

    KeyRing(settings.home).new("ada", PASSPHRASE)
    monkeypatch.setattr("hilgui.gui.decide.acts.KeyRing", Watched)
    page.acts.sign(record(settings.home))
    idle(qtbot, page)
    assert page.acts.dialog.key.currentText() == "ada"
    assert threads == ["errand:keys"]
    page.acts.dialog.reject()
    page.acts.roll_back("nowhere")
    assert page.is_busy
    idle(qtbot, page)
    assert page.acts.dialog.slot.text() == "nowhere"
    page.acts.dialog.reject()


def test_without_a_decision_the_page_says_what_belongs_there(qtbot, page):
    idle(qtbot, page)
    with qtbot.waitSignal(page.demo_asked):
        qtbot.mouseClick(page.empty.button, Qt.MouseButton.LeftButton)


def test_a_mistake_in_the_specification_is_shown_with_its_line(qtbot, page, tmp_path):
    plan = tmp_path / "front.yaml"
    plan.write_text(SPECIFICATION.replace("margin", "margn", 1), encoding="utf-8")
    page.plan.text = str(plan)
    idle(qtbot, page)
    assert "line 10" in page.plan.hint
    page.decide()
    assert page.decided is None


def test_runs_of_campaigns_are_offered_and_those_of_the_newest_are_ticked(qtbot, page, settings):
    old = [paired_run(settings.runs / "first", number, WORSE) for number in (0, 1)]
    new = [paired_run(settings.runs / "second", number, BETTER) for number in (2, 3)]
    page.refresh()
    idle(qtbot, page)
    assert page.runs.count() == 4
    assert set(page.chooser.chosen) == set(new)
    page.chooser.choose_runs(True)
    assert set(page.chooser.chosen) == {*old, *new}


def test_a_worse_candidate_is_rolled_back_with_reasons(qtbot, page, settings, tmp_path):
    folders = paired_runs(settings.runs, WORSE)
    decision = decided(qtbot, page, tmp_path)
    assert decision.action is Action.ROLL_BACK
    assert decision.reasons[0].startswith("person-recall")
    assert page.command.startswith("hilgui gate ") and page.command.count("drive-") == 12
    assert [row[0].text for row in page.tables["invariants"].rows] == ["finite-outputs", "latency"]
    with qtbot.waitSignal(page.open_run_asked) as asked:
        qtbot.mouseClick(page.forest, Qt.MouseButton.LeftButton, pos=page.forest.rect().center())
    assert asked.args[0] in folders
    for name in ("forest.svg", "forest.png"):
        page.forest.save(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000
    page.save_forest(tmp_path / "plot.svg")
    idle(qtbot, page)
    press(qtbot, page, "record")
    page.save_forest(tmp_path / "plot.png")
    idle(qtbot, page)
    noted = [event.facts for event in Journal(settings.home).events(EventKind.EXPORT)]
    assert [one["about"] for one in noted] == [[folder.name for folder in folders], [page.recorded.id]]
    assert noted[1]["sha256"] == hashlib.sha256((tmp_path / "plot.png").read_bytes()).hexdigest()
    assert page.recorded.action is Action.ROLL_BACK and not page.buttons["promote"].isEnabled()
    press(qtbot, page, "incident")
    dialog = page.acts.dialog
    assert (dialog.trigger.currentText(), dialog.severity.currentText()) == ("regression", "S2")
    dialog.trigger.setCurrentText("actuation")
    assert dialog.severity.currentText() == "S1"
    dialog.trigger.setCurrentText("data-gap")
    with qtbot.waitSignal(page.message) as said:
        qtbot.mouseClick(page.acts.dialog.go, Qt.MouseButton.LeftButton)
    assert "is open, severity S3" in said.args[1]


def test_two_people_sign_and_promote_and_a_tampered_bundle_is_refused(qtbot, page, settings, tmp_path):
    registry = Registry(settings.models)
    for name, score in (("old", 0.6), ("new", 0.7)):
        registry.shelf.put(dense([[1, 2, 30, 40]], [[score, 0.1]]).write(tmp_path / f"{name}.onnx"), by="ada")
    registry.set("front", Alias.CHAMPION, "old", by="ada", reason="first")
    registry.set("front", Alias.CANDIDATE, "new", by="ada", reason="trained on all conditions")
    hashes = {Role.BASELINE: registry.entry("old").onnx_sha256, Role.CANDIDATE: registry.entry("new").onnx_sha256}
    paired_runs(settings.runs, BETTER, hashes=hashes)
    for name in ("ada", "bob"):
        KeyRing(settings.home).new(name, PASSPHRASE)
    subject = "subject: {stage: shadow, baseline: {model: front@champion}, candidate: {model: front@candidate}}"
    plan = SPECIFICATION.replace("subject: {stage: shadow}", subject)
    assert decided(qtbot, page, tmp_path, plan).action is Action.PROMOTE

    press(qtbot, page, "record")
    assert "does not open" in sign(qtbot, page, "ada", "another secret").trouble
    page.acts.dialog.reject()
    sign(qtbot, page, "ada")
    assert not page.buttons["promote"].isEnabled()
    press(qtbot, page, "sign")
    page.acts.dialog.key.setCurrentText("bob")
    qtbot.keyClicks(page.acts.dialog.passphrase, PASSPHRASE)
    qtbot.mouseClick(page.acts.dialog.go, Qt.MouseButton.LeftButton)
    page.acts.dialog.reject()  # left while it is signed: what was done is told all the same
    qtbot.waitUntil(lambda: not page.is_busy)
    assert page.recorded.agreed == ("ada", "bob")
    press(qtbot, page, "promote")
    assert page.acts.dialog.slot.text() == "front"
    with qtbot.waitSignal(page.acts.moved) as moved:
        qtbot.mouseClick(page.acts.dialog.go, Qt.MouseButton.LeftButton)
    assert moved.args[0].by == ("ada", "bob")
    assert registry.entry("front@champion").onnx_sha256 == hashes[Role.CANDIDATE]

    bundle = tmp_path / "front.zip"
    page.export(page.recorded, bundle)
    idle(qtbot, page)
    assert sort_paths([bundle]).bundles == (bundle,)
    page.verify(bundle)
    idle(qtbot, page)
    assert "PROMOTE" in page.acts.dialog.text.toPlainText()
    assert page.acts.dialog.verdict.startswith("PASS")
    page.acts.dialog.accept()
    bundle.write_bytes(bundle.read_bytes().replace(b'"PROMOTE"', b'"HOLDING"'))
    page.verify(bundle)
    idle(qtbot, page)
    assert page.acts.dialog.verdict.startswith("FAIL")
    assert page.acts.dialog.about == str(bundle)
    page.acts.dialog.accept()
    bundle.write_text("no bundle at all")
    page.verify(bundle)
    idle(qtbot, page)
    assert page.acts.dialog.verdict.startswith("NO BUNDLE")
    assert "front.zip" in page.acts.dialog.windowTitle()
    page.acts.dialog.accept()
    assert [row[0].text for row in page.past.rows] == ["✓ PROMOTE"]


def test_an_answer_about_other_runs_or_another_plan_than_are_chosen_cannot_be_recorded(qtbot, page, bench, tmp_path):
    paired_runs(bench.settings.runs, BETTER, drives=4)
    decided(qtbot, page, tmp_path)
    assert page.buttons["record"].isEnabled()
    first = page.runs.item(0)
    first.setCheckState(Qt.CheckState.Unchecked)
    assert not page.buttons["record"].isEnabled()
    assert "decide again" in page._signed.text()
    first.setCheckState(Qt.CheckState.Checked)
    assert page.buttons["record"].isEnabled()
    page.plan.text = str(tmp_path / "another.yaml")
    idle(qtbot, page)
    assert not page.buttons["record"].isEnabled()
