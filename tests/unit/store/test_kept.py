from __future__ import annotations

import tracemalloc
from dataclasses import replace

from hilgui.records import Severity
from hilgui.store.kept import KeptPictures
from tests.unit.store.rows import ref

LOW, MEDIUM, HIGH = Severity


def kept(*severities: Severity) -> KeptPictures:
    """One picture a frame from frame 0 on, each one byte larger than the one before."""
    pictures = KeptPictures()
    for seq, severity in enumerate(severities):
        pictures.add(ref(seq), severity, 100 + seq)
    return pictures


def test_a_picture_takes_some_bytes_however_many_there_are() -> None:
    """25 and the room that an array keeps to grow; a record of each took 200."""
    refs = [ref(seq) for seq in range(20_000)]
    pictures = KeptPictures()
    tracemalloc.start()
    try:
        for each in refs:
            pictures.add(each, HIGH, 20_000)
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used / len(refs) < 32


def test_a_picture_that_comes_late_has_its_place_in_time() -> None:
    pictures = KeptPictures()
    for seq in (5, 3, 4):
        pictures.add(ref(seq), LOW, 1)
    assert list(pictures.within(ref(3).time_s, ref(5).time_s)) == [3, 4, 5]
    assert list(pictures.within(ref(4).time_s, ref(4).time_s)) == [4]
    assert pictures.has(ref(4).time_s)
    assert not pictures.has(ref(6).time_s)


def test_the_oldest_of_a_severity_come_first_and_those_of_the_ring_never() -> None:
    pictures = kept(HIGH, LOW, MEDIUM, LOW, LOW)
    assert list(pictures.oldest(LOW, 4)) == [(1, 101), (3, 103)]
    assert list(pictures.oldest(MEDIUM, 2)) == []


def test_a_span_that_is_raised_keeps_what_is_worse() -> None:
    pictures = kept(LOW, LOW, HIGH, LOW)
    pictures.raise_to(MEDIUM, ref(1).time_s, ref(2).time_s)
    assert [[place for place, _ in pictures.oldest(each, 9)] for each in Severity] == [[0, 3], [1], [2]]


def test_frames_of_two_cameras_at_one_time_go_one_by_one() -> None:
    pictures = KeptPictures()
    pictures.add(ref(0), LOW, 7)
    pictures.add(replace(ref(1), time_s=ref(0).time_s), HIGH, 8)
    assert pictures.remove(0) == (0, ref(0).time_s, 7)
    assert list(pictures.within(0.0, 1.0)) == [1]
    assert [place for place, _ in pictures.oldest(HIGH, 2)] == [0]
