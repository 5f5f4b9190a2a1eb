"""COCO JSON: images, annotations, categories; with the fields that drives add."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any, ClassVar

from hilgui.errors import TruthBroken
from hilgui.records import NO_CLASS, NO_TRACK, Truth
from hilgui.truth.fields import Flaw, finite, flag, identity, number, rows, shown, size, text, whole
from hilgui.truth.label_file import peek, read_json
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.rows import MAX_PX, OCCLUDED, Attributes, LabelledObject, Names, share_told, truth_of

_ROWS = "images", "annotations", "categories"
_RESULTS = (b'"image_id"', b'"category_id"', b'"score"')
_KNOWN = frozenset(("id", "image_id", "category_id", "instance_id", "track_id", "iscrowd", "ignore", "segmentation"))
REGION_FIELD = "ignored_region"  # true in the category of our own files that stands for no class


class CocoReader:
    """Reads COCO detection labels (https://cocodataset.org/#format-data) and the CocoVID fields.

    An image is named by any of `file_name`, `frame_index` (from 0; or CocoVID's `frame_id`, where the file has one
    video) and `timestamp_s` or `time_s` (seconds since the first frame). An annotation needs `image_id`,
    `category_id` and `bbox` [x, y, width, height]; `area`, `iscrowd`, `ignore`, `track_id` (or `instance_id`),
    `distance_m`, `occlusion` and `truncation` (0..1) are taken where present; `attributes` (as CVAT exports them) and
    further texts and truth values become tags. Categories keep the order of the file. Conditions
    come from `info.conditions`, or `info.day_part` and `info.weather`. Images without annotations are labelled and
    empty. Segments are not read. A category with `ignored_region: true` (our own writer) holds regions without class.
    """

    format: ClassVar[str] = "COCO"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the file starts like a JSON object and speaks of images or annotations in its first MiB.

        COCO's list of results is recognised too, so that `read` can say what it is.
        """
        start = peek(path).removeprefix(b"\xef\xbb\xbf").lstrip()
        if start.startswith(b"["):
            return all(word in start[:4096] for word in _RESULTS)
        return start.startswith(b"{") and (b'"annotations"' in start or b'"images"' in start)

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read the labels; raises TruthBroken with the line of a slip in the JSON, or the entry that is wrong."""
        document, sha256 = read_json(path)
        if isinstance(document, list):
            raise TruthBroken(f"{path} is a list of results with scores, not labels; give the annotations", path=path)
        try:
            names, numbers = _categories(document)
            attributes = Attributes()
            frames = _frames(document, numbers, attributes)
        except Flaw as flaw:
            raise TruthBroken(f"{path}: {flaw}", path=path) from flaw
        return Labels(path, cls.format, names, frames, sha256, conditions=_conditions(document), notes=attributes.notes)


def _rows(document: Any, kind: str) -> list[dict[str, Any]]:
    if not isinstance(document, dict) or not isinstance(document.get(kind), list):
        raise Flaw(f'no list "{kind}"; COCO labels have {", ".join(_ROWS)}')
    return rows(document[kind], kind)


def _categories(document: Any) -> tuple[tuple[str, ...], dict[int | str, int]]:
    names = Names()
    numbers: dict[int | str, int] = {}
    for position, row in enumerate(_rows(document, "categories")):
        where = f"category {position}"
        key, name = identity(row, "id", where), row.get("name")
        if not isinstance(name, str) or not name.strip():
            raise Flaw(f"{where} (id {shown(key)}) has no name")
        if key in numbers:
            raise Flaw(f"{where} repeats the id {shown(key)}; ids must differ")
        if row.get(REGION_FIELD) is True:
            numbers[key] = NO_CLASS
            continue
        if name.strip() in names.all():
            raise Flaw(f'{where} repeats the name "{shown(name)}"; names must differ')
        try:
            numbers[key] = names.number(name)
        except ValueError as failure:
            raise Flaw(f"{where}: {failure}") from failure
    return names.all(), numbers


def _frames(document: Any, numbers: dict[int | str, int], attributes: Attributes) -> tuple[LabelledFrame, ...]:
    images: dict[int | str, dict[str, Any]] = {}
    for position, row in enumerate(_rows(document, "images")):
        key = identity(row, "id", f"image {position}")
        if key in images:
            raise Flaw(f"image {position} repeats the id {shown(key)}; ids must differ")
        images[key] = row
    objects: dict[int | str, list[LabelledObject]] = defaultdict(list)
    for position, row in enumerate(_rows(document, "annotations")):
        where = f"annotation {position}" + (f" (id {shown(row['id'])})" if "id" in row else "")
        image = identity(row, "image_id", where)
        if image not in images:
            raise Flaw(f"{where} belongs to image {shown(image)}, which is not in the list of images")
        objects[image].append(_object(row, numbers, attributes, where))
    one_video = len({shown(row.get("video_id")) for row in images.values()}) <= 1
    return tuple(
        _frame(row, truth_of(objects.get(key, [])), one_video, f"image {shown(key)}") for key, row in images.items()
    )


def _frame(row: dict[str, Any], truth: Truth, one_video: bool, where: str) -> LabelledFrame:
    key = text(row, "file_name", where)
    index = whole(row, "frame_index", where)
    if index is None and one_video:
        index = whole(row, "frame_id", where)
    time_s = number(row, "timestamp_s", where)
    if time_s is None:
        time_s = number(row, "time_s", where)
    if not key and index is None and time_s is None:
        raise Flaw(f"{where} has no file_name, frame_index or time_s; nothing says which frame it is")
    if index is not None and index < 0:
        raise Flaw(f"{where}: frame_index {index} is negative; frames count from 0")
    return LabelledFrame(truth, key, index, time_s, size(row, "width", where), size(row, "height", where))


def _object(row: dict[str, Any], numbers: dict[int | str, int], attributes: Attributes, where: str) -> LabelledObject:
    category = identity(row, "category_id", where)
    if category not in numbers:
        raise Flaw(f"{where} has category {shown(category)}, which is not in the list of categories")
    if row.get("score") is not None:
        raise Flaw(f"{where} has a score: a file of results, not of labels")
    x, y, width, height = _box(row, where)
    area = number(row, "area", where)
    if area is not None and area < 0:
        raise Flaw(f"{where} has the negative area {area:g}")
    track = whole(row, "track_id", where)
    if track is None:
        track = whole(row, "instance_id", where)
    distance_m = number(row, "distance_m", where)
    return LabelledObject(
        (x, y, x + width, y + height),
        numbers[category],
        NO_TRACK if track is None else track,
        width * height if area is None else area,
        flag(row, "iscrowd", where),
        flag(row, "ignore", where) or numbers[category] == NO_CLASS,
        math.nan if distance_m is None else distance_m,
        _occlusion(row, where),
        share_told(row.get("truncation")),
        tags=attributes.tags_of([*_attributes(row), *_further(row)]),
    )


def _further(row: dict[str, Any]) -> list[tuple[str, Any]]:
    """Give what else the row says in words; its further numbers (area, distance) are no attributes."""
    return [(name, value) for name, value in row.items() if name not in _KNOWN and isinstance(value, str | bool)]


def _attributes(row: dict[str, Any]) -> list[tuple[Any, Any]]:
    attributes = row.get("attributes")
    return list(attributes.items()) if isinstance(attributes, dict) else []


def _occlusion(row: dict[str, Any], where: str) -> float:
    occlusion = number(row, "occlusion", where)
    if occlusion is None:
        attributes = row.get("attributes")
        told = attributes.get("occluded") if isinstance(attributes, dict) else None  # as CVAT exports it
        return math.nan if not isinstance(told, bool) else OCCLUDED if told else 0.0
    if not 0 <= occlusion <= 1:
        raise Flaw(f"{where} has occlusion {occlusion:g}; it runs from 0 to 1")
    return occlusion


def _box(row: dict[str, Any], where: str) -> list[float]:
    box = row.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise Flaw(f"{where} has no bbox of four numbers [x, y, width, height]")
    values = [finite(value, f"{where}: bbox") for value in box]
    if any(abs(value) > MAX_PX for value in values):
        raise Flaw(f"{where} has the bbox {values}, which is larger than any picture")
    if values[2] < 0 or values[3] < 0:
        raise Flaw(
            f"{where} has a negative size, {values[2]:g} × {values[3]:g}; bbox is [x, y, width, height], not corners"
        )
    return values


def _conditions(document: dict[str, Any]) -> dict[str, str]:
    info = document.get("info")
    if not isinstance(info, dict):
        return {}
    told = info.get("conditions")
    told = told if isinstance(told, dict) else {}
    told = {**{word: info[word] for word in ("day_part", "weather") if word in info}, **told}
    return {str(name)[:80]: value[:80] for name, value in told.items() if isinstance(value, str)}
