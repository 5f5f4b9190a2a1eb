"""MOTChallenge: gt.txt of a tracking sequence, with seqinfo.ini beside it."""

from __future__ import annotations

import configparser
import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from hilgui.errors import TruthBroken
from hilgui.numerals import number_of
from hilgui.records import NO_CLASS, NO_TRACK
from hilgui.truth.label_file import MAX_FRAMES, broken, lines, number, peek, read_text, whole
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.rows import LabelledObject, box_flaw, truth_of

CLASSES = (
    "pedestrian",
    "person_on_vehicle",
    "car",
    "bicycle",
    "motorbike",
    "non_motorized_vehicle",
    "static_person",
    "distractor",
    "occluder",
    "occluder_on_ground",
    "occluder_full",
    "reflection",
    "crowd",
)
REGIONS = frozenset({"person_on_vehicle", "static_person", "distractor", "reflection", "crowd"})
OCCLUDERS = frozenset({"occluder", "occluder_on_ground", "occluder_full"})

_COLUMNS = (9, 10)  # MOT16, 17, 20 with class and visibility; MOT15 with a place in the world
_DETECTIONS = 7
_MAX_BYTES = 128 * 2**20


class MotReader:
    """Reads the ground truth of MOTChallenge: a `gt.txt`, or the folder of a sequence that holds `gt/gt.txt`.

    A line is frame (from 1), identity, left, top, width, height (px, as written), flag, class, visibility; the ten
    columns of MOT15 are all pedestrians without visibility. As the benchmark does, rows with flag 0 are never counted
    (`ignore`), persons on vehicles, static persons, distractors, reflections and crowds take detections out (ignore
    regions without class), and occluders are no objects (left out). Occlusion is 1 − visibility. Frames from 1 to the
    last with a row are labelled, also where they are empty; the length in seqinfo.ini is compared and not believed.
    """

    format: ClassVar[str] = "MOT"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the file, or `gt/gt.txt` in the folder, starts with numbers between commas; detections too."""
        start = peek(_file(path), 512).removeprefix(b"\xef\xbb\xbf")
        words = start.strip().split(b"\n")[0].split(b",")
        return (
            path.suffix.lower() in ("", ".txt")
            and len(words) in (*_COLUMNS, _DETECTIONS)
            and all(map(_is_number, words))
        )

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read the labels; raises TruthBroken with the line, also for detections and results of a tracker."""
        file = _file(path)
        text, sha256 = read_text(file, limit=_MAX_BYTES)
        objects: dict[int, list[LabelledObject]] = defaultdict(list)
        seen: set[tuple[int, int]] = set()
        occluders = 0
        last, any_track = 0, False
        for line, words in lines(text):
            row = _row(file, line, [word.strip() for word in words.split(",")])
            last, any_track = max(last, row.frame), any_track or row.labelled.track != NO_TRACK
            if row.labelled.track != NO_TRACK and (row.frame, row.labelled.track) in seen:
                raise broken(file, f"identity {row.labelled.track} appears twice in frame {row.frame}", line)
            seen.add((row.frame, row.labelled.track))
            if row.occluder:
                occluders += 1
            else:
                objects[row.frame].append(row.labelled)
        if not last:
            raise TruthBroken(f"{file} holds no rows; export the labels again", path=file)
        if not any_track:
            raise TruthBroken(f"{file} holds detections without identities, not labels; give gt/gt.txt", path=file)
        info = _seqinfo(file)
        frames = tuple(
            LabelledFrame(
                truth_of(objects.get(count, [])),
                key=f"{count:06d}{info.suffix}" if info.suffix else "",
                index=count - 1,
                width=info.width,
                height=info.height,
            )
            for count in range(1, last + 1)
        )
        notes = [f"{number_of(occluders, 'occluder')} left out: no objects"] if occluders else []
        if info.length is not None and info.length != last:
            notes.append(
                f"seqinfo.ini says {info.length} frames, {file.name} ends with frame {last}: frames after it count as "
                "unlabelled"
            )
        return Labels(path, cls.format, CLASSES, frames, sha256, class_map="mot_to_coco", notes=tuple(notes))


@dataclass(frozen=True, slots=True)
class _Row:
    frame: int
    labelled: LabelledObject
    occluder: bool


@dataclass(frozen=True, slots=True)
class _Sequence:
    length: int | None = None
    suffix: str = ""
    width: int = 0
    height: int = 0


def _file(path: Path) -> Path:
    return path / "gt" / "gt.txt" if path.is_dir() else path


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _row(file: Path, line: int, words: list[str]) -> _Row:
    if len(words) == _DETECTIONS:
        raise broken(file, "7 columns: detections, not labels; give gt/gt.txt", line)
    if len(words) not in _COLUMNS:
        raise broken(file, f"{len(words)} columns where MOT labels have 9 (or 10 in MOT15)", line)
    frame = whole(file, line, words[0], "the frame")
    if not 1 <= frame <= MAX_FRAMES:
        raise broken(file, f"frame {frame}; frames count from 1 to at most {MAX_FRAMES}", line)
    track = whole(file, line, words[1], "the identity")
    left, top, width, height = (
        number(file, line, word, what)
        for word, what in zip(words[2:6], ("left", "top", "the width", "the height"), strict=True)
    )
    box = left, top, left + width, top + height
    if flaw := box_flaw(*box):
        raise broken(file, flaw, line)
    flag = number(file, line, words[6], "the flag")
    if flag not in (0, 1):
        raise broken(file, f"the flag is {words[6]}, where labels have 0 or 1: a file of results, not of labels", line)
    name, visibility = _kind(file, line, words)
    region = name in REGIONS
    labelled = LabelledObject(
        box,
        NO_CLASS if region else CLASSES.index(name),
        NO_TRACK if track < 0 else track,
        ignore=region or flag == 0,
        occlusion=1 - visibility,
    )
    return _Row(frame, labelled, name in OCCLUDERS)


def _kind(file: Path, line: int, words: list[str]) -> tuple[str, float]:
    if len(words) == 10:  # MOT15: the rest is a place in the world
        for word in words[7:]:
            number(file, line, word, "the place in the world")
        return CLASSES[0], math.nan
    kind = whole(file, line, words[7], "the class")
    if not 1 <= kind <= len(CLASSES):
        raise broken(file, f"class {kind}; MOT has the classes 1 to {len(CLASSES)}", line)
    visibility = number(file, line, words[8], "the visibility")
    if visibility != -1 and not 0 <= visibility <= 1:
        raise broken(file, f"visibility {visibility:g}; it runs from 0 to 1", line)
    return CLASSES[kind - 1], math.nan if visibility == -1 else visibility


def _seqinfo(file: Path) -> _Sequence:
    """Read the little that is used of seqinfo.ini; a file that is missing or broken tells nothing."""
    for folder in (file.parent, file.parent.parent):
        if (folder / "seqinfo.ini").is_file():
            parser = configparser.ConfigParser(interpolation=None, strict=False)
            try:
                parser.read_string(read_text(folder / "seqinfo.ini", limit=2**16)[0])
                section = parser["Sequence"]
                suffix = section.get("imExt", "")
                return _Sequence(
                    int(section["seqLength"]),
                    suffix if suffix.startswith(".") and len(suffix) < 8 else "",
                    max(0, int(section.get("imWidth", "0"))),
                    max(0, int(section.get("imHeight", "0"))),
                )
            except (configparser.Error, KeyError, ValueError, TruthBroken):
                return _Sequence()
    return _Sequence()
