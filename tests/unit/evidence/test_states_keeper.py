"""Arming states are in the journal while a command or a test case still holds its rig."""

import json
import time
from pathlib import Path

from hilgui.evidence import EventKind, Journal, StatesKeeper

PATIENCE_S = 30.0


def write(home: Path, state: str) -> None:
    path = home / "rigs" / "supply" / "states.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"to": state, "by": "ada"}) + "\n")


def taken(home: Path) -> list[object]:
    return [event.facts["state"]["to"] for event in Journal(home).events(EventKind.ARMING)]


def wait_for(home: Path, states: list[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while taken(home) != states:
        assert time.monotonic() < deadline, taken(home)
        time.sleep(0.01)


def test_a_state_is_taken_in_as_it_comes_and_the_last_one_at_the_end(tmp_path: Path) -> None:
    keeper = StatesKeeper(tmp_path, rest_s=0.0)
    for states in (["SAFE"], ["SAFE", "ARMED"]):
        write(tmp_path, states[-1])
        keeper.note()
        wait_for(tmp_path, states)
    write(tmp_path, "LATCHED")
    assert keeper.close() == ()
    assert taken(tmp_path) == ["SAFE", "ARMED", "LATCHED"]


def test_who_notes_a_state_never_waits_and_the_end_does_not_wait_for_the_rest(tmp_path: Path) -> None:
    keeper = StatesKeeper(tmp_path, rest_s=3600.0)
    write(tmp_path, "SAFE")
    keeper.note()
    keeper.note()
    assert keeper.close() == ()
    assert taken(tmp_path) == ["SAFE"]


def test_a_file_that_was_changed_is_told_once_at_the_end(tmp_path: Path) -> None:
    keeper = StatesKeeper(tmp_path, rest_s=0.0)
    write(tmp_path, "SAFE")
    keeper.note()
    wait_for(tmp_path, ["SAFE"])
    (tmp_path / "rigs" / "supply" / "states.jsonl").write_text('{"to": "ELSE"}\n', encoding="utf-8")
    keeper.note()
    (told,) = keeper.close()
    assert "is not what the journal took in" in told


def test_a_bench_without_a_rig_leaves_no_journal(tmp_path: Path) -> None:
    assert StatesKeeper(tmp_path).close() == ()
    assert not Journal(tmp_path).events_file.exists()
