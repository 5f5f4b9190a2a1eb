"""The shipped drives are what the renderer makes, and fit their limits."""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter

import av
import numpy as np
import pytest
from pycocotools.coco import COCO

from hilgui.scenes.render import VERSION
from hilgui.scenes.traffic import CLASSES
from hilgui.scenes.write import frame_hash
from tests.unit.scenes.shipped import DEMO, shipped

DRIVES = ("day", "dusk_rain", "night")
MIB = 1 << 20


@pytest.mark.parametrize("name", DRIVES)
def test_the_same_seed_gives_the_shipped_frames(name: str) -> None:
    drive = shipped(name)

    made = {picture.index: frame_hash(picture.image) for picture in drive.renderer().pictures(every=240)}

    assert drive.version == VERSION
    assert made == {index: drive.hashes[index] for index in made}
    assert len(made) == 3


@pytest.mark.parametrize("name", DRIVES)
def test_a_shipped_video_has_one_frame_for_every_hash(name: str) -> None:
    drive = shipped(name)

    with av.open(str(drive.files.video)) as container:
        stream = container.streams.video[0]
        shape = (stream.codec_context.name, stream.width, stream.height, stream.average_rate, stream.pix_fmt)
        packets = sum(1 for packet in container.demux(stream) if packet.size)

    assert shape == ("h264", 960, 540, 30, "yuv420p")
    assert packets == len(drive.hashes) == 600


def test_a_shipped_video_says_that_it_is_bt709() -> None:
    with av.open(str(shipped("day").files.video)) as container:
        context = container.streams.video[0].codec_context
        tags = (context.colorspace, context.color_primaries, context.color_trc, context.color_range)

    assert tags == (1, 1, 1, 1)


def test_the_first_frame_survives_encoding() -> None:
    drive = shipped("day")
    rendered = next(drive.renderer().pictures()).image

    with av.open(str(drive.files.video)) as container:
        decoded = next(container.decode(video=0)).to_ndarray(format="bgr24")

    difference = np.abs(decoded.astype(int) - rendered)
    assert difference.mean() < 6.0
    assert abs(float((decoded.astype(int) - rendered).mean())) < 3.0


@pytest.mark.parametrize("name", DRIVES)
def test_the_truth_lists_every_frame_and_keeps_boxes_inside(name: str) -> None:
    record = json.loads(shipped(name).files.truth.read_text(encoding="utf-8"))

    boxes = np.array([annotation["bbox"] for annotation in record["annotations"]])
    frames = [image["frame_index"] for image in record["images"]]

    assert frames == list(range(600))
    assert [category["name"] for category in record["categories"]] == list(CLASSES)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] > 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= (960, 540)).all()
    assert all(0 <= annotation["occlusion"] < 1 for annotation in record["annotations"])
    assert all(0 <= annotation["truncation"] <= 1 for annotation in record["annotations"])


@pytest.mark.parametrize("name", DRIVES)
def test_pycocotools_loads_the_truth_and_every_class_is_asked_for(name: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(shipped(name).files.truth))

    asked = Counter(
        annotation["category_id"] for annotation in truth.dataset["annotations"] if not annotation["ignore"]
    )

    assert len(truth.getImgIds()) == 600
    assert set(asked) == {1, 2, 3, 4}


def test_a_track_keeps_its_class() -> None:
    record = json.loads(shipped("night").files.truth.read_text(encoding="utf-8"))

    kinds = {(annotation["track_id"], annotation["category_id"]) for annotation in record["annotations"]}

    assert len(kinds) == len({track for track, _ in kinds})


def test_the_videos_stay_within_their_limit() -> None:
    assert sum(path.stat().st_size for path in DEMO.glob("*.mp4")) <= 12_000_000
    assert sum(path.stat().st_size for path in DEMO.glob("*.json")) <= 16 * MIB
