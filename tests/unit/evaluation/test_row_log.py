from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.errors import StoreBroken
from hilgui.evaluation import AveragePrecision, FrameBook, accumulator, row_log
from hilgui.evaluation.accumulator import Seen
from hilgui.evaluation.row_log import RowLog
from hilgui.evaluation.track_rows import TrackRows
from tests.unit.cornercases.drive import moment

from .test_average_precision import detections, truth


@dataclass(frozen=True, slots=True, eq=False)
class Few:
    """Rows of one number, and of two in a table that lies the other way."""

    ones: NDArray[np.float32]
    twos: NDArray[np.uint16]  # (2, N)

    @classmethod
    def joined(cls, parts: Sequence[Few]) -> Few:
        if not parts:
            return cls(np.empty(0, np.float32), np.empty((2, 0), np.uint16))
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts], axis=-1) for each in fields(cls)))


def few(rng: np.random.Generator, count: int) -> Few:
    return Few(rng.random(count).astype(np.float32), rng.integers(0, 1000, (2, count)).astype(np.uint16))


def same(one: object, other: object) -> bool:
    pairs = [(getattr(one, each.name), getattr(other, each.name)) for each in fields(one)]  # type: ignore[arg-type]
    return all(np.array_equal(a, b) and getattr(a, "dtype", 0) == getattr(b, "dtype", 0) for a, b in pairs)


def test_rows_come_back_to_the_last_bit_whether_in_memory_or_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_log, "HOLD", 10)
    rng = np.random.default_rng(0)
    log, parts = RowLog(Few, tmp_path), []
    for count in (0, 3, 4, 0, 9, 25, 1):
        parts.append(few(rng, count))
        log.add(parts[-1])
        assert len(log) == sum(len(part.ones) for part in parts)
        assert same(log.joined(), Few.joined(parts))
    assert log.joined() is log.joined()
    assert not list(tmp_path.iterdir())  # the file has no name


def test_a_disk_that_takes_no_more_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_log, "HOLD", 10)
    log = RowLog(Few, tmp_path / "gone")
    with pytest.raises(StoreBroken, match="make room"):
        log.add(few(np.random.default_rng(0), 10))


def test_figures_are_the_same_wherever_their_rows_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    frames = []
    for _ in range(1100):
        corners = rng.integers(0, 60, (4, 2))
        frames.append(
            (
                detections([(x, y, 20, 20, float(rng.random()), 0) for x, y in corners]),
                truth([(x + 2, y, 20, 20, 0, False, False) for x, y in corners[:3]]),
            )
        )
    read = []
    for hold in (500, 10**9):
        monkeypatch.setattr(row_log, "HOLD", hold)
        precision = AveragePrecision((0, 1), with_nearest=True)
        for found, labelled in frames:
            precision.add(found, labelled)
        read.append(precision)
    assert read[0].coco() == read[1].coco()
    assert read[0].figures() == read[1].figures()
    assert same(read[0].nearest(), read[1].nearest())


def test_track_rows_are_the_same_wherever_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    overlaps = [np.round(rng.random((2, 3)), 1) for _ in range(600)]
    read = []
    for hold in (300, 10**9):
        monkeypatch.setattr(row_log, "HOLD", hold)
        rows = TrackRows()
        for number, overlap in enumerate(overlaps):
            rows.add(["a", "b"], [7, 8, 9], overlap, number)
        read.append(rows.pairs())
    assert same(read[0], read[1])
    assert read[0].frames[-1] == 599


def test_the_book_of_frames_knows_every_frame_over_drives_and_kinds_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accumulator, "_NEWEST", 4)
    monkeypatch.setattr(row_log, "HOLD", 8)
    book, wanted = FrameBook(), []
    for drive, stem in enumerate(("a.mp4", "b.mp4", "b.mp4")):
        book.start_drive(f"run {drive}")
        for seq in range(3):
            for key in (f"{stem}#{seq:06d}", f"{seq:04d}.png"):
                ref = replace(moment(seq).ref, key=key)
                assert book.add(ref) == len(wanted)
                wanted.append(Seen(drive, seq, key, ref.time_s))
    assert list(book.frames) == wanted
    assert book.frames[-2:] == wanted[-2:]
