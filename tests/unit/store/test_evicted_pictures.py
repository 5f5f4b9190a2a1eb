"""Clips that made room for worse ones: their pictures go after the commit that says so, and nothing else does."""

from __future__ import annotations

import signal
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hilgui.errors import StoreBroken
from hilgui.records import Ledger
from hilgui.store import Clip, Picture, RunReader, RunWriter
from hilgui.store.pictures import SHORTENED
from tests.unit.store.rows import finding, header, moment
from tests.unit.store.test_runs import PASS, start


def evicting(tmp_path: Path) -> RunWriter:
    """Write a finding with pictures 0 to 3, of which a worse one will take 0 and 1."""
    made = RunWriter(tmp_path, header())
    known = replace(finding(1), clip_first=0, clip_last=3)
    made.write([moment(seq) for seq in range(4)], [known], [Picture(seq, b"jpeg", b"png") for seq in range(4)])
    return made


def pictures_of(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "pictures").iterdir())


def test_evicted_pictures_go_and_the_findings_that_had_them_know_it(tmp_path: Path) -> None:
    made = evicting(tmp_path)
    shorter = replace(finding(1), clip_first=2, clip_last=3, clip_note=SHORTENED)
    made.write([moment(4)], [], [Picture(4, b"jpeg")], [0, 1], [Clip(1, 2, 3, SHORTENED)])
    made.finish(PASS, Ledger(5, 5, 0, 0, 5, 0))
    with closing(RunReader(made.folder)) as reader:
        assert reader.findings() == [shorter]
    assert pictures_of(made.folder) == [
        "00000002.jpg", "00000002.raw.png", "00000003.jpg", "00000003.raw.png", "00000004.jpg"
    ]  # fmt: skip


def test_a_commit_that_fails_removes_nothing(tmp_path: Path) -> None:
    made = evicting(tmp_path)
    with pytest.raises(StoreBroken):
        made.write([moment(3)], [finding(1)], [], [0, 1])  # frame 3 is stored already
    made.close()
    with closing(RunReader(made.folder)) as reader:
        (known,) = reader.findings()
        assert (known.clip_first, known.clip_last) == (0, 3)
        assert all(reader.picture(seq) for seq in range(4))


DIE_BEFORE_REMOVING = """
import os, signal, sys
from pathlib import Path
from hilgui.store import writer
from tests.unit.store.test_evicted_pictures import evicting, finding, moment
made = evicting(Path(sys.argv[1]))
writer.remove_pictures = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
made.write([moment(4)], [finding(1)], [], [0, 1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_writer_killed_between_commit_and_removal_leaves_orphans_that_the_next_opening_sweeps(tmp_path: Path) -> None:
    process = start(DIE_BEFORE_REMOVING, str(tmp_path))
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    (folder,) = tmp_path.iterdir()
    assert "00000000.jpg" in pictures_of(folder)
    with closing(RunReader(folder)) as reader:
        assert reader.findings() == [finding(1)]
        assert reader.ledger.evaluated == 5
    assert pictures_of(folder) == ["00000002.jpg", "00000002.raw.png", "00000003.jpg", "00000003.raw.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses to remove open files, elsewhere a folder must do")
def test_a_picture_that_cannot_be_removed_is_tried_again_at_the_end(tmp_path: Path) -> None:
    made = evicting(tmp_path)
    stubborn = made.folder / "pictures" / "00000000.jpg"
    stubborn.unlink()
    stubborn.mkdir()  # a folder cannot be unlinked
    made.write([], [finding(1)], [], [0, 1])
    assert stubborn.exists()
    stubborn.rmdir()
    made.finish(PASS, Ledger(4, 4, 0, 0, 4, 0))
    assert pictures_of(made.folder) == ["00000002.jpg", "00000002.raw.png", "00000003.jpg", "00000003.raw.png"]
