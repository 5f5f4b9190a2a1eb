"""Labelled objects on their way from a file to the parallel arrays of `Truth`."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hilgui.records import NO_TRACK, Tags, Truth

MAX_PX = 1e9
OCCLUDED = 0.5  # the share we read into a format's plain "occluded"
_MAX_CLASSES = 10_000
_MAX_NAME = 200
_MOST_TAGS = 32  # of one object
_LONGEST_TAG = 64
_MOST_NAMED = 8  # attributes in a note
_MOST_LEFT_OUT = 1000  # names that are remembered: whoever makes files has no end of them

EMPTY = Truth.none()  # shared by all frames that are labelled and empty


@dataclass(frozen=True, slots=True)
class LabelledObject:
    """One object as a label file tells it."""

    box: tuple[float, float, float, float]  # x1 y1 x2 y2 in pixels
    class_number: int  # index into the names of the labels, or NO_CLASS
    track: int = NO_TRACK
    area: float | None = None  # px², None: that of the box
    crowd: bool = False
    ignore: bool = False
    distance_m: float = math.nan
    occlusion: float = math.nan
    truncation: float = math.nan
    tags: Tags = ()


class Attributes:
    """Keeps attributes that may be groups, and remembers the names of those that are none."""

    def __init__(self) -> None:
        self._left_out: set[str] = set()

    @property
    def notes(self) -> tuple[str, ...]:
        """Say for the operator which attributes are no groups; nothing where all are."""
        if not self._left_out:
            return ()
        names = sorted(self._left_out)
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        listed = ", ".join(names[:_MOST_NAMED]) + more
        return (f"attributes with numbers, colours or long texts make no groups and were left out: {listed}",)

    def tags_of(self, said: Iterable[tuple[Any, Any]]) -> Tags:
        """Keep short texts and truth values; numbers, colours and free text are no groups."""
        found: dict[str, str] = {}
        for name, value in said:
            if isinstance(value, bool):
                value = "yes" if value else "no"
            if not isinstance(name, str) or not isinstance(value, str | int | float):
                continue
            name = name.strip()
            if not name or len(name) > _LONGEST_TAG:
                continue
            value = value.strip() if isinstance(value, str) else None
            if value is None or len(value) > _LONGEST_TAG or value.startswith("#"):
                if len(self._left_out) < _MOST_LEFT_OUT:
                    self._left_out.add(name)
            elif value:
                found.setdefault(sys.intern(name), sys.intern(value))
        return tuple(sorted(found.items())[:_MOST_TAGS])


def share_told(value: Any) -> float:
    """Take a share that a format does not define, where it is one; NaN where it is something else of that name."""
    is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return float(value) if is_share else math.nan


def truth_of(objects: Sequence[LabelledObject]) -> Truth:
    """Put the objects of one frame into parallel arrays, in order."""
    if not objects:
        return EMPTY
    boxes = np.array([each.box for each in objects], np.float64)
    sizes = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return Truth(
        boxes,
        np.array([each.class_number for each in objects], np.int32),
        np.array([each.track for each in objects], np.int64),
        np.array([size if each.area is None else each.area for each, size in zip(objects, sizes, strict=True)]),
        np.array([each.crowd for each in objects], np.bool_),
        np.array([each.ignore for each in objects], np.bool_),
        np.array([each.distance_m for each in objects], np.float32),
        np.array([each.occlusion for each in objects], np.float32),
        np.array([each.truncation for each in objects], np.float32),
        tuple(each.tags for each in objects) if any(each.tags for each in objects) else (),
    )


class Names:
    """Class names in the order in which they were first said."""

    def __init__(self, known: Sequence[str] = ()) -> None:
        self._numbers = {name: number for number, name in enumerate(known)}

    def number(self, name: str) -> int:
        """Give the number of a name, a new one if nobody said it before; raises ValueError with the reason."""
        name = name.strip()
        if name not in self._numbers:
            if not name:
                raise ValueError("the class has no name")
            if len(name) > _MAX_NAME:
                raise ValueError(f"the class name {name[:40]}… is longer than {_MAX_NAME} characters")
            if len(self._numbers) >= _MAX_CLASSES:
                raise ValueError(f"there are more than {_MAX_CLASSES} class names")
            self._numbers[name] = len(self._numbers)
        return self._numbers[name]

    def all(self) -> tuple[str, ...]:
        """List the names."""
        return tuple(self._numbers)


class Tracks:
    """Numbers for the identities that a format writes as text: in the order in which they were first said."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, identity: str) -> int:
        """Give the number of an identity, counted from 0."""
        return self._numbers.setdefault(identity, len(self._numbers))


def box_flaw(x1: float, y1: float, x2: float, y2: float) -> str:
    """Say what is wrong with a box, "" when nothing is."""
    if x2 < x1 or y2 < y1:
        return f"the box ends before it begins: {x1:g} {y1:g} {x2:g} {y2:g}"
    if max(abs(value) for value in (x1, y1, x2, y2)) > MAX_PX:
        return f"the box {x1:g} {y1:g} {x2:g} {y2:g} is larger than any picture"
    return ""
