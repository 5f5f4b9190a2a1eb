"""One small valid label set of every format, to be taken apart by the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from hilgui.truth import Labels
from hilgui.truth.coco import CocoReader
from hilgui.truth.cvat import CvatReader
from hilgui.truth.image_size import one_size
from hilgui.truth.kitti import KittiReader
from hilgui.truth.kitti_tracking import KittiTrackingReader
from hilgui.truth.lane_masks import LaneMaskReader
from hilgui.truth.masks import MaskReader
from hilgui.truth.mot import MotReader
from hilgui.truth.openimages import OpenImagesReader
from hilgui.truth.openlabel import OpenLabelReader
from hilgui.truth.otb import OtbReader
from hilgui.truth.scalabel import ScalabelReader
from hilgui.truth.tusimple import TuSimpleReader
from hilgui.truth.voc import VocReader
from hilgui.truth.yolo import YoloReader

COCO = (
    '{"info": {"weather": "rain"}, "images": [{"id": 1, "file_name": "a.png", "frame_index": 0, "timestamp_s": 0.5,'
    ' "width": 64, "height": 48}],\n"annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4.5],'
    ' "area": 9, "iscrowd": 0, "track_id": 7, "distance_m": 12.5, "occlusion": 0.25}],\n'
    '"categories": [{"id": 3, "name": "car"}]}'
)
SCALABEL = (
    '[{"name": "a.jpg", "videoName": "v", "frameIndex": 0, "attributes": {"weather": "clear", "timeofday": "daytime"},'
    ' "size": {"width": 64, "height": 48}, "labels": [{"id": "7", "category": "car", "attributes": {"occluded": true,'
    ' "crowd": false}, "box2d": {"x1": 1, "y1": 2, "x2": 3.5, "y2": 4}}, {"id": "8", "category": "lane",'
    ' "poly2d": []}]},'
    '\n{"name": "b.jpg", "videoName": "v", "frameIndex": 1, "labels": null}]'
)
OPENLABEL = (
    '{"openlabel": {"metadata": {"schema_version": "1.0.0"}, "streams": {"cam": {"type": "camera", "stream_properties":'
    ' {"intrinsics_pinhole": {"width_px": 64, "height_px": 48}}}}, "objects": {"7": {"name": "x", "type": "car"}},'
    ' "frames": {"0": {"objects": {"7": {"object_data": {"bbox": [{"name": "shape", "val": [10, 20, 4, 6],'
    ' "attributes": {"boolean": [{"name": "occluded", "val": true}], "num": [{"name": "distance_m", "val": 8.5}]}}],'
    ' "poly2d": [{}]}}},'
    ' "frame_properties": {"timestamp": 0.1, "streams": {"cam": {"uri": "a.png"}}}}}}}'
)
VOC = (
    "<annotation>\n<filename>a.jpg</filename><size><width>64</width><height>48</height><depth>3</depth></size>\n"
    "<object><name>car</name><difficult>1</difficult><occluded>1</occluded>"
    "<bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>\n</annotation>\n"
)
CVAT_IMAGES = (
    '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta><task><labels><label>'
    "<name>car</name></label></labels></task></meta>\n"
    '<image id="0" name="a.jpg" width="64" height="48"><box label="car" occluded="1" xtl="1.5" ytl="2" xbr="30"'
    ' ybr="40">'
    '<attribute name="iscrowd">true</attribute></box><polygon label="car" points="1,2;3,4"/></image></annotations>\n'
)
CVAT_VIDEO = (
    '<?xml version="1.0" encoding="utf-8"?>\n<annotations><meta><task><start_frame>0</start_frame>'
    "<stop_frame>9</stop_frame><original_size><width>64</width><height>48</height></original_size></task></meta>\n"
    '<track id="3" label="car"><box frame="2" outside="0" occluded="0" keyframe="1" xtl="0" ytl="0" xbr="10" ybr="10"/>'
    '<box frame="6" outside="0" occluded="1" keyframe="1" xtl="8" ytl="4" xbr="18" ybr="14"/>'
    '<box frame="7" outside="1" occluded="0" keyframe="1" xtl="8" ytl="4" xbr="18" ybr="14"/></track></annotations>\n'
)
KITTI = (
    "Car 0.00 2 1.85 387.63 181.54 423.81 203.12 1.67 1.87 3.69 -16.53 2.39 58.49 1.57\n"
    "DontCare -1 -1 -10 503.89 169.71 590.61 190.13 -1 -1 -1 -1000 -1000 -1000 -10\n"
)
KITTI_TRACKING = (
    "0 -1 DontCare -1 -1 -10 5 6 7 8 -1000 -1000 -1000 -10 -1 -1 -1\n"
    "2 4 Van 0 1 -1.5 10.5 20 30 40 1.6 1.7 3.9 -4 1.7 18.5 -1.6\n"
)
MOT = "1,3,10,20,30,40,1,1,0.75\n1,4,50,20,30,40,0,8,1\n3,3,12,20,30,40,1,1,0.5\n3,9,12,20,30,40,0,11,1\n"
OTB = "10\t20\t30\t40\n11,20,30,40\nNaN NaN NaN NaN\n"
OPENIMAGES = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
    'a.jpg,,car,,"0,25","0,5",0.125,0.75,1,,1,,\n'
)
YOLO = "0 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.9 0.1 0.9 0.8\n"
TUSIMPLE = '{"lanes": [[-2, 10, 12], [30, 31, -2]], "h_samples": [10, 20, 30], "raw_file": "clips/1/20.jpg"}\n'


@dataclass(frozen=True)
class Sample:
    """A label set in a folder: which file is taken apart, and how the set is read."""

    name: str
    file: str
    content: Callable[[], bytes]
    read: Callable[[Path], Labels]  # of the folder
    beside: tuple[tuple[str, bytes], ...] = ()

    def put(self, folder: Path, content: bytes | None = None) -> Path:
        """Write the set, with other bytes in its file where some are given."""
        for name, other in self.beside:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(other)
        (folder / self.file).parent.mkdir(parents=True, exist_ok=True)
        (folder / self.file).write_bytes(self.content() if content is None else content)
        return folder


def mask() -> bytes:
    """Draw a mask of four classes and unlabelled."""
    pixels = np.zeros((48, 64), np.uint8)
    pixels[20:], pixels[30:, 10:30], pixels[40:, 50:] = 3, 8, 11
    return cv2.imencode(".png", pixels)[1].tobytes()


def lane_mask() -> bytes:
    """Draw two lanes."""
    pixels = np.zeros((48, 64), np.uint8)
    pixels[5:, 10:13], pixels[15:, 40:44] = 20, 70
    return cv2.imencode(".png", pixels)[1].tobytes()


def _text(text: str) -> Callable[[], bytes]:
    return lambda: text.encode()


def _loaded(labels: Labels) -> Labels:
    """Ask for the pixels too."""
    for frame in labels.frames:
        for lazy in (frame.mask, frame.lanes):
            if lazy is not None:
                lazy.load()
    return labels


SAMPLES = [
    Sample("coco", "a.json", _text(COCO), lambda folder: CocoReader.read(folder / "a.json")),
    Sample("scalabel", "a.json", _text(SCALABEL), lambda folder: ScalabelReader.read(folder / "a.json")),
    Sample("openlabel", "a.json", _text(OPENLABEL), lambda folder: OpenLabelReader.read(folder / "a.json")),
    Sample("voc", "a.xml", _text(VOC), VocReader.read),
    Sample("cvat images", "a.xml", _text(CVAT_IMAGES), lambda folder: CvatReader.read(folder / "a.xml")),
    Sample("cvat video", "a.xml", _text(CVAT_VIDEO), lambda folder: CvatReader.read(folder / "a.xml")),
    Sample("kitti", "a.txt", _text(KITTI), KittiReader.read),
    Sample("kitti tracking", "a.txt", _text(KITTI_TRACKING), KittiTrackingReader.read),
    Sample("mot", "gt/gt.txt", _text(MOT), MotReader.read),
    Sample(
        "mot seqinfo",
        "seqinfo.ini",
        _text("[Sequence]\nname=x\nseqLength=1050\nimWidth=64\nimHeight=48\nimExt=.jpg\n"),
        MotReader.read,
        (("gt/gt.txt", MOT.encode()),),
    ),
    Sample("otb", "groundtruth_rect.txt", _text(OTB), OtbReader.read),
    Sample(
        "openimages",
        "a.csv",
        _text(OPENIMAGES),
        lambda folder: OpenImagesReader.read(folder / "a.csv", one_size(64, 48)),
    ),
    Sample(
        "yolo",
        "labels/a.txt",
        _text(YOLO),
        lambda folder: YoloReader.read(folder, one_size(64, 48)),
        (("classes.txt", b"car\nperson\n"),),
    ),
    Sample(
        "yolo names",
        "data.yaml",
        _text("path: .\nnc: 2\nnames:\n  0: car\n  1: person\n"),
        lambda folder: YoloReader.read(folder, one_size(64, 48)),
        (("labels/a.txt", YOLO.encode()),),
    ),
    Sample("tusimple", "a.json", _text(TUSIMPLE), lambda folder: _loaded(TuSimpleReader.read(folder / "a.json"))),
    Sample("masks", "labels/a.png", mask, lambda folder: _loaded(MaskReader.read(folder))),
    Sample(
        "mask names",
        "labels/classes.txt",
        _text("sky\nroad\nvoid\nkerb\ncar\na\nb\nc\nd\ne\nf\nunlabelled\n"),
        lambda folder: _loaded(MaskReader.read(folder)),
        (("labels/a.png", mask()),),
    ),
    Sample("lane masks", "gt_instance_image/a.png", lane_mask, lambda folder: _loaded(LaneMaskReader.read(folder))),
]
