"""Where an object went: its box followed from one frame to another through all boxes that were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hilgui.cornercases.boxes import Box, overlap

_NEAR_IOU = 0.3  # from one frame to the next


@dataclass(frozen=True, slots=True)
class Trail:
    """Follows objects through the boxes of each frame, those of models and of labels alike."""

    boxes: Mapping[int, Sequence[Box]]  # by frame; x1 y1 x2 y2 px

    def follow(self, box: Box, start: int, end: int) -> Box:
        """Give where the object of a box at frame `start` is at frame `end`, earlier or later.

        From frame to frame the box that overlaps most is taken; where none does the object stays where it was.
        """
        step = 1 if end >= start else -1
        for seq in range(start + step, end + step, step) if end != start else ():
            nearest = max(self.boxes.get(seq, ()), key=lambda one: overlap(box, one), default=None)
            if nearest is not None and overlap(box, nearest) >= _NEAR_IOU:
                box = nearest
        return box
