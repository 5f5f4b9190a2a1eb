"""Tags of labels as dimensions of slices: clothing, skin tone, whatever the label file says of its objects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hilgui.records import Tags

PREFIX = "attribute:"
MOST_VALUES = 60  # an attribute with more is a name or a note, not a group


class SliceTags:
    """Collects the tags of every label in the order in which frames and their labels come."""

    def __init__(self) -> None:
        self._rows: list[Tags] = []

    def add(self, tags: Sequence[Tags], count: int) -> None:
        """Take those of the next frame with `count` labels; none of them has any where `tags` is empty."""
        self._rows += tags or [()] * count

    @property
    def left_out(self) -> tuple[str, ...]:
        """Name the attributes with so many values that they are no groups."""
        values: dict[str, set[str]] = {}
        for tags in self._rows:
            for name, value in tags:
                values.setdefault(name, set()).add(value)
        return tuple(f"{PREFIX}{name}" for name in sorted(values) if len(values[name]) > MOST_VALUES)

    def coded(self) -> tuple[list[tuple[str, tuple[str, ...]]], NDArray[np.int16]]:
        """Give dimensions with the names of their codes, and the codes (labels, dimensions), -1 where nobody says."""
        values: dict[str, dict[str, int]] = {}
        for tags in self._rows:
            for name, value in tags:
                known = values.setdefault(name, {})
                known.setdefault(value, len(known))
        kept = [name for name in sorted(values) if len(values[name]) <= MOST_VALUES]
        column = {name: place for place, name in enumerate(kept)}
        codes = np.full((len(self._rows), len(kept)), -1, np.int16)
        for row, tags in enumerate(self._rows):
            for name, value in tags:
                if name in column:
                    codes[row, column[name]] = values[name][value]
        return [(f"{PREFIX}{name}", tuple(values[name])) for name in kept], codes
