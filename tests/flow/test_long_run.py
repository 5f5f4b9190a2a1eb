from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hilgui.cornercases import Watch, waits
from hilgui.evaluation import Scorecard, average_precision, row_log
from hilgui.records import Frame
from hilgui.settings import ClipSettings
from hilgui.store import ClipKeeper, RunReader
from tests.flow.long_run import LAP, replay_looped
from tests.unit.cornercases.drive import PERSON, B, C, Known, context, moment
from tests.unit.report.night_run import header

GOAL_BYTES = 20 * 2**20 / 100_000  # of a frame


@pytest.mark.slow
def test_what_the_judge_remembers_of_a_frame_is_within_the_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures, corner cases and clips of three objects, one of which the candidate never finds; all pictures are kept.

    Rows go to the disk soon, waits are forgotten soon.
    """
    monkeypatch.setattr(row_log, "HOLD", 256)
    monkeypatch.setattr(average_precision, "_BLOCK_FRAMES", 128)
    monkeypatch.setattr(waits, "LONGEST", 100)
    boxes = [(60.0 * place, 100.0, 60.0 * place + 40, 180.0) for place in range(3)]
    known = [Known(PERSON, box, track=place, distance_m=20.0) for place, box in enumerate(boxes)]
    seen = {B: [(PERSON, box, 0.9) for box in boxes], C: [(PERSON, box, 0.9) for box in boxes[1:]]}
    scorecard, watch, clips = Scorecard(header()), Watch(context()), ClipKeeper(ClipSettings())
    image = np.zeros((24, 32, 3), np.uint8)
    pattern = moment(0, truth=known, seen=seen)
    used, kept = [], 0
    tracemalloc.start()
    try:
        for seq in range(2049):  # the two windows of drift are full after 1,000
            if seq % 512 == 0:
                used.append(tracemalloc.get_traced_memory()[0])
            one = replace(pattern, ref=replace(pattern.ref, seq=seq, key=f"a.mp4#{seq:06d}", time_s=seq / 30))
            scorecard.add(one)
            kept += len(clips.push(Frame(one.ref, image)))
            for severity in {hit.severity for hit in watch.look(one).hits}:
                kept += len(clips.keep_around(one.ref.time_s, severity))
    finally:
        tracemalloc.stop()
    assert kept == 2049
    assert (used[4] - used[2]) / 1024 < GOAL_BYTES


def test_a_looped_drive_is_one_long_run(tmp_path: Path) -> None:
    run, _ = replay_looped(tmp_path, 3 * LAP - 7, LAP)
    reader = RunReader(run.folder)
    assert [moment.ref.seq for moment in reader.moments()] == list(range(3 * LAP - 7))
    assert reader.ledger.with_truth == 3 * LAP - 7
    reader.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_a_long_run_keeps_no_picture_and_no_moment(tmp_path: Path) -> None:
    """A picture of this drive takes 27 MiB in 3,000 frames, rows in memory took 6; the allocator's noise is below 2."""
    command = [sys.executable, "-m", "tests.flow.long_run", str(tmp_path), "6001", "1000"]
    root = Path(__file__).parents[2]  # a process of its own: a test run of hundreds of MiB has noise of its own
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=280)
    seen = json.loads(done.stdout)
    assert len(seen) == 7
    assert seen[-1] - seen[3] < GOAL_BYTES * 3000 / 2**20 + 2.0
