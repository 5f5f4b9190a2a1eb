"""Arming states of the rig on the screen are in the journal of the bench as they come."""

import json

from PySide6.QtCore import QObject, Signal

from hilgui.evidence import EventKind, Journal
from hilgui.gui.rig.states_recorder import StatesRecorder


class Link(QObject):
    """Says that the rig changed, as the screen's end of a supervisor does."""

    state_changed = Signal()
    closed = Signal()


def taken(home):
    return [event.facts["state"]["to"] for event in Journal(home).events(EventKind.ARMING)]


def test_states_are_taken_in_as_they_come_and_the_last_one_at_the_end(qtbot, tmp_path):
    path = tmp_path / "rigs" / "supply" / "states.jsonl"
    path.parent.mkdir(parents=True)
    link = Link()
    recorder = StatesRecorder(tmp_path, link, link)
    for state in ("SAFE", "ARMED"):
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"to": state, "by": "ada"}) + "\n")
        link.state_changed.emit()
        qtbot.waitUntil(lambda: not recorder.is_busy)
    assert taken(tmp_path) == ["SAFE", "ARMED"]

    with path.open("a", encoding="utf-8") as file:
        file.write('{"to": "LATCHED"}\n')
    recorder.close()
    assert taken(tmp_path) == ["SAFE", "ARMED", "LATCHED"]


def test_a_changed_file_is_told_once(qtbot, tmp_path):
    path = tmp_path / "rigs" / "supply" / "states.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"to": "SAFE"}\n', encoding="utf-8")
    link = Link()
    recorder = StatesRecorder(tmp_path, link, link)
    told = []
    recorder.told.connect(told.append)
    link.state_changed.emit()
    qtbot.waitUntil(lambda: not recorder.is_busy)
    path.write_text('{"to": "ELSE"}\n', encoding="utf-8")
    for _ in range(2):
        link.closed.emit()
        qtbot.waitUntil(lambda: not recorder.is_busy)
    recorder.close()
    assert len(told) == 1 and "is not what the journal took in" in told[0]
