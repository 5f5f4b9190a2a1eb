"""What a format cannot hold, counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from hilgui.numerals import number_of
from hilgui.records import NO_CLASS, NO_TRACK, Truth
from hilgui.truth.protocol import LabelledFrame, Labels


class Holds(Enum):
    """One thing that labels may say; the value is how it is called when it is lost."""

    TRACKS = "identities over time"
    AREAS = "areas other than those of the boxes"
    CROWDS = "that they are crowds"
    IGNORED = "that they are not to be counted"
    DISTANCES = "distances"
    OCCLUSIONS = "shares of occlusion"
    TRUNCATIONS = "shares outside the picture"
    TAGS = "attributes"
    NAMES = "file names"
    NUMBERS = "frame numbers"
    TIMES = "times"
    CONDITIONS = "conditions"
    SIZES = "sizes of pictures"


_OF_OBJECTS: dict[Holds, Callable[[Truth], NDArray[np.bool_]]] = {
    Holds.TRACKS: lambda truth: truth.tracks != NO_TRACK,
    Holds.AREAS: lambda truth: ~np.isclose(truth.areas, _box_areas(truth), rtol=1e-6, atol=1e-6),
    Holds.CROWDS: lambda truth: truth.crowd,
    Holds.IGNORED: lambda truth: truth.ignore & (truth.classes != NO_CLASS),
    Holds.DISTANCES: lambda truth: np.isfinite(truth.distance_m),
    Holds.OCCLUSIONS: lambda truth: np.isfinite(truth.occlusion),
    Holds.TRUNCATIONS: lambda truth: np.isfinite(truth.truncation),
    Holds.TAGS: lambda truth: np.array([bool(tags) for tags in truth.tags], np.bool_),
}
_OF_FRAMES: dict[Holds, Callable[[LabelledFrame], bool]] = {
    Holds.NAMES: lambda frame: bool(frame.key),
    Holds.NUMBERS: lambda frame: frame.index is not None,
    Holds.TIMES: lambda frame: frame.time_s is not None,
    Holds.SIZES: lambda frame: bool(frame.width and frame.height),
}


def lost(labels: Labels, held: Sequence[Holds], form: str) -> list[str]:
    """Say in sentences what `labels` tell and a format that holds `held` does not keep."""
    sentences = []
    truths = [frame.truth for frame in labels.frames if frame.truth is not None]
    for thing, of in _OF_OBJECTS.items():
        count = 0 if thing in held else sum(int(of(truth).sum()) for truth in truths)
        if count:
            sentences.append(
                f"{form} cannot hold {thing.value}: {number_of(count, 'object loses its', 'objects lose theirs')}"
            )
    for thing, told in _OF_FRAMES.items():
        count = 0 if thing in held else sum(told(frame) for frame in labels.frames)
        if count:
            sentences.append(
                f"{form} cannot hold {thing.value}: {number_of(count, 'frame loses its', 'frames lose theirs')}"
            )
    if labels.conditions and Holds.CONDITIONS not in held:
        sentences.append(f"{form} cannot hold {Holds.CONDITIONS.value}: {', '.join(labels.conditions)} are lost")
    masks = sum(frame.mask is not None or frame.lanes is not None for frame in labels.frames)
    if masks:
        sentences.append(
            f"only boxes are converted: {number_of(masks, 'frame loses its', 'frames lose their')} mask or lanes"
        )
    return sentences


def counted(count: int, one: str, many: str, rest: str) -> list[str]:
    """Give one sentence when something happened at all: the count with its noun, then what became of it."""
    return [f"{number_of(count, one, many)} {rest}"] if count else []


def _box_areas(truth: Truth) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = (truth.boxes[:, 2] - truth.boxes[:, 0]) * (truth.boxes[:, 3] - truth.boxes[:, 1])
    return areas
