"""The Rig page with a simulated bench: choose, arm twice, move, stop with one key, reset as a named person."""

import itertools
import threading
import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QLineEdit

from hilgui.gui.bridge import Bridge
from hilgui.gui.main_window import MainWindow
from hilgui.gui.rig.chooser import look_at
from hilgui.gui.rig.console import Console, is_wanted
from hilgui.gui.rig.controls import plainly
from hilgui.gui.rig.margin_share import used_up
from hilgui.gui.rig.moves import MOVES, PLACES, moves_from
from hilgui.resources import shipped
from hilgui.rigs import arming as machine
from hilgui.rigs.arming import Arming, State
from hilgui.rigs.cage import parse_invariant
from hilgui.rigs.finding import PortFound
from hilgui.rigs.transcript import Direction, Entry
from tests.gui.shell_bench import FakeEngine, fake_pages

PROFILE = shipped("testcases/rigs/simulated_bench.yaml")
CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot, settings, theme, memory):
    window = MainWindow(settings, theme, Bridge(lambda: FakeEngine()), memory, pages=fake_pages())
    window.resize(1280, 720)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    window.show_page("rig")
    yield window
    window.close()
    window.deleteLater()


@pytest.fixture
def page(window):
    return window.pages.page("rig")


def test_a_number_of_any_size_is_written_without_an_exponent():
    told = [plainly(value) for value in (0.0, 12.0, 0.0125, 999.96, 12345.678, 4294967.295, -1500.0)]
    assert told == ["0", "12", "0.0125", "1000", "12,346", "4,294,967", "-1,500"]


def open_bench(qtbot, page) -> None:
    qtbot.waitUntil(lambda: page.chooser.looked is not None)
    page.chooser.choose(PROFILE)
    qtbot.waitUntil(lambda: page.chooser.looked.path == PROFILE and page.chooser.start.isEnabled())
    qtbot.mouseClick(page.chooser.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.channels.verdicts.get("board") == "identified")


def make_safe(qtbot, page) -> None:
    link = page._link
    if link.state is State.LATCHED:
        page.arm.is_clear.setChecked(True)
        qtbot.mouseClick(page.arm.buttons["reset"], Qt.MouseButton.LeftButton)
    elif link.state is State.SHADOW:
        QTest.keyClick(page, Qt.Key.Key_L, CTRL_SHIFT)
    qtbot.waitUntil(lambda: link.state is State.SAFE and link.arming.is_verified)


def arm_bench(qtbot, page) -> None:
    """Arm by the keys; again where a crowded machine made the screen so late that the rig refused."""
    link = page._link
    for _ in range(8):
        qtbot.waitUntil(lambda: link.state in (State.SHADOW, State.SAFE, State.LATCHED))
        make_safe(qtbot, page)
        QTest.keyClick(page, Qt.Key.Key_A, CTRL_SHIFT)
        qtbot.waitUntil(lambda: link.state is not State.SAFE)
        if link.state is not State.ARMING:
            continue
        assert "nothing moves" in page.arm.sentence.text()
        assert not any(control.isEnabled() for control in page.channels.controls.values())
        assert 0 < page.arm.countdown.value() <= page.arm.countdown.maximum()
        QTest.keyClick(page, Qt.Key.Key_Y, CTRL_SHIFT)
        qtbot.waitUntil(lambda: link.state is not State.ARMING)
        if link.state is State.ARMED:
            return
    pytest.fail(f"the rig would not stay armed: {link.arming.reason} {link.arming.refusal}")


def test_choose_arm_twice_set_stop_with_f12_behind_a_dialog_and_reset(qtbot, window, page):
    open_bench(qtbot, page)
    badge, link = window.strip.rig, page._link
    assert badge.isVisible() and badge.state.text() == "SHADOW"
    assert badge.stop.text() == "STOP (software)"
    control = page.channels.controls["board.voltage"]
    for _ in range(5):
        arm_bench(qtbot, page)
        control.value.setValue(12.0)
        QTest.keyClick(control.value, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: page.channels.values["board.voltage"] == "12 V" or link.state is not State.ARMED)
        if link.state is State.ARMED:
            break
    assert page.channels.values["board.voltage"] == "12 V"
    assert badge.state.text() == "ARMED"
    window.show_page("library")  # the badge stays, and so does the key
    dialog = QDialog(window)
    dialog.setModal(True)
    QLineEdit(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is dialog)
    QTest.keyClick(dialog.windowHandle(), Qt.Key.Key_F12)
    qtbot.waitUntil(lambda: link.state is State.LATCHED)
    dialog.close()
    assert badge.state.text() == "LATCHED"
    window.show_page("rig")
    assert "LATCHED by" in page.arm.sentence.text()
    assert not page.arm.buttons["reset"].isEnabled(), "the cause has to be said to be gone"
    page.arm.person.clear()
    page.arm.is_clear.setChecked(True)
    assert not page.arm.buttons["reset"].isEnabled(), "nobody resets without a name"
    page.arm.person.setText("Grace")
    qtbot.mouseClick(page.arm.buttons["reset"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: link.state is State.SAFE and link.arming.is_verified)
    assert link.arming.by == "Grace"
    qtbot.waitUntil(lambda: page.channels.values["board.voltage"] == "0 V")
    assert page.margins.words["supply_max"] == "holds"
    assert "> board" in page.console.text.toPlainText()
    page._close.click()
    qtbot.waitUntil(lambda: not link.is_closing and link.client is None)
    assert not badge.isVisible()


def test_every_move_that_is_drawn_is_one_of_the_machine_and_none_is_missing():
    found = set()
    for state, given, verified, late in itertools.product(State, _inputs(), (True, False), (0, 2, 40, 700)):
        arming = Arming(state, 0, is_verified=verified, needs_engine=False, front_ns=late * machine.NS)
        after, _ = machine.step(arming, given, late * machine.NS)
        if after.state is not state:
            found.add((state, after.state))
    assert found == {(move.start, move.end) for move in MOVES}
    assert set(PLACES) == set(State)
    assert {move.end for move in moves_from(State.LATCHED)} == {State.SAFE}


def _inputs():
    return (
        machine.Select("a"),
        machine.Deselect("a"),
        machine.ReadBack(True),
        machine.ReadBack(False, "no"),
        machine.Arm("a", False),
        machine.Confirm("a"),
        machine.Disarm("a"),
        machine.Pause("a"),
        machine.Resume("a"),
        machine.Stop("a"),
        machine.Stopped(True),
        machine.Stopped(False),
        machine.Reset("a", True),
        machine.Tick(),
    )


def invariant(**fields):
    plain = {
        "id": "i",
        "version": 1,
        "severity": "stop",
        "signal": "b.v",
        "unit": "V",
        "hazard_id": "H",
        "tests": ["t"],
    }
    return parse_invariant({**plain, "rationale": "r", **fields})


@pytest.mark.parametrize(
    ("fields", "measured", "share"),
    [
        ({"operator": "<=", "limit": "14.4 V"}, 7.2, 0.5),
        ({"operator": "<=", "limit": "14.4 V"}, 28.8, 2.0),
        ({"operator": ">=", "limit": "5 V"}, 10.0, 0.5),
        ({"operator": "inside", "limit": "2 .. 6 V"}, 5.0, 0.5),
        ({"operator": "inside", "limit": "0 .. 100 V"}, 30.0, 0.3),
        ({"operator": "<=", "limit": "0 V"}, 0.0, None),
        ({"operator": "<=", "limit": "14.4 V"}, None, None),
    ],
)
def test_a_bar_says_how_much_of_the_limit_is_used_up(fields, measured, share):
    assert used_up(invariant(**fields), measured) == (None if share is None else pytest.approx(share))


def test_a_broken_profile_is_shown_with_its_line(tmp_path):
    path = tmp_path / "bench.yaml"
    path.write_text(PROFILE.read_text().replace("severity: stop", "severty: stop"))
    looked = look_at(path)
    assert looked.profile is None
    assert "line 16" in looked.sentence and "severty" in looked.sentence


def test_the_console_filters_stands_still_counts_what_is_lost_and_is_saved(qtbot, theme, tmp_path):
    console = Console(theme, None)
    qtbot.addWidget(console)
    console.name_port("/dev/x", "board")

    def entry(seq: int, direction: Direction, data: bytes) -> Entry:
        return Entry(seq, seq, time.time_ns(), "/dev/x", direction, data)

    console.add([entry(0, Direction.SENT, b"SET v 5\n"), entry(1, Direction.RECEIVED, b"ok\x00\n")])
    assert console.text.toPlainText().count("board") == 2
    assert "ok\\x00\\n" in console.text.toPlainText()
    console.filter.setText("-ok")
    assert "SET" in console.text.toPlainText() and "ok" not in console.text.toPlainText()
    console.filter.clear()
    console.pause.setChecked(True)
    console.add([entry(5, Direction.SENT, b"LATER\n")])
    assert "LATER" not in console.text.toPlainText()
    console.pause.setChecked(False)
    assert "LATER" in console.text.toPlainText()
    assert "3 lost" in console._count.text()
    console.write(tmp_path / "log.jsonl")
    assert b"SET v 5\n".hex() in (tmp_path / "log.jsonl").read_text()
    assert is_wanted("a b", "A -c") and not is_wanted("a b", "-b")


def test_a_port_that_is_plugged_in_appears_and_is_not_trusted_yet(qtbot, window, page):
    said = []
    page.message.connect(lambda tone, sentence: said.append((tone, sentence)))
    listed = []
    page.chooser._find_ports = lambda: list(listed)
    qtbot.waitUntil(lambda: page.chooser._known is not None)
    page.chooser._known = []
    listed.append(PortFound("/dev/ttyUSB9", "FT232", "A1", "0403:6001"))
    qtbot.waitUntil(lambda: page.chooser._known == listed)
    assert "not identified" in page.chooser.ports.item(page.chooser.ports.count() - 1).text()
    assert said == [("info", "Plugged in: /dev/ttyUSB9 (FT232)")]
    listed.clear()
    qtbot.waitUntil(lambda: len(said) == 2)
    assert said[1] == ("warning", "Unplugged: /dev/ttyUSB9 (FT232)")


def test_a_rig_whose_device_is_not_there_says_so_and_nothing_stays_open(qtbot, window, page, tmp_path):
    path = tmp_path / "gone.yaml"
    path.write_text(PROFILE.read_text().replace("{simulator: true}", '{usb_serial: "NOT-THERE"}'))
    page.open_rig(path)
    qtbot.waitUntil(lambda: not page._link.is_opening)
    assert page._link.client is None
    assert page.chooser.isEnabled()
    assert any("NOT-THERE" in label.text() for each in window.messages.banners for label in each.findChildren(QLabel))
    # The page looks at profiles again, also at those it leaves at once; a busy machine takes its time for it.
    qtbot.waitUntil(lambda: not any(each.name.startswith("errand:") for each in threading.enumerate()))


def test_a_channel_that_is_not_watched_is_read_when_asked_for(qtbot, page):
    supply = shipped("assets/rigs/supply_bench.yaml")
    page.open_rig(supply)
    qtbot.waitUntil(lambda: page.channels.verdicts.get("supply") == "identified")
    assert page.channels.values["supply.voltage"] == "–"
    QTest.keyClick(page, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: page.channels.values["supply.voltage"] == "0 V")
    page._link.client.simulation.call("supply", "unplug")
    qtbot.waitUntil(lambda: page.channels.verdicts["supply"] == "not to be used")
    assert page.channels.values["supply.measured_voltage"] == "–", "an old value is no value"
