"""ASAM OpenLABEL JSON: objects with boxes in frames."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

from hilgui.errors import TruthBroken
from hilgui.numerals import number_of
from hilgui.records import NO_CLASS
from hilgui.truth.fields import Flaw, finite, flag, identity, number, part, rows, shown, size, text
from hilgui.truth.label_file import MAX_FRAMES, peek, read_json
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.rows import OCCLUDED, Attributes, LabelledObject, Names, box_flaw, share_told, truth_of

REGION_TYPE = "IgnoreRegion"  # the object type of our own files that stands for no class
_NO_TAGS = ("ignore", "iscrowd", "untracked")
NO_TRACK_FIELD = "untracked"  # a boolean of our own files: the object exists in this frame only


class OpenLabelReader:
    """Reads ASAM OpenLABEL 1.0 (https://www.asam.net/standards/detail/openlabel/): 2D boxes in frames.

    A box is `bbox` [centre x, centre y, width, height] in px in the `object_data` of a frame; the class is the `type`
    of the object; identities that are no numbers become some. `frame_properties.timestamp` in
    seconds is the time, `frame_properties.streams.*.uri` the file name. Booleans `occluded` (read as .5), `ignore`,
    `iscrowd` and numbers `occlusion`, `distance_m` are taken from the attributes of the box; these
    and further booleans and texts of box or object become tags. Rotated boxes, cuboids,
    polygons are left out and counted; boxes of two cameras are refused.
    """

    format: ClassVar[str] = "OpenLABEL"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the file starts like a JSON object with "openlabel"."""
        start = peek(path, 4096).removeprefix(b"\xef\xbb\xbf").lstrip()
        return start.startswith(b"{") and b'"openlabel"' in start

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read the labels; raises TruthBroken with the line of a slip in the JSON, or the frame that is wrong."""
        document, sha256 = read_json(path)
        try:
            root = part(document if isinstance(document, dict) else {}, "openlabel", "the file")
            reading = _Reading(root)
            frames = reading.frames(root)
        except Flaw as flaw:
            raise TruthBroken(f"{path}: {flaw}", path=path) from flaw
        left_out = f"{number_of(reading.left_out, 'shape')} other than upright boxes left out"
        notes = (*((left_out,) if reading.left_out else ()), *reading.attributes.notes)
        return Labels(path, cls.format, reading.names.all(), frames, sha256, notes=notes)


class _Reading:
    def __init__(self, root: dict[str, Any]) -> None:
        self.names = Names()
        self.left_out = 0
        self.attributes = Attributes()
        self._objects = part(root, "objects", "openlabel")
        self._numbers = _numbers(list(self._objects))
        self._cameras: set[str] = set()
        self._size = _size(root)

    def frames(self, root: dict[str, Any]) -> tuple[LabelledFrame, ...]:
        found = part(root, "frames", "openlabel")
        if not found:
            raise Flaw("no frames; hilgui reads objects in frames")
        for key in found:
            if not key.isascii() or not key.isdigit() or len(key) > 9 or int(key) >= MAX_FRAMES:
                raise Flaw(f"frame {shown(key)} is not a number below {MAX_FRAMES}")
        if len({int(key) for key in found}) != len(found):
            raise Flaw("a frame number appears twice")
        return tuple(self._frame(part(found, key, f"frame {key}"), int(key)) for key in sorted(found, key=int))

    def _frame(self, row: dict[str, Any], index: int) -> LabelledFrame:
        where = f"frame {index}"
        objects = []
        for uid, told in part(row, "objects", where).items():
            data = part(told if isinstance(told, dict) else {}, "object_data", f"{where}, object {shown(uid)}")
            for kind, shapes in data.items():
                if kind == "bbox":
                    boxes = rows(shapes, f"{where}, object {shown(uid)}: bbox")
                    tags = [*_said(self._objects.get(uid)), *_said(told)]
                    objects += [self._object(uid, box, tags, f"{where}, object {shown(uid)}") for box in boxes]
                elif kind in ("rbbox", "cuboid", "poly2d", "poly3d", "mat", "point2d", "point3d", "image", "mesh"):
                    self.left_out += len(shapes) if isinstance(shapes, list) else 1
        properties = part(row, "frame_properties", where)
        stamp = properties.get("timestamp")
        time_s = finite(stamp, f"{where}: timestamp") if isinstance(stamp, int | float) else None
        return LabelledFrame(truth_of(objects), _uri(properties, where), index, time_s, *self._size)

    def _object(self, uid: str, box: dict[str, Any], tags: list[tuple[Any, Any]], where: str) -> LabelledObject:
        values = box.get("val")
        if not isinstance(values, list) or len(values) != 4:
            raise Flaw(f"{where}: bbox needs four numbers [centre x, centre y, width, height]")
        x, y, width, height = (finite(value, f"{where}: bbox") for value in values)
        corners = x - width / 2, y - height / 2, x + width / 2, y + height / 2
        if flaw := box_flaw(*corners):
            raise Flaw(f"{where}: {flaw}")
        self._cameras.add(text(box, "coordinate_system", where))
        if len(self._cameras) > 1:
            raise Flaw(f"boxes of several cameras ({', '.join(sorted(self._cameras))}); export those of one")
        said = _attributes(box, where)
        distance_m, occlusion = said.get("distance_m"), said.get("occlusion")
        if occlusion is not None and not 0 <= occlusion <= 1:
            raise Flaw(f"{where} has occlusion {occlusion:g}; it runs from 0 to 1")
        if occlusion is None:
            occlusion = math.nan if "occluded" not in said else OCCLUDED * said["occluded"]
        class_number = self._class(uid, where)
        return LabelledObject(
            corners,
            class_number,
            -1 if said.get(NO_TRACK_FIELD) else self._numbers[uid],
            area=said.get("area"),
            crowd=bool(said.get("iscrowd")),
            ignore=bool(said.get("ignore")) or class_number == NO_CLASS,
            distance_m=math.nan if distance_m is None else distance_m,
            occlusion=occlusion,
            truncation=share_told(said.get("truncation")),
            tags=self.attributes.tags_of([*_texts(box.get("attributes")), *tags]),
        )

    def _class(self, uid: str, where: str) -> int:
        if uid not in self._objects:
            raise Flaw(f"{where} is not in the list of objects")
        kind = text(part(self._objects, uid, where), "type", where)
        if kind == REGION_TYPE:
            return NO_CLASS
        try:
            return self.names.number(kind)
        except ValueError as failure:
            raise Flaw(f"{where}: {failure}") from failure


def _numbers(uids: list[str]) -> dict[str, int]:
    """Give every identity a number: its own where it is one, the next free ones to the others."""
    numbers = {uid: int(uid) for uid in uids if uid.isascii() and uid.isdigit() and len(uid) < 16}
    start = max(numbers.values(), default=-1) + 1
    rest = (uid for uid in uids if uid not in numbers)
    return {**numbers, **{uid: number for number, uid in enumerate(rest, start)}}


def _attributes(box: dict[str, Any], where: str) -> dict[str, float]:
    """Take the booleans and numbers that are written beside a box."""
    attributes = part(box, "attributes", where)
    said: dict[str, float] = {}
    for row in rows(attributes.get("boolean", []), f"{where}: booleans"):
        said[shown(identity(row, "name", where))] = float(flag(row, "val", where))
    for row in rows(attributes.get("num", []), f"{where}: numbers"):
        value = number(row, "val", where)
        if value is not None:
            said[shown(identity(row, "name", where))] = value
    return said


def _said(told: Any) -> list[tuple[Any, Any]]:
    """Take texts and booleans that are said of an object, in the file as a whole or in a frame."""
    return _texts(told.get("object_data")) if isinstance(told, dict) else []


def _texts(data: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for kind in ("text", "boolean"):
        told = data.get(kind) if isinstance(data, dict) else None
        listed = [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []
        found += [(name, row.get("val")) for row in listed if (name := row.get("name")) not in _NO_TAGS]
    return found


def _uri(properties: dict[str, Any], where: str) -> str:
    streams = part(properties, "streams", where)
    uris = [text(part(streams, name, where), "uri", where) for name in streams]
    return uris[0] if len(uris) == 1 else ""


def _size(root: dict[str, Any]) -> tuple[int, int]:
    """Take width and height from the one camera that the file describes."""
    streams = part(root, "streams", "openlabel")
    if len(streams) != 1:
        return 0, 0
    (name,) = streams
    where = f"stream {shown(name)}"
    properties = part(part(streams, name, where), "stream_properties", where)
    pinhole = part(properties, "intrinsics_pinhole", where)
    return size(pinhole, "width_px", where), size(pinhole, "height_px", where)
