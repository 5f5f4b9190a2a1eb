"""Scalabel JSON, which BDD100K uses: a list of frames with labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from hilgui.errors import TruthBroken
from hilgui.numerals import number_of
from hilgui.truth.fields import Flaw, finite, flag, part, rows, shown, size, text, whole
from hilgui.truth.label_file import peek, read_json
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.rows import OCCLUDED, Attributes, LabelledObject, Names, Tracks, box_flaw, truth_of

_FIELDS = re.compile(rb'"(labels|frameIndex|videoName|box2d)"')
_CONDITIONS = {"weather": "weather", "timeofday": "day_part", "scene": "scene"}
_NO_TAGS = ("crowd", "ignored")
_DAY_PARTS = {"daytime": "day", "dawn/dusk": "dusk"}


class ScalabelReader:
    """Reads Scalabel's format (https://doc.scalabel.ai/format.html) as BDD100K writes it: boxes only.

    The file is a list of frames, or an object with `frames` and `config`. A frame has `name`, `videoName`,
    `frameIndex` (from 0), `attributes` and `labels`; a label has `id`, `category`, `box2d` (x1 y1 x2 y2, px, as
    written) and `attributes`: `crowd`, `ignored`, `occluded` (read as .5, since it names no share); all but
    the first two become tags. Identities become numbers, each video its own. Conditions (weather, timeofday, scene)
    are kept where all frames agree.
    `labels: null` is a labelled frame without objects. Labels without `box2d` (areas, lanes) are left out and counted.
    """

    format: ClassVar[str] = "Scalabel"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the file starts like a list of named frames, or like an object with such a list."""
        start = peek(path, 2**16).removeprefix(b"\xef\xbb\xbf").lstrip()
        if start.startswith(b"["):
            return b'"name"' in start and _FIELDS.search(start) is not None
        return start.startswith(b"{") and b'"frames"' in start and b'"openlabel"' not in start and b'"name"' in start

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read the labels; raises TruthBroken with the line of a slip in the JSON, or the frame that is wrong."""
        document, sha256 = read_json(path)
        names = Names()
        try:
            found = rows(document.get("frames") if isinstance(document, dict) else document, "the list of frames")
            several = len({shown(row.get("videoName")) for row in found}) > 1
            reading = _Reading(names, several)
            frames = tuple(reading.frame(row, position) for position, row in enumerate(found))
            conditions = _conditions(found)
        except Flaw as flaw:
            raise TruthBroken(f"{path}: {flaw}", path=path) from flaw
        notes = (
            (f"{number_of(reading.without_box, 'label')} without a box2d (areas, lanes) left out",)
            if reading.without_box
            else ()
        ) + reading.attributes.notes
        return Labels(
            path,
            cls.format,
            names.all(),
            frames,
            sha256,
            class_map="bdd100k_to_coco",
            conditions=conditions,
            notes=notes,
        )


class _Reading:
    def __init__(self, names: Names, several: bool) -> None:
        self.without_box = 0
        self.attributes = Attributes()
        self._names = names
        self._several = several
        self._tracks = Tracks()

    def frame(self, row: dict[str, Any], position: int) -> LabelledFrame:
        where = f"frame {position}"
        name, video = text(row, "name", where), text(row, "videoName", where)
        index = whole(row, "frameIndex", where)
        if index is not None and index < 0:
            raise Flaw(f"{where}: frameIndex {index} is negative; frames count from 0")
        if self._several:
            index = None  # it counts within one video, and no one knows which is replayed
        if not name and index is None:
            raise Flaw(f"{where} has no name and no frameIndex; nothing says which frame it is")
        objects = []
        labels = row.get("labels")
        for number, label in enumerate(rows([] if labels is None else labels, f"labels of {where}")):
            labelled = self._object(label, video, f"{where}, label {number}")
            if labelled is None:
                self.without_box += 1
            else:
                objects.append(labelled)
        pixels = part(row, "size", where)
        return LabelledFrame(
            truth_of(objects), name, index, None, size(pixels, "width", where), size(pixels, "height", where)
        )

    def _object(self, label: dict[str, Any], video: str, where: str) -> LabelledObject | None:
        if label.get("score") is not None:
            raise Flaw(f"{where} has a score: a file of results, not of labels")
        if label.get("box2d") is None:
            return None
        box = part(label, "box2d", where)
        x1, y1, x2, y2 = (finite(box.get(side), f"{where}: {side} of box2d") for side in ("x1", "y1", "x2", "y2"))
        if flaw := box_flaw(x1, y1, x2, y2):
            raise Flaw(f"{where}: {flaw}")
        attributes = part(label, "attributes", where)
        try:
            class_number = self._names.number(text(label, "category", where))
        except ValueError as failure:
            raise Flaw(f"{where}: {failure}") from failure
        identity = label.get("id")
        if isinstance(identity, bool | list | dict | float):
            raise Flaw(f"{where}: id {shown(identity)} is not an id")
        occluded = attributes.get("occluded")
        return LabelledObject(
            (x1, y1, x2, y2),
            class_number,
            -1 if identity is None else self._tracks.number(f"{video}\0{shown(identity)}"),
            crowd=flag(attributes, "crowd", where),
            ignore=flag(attributes, "ignored", where),
            occlusion=float("nan") if not isinstance(occluded, bool) else OCCLUDED if occluded else 0.0,
            tags=self.attributes.tags_of((name, value) for name, value in attributes.items() if name not in _NO_TAGS),
        )


def _conditions(found: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Take what all frames say alike."""
    conditions = {}
    for theirs, ours in _CONDITIONS.items():
        told = {shown(attributes.get(theirs)) for row in found if isinstance(attributes := row.get("attributes"), dict)}
        if len(told) == 1 and not told & {"None", "undefined"}:
            (word,) = told
            conditions[ours] = _DAY_PARTS.get(word, word) if ours == "day_part" else word
    return conditions
