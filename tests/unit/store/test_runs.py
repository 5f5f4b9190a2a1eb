from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from hilgui.errors import CallWrong, StoreBroken
from hilgui.records import Fate, Kind, Ledger, Loss, Moment, Outcome, Role, Verdict
from hilgui.store import Picture, RunReader, RunWriter, blocks, find_run, is_run, list_runs, run_folders
from tests.unit.store.rows import finding, header, moment, ref

PASS = Verdict(Outcome.PASS, ())
WRITE_FOR_EVER = """
import sys
from pathlib import Path
from hilgui.store import Picture, RunWriter
from tests.unit.store.rows import finding, header, moment
writer = RunWriter(Path(sys.argv[1]), header())
for seq in range(10**9):
    found = [finding(seq // 10 + 1, seq, seq)] if seq % 10 == 0 else []
    writer.write([moment(seq)], found, [Picture(seq, b"jpeg")] if found else [])
    print(seq, flush=True)  # acknowledged: the commit returned
"""
READ_AS_NOBODY = """
import os, sys
from pathlib import Path
from hilgui.store import RunReader
if os.getuid() == 0:
    os.setuid(65534)
try:
    reader = RunReader(Path(sys.argv[1]))
except Exception as failure:
    print(failure)
    raise SystemExit(1)
frames = len(list(reader.moments()))
print(reader.state, reader.verdict.outcome, reader.ledger.evaluated, frames, len(reader.findings()))
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    )


def kill_after(process: subprocess.Popen[str], frames: int) -> int:
    """Kill the writer once it has acknowledged some frames; give the last one it acknowledged."""
    assert process.stdout is not None
    last = -1
    for line in process.stdout:
        last = int(line)
        if last + 1 == frames:
            process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    return last


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RunWriter]:
    made = RunWriter(tmp_path, header())
    yield made
    made.close()


def finished(root: Path, run_id: str = "20260131-142233-drive-0001", frames: int = 5) -> Path:
    made = RunWriter(root, header(run_id))
    made.write([moment(seq) for seq in range(frames)], [finding(1)], [Picture(2, b"jpeg")])
    made.finish(PASS, Ledger(frames, frames, 0, 0, frames, 0))
    return made.folder


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    reader = RunReader(finished(tmp_path))
    assert (reader.state, reader.verdict, reader.ledger.evaluated) == ("finished", PASS, 5)
    assert reader.header == header()
    read, written = reader.moment(3), moment(3)
    assert read is not None
    assert read.ref == written.ref
    assert read.inferences[Role.CANDIDATE].run_ns == written.inferences[Role.CANDIDATE].run_ns
    np.testing.assert_array_equal(
        read.inferences[Role.BASELINE].detections.boxes, written.inferences[Role.BASELINE].detections.boxes
    )
    assert reader.findings() == [finding(1)]
    assert reader.findings(kind=Kind.FLICKER) == []
    assert (reader.picture(2), reader.picture(3)) == (b"jpeg", None)
    reader.close()


def test_the_timeline_agrees_with_the_moments(tmp_path: Path) -> None:
    made = RunWriter(tmp_path, header())
    items: list[Moment | Loss] = [moment(seq) for seq in range(6)]
    items[2] = Loss(ref(2), Fate.DROPPED, "late")
    made.write(items)
    made.finish(Verdict(Outcome.INCONCLUSIVE), Ledger(6, 5, 1, 0, 5, 0, (("late", 1),)))
    reader = RunReader(made.folder)
    line = reader.timeline()
    assert line.fate.tolist() == [0, 0, 1, 0, 0, 0]
    assert line.roles[Role.BASELINE].ran.tolist() == [True, True, False, True, True, True]
    assert np.isnan(line.roles[Role.BASELINE].latency_ms[2])
    for row, seq in enumerate(line.seq.tolist()):
        one = reader.moment(seq)
        assert (one is None) == (seq == 2)
        if one is not None:
            found = one.inferences[Role.BASELINE].detections
            above = found.classes[: found.count_above(0.5)]
            assert line.roles[Role.BASELINE].detections[row] == (above == 0).sum()  # person is not judged
            assert line.roles[Role.BASELINE].latency_ms[row] == pytest.approx(
                one.inferences[Role.BASELINE].latency_ms, rel=1e-6
            )
    assert reader.timeline(since=4).seq.tolist() == [4, 5]
    assert [(loss.ref.seq, loss.fate, loss.reason) for loss in reader.losses()] == [(2, Fate.DROPPED, "late")]
    reader.close()


@pytest.mark.parametrize("block", [4, 7, 1000])
def test_the_timeline_is_the_same_whether_it_comes_from_blocks_or_from_single_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", block)
    made = RunWriter(tmp_path, header())
    items: list[Moment | Loss] = [moment(seq) for seq in (*range(9), *range(12, 31))]
    items[2] = Loss(ref(2), Fate.DROPPED, "late")
    reader = RunReader(made.folder)
    for first in range(0, len(items), 3):
        made.write(items[first : first + 3])
        reader.timeline()
    lines = [reader.timeline(), *(reader.timeline(since) for since in (5, 10, 12, 29, 31))]
    made.finish(PASS, Ledger(28, 27, 1, 0, 27, 0, (("late", 1),)))
    assert {moment.ref.seq for moment in reader.moments()} == {item.ref.seq for item in items} - {2}
    with closing(sqlite3.connect(made.folder / "run.sqlite")) as database:
        stored = database.execute("SELECT count(*) FROM answer WHERE seq<0").fetchone()[0]
        assert stored == len(items) // block
        database.execute("DELETE FROM answer WHERE seq<0")
        database.commit()
    alone = [reader.timeline(), *(reader.timeline(since) for since in (5, 10, 12, 29, 31))]
    for one, other in zip(lines, alone, strict=True):
        for name in ("seq", "time_s", "fate", "with_truth", "brightness", "disagreement"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
            assert getattr(one, name).dtype == getattr(other, name).dtype
        assert one.roles.keys() == other.roles.keys()
        for role, line in one.roles.items():
            for each in fields(line):
                np.testing.assert_array_equal(getattr(line, each.name), getattr(other.roles[role], each.name))
    reader.close()


def test_a_damaged_block_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 4)
    made = RunWriter(tmp_path, header())
    made.write([moment(seq) for seq in range(5)])
    made.finish(PASS, Ledger(5, 5, 0, 0, 5, 0))
    with closing(sqlite3.connect(made.folder / "run.sqlite")) as database:
        database.execute("UPDATE answer SET value=substr(value, 1, 100) WHERE seq<0")
        database.commit()
    reader = RunReader(made.folder)
    with pytest.raises(StoreBroken, match="is damaged"):
        reader.timeline()
    reader.close()


def test_a_run_is_read_while_it_is_written(writer: RunWriter) -> None:
    writer.write([moment(0)])
    reader = RunReader(writer.folder)
    assert (reader.state, reader.verdict) == ("running", None)
    for seq in range(1, 20):
        writer.write([moment(seq)], [finding(seq)])
        assert reader.timeline(since=seq).seq.tolist() == [seq]
        assert reader.ledger.evaluated == seq + 1
        assert len(reader.findings()) == seq
    assert reader.moment(20) is None
    writer.finish(PASS, Ledger(20, 20, 0, 0, 20, 0))
    assert (reader.state, reader.verdict) == ("finished", PASS)
    reader.close()


def test_a_second_reader_does_not_disturb_the_writer(writer: RunWriter) -> None:
    readers = [RunReader(writer.folder) for _ in range(3)]
    stream = readers[0].moments()
    writer.write([moment(seq) for seq in range(10)])
    next(stream)  # a reader in the middle of its pages
    writer.write([moment(10)])
    writer.finish(PASS, Ledger(11, 11, 0, 0, 11, 0))
    assert [reader.state for reader in readers] == ["finished"] * 3
    stream.close()
    for reader in readers:
        reader.close()


@pytest.mark.parametrize("frames", [1, 23, 60, 111])
def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path, frames: int) -> None:
    last = kill_after(start(WRITE_FOR_EVER, str(tmp_path)), frames)
    reader = RunReader(tmp_path / header().run_id)
    assert reader.state == "aborted"
    assert reader.verdict is not None
    assert reader.verdict.outcome is Outcome.ABORTED
    seqs = [read.ref.seq for read in reader.moments()]
    assert seqs[: last + 1] == list(range(last + 1))
    assert len(seqs) <= last + 2  # at most the frame whose commit was not reported any more
    assert reader.ledger.evaluated == len(seqs)
    assert reader.ledger.closes
    assert len(reader.findings()) >= last // 10 + 1
    assert all(reader.picture(found.first_seq) for found in reader.findings())
    reader.close()


def test_a_killed_run_is_closed_once_and_opens_from_a_read_only_folder(tmp_path: Path) -> None:
    last = kill_after(start(WRITE_FOR_EVER, str(tmp_path)), 30)
    folder = tmp_path / header().run_id
    RunReader(folder).close()
    assert not (folder / "run.sqlite-wal").exists()
    state, outcome, evaluated, moments, _ = as_nobody(folder).split()
    assert (state, outcome) == ("aborted", "ABORTED")
    assert last + 1 <= int(evaluated) <= last + 2  # the last one may be a frame whose commit was not reported any more
    assert int(moments) == int(evaluated)


def test_a_killed_run_in_a_read_only_folder_shows_its_frames_too(tmp_path: Path) -> None:
    last = kill_after(start(WRITE_FOR_EVER, str(tmp_path)), 30)
    folder = tmp_path / header().run_id
    assert (folder / "run.sqlite-wal").stat().st_size
    state, outcome, evaluated, moments, _ = as_nobody(folder).split()
    assert (state, outcome) == ("aborted", "ABORTED")
    assert last + 1 <= int(evaluated) == int(moments)


def test_a_killed_run_whose_journal_cannot_be_read_says_so_instead_of_leaving_frames_out(tmp_path: Path) -> None:
    kill_after(start(WRITE_FOR_EVER, str(tmp_path)), 30)
    folder = tmp_path / header().run_id
    (folder / "run.sqlite-shm").unlink()  # a copy that left it behind
    assert "lies on read-only media; copy it" in as_nobody(folder, expect=1)


def as_nobody(folder: Path, expect: int = 0) -> str:
    """Read a run where nothing may be written; a root process gives up its rights first. Gives what it says."""
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for parent in folder.parents:  # the folders of pytest are closed to others
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(parent.stat().st_mode | 0o055)
    process = start(READ_AS_NOBODY, str(folder))
    said, _ = process.communicate(timeout=30)
    folder.chmod(0o755)
    (folder / "pictures").chmod(0o755)
    assert process.returncode == expect, said
    return said


def test_the_verdict_is_right_at_the_moment_the_writer_finishes(tmp_path: Path) -> None:
    """A reader that looks between "no verdict yet" and "the lock is free" must not call the run dead."""
    for number in range(10):
        made = RunWriter(tmp_path, header(f"20260131-142233-race-{number:04d}"))
        made.write([moment(0)])
        reader = RunReader(made.folder)
        ask = reader.meta

        def finish_in_between(key: str, made: RunWriter = made, ask=ask) -> object:  # type: ignore[no-untyped-def]
            answer = ask(key)
            if key == "verdict" and answer is None:
                made.finish(PASS, Ledger(1, 1, 0, 0, 1, 0))
            return answer

        reader.meta = finish_in_between  # type: ignore[method-assign]
        assert reader.verdict == PASS
        reader.close()


def test_a_folder_without_a_run_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreBroken, match=r"holds no run \(no run.sqlite\)"):
        RunReader(tmp_path)


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "run.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreBroken, match=r"the run .* cannot be read: file is not a database") as caught:
        RunReader(tmp_path)
    assert caught.value.path == tmp_path


def test_a_database_that_was_cut_is_a_broken_store_and_not_a_crash(tmp_path: Path) -> None:
    folder = finished(tmp_path, frames=200)
    whole = (folder / "run.sqlite").read_bytes()
    for share in (0.0, 0.1, 0.5, 0.9):
        (folder / "run.sqlite").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(StoreBroken) as caught:
            read_everything(folder)
        assert "\n" not in str(caught.value)


def read_everything(folder: Path) -> None:
    reader = RunReader(folder)
    try:
        reader.timeline()
        reader.findings()
        for _ in reader.moments():
            pass
    finally:
        reader.close()


@pytest.mark.parametrize(
    "column", ["truth", "baseline", "candidate", "baseline_match", "candidate_match", "disagreement"]
)
@pytest.mark.parametrize("blob", [b"", b"x", b"\xff" * 37])
def test_a_damaged_blob_is_a_broken_store(tmp_path: Path, column: str, blob: bytes) -> None:
    folder = finished(tmp_path)
    change(folder, f"UPDATE content SET {column}=? WHERE seq=2", blob)
    reader = RunReader(folder)
    assert reader.moment(1) is not None
    if not (blob == b"" and column in ("truth", "baseline", "candidate")):  # an empty blob is an empty frame there
        with pytest.raises(StoreBroken):
            reader.moment(2)
    reader.close()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"run_id": 3}', "not json", '"text"'])
@pytest.mark.parametrize("key", ["header", "verdict", "ledger"])
def test_damaged_json_is_a_broken_store(tmp_path: Path, key: str, text: str) -> None:
    folder = finished(tmp_path)
    change(folder, f"UPDATE meta SET value=? WHERE key='{key}'", text)
    with pytest.raises(StoreBroken):
        show(folder)


def show(folder: Path) -> None:
    reader = RunReader(folder)
    try:
        _ = reader.state, reader.ledger
    finally:
        reader.close()


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"kind": "no_such_kind"}'])
def test_a_damaged_finding_is_a_broken_store(tmp_path: Path, text: str) -> None:
    folder = finished(tmp_path)
    change(folder, "UPDATE finding SET value=?", text)
    reader = RunReader(folder)
    with pytest.raises(StoreBroken):
        reader.findings()
    reader.close()


def test_a_newer_format_is_refused_by_name(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    change(folder, "PRAGMA user_version=99")
    with pytest.raises(StoreBroken, match="was written in format 99, this hilgui reads up to 2"):
        RunReader(folder)


def change(folder: Path, statement: str, *values: object) -> None:
    database = sqlite3.connect(folder / "run.sqlite")
    database.execute(statement, values)
    database.commit()
    database.close()


def test_the_same_run_cannot_be_written_twice(writer: RunWriter, tmp_path: Path) -> None:
    with pytest.raises(StoreBroken, match="cannot be written"):
        RunWriter(tmp_path, header())


def test_a_frame_that_is_written_twice_leaves_the_run_as_it_was(writer: RunWriter) -> None:
    writer.write([moment(0)])
    with pytest.raises(StoreBroken):
        writer.write([moment(1), moment(0)])
    writer.write([moment(1)])
    reader = RunReader(writer.folder)
    assert reader.timeline().seq.tolist() == [0, 1]
    reader.close()


def test_runs_are_found_by_path_id_and_beginning(tmp_path: Path) -> None:
    first = finished(tmp_path, "20260131-100000-day-aaaa")
    second = finished(tmp_path, "20260131-110000-night-bbbb")
    assert find_run(str(first), tmp_path) == first
    assert find_run("20260131-10", tmp_path) == first
    assert find_run("night", tmp_path) == second
    assert find_run("last", tmp_path) == second
    assert is_run(first)
    assert not is_run(tmp_path)


@pytest.mark.parametrize(("text", "sentence"), [("20260131", "fits 2 runs"), ("dusk", "there is no run 'dusk'")])
def test_a_name_that_fits_none_or_several_is_a_wrong_call(tmp_path: Path, text: str, sentence: str) -> None:
    finished(tmp_path, "20260131-100000-day-aaaa")
    finished(tmp_path, "20260131-110000-night-bbbb")
    with pytest.raises(CallWrong, match=sentence):
        find_run(text, tmp_path)


def test_runs_of_a_campaign_are_listed_and_found_like_any_other(tmp_path: Path) -> None:
    lone = finished(tmp_path, "20260131-100000-day-aaaa")
    inner = finished(tmp_path / "night-campaign", "20260131-110000-night-bbbb")
    assert run_folders(tmp_path) == [inner, lone]
    assert [run.name for run in list_runs(tmp_path)] == ["night-campaign/20260131-110000-night-bbbb", lone.name]
    for text in ("last", "20260131-11", "night-campaign/20260131-110000-night-bbbb", str(inner)):
        assert find_run(text, tmp_path) == inner


def test_a_run_that_lies_in_two_campaigns_is_named_so_that_it_can_be_typed(tmp_path: Path) -> None:
    for campaign in ("first", "second"):
        finished(tmp_path / campaign, "20260131-110000-night-bbbb")
    with pytest.raises(CallWrong, match=r"first/20260131-110000-night-bbbb"):
        find_run("night", tmp_path)


def test_nothing_at_all_is_a_wrong_call(tmp_path: Path) -> None:
    for text in ("", "last"):
        with pytest.raises(CallWrong):
            find_run(text, tmp_path / "nowhere")


def test_the_list_shows_the_newest_first_and_a_damaged_run_with_its_problem(tmp_path: Path) -> None:
    finished(tmp_path, "20260131-100000-day-aaaa")
    broken = finished(tmp_path, "20260131-110000-night-bbbb")
    (broken / "run.sqlite").write_bytes(b"garbage" * 1000)
    running = RunWriter(tmp_path, header("20260131-120000-dusk-cccc"))
    running.write([moment(0)])
    runs = list_runs(tmp_path)
    running.close()
    assert [(run.state, run.outcome) for run in runs] == [("running", ""), ("damaged", ""), ("finished", "PASS")]
    assert "not a database" in runs[1].problem
    assert (runs[2].frames, runs[2].findings, runs[2].candidate) == (5, 1, "m")
    assert list_runs(tmp_path / "nowhere") == []


def test_a_finished_run_can_be_moved_and_copied(tmp_path: Path) -> None:
    folder = finished(tmp_path / "a")
    assert {path.name for path in folder.iterdir()} == {"run.sqlite", "run.lock", "pictures"}
    shutil.copytree(folder, tmp_path / "b")
    reader = RunReader(tmp_path / "b")
    assert json.dumps(reader.header.as_json())
    assert reader.ledger.evaluated == 5
    reader.close()


def test_writing_stops_with_a_sentence_when_the_folder_is_gone(tmp_path: Path) -> None:
    made = RunWriter(tmp_path, header())
    shutil.rmtree(made.folder / "pictures")
    with pytest.raises(StoreBroken, match=r"cannot be written: .* is the disk full"):
        made.write([moment(0)], (), [Picture(0, b"jpeg")])
    made.close()
