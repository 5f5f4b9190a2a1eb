from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hilgui.store import RunReader
from tests.flow.long_run import LAP, replay_looped


def test_a_looped_drive_is_one_long_run(tmp_path: Path) -> None:
    run, _ = replay_looped(tmp_path, 3 * LAP - 7, LAP)
    reader = RunReader(run.folder)
    assert [moment.ref.seq for moment in reader.moments()] == list(range(3 * LAP - 7))
    assert reader.ledger.with_truth == 3 * LAP - 7
    reader.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_a_long_run_keeps_no_picture_and_no_moment(tmp_path: Path) -> None:
    """A picture of this drive takes 27 MiB in 3,000 frames; what figures remember of a frame took 6 when measured."""
    _, seen = replay_looped(tmp_path, 6001, 1000)
    assert seen[-1] - seen[3] < 15.0
