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
def test_a_long_run_hardly_grows(tmp_path: Path) -> None:
    """Allows 60 MiB in 100,000 frames at this length, which a picture or a moment kept for each frame would exceed."""
    _, seen = replay_looped(tmp_path, 6000, 1000)
    assert seen[-1] - seen[2] < 0.6 * 3.0
