"""The transport: exclusive, bounded, written down, and open to faults."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from hilgui.errors import CallWrong, ProfileBroken, RigBlocked, RigBusy, RigGarbled, RigLost, RigTimeout
from hilgui.rigs import QueryLink, Transport
from hilgui.rigs.profile import read_profile
from hilgui.rigs.transcript import Direction
from tests.unit.rigs.bench_rig import PROFILE, write_profile


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[tuple[Transport, int]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    transport = Transport(os.ttyname(slave), transcript_path=tmp_path / "wire.jsonl")
    yield transport, master
    transport.close()
    transport.close()
    for handle in (master, slave):
        os.close(handle)


def test_a_line_is_read_without_its_end_and_both_ways_are_written_down(
    wire: tuple[Transport, int], tmp_path: Path
) -> None:
    transport, master = wire
    transport.write(b"ID?\n")
    assert os.read(master, 100) == b"ID?\n"
    os.write(master, b"ready\nmore")
    assert transport.read_line() == b"ready"
    assert transport.read_exactly(4) == b"more"
    entries = transport.transcript.since(0)
    assert [entry.data for entry in entries if entry.direction is Direction.SENT] == [b"ID?\n"]
    assert b"".join(entry.data for entry in entries if entry.direction is Direction.RECEIVED) == b"ready\nmore"
    assert (tmp_path / "wire.jsonl").read_text(encoding="utf-8").count("\n") == len(entries)


def test_silence_is_a_time_out(wire: tuple[Transport, int]) -> None:
    with pytest.raises(RigTimeout, match=r"did not answer within 0\.05 s"):
        wire[0].read_line(0.05)


def test_a_flood_without_a_line_end_is_cut_at_the_limit(wire: tuple[Transport, int]) -> None:
    transport, master = wire
    os.write(master, b"x" * 1000)
    with pytest.raises(RigGarbled, match="without a line end"):
        transport.read_line(5.0, limit=512)


def test_a_device_that_takes_nothing_is_a_time_out(wire: tuple[Transport, int]) -> None:
    with pytest.raises(RigTimeout, match="stalled"):
        wire[0].write(b"x" * 1_000_000, 0.2)


def test_a_second_program_is_refused(wire: tuple[Transport, int]) -> None:
    with pytest.raises(RigBusy, match="another program"):
        Transport(wire[0].port)


def test_an_urgent_write_goes_over_a_read_that_waits_and_blocks_until_resumed(wire: tuple[Transport, int]) -> None:
    transport, master = wire
    assert transport.urgent(b"\nSTOP 1\n")
    assert os.read(master, 100) == b"\nSTOP 1\n"
    began = time.monotonic()
    with pytest.raises(RigBlocked):
        transport.read_line(60.0)
    with pytest.raises(RigBlocked):
        transport.write(b"SET voltage 5\n")
    assert time.monotonic() - began < 30
    transport.resume()
    transport.write(b"ok\n")
    assert os.read(master, 100) == b"ok\n"


def test_a_port_that_does_not_exist_or_is_no_port() -> None:
    with pytest.raises(RigLost, match="cannot be opened"):
        Transport("/dev/no-such-port")
    with pytest.raises(CallWrong):
        Transport("http://example")


def test_a_query_link_counts_what_it_refuses(wire: tuple[Transport, int]) -> None:
    link = QueryLink(wire[0], lambda sent: sent == b"?")
    link.write(b"?")
    with pytest.raises(RigBlocked):
        link.write(b"!")
    assert link.blocked == 1 and os.read(wire[1], 10) == b"?"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("driver: rehearsal", "drivers: rehearsal", 4, "driver"),
        ("{simulator: true}", "{path: /dev/ttyUSB0}", 6, "changes with the order"),
        ("{simulator: true}", "{}", 6, "exactly one"),
        ("limit: 14.4 V", "limit: 2*7", 18, "no limit"),
        ("hazard_id: H1", "hazard_id: H9", 19, "no hazard H9"),
        ("signal: board.voltage", "signal: other.voltage", 15, "no device other"),
        ("name: board", "name: commands", 4, "is taken"),
    ],
)
def test_a_mistake_in_a_profile_names_file_and_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    path = write_profile(tmp_path, PROFILE.replace(old, new))
    with pytest.raises(ProfileBroken, match=said) as caught:
        read_profile(path)
    assert str(path) in str(caught.value)
    assert caught.value.line is not None and abs(caught.value.line - line) <= 1, caught.value


def test_an_urgent_stop_over_a_pulled_cable_raises_nothing() -> None:
    master, slave = os.openpty()
    transport = Transport(os.ttyname(slave))
    os.close(slave)
    os.close(master)
    assert transport.urgent(b"STOP\n") is False
    transport.close()
