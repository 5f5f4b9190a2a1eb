"""Confusion of pixel classes over a data set, and the figures that come out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.records import IGNORED_PIXEL

BACKGROUND = ("background", "bg", "other", "void")

# What a network calls a class and what label files call the same thing.
SAME = {
    "drivable": "road",
    "drivable area": "road",
    "drivable_area": "road",
    "sidewalk": "pavement",
    "vegetation": "tree",
    "pedestrian": "person",
    "bicyclist": "rider",
    "cyclist": "rider",
    "traffic sign": "sign",
}
# Classes of a network that lie on a class of the labels: road marks are painted on the road.
PARTS = {"mark": "road", "road mark": "road", "lane mark": "road", "lane marking": "road"}


@dataclass(frozen=True, slots=True, eq=False)
class PixelFigures:
    """Ratios from one confusion matrix; None where there was nothing to divide by."""

    iou: dict[str, float | None]  # by class, those the labels have; None where a class never occurs on either side
    mean_iou: float | None  # over the classes that occur
    pixel_accuracy: float | None
    frequency_weighted_iou: float | None
    pixels: int
    class_pixels: dict[str, int]  # labelled pixels


class PixelConfusion:
    """Counts how the classes of one head meet the classes of the labels; one matrix over all frames.

    Classes are the same where their names are (see `SAME`). What the labels have and the head does not is background
    where the head has a class of that kind, else it is not judged. What the head has and the labels do not is always a
    mistake where something else is labelled, and has no figure of its own. Pixels of 255 are left out.
    """

    def __init__(self, names: Sequence[str], labelled: Sequence[str]) -> None:
        self.names = tuple(names)
        self.labelled = tuple(labelled)
        known = {canonical(name): place for place, name in enumerate(names)}
        floor = next((known[name] for name in BACKGROUND if name in known), None)
        table = np.full(256, len(names), np.int64)  # one beyond: not judged
        for place, name in enumerate(labelled):
            found = known.get(canonical(name), floor)
            if found is not None:
                table[place] = found
        self._table = table
        said_by_labels = set(table[: len(labelled)].tolist())
        self._judged = [place for place in range(len(names)) if place in said_by_labels]
        self.counts = np.zeros((len(names), len(names)), np.int64)  # said, labelled
        self._members = self._joined()

    def add(self, said: NDArray[np.uint8], truth: NDArray[np.uint8], ignore: int = IGNORED_PIXEL) -> NDArray[np.int64]:
        """Take one frame (height, width); a map of another size is read at the nearest pixel. Gives its own counts."""
        size = len(self.names)
        said = _fitted(said, truth.shape)
        table = self._table.copy()
        table[ignore] = size
        codes = np.minimum(said, size).astype(np.int64) * (size + 1) + table[truth]
        counts = np.bincount(codes.ravel(), minlength=(size + 1) ** 2)[: (size + 1) ** 2].reshape(size + 1, size + 1)
        self.counts += counts[:size, :size]
        return counts[:size, :size]

    def sums(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give pixels that agree, said and labelled of each of `names_of_sums`, from counts of this head: (3, N)."""
        hits = [counts[members, place].sum() for members, place in self._members.values()]
        said = [counts[members].sum() for members, _ in self._members.values()]
        labelled = [counts[:, place].sum() for _, place in self._members.values()]
        return np.array([hits, said, labelled], np.int64).reshape(3, -1)

    @property
    def names_of_sums(self) -> tuple[str, ...]:
        """Name the classes that are judged, then those joined with what lies on them."""
        return tuple(self._members)

    @property
    def judged(self) -> int:
        """Count the classes that are judged: the first of `names_of_sums`."""
        return len(self._judged)

    def _joined(self) -> dict[str, tuple[list[int], int]]:
        """Give rows and column of the matrix that each figure of a class is made of."""
        members = {self.names[place]: ([place], place) for place in self._judged}
        for place in self._judged:
            parts = [
                other
                for other, name in enumerate(self.names)
                if other not in self._judged and PARTS.get(name.casefold()) == canonical(self.names[place])
            ]
            if parts:
                both = [place, *parts]
                members["+".join(self.names[each] for each in both)] = (both, place)
        return members

    def figures(self) -> PixelFigures:
        """Read the figures so far."""
        hits, said, labelled = self.counts.diagonal(), self.counts.sum(axis=1), self.counts.sum(axis=0)
        whole = int(self.counts.sum())
        found = {place: _ratio(hits[place], said[place] + labelled[place] - hits[place]) for place in self._judged}
        occurring = {place: value for place, value in found.items() if value is not None}
        weighted = sum(value * labelled[place] for place, value in occurring.items())
        return PixelFigures(
            iou={self.names[place]: value for place, value in found.items()},
            mean_iou=sum(occurring.values()) / len(occurring) if occurring else None,
            pixel_accuracy=_ratio(hits.sum(), whole),
            frequency_weighted_iou=float(weighted / whole) if whole else None,
            pixels=whole,
            class_pixels={self.names[place]: int(labelled[place]) for place in self._judged},
        )

    def with_parts(self) -> dict[str, tuple[float | None, int]]:
        """Give IoU and labelled pixels of classes together with what lies on them, as "road+mark"."""
        hits, said, labelled = self.sums(self.counts)
        return {
            name: (_ratio(hits[row], said[row] + labelled[row] - hits[row]), int(labelled[row]))
            for row, name in enumerate(self.names_of_sums)
            if row >= self.judged
        }


def canonical(name: str) -> str:
    """Give the one name for a class that has several."""
    plain = name.strip().casefold()
    return SAME.get(plain, plain)


def _fitted(grid: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if grid.shape == shape:
        return grid
    rows = ((np.arange(shape[0]) + 0.5) * grid.shape[0] / shape[0]).astype(np.int64)
    columns = ((np.arange(shape[1]) + 0.5) * grid.shape[1] / shape[1]).astype(np.int64)
    return grid[np.ix_(rows, columns)]


def _ratio(part: np.int64, whole: np.int64 | int) -> float | None:
    return float(part / whole) if whole else None
