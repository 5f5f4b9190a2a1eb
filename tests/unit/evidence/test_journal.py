"""The journal: what was changed, cut, added or moved is found and named."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hilgui.errors import EvidenceBroken
from hilgui.evidence import EventKind, Journal, KeyRing
from hilgui.evidence.chain import canonical, event_hash


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path)
    for number in range(40):
        made.append(EventKind.RUN, {"run_id": f"run-{number}", "x": 0.1 * number, "name": "Müller"}, by="ada")
    return made


def test_canonical_json_is_one_form() -> None:
    assert canonical({"b": [1, 2.5, None, True], "a": "é"}) == '{"a":"é","b":[1,2.5,null,true]}'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": float("nan")})


def test_what_was_written_is_read_back_in_order(journal: Journal) -> None:
    assert [event.facts["run_id"] for event in journal.events()] == [f"run-{number}" for number in range(40)]
    chain = journal.checked()
    assert (len(chain.events), chain.problems) == (40, [])
    assert len(journal.checkpoints()) == 1, "one after every 32 events"


def test_a_decision_is_under_a_checkpoint_at_once(journal: Journal) -> None:
    journal.append(EventKind.DECISION, {"decision": "d"}, by="ada")

    assert len(journal.checkpoints()) == 2


def flip(lines: list[bytes]) -> list[bytes]:
    changed = bytearray(lines[11])
    changed[40] ^= 1
    return [*lines[:11], bytes(changed), *lines[12:]]


def rewrite(lines: list[bytes]) -> list[bytes]:
    """Change an event and mend its own hash, as somebody would who knows how."""
    event = json.loads(lines[11])
    event["facts"]["x"] = 99
    event["hash"] = event_hash(event)
    return [*lines[:11], canonical(event), *lines[12:]]


def rewrite_all(lines: list[bytes]) -> list[bytes]:
    """Change an event and mend every hash after it: only the signed checkpoint shows that."""
    events = [json.loads(line) for line in lines]
    events[11]["facts"]["x"] = 99
    for number in range(11, len(events)):
        events[number]["previous"] = events[number - 1]["hash"]
        events[number]["hash"] = event_hash(events[number])
    return [canonical(event) for event in events]


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (flip, "line 12"),
        (rewrite, "line 13"),
        (rewrite_all, "rewritten"),
        (lambda lines: lines[:20], "tail of the journal was removed"),
        (lambda lines: lines[:5] + lines[6:], "line 6"),
        (lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]], "line 6"),
        (lambda lines: [*lines, lines[-1]], "line 41"),
    ],
)
def test_tampering_is_found_and_named(
    journal: Journal, tamper: Callable[[list[bytes]], list[bytes]], named: str
) -> None:
    lines = journal.events_file.read_bytes().splitlines()
    journal.events_file.write_bytes(b"".join(line + b"\n" for line in tamper(lines)))

    problems = journal.checked().problems

    assert problems
    assert named in problems[0]


def test_nothing_is_added_to_a_broken_chain(journal: Journal) -> None:
    lines = journal.events_file.read_bytes().splitlines()
    journal.events_file.write_bytes(b"\n".join([*lines[:-1], lines[-1].replace(b"run-39", b"run-38")]) + b"\n")

    with pytest.raises(EvidenceBroken, match="last line"):
        journal.append(EventKind.RUN, {}, by="ada")


def test_a_line_that_a_crash_cut_off_is_taken_out_and_told(journal: Journal) -> None:
    with journal.events_file.open("ab") as file:
        file.write(b'{"at":"2026-')

    assert len(list(journal.events())) == 40
    journal.append(EventKind.RUN, {"run_id": "after"}, by="ada")

    kinds = [event.kind for event in journal.events()]
    assert kinds[-2:] == ["torn", "run"]
    assert journal.checked().problems == []


def test_a_clock_that_is_set_back_does_not_turn_the_order(journal: Journal) -> None:
    event = journal.append(EventKind.RUN, {}, by="ada", now=datetime(2001, 1, 1, tzinfo=UTC))

    assert event.at >= list(journal.events())[-2].at


def test_another_benchs_checkpoint_is_not_taken(journal: Journal, tmp_path: Path) -> None:
    other = Journal(tmp_path / "other")
    other.append(EventKind.DECISION, {}, by="mallory")
    shutil.copy(other.checkpoints_file, journal.checkpoints_file)

    assert any("is not known" in problem for problem in journal.checked().problems)


def _append(home: Path, name: str) -> None:
    journal = Journal(home)
    for number in range(25):
        journal.append(EventKind.RUN, {"run_id": f"{name}-{number}"}, by=name)


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    KeyRing(tmp_path).bench()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_append, args=(tmp_path, name)) for name in ("ada", "bob")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    chain = Journal(tmp_path).checked()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert (len(chain.events), chain.problems) == (50, [])
