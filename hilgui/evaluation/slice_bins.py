"""Slices: the conditions of an object and its frame, each in a few named bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.criticality import Criticality
from hilgui.records import FrameHealth, Moment

UNKNOWN = "unknown"

DISTANCES_M = (15.0, 30.0, 50.0)
HEIGHTS_PX = (25.0, 40.0, 80.0)
OCCLUSIONS = (0.1, 0.4, 0.8)
SPEEDS_MPS = (1.0, 8.3, 16.7)  # standing, to 30 and 60 km/h

DARK_MEAN = 40.0  # grey levels
SATURATED_SHARE = 0.25
FLAT_DEVIATION = 15.0


@dataclass(frozen=True, slots=True)
class Bins:
    """One dimension with borders: the bin of a value is the number of borders at or below it."""

    name: str
    borders: tuple[float, ...]
    labels: tuple[str, ...]  # one more than borders

    def of(self, values: NDArray[np.floating]) -> list[str]:
        """Name the bin of each value, "unknown" for NaN."""
        places = np.searchsorted(np.array(self.borders), values, side="right").tolist()
        return [
            UNKNOWN if unknown else self.labels[place]
            for place, unknown in zip(places, np.isnan(values).tolist(), strict=True)
        ]

    def codes(self, values: NDArray[np.floating]) -> NDArray[np.int16]:
        """Give the place of the bin of each value among `names`."""
        places = np.searchsorted(np.array(self.borders), values, side="right")
        return np.where(np.isnan(values), len(self.labels), places).astype(np.int16)

    @property
    def names(self) -> tuple[str, ...]:
        """Name the bins, the last of them for what nobody knows."""
        return (*self.labels, UNKNOWN)


DISTANCE = Bins("distance", DISTANCES_M, ("< 15 m", "15–30 m", "30–50 m", "≥ 50 m"))
HEIGHT = Bins("height", HEIGHTS_PX, ("< 25 px", "25–40 px", "40–80 px", "≥ 80 px"))
OCCLUSION = Bins("occlusion", OCCLUSIONS, ("visible", "partly", "largely", "hidden"))
SPEED = Bins("speed", SPEEDS_MPS, ("standing", "< 30 km/h", "30–60 km/h", "≥ 60 km/h"))

OF_OBJECTS = ("class", "distance", "height", "occlusion", "corridor")


def frame_bins(moment: Moment, camera: str) -> dict[str, str]:
    """Name the bins of a frame: speed of the vehicle, quality of the image, camera."""
    speed = np.array([np.nan if moment.speed_mps is None else moment.speed_mps])
    return {"speed": SPEED.of(speed)[0], "image": image_quality(moment.health), "camera": moment.ref.channel or camera}


def image_quality(health: FrameHealth) -> str:
    """Name what is wrong with an image, "good" where nothing is."""
    if health.saturated > SATURATED_SHARE:
        return "over-exposed"
    if health.mean < DARK_MEAN:
        return "dark"
    return "low contrast" if health.deviation < FLAT_DEVIATION else "good"


def object_names(classes: Sequence[str]) -> list[tuple[str, ...]]:
    """Name the codes of each of OF_OBJECTS; the last class stands for regions without one."""
    return [(*classes, "none"), DISTANCE.names, HEIGHT.names, OCCLUSION.names, ("outside", "inside")]


def object_codes(
    classes: NDArray[np.int32], boxes: NDArray[np.floating], known: Criticality, occlusion: NDArray[np.floating]
) -> NDArray[np.int16]:
    """Give the bins of each object of a frame as codes (N, 5): class, distance, height, occlusion, corridor.

    A region without class has the code -1 there.
    """
    return np.stack(
        [
            classes.astype(np.int16),
            DISTANCE.codes(known.distance_m),
            HEIGHT.codes(np.asarray(boxes[:, 3] - boxes[:, 1], np.float64)),
            OCCLUSION.codes(np.asarray(occlusion, np.float64)),
            known.in_corridor.astype(np.int16),
        ],
        axis=1,
    )
