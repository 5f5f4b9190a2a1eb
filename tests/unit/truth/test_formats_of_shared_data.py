"""Every label set of the shared data opens, or is refused for a stated reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from hilgui import plugins
from hilgui.errors import TruthBroken
from hilgui.truth import read_labels
from hilgui.truth.image_size import sizes_of

_VOC = "eval_vectors/rafaelpadilla_database/gts"


@dataclass(frozen=True)
class Opens:
    path: str
    format: str
    frames: int
    objects: int
    names: int


OPEN = [
    Opens("drives/mot17_mini/MOT17-04-FRCNN", "MOT", 8, 472, 13),
    Opens("drives/mot17_mini/MOT17-04-FRCNN/gt/gt.txt", "MOT", 8, 472, 13),
    Opens("drives/otb_crossing", "OTB", 120, 120, 1),
    Opens("drives/kitti_2011_09_26_drive_0052/label_2_keyframes", "KITTI", 4, 38, 8),
    Opens("drives/kitti_2011_09_26_drive_0052/lidar_depth_keyframes", "depth maps", 4, 0, 0),
    Opens("drives/camvid_0016E5_val", "masks", 61, 0, 12),
    Opens("drives/camvid_0016E5_val/labels", "masks", 61, 0, 12),
    Opens("images_gt/kitti_mini/label_2", "KITTI", 18, 132, 8),
    Opens("images_gt/kitti_mini/tracking/label_02/0001.txt", "KITTI tracking", 447, 4271, 8),
    Opens("images_gt/kitti_mini/tracking/label_02/0016.txt", "KITTI tracking", 209, 4145, 8),
    Opens("images_gt/kitti_mini/tracking/label_02", "KITTI tracking", 656, 8416, 8),
    Opens("images_gt/tusimple_lanenet", "lane masks", 6, 0, 0),
    Opens("images_gt/tusimple_lanenet/gt_instance_image", "lane masks", 6, 0, 0),
    Opens("images_gt/coco_val2017_100/instances_val2017_100.json", "COCO", 100, 714, 80),
    Opens("eval_vectors/coco_val2014_fake100/instances_val2014_100.json", "COCO", 100, 839, 80),
    Opens("eval_vectors/scalabel_bdd100k_det/track_sample_anns.json", "Scalabel", 202, 3241, 6),
    Opens("eval_vectors/motmetrics_tud/TUD-Campus/gt.txt", "MOT", 71, 359, 13),
    Opens("eval_vectors/motmetrics_tud/TUD-Stadtmitte/gt.txt", "MOT", 179, 1156, 13),
    *(
        Opens(f"{_VOC}/{folder}", form, 100, 273, 20)
        for folder, form in [
            ("coco_format_v1", "COCO"),
            ("coco_format_v2", "COCO"),
            ("cvat_format", "CVAT"),
            ("imagenet_format", "Pascal VOC"),
            ("openimages_format", "OpenImages"),
            ("pascalvoc_format", "Pascal VOC"),
            ("yolo_format", "YOLO"),
        ]
    ),
]

REFUSED = [
    ("drives/mot17_mini/MOT17-04-FRCNN/det/det.txt", "detections, not labels"),
    ("drives/camvid_0016E5_val/images", "holds pictures and no labels that hilgui knows"),
    ("images_gt/tusimple_lanenet/gt_binary_image", "do not tell lanes apart"),
    ("images_gt/tusimple_lanenet/train.txt", "holds no labels that hilgui knows"),
    (
        "images_gt/kitti_mini/image_2",
        r"holds pictures and no labels .* labels lie in .*label_2 \(KITTI\)",
    ),
    ("images_gt/kitti_mini", r"labels lie in .*label_2 \(KITTI\)"),
    ("images_gt/kitti_mini/tracking/image_02", r"holds pictures and no .* labels lie in .*label_02 \(KITTI tracking\)"),
    ("images_gt/kitti_mini/tracking/image_02/0001", "holds pictures and no labels"),
    ("images_gt/kitti_mini/tracking", r"labels lie in .*label_02 \(KITTI tracking\)"),
    ("eval_vectors/coco_val2014_fake100/instances_val2014_fakebbox100_results.json", "list of results"),
    ("eval_vectors/coco_val2014_fake100/instances_val2014_fakesegm100_results.json", "list of results"),
    ("eval_vectors/scalabel_bdd100k_det/bbox_predictions.json", "a file of results"),
    ("eval_vectors/scalabel_bdd100k_det/bbox_predictions_empty.json", "a file of results"),
    ("eval_vectors/motmetrics_tud/TUD-Campus/test.txt", "a file of results"),
    ("eval_vectors/motmetrics_tud/TUD-Stadtmitte/test.txt", "a file of results"),
    ("eval_vectors/rafaelpadilla_test_case_1/gts", "holds no labels that hilgui knows"),
    ("eval_vectors/rafaelpadilla_test_case_1/dets", "holds no labels that hilgui knows"),
    ("eval_vectors/rafaelpadilla_database/dets/abs_xywh", "holds no labels that hilgui knows"),
    ("eval_vectors/rafaelpadilla_database/dets/abs_xyx2y2", "holds no labels that hilgui knows"),
    ("eval_vectors/rafaelpadilla_database/dets/rel_xywh", "holds no labels that hilgui knows"),
    ("eval_vectors/rafaelpadilla_database/dets/coco_format", "a file of results"),
]


@pytest.mark.parametrize("wanted", OPEN, ids=lambda wanted: wanted.path)
def test_a_label_set_opens(shared_data: Path, wanted: Opens) -> None:
    sizes = sizes_of(read_labels(shared_data / _VOC / "coco_format_v1"))  # the images themselves are not there
    labels = read_labels(shared_data / wanted.path, sizes)
    objects = sum(len(frame.truth) for frame in labels.frames if frame.truth is not None)
    assert (labels.format, len(labels.frames), objects, len(labels.names)) == (
        wanted.format,
        wanted.frames,
        wanted.objects,
        wanted.names,
    )


@pytest.mark.parametrize(("path", "reason"), REFUSED)
def test_what_is_no_label_set_is_refused_for_a_reason(shared_data: Path, path: str, reason: str) -> None:
    with pytest.raises(TruthBroken, match=reason):
        read_labels(shared_data / path)


@pytest.mark.parametrize("folder", ["yolo_format", "openimages_format"])
def test_shares_of_pictures_that_are_not_there_are_refused(shared_data: Path, folder: str) -> None:
    with pytest.raises(TruthBroken, match="nobody knows how large"):
        read_labels(shared_data / _VOC / folder)


@pytest.mark.parametrize("wanted", OPEN, ids=lambda wanted: wanted.path)
def test_at_most_one_reader_recognises_a_label_set(shared_data: Path, wanted: Opens) -> None:
    readers = plugins.working("hilgui.truth_readers")
    names = [name for name, reader in readers.items() if reader.recognises(shared_data / wanted.path)]
    assert len(names) <= 1  # none for a folder that holds one label file


def test_no_label_set_of_the_shared_data_is_left_out_of_these_lists(shared_data: Path) -> None:
    """Look for label files by suffix, so that a set that comes later is not forgotten."""
    listed = [shared_data / each.path for each in OPEN] + [shared_data / path for path, _ in REFUSED]
    beside = {"EXPECTED.json", "seqinfo.ini", "voc.names", "det_configs.toml", "EXPECTED_val2014_fake_eval_res.txt"}
    forgotten = []
    for room in ("drives", "images_gt", "eval_vectors"):
        for file in (shared_data / room).rglob("*"):
            if file.suffix in (".txt", ".json", ".xml", ".csv") and file.name not in beside:
                if "calib" in file.parts or file.name in ("val.txt", "train.txt"):
                    continue
                if not any(path == file or path in file.parents for path in listed):
                    forgotten.append(str(file.relative_to(shared_data)))
    assert not forgotten
