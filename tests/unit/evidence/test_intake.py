"""Arming states and triage come into the journal as they happen, each line once, whoever looks."""

import json
import threading
from pathlib import Path

from hilgui.evidence import EventKind, Intake, Journal, keep_up
from hilgui.evidence.intake import take_in


def states(home: Path, rig: str, *lines: dict[str, object]) -> Path:
    path = home / "rigs" / rig / "states.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    return path


def taken(home: Path) -> list[object]:
    return [event.facts["state"]["to"] for event in Journal(home).events(EventKind.ARMING)]


def test_each_line_comes_in_once_as_it_is_written(tmp_path: Path) -> None:
    intake = Intake(tmp_path)
    assert intake.take() == () and not Journal(tmp_path).events_file.exists()
    states(tmp_path, "supply", {"to": "SAFE", "by": "ada"})
    intake.take()
    states(tmp_path, "supply", {"to": "ARMED", "by": "ada"}, {"to": "SAFE", "by": "ada"})
    intake.take()
    intake.take()
    assert taken(tmp_path) == ["SAFE", "ARMED", "SAFE"]
    assert Journal(tmp_path).checked().problems == []


def test_two_writers_take_no_line_twice(tmp_path: Path) -> None:
    states(tmp_path, "supply", *({"to": str(number)} for number in range(20)))
    looks = [Intake(tmp_path) for _ in range(4)]
    threads = [threading.Thread(target=look.take) for look in looks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states(tmp_path, "supply", {"to": "last"})
    for look in looks:
        look.take()
    assert taken(tmp_path) == [*map(str, range(20)), "last"]


def test_a_line_that_a_crash_cut_off_waits_and_a_changed_one_is_told(tmp_path: Path) -> None:
    path = states(tmp_path, "supply", {"to": "SAFE"})
    with path.open("a", encoding="utf-8") as file:
        file.write('{"to": "ARM')
    assert take_in(tmp_path) == () and taken(tmp_path) == ["SAFE"]
    path.write_text('{"to": "ELSE"}\n', encoding="utf-8")
    told = keep_up(Intake(tmp_path))
    assert "line 1 is not what the journal took in" in told[0] and taken(tmp_path) == ["SAFE"]


def test_a_journal_that_was_begun_anew_takes_everything_in_again(tmp_path: Path) -> None:
    intake = Intake(tmp_path)
    states(tmp_path, "supply", {"to": "SAFE"}, {"to": "ARMED"})
    intake.take()
    Journal(tmp_path).events_file.unlink()
    Journal(tmp_path).checkpoints_file.unlink(missing_ok=True)
    states(tmp_path, "supply", {"to": "LATCHED"})
    intake.take()
    assert taken(tmp_path) == ["SAFE", "ARMED", "LATCHED"]


def test_a_broken_journal_costs_what_happened_nothing_but_is_told(tmp_path: Path) -> None:
    states(tmp_path, "supply", {"to": "SAFE"})
    take_in(tmp_path)
    journal = Journal(tmp_path).events_file
    journal.write_bytes(journal.read_bytes().replace(b"SAFE", b"EVIL"))
    states(tmp_path, "supply", {"to": "LATCHED"})
    told = keep_up(Intake(tmp_path))
    assert "nothing is added to a broken chain" in told[0]


def test_states_that_are_gone_are_told(tmp_path: Path) -> None:
    path = states(tmp_path, "supply", {"to": "SAFE"})
    assert take_in(tmp_path) == ()
    path.unlink()
    assert "states.jsonl was changed" in take_in(tmp_path)[0]
