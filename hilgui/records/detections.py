"""What a model says about one frame, and what the labels say."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

NO_CLASS = -1
NO_TRACK = -1

Tags = tuple[tuple[str, str], ...]  # name and value of what labels say of one object: (("clothing", "dark"),)


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Objects a model reports, one row each, sorted by falling score.

    Because of the order, the rows at or above a threshold are a prefix: `count_above`.
    """

    boxes: NDArray[np.float32]  # (N, 4) x1 y1 x2 y2 in pixels of the original image
    scores: NDArray[np.float32]  # (N,) 0..1
    classes: NDArray[np.int32]  # (N,) index into the run's Vocabulary

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.scores)

    @classmethod
    def none(cls) -> Detections:
        """Give an empty set."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32))

    def count_above(self, threshold: float) -> int:
        """Count the rows whose score is at least `threshold`."""
        return int(np.count_nonzero(self.scores >= np.float32(threshold)))

    def first(self, count: int) -> Detections:
        """Keep the `count` best rows."""
        return Detections(self.boxes[:count], self.scores[:count], self.classes[:count])

    def where(self, mask: NDArray[np.bool_]) -> Detections:
        """Keep the rows that the mask names, in order."""
        return Detections(self.boxes[mask], self.scores[mask], self.classes[mask])

    def with_classes(self, classes: NDArray[np.int32]) -> Detections:
        """Give the same boxes other class numbers."""
        return replace(self, classes=classes)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Labelled objects of one frame, one row each.

    `crowd` rows follow COCO (may swallow many detections of their class); `ignore` rows are never counted:
    with a class they are labels too hard to judge, with `NO_CLASS` they are regions (KITTI's DontCare, a mask)
    that take a detection of any class out when intersection / detection area reaches .5.
    """

    boxes: NDArray[np.float64]  # (G, 4) x1 y1 x2 y2 in pixels
    classes: NDArray[np.int32]  # (G,) index into the run's Vocabulary, or NO_CLASS
    tracks: NDArray[np.int64]  # (G,) identity over time, or NO_TRACK
    areas: NDArray[np.float64]  # (G,) px², as labelled (COCO: of the segment)
    crowd: NDArray[np.bool_]
    ignore: NDArray[np.bool_]
    distance_m: NDArray[np.float32]  # (G,) NaN where unknown
    occlusion: NDArray[np.float32]  # (G,) 0..1, NaN where unknown
    truncation: NDArray[np.float32]  # (G,) share outside the picture, NaN where unknown
    tags: tuple[Tags, ...] = ()  # (G,) attributes as the labels write them; empty where no row has any

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.classes)

    @classmethod
    def none(cls) -> Truth:
        """Give an empty set: a labelled frame without objects."""
        return cls.of(np.empty((0, 4)), np.empty(0, np.int32))

    @classmethod
    def of(
        cls,
        boxes: NDArray[np.float64],
        classes: NDArray[np.int32],
        *,
        tracks: NDArray[np.int64] | None = None,
        areas: NDArray[np.float64] | None = None,
        crowd: NDArray[np.bool_] | None = None,
        ignore: NDArray[np.bool_] | None = None,
        distance_m: NDArray[np.float32] | None = None,
        occlusion: NDArray[np.float32] | None = None,
        truncation: NDArray[np.float32] | None = None,
    ) -> Truth:
        """Fill what a label format does not know: no track, area of the box, not a crowd, not ignored."""
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        count = len(boxes)
        if areas is None:
            areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        return cls(
            boxes=boxes,
            classes=np.asarray(classes, np.int32),
            tracks=np.full(count, NO_TRACK, np.int64) if tracks is None else np.asarray(tracks, np.int64),
            areas=np.asarray(areas, np.float64),
            crowd=np.zeros(count, np.bool_) if crowd is None else np.asarray(crowd, np.bool_),
            ignore=np.zeros(count, np.bool_) if ignore is None else np.asarray(ignore, np.bool_),
            distance_m=np.full(count, np.nan, np.float32) if distance_m is None else np.asarray(distance_m, np.float32),
            occlusion=np.full(count, np.nan, np.float32) if occlusion is None else np.asarray(occlusion, np.float32),
            truncation=np.full(count, np.nan, np.float32) if truncation is None else np.asarray(truncation, np.float32),
        )

    def where(self, mask: NDArray[np.bool_]) -> Truth:
        """Keep the rows that the mask names, in order."""
        return Truth(
            self.boxes[mask],
            self.classes[mask],
            self.tracks[mask],
            self.areas[mask],
            self.crowd[mask],
            self.ignore[mask],
            self.distance_m[mask],
            self.occlusion[mask],
            self.truncation[mask],
            tuple(each for each, is_kept in zip(self.tags, mask.tolist(), strict=True) if is_kept) if self.tags else (),
        )

    def beside(self, other: Truth) -> Truth:
        """Give the rows of both, those of the other behind."""
        names = [field.name for field in fields(self) if field.name != "tags"]
        tags: tuple[Tags, ...] = ()
        if self.tags or other.tags:
            tags = (*(self.tags or ((),) * len(self)), *(other.tags or ((),) * len(other)))
        columns = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names}
        return Truth(**columns, tags=tags)
