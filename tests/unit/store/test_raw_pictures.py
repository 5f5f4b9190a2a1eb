"""What the sensor gave is kept beside the picture that models saw."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from hilgui.records import Ledger, Outcome, Severity, Verdict
from hilgui.settings import ClipSettings
from hilgui.sources import open_source
from hilgui.store import ClipKeeper, RunReader, RunWriter
from tests.unit.store.rows import header, moment

SAMPLES = np.random.default_rng(5).integers(0, 4096, (16, 24)).astype(np.uint16)


@pytest.mark.parametrize("bayer", [None, "rggb"])
def test_twelve_bits_of_a_clip_are_kept_without_loss(tmp_path: Path, bayer: str | None) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), SAMPLES)
    frame = open_source(folder, 10.0, bayer=bayer).frame_at(0)
    assert frame.image.dtype == np.uint8
    assert frame.image.shape == (16, 24, 3)
    keeper = ClipKeeper(ClipSettings())
    keeper.push(frame)
    (picture,) = keeper.keep_around(0.0, Severity.LOW)
    writer = RunWriter(tmp_path / "runs", header())
    writer.write([moment(0)], (), [picture])
    writer.finish(Verdict(Outcome.PASS), Ledger(1, 1, 0, 0, 1, 0))
    reader = RunReader(writer.folder)
    png = reader.raw_picture(0)
    assert png is not None
    kept = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(kept, SAMPLES)
    assert reader.picture(0) is not None
    assert reader.raw_picture(1) is None
    reader.close()


def test_a_picture_of_8_bits_is_no_reduction(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((16, 24, 3), np.uint8))
    assert open_source(tmp_path, 10.0).frame_at(0).raw is None


def test_ten_bits_of_a_video_come_back_as_they_were_coded(tmp_path: Path) -> None:
    luma = np.random.default_rng(6).integers(64, 940, (48, 64)).astype("<u2")
    drive = tmp_path / "deep.mkv"
    with av.open(drive, "w") as container:
        stream = container.add_stream("ffv1", 10, options={"strict": "-2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        picture = av.VideoFrame(64, 48, "yuv420p10le")
        for plane, level in zip(picture.planes, (luma, 500, 600), strict=True):
            rows = np.zeros((plane.height, plane.line_size // 2), "<u2")
            rows[:, : plane.width] = level
            plane.update(rows.tobytes())
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    source = open_source(drive)
    frame = source.frame_at(0)
    source.close()
    keeper = ClipKeeper(ClipSettings())
    keeper.push(frame)
    (kept,) = keeper.keep_around(0.0, Severity.LOW)

    assert kept.raw is not None
    read = cv2.imdecode(np.frombuffer(kept.raw, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read[:, :, 0], luma)
    assert (read[:, :, 1:] == (500, 600)).all()
