"""What each reader of boxes understands: classes, identities, ignore rules, occlusion, names of frames."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.errors import TruthBroken
from hilgui.records import NO_CLASS, NO_TRACK, FrameRef, Truth
from hilgui.truth import Labels, agree, join, read_labels
from hilgui.truth.image_size import one_size, picture_size, sizes_in
from hilgui.truth.mot import CLASSES
from hilgui.truth.yolo import YoloReader
from tests.unit.truth.samples import CVAT_IMAGES, CVAT_VIDEO, MOT, SAMPLES

Read = Callable[[str], Labels]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Put a sample down and read it as an operator would: by its path alone."""

    def put(name: str) -> Labels:
        sample = next(each for each in SAMPLES if each.name == name)
        sample.put(tmp_path)
        single = sample.file.startswith("a.") and sample.name not in ("voc", "kitti", "yolo names")
        return read_labels(tmp_path / sample.file if single else tmp_path, one_size(64, 48))

    return put


def truth(labels: Labels, number: int) -> Truth:
    found = labels.frames[number].truth
    assert found is not None
    return found


def test_mot(read: Read) -> None:
    labels = read("mot")
    assert (labels.names, labels.class_map) == (CLASSES, "mot_to_coco")
    assert [(frame.key, frame.index, len(truth(labels, k))) for k, frame in enumerate(labels.frames)] == [
        ("", 0, 2),
        ("", 1, 0),  # between rows: labelled and empty
        ("", 2, 1),  # the occluder is no object
    ]
    first = truth(labels, 0)
    assert first.boxes.tolist() == [[10, 20, 40, 60], [50, 20, 80, 60]]
    assert first.classes.tolist() == [0, NO_CLASS]  # a distractor is a region
    assert first.ignore.tolist() == [False, True]
    assert first.tracks.tolist() == [3, 4]
    assert first.occlusion.tolist() == [0.25, 0]
    assert labels.notes == ("1 occluder left out: no objects",)


def test_mot_names_its_frames_where_seqinfo_tells_how(tmp_path: Path) -> None:
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "gt.txt").write_text(MOT)
    info = "[Sequence]\nname=x\nimDir=img1\nframeRate=30\nseqLength=1050\nimWidth=64\nimHeight=48\nimExt=.jpg\n"
    (tmp_path / "seqinfo.ini").write_text(info)
    labels = read_labels(tmp_path)
    assert [(frame.key, frame.width) for frame in labels.frames] == [(f"{k:06d}.jpg", 64) for k in (1, 2, 3)]
    assert "seqinfo.ini says 1050 frames, gt.txt ends with frame 3" in labels.notes[1]


def test_rows_of_mot_with_flag_0_are_never_counted(tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_text("1,1,0,0,9,9,0,3,1\n1,2,0,0,9,9,1,3,1\n")
    found = truth(read_labels(tmp_path / "gt.txt"), 0)
    assert found.classes.tolist() == [CLASSES.index("car")] * 2
    assert found.ignore.tolist() == [True, False]


def test_the_real_mot_sequence_joins_by_frame_number_from_1(shared_data: Path) -> None:
    folder = shared_data / "drives" / "mot17_mini" / "MOT17-04-FRCNN"
    refs = [_ref(k, f"drive.mp4#{k:06d}") for k in range(8)]
    joined = join(read_labels(folder), refs)
    assert (joined.kind, list(joined.truths)) == ("frame", list(range(8)))
    first = joined.truths[0]
    assert first.boxes[first.tracks == 1].tolist() == [[1363, 569, 1466, 810]]
    assert "seqinfo.ini says 1050 frames" in " ".join(joined.notes)


def test_kitti_tracking(read: Read) -> None:
    labels = read("kitti tracking")
    assert [(frame.key, frame.index) for frame in labels.frames] == [("000000", 0), ("000001", 1), ("000002", 2)]
    assert [len(truth(labels, k)) for k in range(3)] == [1, 0, 1]
    assert truth(labels, 0).classes.tolist() == [NO_CLASS]
    last = truth(labels, 2)
    assert (last.tracks.tolist(), last.occlusion.tolist(), last.distance_m.tolist()) == ([4], [0.25], [18.5])
    assert labels.names[last.classes[0]] == "Van"


def test_the_real_kitti_tracking_frames_join_by_name(shared_data: Path) -> None:
    root = shared_data / "images_gt" / "kitti_mini" / "tracking"
    names = sorted(path.name for path in (root / "image_02" / "0001").iterdir())
    joined = join(read_labels(root / "label_02" / "0001.txt"), [_ref(k, name) for k, name in enumerate(names)])
    assert (joined.kind, joined.frames, joined.labelled) == ("key", 5, 447)


def test_a_folder_of_several_kitti_sequences_is_not_taken_for_one(shared_data: Path) -> None:
    root = shared_data / "images_gt" / "kitti_mini" / "tracking"
    with pytest.raises(TruthBroken, match="keep the labels of one drive"):
        join(read_labels(root / "label_02"), [_ref(0, "000000.png")])


def test_scalabel(read: Read) -> None:
    labels = read("scalabel")
    assert (labels.names, labels.conditions) == (("car",), {"weather": "clear", "day_part": "day"})
    assert [(frame.key, frame.index, frame.width) for frame in labels.frames] == [("a.jpg", 0, 64), ("b.jpg", 1, 0)]
    found = truth(labels, 0)
    assert (found.boxes.tolist(), found.occlusion.tolist()) == ([[1, 2, 3.5, 4]], [0.5])
    assert len(truth(labels, 1)) == 0
    assert labels.notes == ("1 label without a box2d (areas, lanes) left out",)


def test_the_real_bdd100k_labels(shared_data: Path) -> None:
    labels = read_labels(shared_data / "eval_vectors" / "scalabel_bdd100k_det" / "track_sample_anns.json")
    truths = [truth(labels, k) for k in range(202)]
    counts = np.bincount(np.concatenate([each.classes for each in truths]))
    told = dict(zip(labels.names, counts.tolist(), strict=True))
    assert told == {"car": 2726, "pedestrian": 191, "motorcycle": 119, "rider": 119, "truck": 65, "bus": 21}
    assert sum(int(each.crowd.sum()) for each in truths) == 132
    assert (labels.frames[5].index, labels.frames[5].key) == (5, "b1c66a42-6f7d68ca-0000006.jpg")


def test_openlabel(read: Read) -> None:
    labels = read("openlabel")
    (frame,) = labels.frames
    assert (frame.key, frame.index, frame.time_s, frame.width, frame.height) == ("a.png", 0, 0.1, 64, 48)
    found = truth(labels, 0)
    assert (found.boxes.tolist(), found.tracks.tolist()) == ([[8, 17, 12, 23]], [7])
    assert (found.occlusion.tolist(), found.distance_m.tolist()) == ([0.5], [8.5])
    assert labels.notes == ("1 shape other than upright boxes left out",)


def test_voc(read: Read) -> None:
    labels = read("voc")
    (frame,) = labels.frames
    assert (frame.key, frame.width, frame.height) == ("a.jpg", 64, 48)
    found = truth(labels, 0)
    assert (found.boxes.tolist(), found.ignore.tolist(), found.occlusion.tolist()) == (
        [[1, 2.5, 30, 40]],
        [True],
        [0.5],
    )


def test_cvat_images(read: Read) -> None:
    labels = read("cvat images")
    found = truth(labels, 0)
    assert (labels.frames[0].key, found.boxes.tolist()) == ("a.jpg", [[1.5, 2, 30, 40]])
    assert (found.crowd.tolist(), found.occlusion.tolist(), found.tracks.tolist()) == ([True], [0.5], [NO_TRACK])
    assert labels.notes == ("1 shape other than upright boxes left out",)


def test_a_cvat_track_moves_in_a_straight_line_and_ends_outside(read: Read) -> None:
    labels = read("cvat video")
    assert [frame.index for frame in labels.frames] == list(range(10))
    assert [len(truth(labels, k)) for k in range(10)] == [0, 0, 1, 1, 1, 1, 1, 0, 0, 0]
    assert truth(labels, 4).boxes.tolist() == [[4, 2, 14, 12]]
    assert {int(truth(labels, k).tracks[0]) for k in range(2, 7)} == {3}
    assert [truth(labels, k).occlusion.tolist() for k in (5, 6)] == [[0], [0.5]]
    assert (labels.frames[0].width, labels.frames[0].height) == (64, 48)


def test_otb(read: Read) -> None:
    labels = read("otb")
    assert [len(truth(labels, k)) for k in range(3)] == [1, 1, 0]
    assert truth(labels, 1).boxes.tolist() == [[11, 20, 41, 60]]
    assert "phantoms mean little" in labels.notes[0]


def test_openimages(read: Read) -> None:
    found = truth(read("openimages"), 0)
    assert (found.boxes.tolist(), found.crowd.tolist(), found.occlusion.tolist()) == (
        [[16, 6, 32, 36]],
        [True],
        [0.5],
    )


def test_openimages_labels_are_translated(tmp_path: Path) -> None:
    rows = "ImageID,LabelName,XMin,XMax,YMin,YMax\na,/m/0k4j,0,1,0,1\n"
    (tmp_path / "boxes.csv").write_text(rows)
    (tmp_path / "class-descriptions-boxable.csv").write_text("/m/0k4j,Car\n")
    assert read_labels(tmp_path / "boxes.csv", one_size(64, 48)).names == ("Car",)


def test_yolo(read: Read) -> None:
    labels = read("yolo")
    assert (labels.names, labels.frames[0].key) == (("car", "person"), "a")
    found = truth(labels, 0)
    assert np.allclose(found.boxes, [[24, 12, 40, 36], [6.4, 4.8, 57.6, 38.4]])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp"])
@pytest.mark.parametrize("layout", [("labels/a.txt", "images/a"), ("labels/val/a.txt", "images/val/a"), ("a.txt", "a")])
def test_yolo_takes_the_sizes_of_the_images_beside_the_labels(
    tmp_path: Path, layout: tuple[str, str], suffix: str
) -> None:
    labels, image = tmp_path / layout[0], tmp_path / f"{layout[1]}{suffix}"
    for path in (labels, image):
        path.parent.mkdir(parents=True, exist_ok=True)
    labels.write_text("0 0.5 0.5 1 1\n")
    (tmp_path / "classes.txt").write_text("car\n")
    image.write_bytes(cv2.imencode(suffix, np.zeros((48, 64, 3), np.uint8))[1].tobytes())
    assert truth(read_labels(tmp_path), 0).boxes.tolist() == [[0, 0, 64, 48]]
    assert truth(read_labels(tmp_path, sizes_in(tmp_path)), 0).boxes.tolist() == [[0, 0, 64, 48]]


def test_yolo_names_in_yaml_may_be_a_list(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: [car, person]\n")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("1 0.5 0.5 1 1\n")
    assert read_labels(tmp_path / "data.yaml", one_size(64, 48)).names == ("car", "person")


def test_yolo_without_names_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1 0.5 0.5 1 1\n")
    with pytest.raises(TruthBroken, match=r"put a classes\.txt or data\.yaml beside it"):
        YoloReader.read(tmp_path, one_size(64, 48))


def test_a_picture_that_lies_on_its_side_is_measured_as_it_is_shown(tmp_path: Path) -> None:
    jpeg = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
    tiff = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
    exif = b"Exif\x00\x00" + tiff
    turned = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    (tmp_path / "plain.jpg").write_bytes(jpeg)
    (tmp_path / "turned.jpg").write_bytes(turned)
    shown = cv2.imread(str(tmp_path / "turned.jpg")).shape
    assert picture_size(tmp_path / "plain.jpg") == (64, 48)
    assert picture_size(tmp_path / "turned.jpg") == (shown[1], shown[0]) == (48, 64)


@pytest.mark.parametrize(
    ("text", "class_map", "judged"),
    [
        (MOT, "mot_to_coco", {"person", "car", "bicycle", "motorcycle"}),
        (CVAT_IMAGES, "voc_to_coco", {"car"}),
        (CVAT_VIDEO, "voc_to_coco", {"car"}),
    ],
    ids=["mot", "cvat images", "cvat video"],
)
def test_names_meet_those_of_a_model_of_coco(tmp_path: Path, text: str, class_map: str, judged: set[str]) -> None:
    path = tmp_path / ("gt.txt" if text is MOT else "a.xml")
    path.write_text(text)
    labels = read_labels(path)
    agreed = agree(labels.names, None, [["person", "car", "bicycle", "motorcycle"]], suggested=labels.class_map)
    assert labels.class_map == class_map
    assert {agreed.vocabulary.names[k] for k in agreed.vocabulary.judged} == judged


def _ref(seq: int, key: str) -> FrameRef:
    from datetime import UTC, datetime

    return FrameRef(seq, key, math.nan, datetime(2024, 1, 1, tzinfo=UTC), 0, 0, 0)
