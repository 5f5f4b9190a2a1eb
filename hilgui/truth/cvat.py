"""CVAT XML: images with boxes, or a video with tracks."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from hilgui.errors import TruthBroken
from hilgui.numerals import number_of
from hilgui.records import NO_TRACK
from hilgui.truth.label_file import MAX_FRAMES, broken, peek
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.rows import OCCLUDED, Attributes, LabelledObject, Names, box_flaw, truth_of
from hilgui.truth.xml_file import Element, read_xml

_CORNERS = ("xtl", "ytl", "xbr", "ybr")
_SHAPES = frozenset({"polygon", "polyline", "points", "mask", "cuboid", "ellipse", "skeleton", "tag"})
_MAX_OBJECTS = 2_000_000
_MAX_LEAP = 3000  # frames between two boxes of a track: a minute and more
_TRUE = frozenset({"1", "true", "yes"})
_NO_TAGS = ("iscrowd", "crowd", "ignore", "difficult")


class CvatReader:
    """Reads "CVAT for images" and "CVAT for video" 1.1: boxes and tracks of boxes.

    `outside` boxes are no objects. `occluded` is read as .5, since it names no share. Attributes named `ignore`,
    `difficult`, `iscrowd` or `crowd` that are true count as such. Between two boxes of a track with frames between
    them the box moves in a straight line, as CVAT shows it. Images are named by `name`; frames of a video by number,
    from `start_frame` to `stop_frame` of the task (else from 0 to the last box), labelled also where they are empty.
    Rotated boxes and other shapes are left out and counted.
    """

    format: ClassVar[str] = "CVAT"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the file is XML that starts with <annotations>."""
        return path.suffix.lower() == ".xml" and b"<annotations" in peek(path, 4096)

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read the labels; raises TruthBroken with the line."""
        root, sha256 = read_xml(path)
        if root.tag != "annotations":
            root.refuse(f"<{root.tag}> where CVAT has <annotations>")
        names = Names()
        for label in _labels(root):
            _class(label, label.words("name"), names)
        reading = _Reading(path, names)
        images, tracks = root.all("image"), root.all("track")
        if images and tracks:
            raise TruthBroken(f"{path} holds images and tracks; export one task", path=path)
        frames = reading.video(root, tracks) if tracks else tuple(reading.image(image) for image in images)
        if not frames:
            raise TruthBroken(f"{path} holds no images and no tracks; export the task again", path=path)
        left_out = f"{number_of(reading.left_out, 'shape')} other than upright boxes left out"
        notes = (*((left_out,) if reading.left_out else ()), *reading.attributes.notes)
        return Labels(path, cls.format, names.all(), frames, sha256, class_map="voc_to_coco", notes=notes)


@dataclass(frozen=True, slots=True)
class _Shape:
    frame: int
    outside: bool
    labelled: LabelledObject


class _Reading:
    def __init__(self, path: Path, names: Names) -> None:
        self.left_out = 0
        self.attributes = Attributes()
        self._path = path
        self._names = names
        self._count = 0

    def image(self, image: Element) -> LabelledFrame:
        name = image.value("name")
        if not name:
            image.refuse("an <image> without a name")
        objects = []
        for shape in image.children:
            if shape.tag == "box" and not _is_rotated(shape):
                if shape.attributes.get("outside") != "1":
                    objects.append(self._object(shape, shape.value("label")))
            elif shape.tag == "box" or shape.tag in _SHAPES:
                self.left_out += 1
        return LabelledFrame(truth_of(objects), name, width=_length(image, "width"), height=_length(image, "height"))

    def video(self, root: Element, tracks: list[Element]) -> tuple[LabelledFrame, ...]:
        objects: dict[int, list[LabelledObject]] = defaultdict(list)
        for position, track in enumerate(tracks):
            shapes = self._shapes(track, position)
            for before, after in zip(shapes, [*shapes[1:], None], strict=True):
                for each in _until(before, after):
                    self._count += 1
                    if self._count > _MAX_OBJECTS:
                        raise TruthBroken(f"{self._path} holds more than {_MAX_OBJECTS} boxes", path=self._path)
                    objects[each.frame].append(each.labelled)
        first, last = _range(root, max(objects, default=-1))
        width, height = _video_size(root)
        return tuple(
            LabelledFrame(truth_of(objects.get(count, [])), index=count, width=width, height=height)
            for count in range(min(first, min(objects, default=first)), max(last, max(objects, default=last)) + 1)
        )

    def _shapes(self, track: Element, position: int) -> list[_Shape]:
        number = _whole(track, "id") if "id" in track.attributes else position
        shapes = []
        for shape in track.children:
            if shape.tag != "box" or _is_rotated(shape):
                self.left_out += shape.tag == "box" or shape.tag in _SHAPES
                continue
            frame = _whole(shape, "frame")
            if not 0 <= frame < MAX_FRAMES:
                shape.refuse(f"frame {frame}; frames count from 0 to at most {MAX_FRAMES}")
            labelled = replace(self._object(shape, track.value("label")), track=number)
            shapes.append(_Shape(frame, shape.attributes.get("outside") == "1", labelled))
        shapes.sort(key=lambda shape: shape.frame)
        if any(before.frame == after.frame for before, after in itertools.pairwise(shapes)):
            track.refuse(f"track {number} has two boxes in one frame")
        for before, after in itertools.pairwise(shapes):
            if not before.outside and after.frame - before.frame > _MAX_LEAP:
                track.refuse(f"track {number} leaps from frame {before.frame} to {after.frame}; end it with outside")
        return shapes

    def _object(self, shape: Element, label: str) -> LabelledObject:
        x1, y1, x2, y2 = (shape.number(side) for side in _CORNERS)
        if flaw := box_flaw(x1, y1, x2, y2):
            shape.refuse(flaw)
        said = {
            each.attributes.get("name", "").casefold()
            for each in shape.all("attribute")
            if each.text.strip().casefold() in _TRUE
        }
        occluded = shape.attributes.get("occluded")
        return LabelledObject(
            (x1, y1, x2, y2),
            _class(shape, label, self._names),
            NO_TRACK,
            crowd=bool(said & {"iscrowd", "crowd"}),
            ignore=bool(said & {"ignore", "difficult"}),
            occlusion=math.nan if occluded is None else OCCLUDED if occluded == "1" else 0.0,
            tags=self.attributes.tags_of(
                (name, each.text)
                for each in shape.all("attribute")
                if (name := each.attributes.get("name", "")).casefold() not in _NO_TAGS
            ),
        )


def _labels(root: Element) -> list[Element]:
    """List the labels that the task, or the job, declares."""
    found = root.first("meta")
    for tag in ("task", "job", "project"):
        inner = None if found is None else found.first(tag)
        labels = None if inner is None else inner.first("labels")
        if labels is not None:
            return labels.all("label")
    return []


def _class(element: Element, name: str, names: Names) -> int:
    try:
        return names.number(name)
    except ValueError as failure:
        element.refuse(str(failure))


def _is_rotated(shape: Element) -> bool:
    return "rotation" in shape.attributes and shape.number("rotation") != 0


def _until(before: _Shape, after: _Shape | None) -> list[_Shape]:
    """Give a box and those in a straight line from it up to the next one."""
    if before.outside:
        return []
    steps = 1 if after is None else after.frame - before.frame
    shapes = [before]
    for step in range(1, steps):
        assert after is not None, "a box without a successor has one step"
        share = step / steps
        pairs = zip(before.labelled.box, after.labelled.box, strict=True)
        x1, y1, x2, y2 = (start + (end - start) * share for start, end in pairs)
        shapes.append(_Shape(before.frame + step, False, replace(before.labelled, box=(x1, y1, x2, y2))))
    return shapes


def _range(root: Element, last_box: int) -> tuple[int, int]:
    for element in _tasks(root):
        start, stop = element.first("start_frame"), element.first("stop_frame")
        if start is not None and stop is not None and start.text.isdigit() and stop.text.isdigit():
            if len(stop.text) > 9 or int(stop.text) >= MAX_FRAMES:
                raise broken(root.path, f"stop_frame {stop.text[:20]} is beyond {MAX_FRAMES} frames", stop.line)
            return min(int(start.text), int(stop.text)), int(stop.text)
    return 0, last_box


def _video_size(root: Element) -> tuple[int, int]:
    meta = root.first("meta")
    for element in [*_tasks(root), *([] if meta is None else [meta])]:
        original = element.first("original_size")
        if original is not None:
            words = original.words("width"), original.words("height")
            if all(word.isascii() and word.isdigit() and len(word) < 7 for word in words):
                return int(words[0]), int(words[1])
    return 0, 0


def _tasks(root: Element) -> list[Element]:
    meta = root.first("meta")
    found = [] if meta is None else [meta.first("task"), meta.first("job")]
    return [element for element in found if element is not None]


def _whole(element: Element, attribute: str) -> int:
    value = element.number(attribute)
    if value != int(value):
        element.refuse(f"{attribute} {value:g} is not a whole number")
    return int(value)


def _length(image: Element, attribute: str) -> int:
    length = _whole(image, attribute) if attribute in image.attributes else 0
    if not 0 <= length <= 10**6:
        image.refuse(f"{attribute} {length} is not the size of a picture")
    return length
