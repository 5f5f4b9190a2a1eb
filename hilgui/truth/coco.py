"""COCO JSON: images, annotations, categories; with the fields that drives add."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from hilgui.errors import TruthBroken
from hilgui.records import NO_TRACK, Truth
from hilgui.truth.label_file import peek, read_json
from hilgui.truth.protocol import LabelledFrame, Labels

_MAX_PX = 1e9
_ROWS = "images", "annotations", "categories"


class CocoReader:
    """Reads COCO detection labels (https://cocodataset.org/#format-data) and the CocoVID fields.

    An image is named by any of `file_name`, `frame_index` (from 0; or CocoVID's `frame_id`, where the file has one
    video) and `timestamp_s` or `time_s` (seconds since the first frame). An annotation needs `image_id`,
    `category_id` and `bbox` [x, y, width, height]; `area`, `iscrowd`, `ignore`, `track_id` (or `instance_id`),
    `distance_m` and `occlusion` (0..1) are taken where present. Categories keep the order of the file. Conditions
    come from `info.conditions`, or `info.day_part` and `info.weather`. Images without annotations are labelled and
    empty. Segments are not read.
    """

    format: ClassVar[str] = "COCO"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the file starts like a JSON object and speaks of images or annotations in its first MiB."""
        start = peek(path).removeprefix(b"\xef\xbb\xbf").lstrip()
        return start.startswith(b"{") and (b'"annotations"' in start or b'"images"' in start)

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read the labels; raises TruthBroken with the line of a slip in the JSON, or the entry that is wrong."""
        document, sha256 = read_json(path)
        try:
            names, numbers = _categories(document)
            frames = _frames(document, numbers)
        except _Flaw as flaw:
            raise TruthBroken(f"{path}: {flaw}", path=path) from flaw
        return Labels(path, cls.format, names, frames, sha256, conditions=_conditions(document))


class _Flaw(Exception):
    """A sentence about one entry, still without the name of the file."""


def _rows(document: Any, kind: str) -> list[dict[str, Any]]:
    rows = document.get(kind) if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise _Flaw(f'no list "{kind}"; COCO labels have {", ".join(_ROWS)}')
    for position, row in enumerate(rows):
        if not isinstance(row, dict):
            raise _Flaw(f"entry {position} of {kind} is not an object in braces")
    return rows


def _categories(document: Any) -> tuple[tuple[str, ...], dict[int | str, int]]:
    names: list[str] = []
    numbers: dict[int | str, int] = {}
    for position, row in enumerate(_rows(document, "categories")):
        where = f"category {position}"
        identity, name = _identity(row, "id", where), row.get("name")
        if not isinstance(name, str) or not name.strip():
            raise _Flaw(f"{where} (id {identity}) has no name")
        if identity in numbers:
            raise _Flaw(f"{where} repeats the id {identity}; ids must differ")
        if name.strip() in names:
            raise _Flaw(f'{where} repeats the name "{name}"; names must differ')
        numbers[identity] = len(names)
        names.append(name.strip())
    return tuple(names), numbers


def _frames(document: Any, numbers: dict[int | str, int]) -> tuple[LabelledFrame, ...]:
    images: dict[int | str, dict[str, Any]] = {}
    for position, row in enumerate(_rows(document, "images")):
        identity = _identity(row, "id", f"image {position}")
        if identity in images:
            raise _Flaw(f"image {position} repeats the id {identity}; ids must differ")
        images[identity] = row
    objects: dict[int | str, list[tuple[Any, ...]]] = defaultdict(list)
    for position, row in enumerate(_rows(document, "annotations")):
        where = f"annotation {position}" + (f" (id {_shown(row['id'])})" if "id" in row else "")
        image = _identity(row, "image_id", where)
        if image not in images:
            raise _Flaw(f"{where} belongs to image {image}, which is not in the list of images")
        objects[image].append(_object(row, numbers, where))
    one_video = len({str(row.get("video_id")) for row in images.values()}) <= 1
    return tuple(
        _frame(row, _truth(objects.get(identity, [])), one_video, f"image {identity}")
        for identity, row in images.items()
    )


def _frame(row: dict[str, Any], truth: Truth, one_video: bool, where: str) -> LabelledFrame:
    key = row.get("file_name", "")
    if not isinstance(key, str):
        raise _Flaw(f"{where}: file_name {_shown(key)} is not text")
    index = _whole(row, "frame_index", where)
    if index is None and one_video:
        index = _whole(row, "frame_id", where)
    time_s = _number(row, "timestamp_s", where)
    if time_s is None:
        time_s = _number(row, "time_s", where)
    if not key and index is None and time_s is None:
        raise _Flaw(f"{where} has no file_name, frame_index or time_s; nothing says which frame it is")
    if index is not None and index < 0:
        raise _Flaw(f"{where}: frame_index {index} is negative; frames count from 0")
    return LabelledFrame(truth, key, index, time_s)


def _object(row: dict[str, Any], numbers: dict[int | str, int], where: str) -> tuple[Any, ...]:
    category = _identity(row, "category_id", where)
    if category not in numbers:
        raise _Flaw(f"{where} has category {category}, which is not in the list of categories")
    x, y, width, height = _box(row, where)
    area = _number(row, "area", where)
    if area is not None and area < 0:
        raise _Flaw(f"{where} has the negative area {area:g}")
    track = _whole(row, "track_id", where)
    if track is None:
        track = _whole(row, "instance_id", where)
    occlusion = _number(row, "occlusion", where)
    if occlusion is not None and not 0 <= occlusion <= 1:
        raise _Flaw(f"{where} has occlusion {occlusion:g}; it runs from 0 to 1")
    distance_m = _number(row, "distance_m", where)
    return (
        (x, y, x + width, y + height),
        numbers[category],
        NO_TRACK if track is None else track,
        width * height if area is None else area,
        _flag(row, "iscrowd", where),
        _flag(row, "ignore", where),
        math.nan if distance_m is None else distance_m,
        math.nan if occlusion is None else occlusion,
    )


def _truth(objects: list[tuple[Any, ...]]) -> Truth:
    if not objects:
        return Truth.none()
    boxes, classes, tracks, areas, crowd, ignore, distance_m, occlusion = zip(*objects, strict=True)
    return Truth(
        np.array(boxes, np.float64),
        np.array(classes, np.int32),
        np.array(tracks, np.int64),
        np.array(areas, np.float64),
        np.array(crowd, np.bool_),
        np.array(ignore, np.bool_),
        np.array(distance_m, np.float32),
        np.array(occlusion, np.float32),
    )


def _box(row: dict[str, Any], where: str) -> list[float]:
    box = row.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise _Flaw(f"{where} has no bbox of four numbers [x, y, width, height]")
    values = [_finite(value, f"{where}: bbox") for value in box]
    if any(abs(value) > _MAX_PX for value in values):
        raise _Flaw(f"{where} has the bbox {values}, which is larger than any picture")
    if values[2] < 0 or values[3] < 0:
        raise _Flaw(
            f"{where} has a negative size, {values[2]:g} × {values[3]:g}; bbox is [x, y, width, height], not corners"
        )
    return values


def _identity(row: dict[str, Any], field: str, where: str) -> int | str:
    value = row.get(field)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _Flaw(f"{where} has no {field}" if value is None else f"{where}: {field} {_shown(value)} is not an id")
    return value


def _number(row: dict[str, Any], field: str, where: str) -> float | None:
    value = row.get(field)
    return None if value is None else _finite(value, f"{where}: {field}")


def _finite(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Flaw(f"{where} holds {_shown(value)}, which is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _Flaw(f"{where} holds a number that is too large")
    return number


def _whole(row: dict[str, Any], field: str, where: str) -> int | None:
    number = _number(row, field, where)
    if number is None:
        return None
    if number != int(number) or abs(number) >= 2**53:
        raise _Flaw(f"{where}: {field} {number:g} is not a whole number")
    return int(number)


def _flag(row: dict[str, Any], field: str, where: str) -> bool:
    value = row.get(field, 0)
    if value not in (0, 1):
        raise _Flaw(f"{where}: {field} is {_shown(value)}; it is 0 or 1")
    return bool(value)


def _conditions(document: dict[str, Any]) -> dict[str, str]:
    info = document.get("info")
    if not isinstance(info, dict):
        return {}
    told = info.get("conditions")
    told = told if isinstance(told, dict) else {}
    told = {**{word: info[word] for word in ("day_part", "weather") if word in info}, **told}
    return {str(name)[:80]: value[:80] for name, value in told.items() if isinstance(value, str)}


def _shown(value: Any) -> str:
    """Show a value in a sentence: short, and without walking into what may nest deeply."""
    return "a list or an object" if isinstance(value, list | dict) else f"{value!s:.40}"
