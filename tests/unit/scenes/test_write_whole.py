"""A rendering that is cut off leaves nothing that looks like a drive."""

from pathlib import Path

import pytest

from hilgui.scenes.weather import CONDITIONS
from hilgui.scenes.write import write_drive


def test_a_rendering_that_is_cut_off_leaves_no_drive_and_spares_the_one_before(tmp_path: Path) -> None:
    def stop(done: int, _frames: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_drive(tmp_path, "day", CONDITIONS["day"], 7, 0.2, crf=40, progress=stop)
    assert list(tmp_path.iterdir()) == []
    files = write_drive(tmp_path, "day", CONDITIONS["day"], 7, 0.1, crf=40)
    before = files.video.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_drive(tmp_path, "day", CONDITIONS["day"], 7, 0.2, crf=40, progress=stop)
    assert files.video.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["day.coco.json", "day.frames.sha256", "day.mp4"]
