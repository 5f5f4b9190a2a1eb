"""The scorecard of a run: every measurement of every model, fed moment by moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hilgui.evaluation.accumulator import Accumulator, Blaming, Resampled, Subject
from hilgui.evaluation.classification_quality import ClassificationQuality
from hilgui.evaluation.critical_quality import CriticalQuality
from hilgui.evaluation.depth_quality import DepthQuality
from hilgui.evaluation.detection_quality import DetectionQuality
from hilgui.evaluation.explanation import Behind, listed
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.geometry import cameras_of
from hilgui.evaluation.intervals import explained
from hilgui.evaluation.lane_quality import LaneQuality
from hilgui.evaluation.segmentation_quality import SegmentationQuality
from hilgui.evaluation.tracking_quality import TrackingQuality
from hilgui.records import Moment, Role, RunHeader, Task, Vocabulary
from hilgui.settings import stored_limits

MEASUREMENTS: dict[str, Callable[[Subject], Accumulator]] = {
    "detection": DetectionQuality,
    "tracking": TrackingQuality,
    "critical": CriticalQuality,
}
"""What is measured for each detector, by name; figures of all of them share one name space."""

OTHER_TASKS: dict[Task, dict[str, Callable[[Subject], Accumulator]]] = {
    Task.SEGMENTATION: {"segmentation": SegmentationQuality},
    Task.LANES: {"lanes": LaneQuality},
    Task.DEPTH: {"depth": DepthQuality},
    Task.CLASSIFICATION: {"classification": ClassificationQuality},
}
"""What is measured for models that give no boxes."""


class Scorecard:
    """Measures the models of a run while it plays, or again from its stored moments.

    The judge thread feeds it; a stored run does so through `report.evaluate`, perhaps at another threshold, with
    other classes or other truth. The same moments give the same figures, to the last bit. What figures remember of a
    long run lies in nameless files in `scratch`.
    """

    def __init__(
        self,
        header: RunHeader,
        *,
        thresholds: Mapping[Role, float] | None = None,
        vocabulary: Vocabulary | None = None,
        measurements: Mapping[str, Callable[[Subject], Accumulator]] | None = None,
        scratch: Path | None = None,
    ) -> None:
        made = MEASUREMENTS if measurements is None else measurements
        self.vocabulary = vocabulary or header.vocabulary
        self.subjects = {
            role: Subject(
                role,
                self.vocabulary,
                (thresholds or {}).get(role, facts.threshold),
                Task(facts.task),
                facts.classes,
                scratch,
            )
            for role, facts in header.models.items()
        }
        self.accumulators: dict[Role, dict[str, Accumulator]] = {
            role: {name: make(subject) for name, make in OTHER_TASKS.get(subject.task, made).items()}
            for role, subject in self.subjects.items()
        }
        self._judged = 0
        self.start_drive(header.run_id, header)

    def start_drive(self, name: str, header: RunHeader | None = None) -> None:
        """Begin another drive, measured with those before; its header tells limits and how its cameras are mounted."""
        for mine in self.accumulators.values():
            for accumulator in mine.values():
                accumulator.start_drive(name)
                if isinstance(accumulator, CriticalQuality) and header is not None:
                    limits = stored_limits(header.settings)
                    accumulator.look_through(cameras_of(header.source), None if limits is None else limits.criticality)

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        self._judged += moment.is_labelled
        for mine in self.accumulators.values():
            for accumulator in mine.values():
                accumulator.add(moment)

    @property
    def detectors(self) -> tuple[Role, ...]:
        """Name the models that give boxes."""
        return tuple(role for role, mine in self.accumulators.items() if "detection" in mine)

    def detection(self, role: Role) -> DetectionQuality:
        """Give the detection quality of a model, for intervals, clusters and the frames behind a figure."""
        quality = self.accumulators[role]["detection"]
        assert isinstance(quality, DetectionQuality)
        return quality

    def critical(self, role: Role) -> CriticalQuality | None:
        """Give the critical quality of a model, for the frames behind a figure; None where it is not measured."""
        quality = self.accumulators[role].get("critical")
        return quality if isinstance(quality, CriticalQuality) else None

    def with_intervals(self) -> dict[Role, dict[str, Figure]]:
        """Read all figures with their interval, or the reason why there is none; seconds for thousands of frames."""
        return {
            role: explained(
                {
                    name: figure
                    for each in mine.values()
                    for name, figure in (
                        each.with_intervals() if isinstance(each, Resampled) else each.figures()
                    ).items()
                }
            )
            for role, mine in self.accumulators.items()
        }

    def behind(self, role: Role, figure: str) -> list[Behind] | None:
        """Give the frames behind a figure that is measured beside detection, the worst first; None for any other."""
        for each in self.accumulators[role].values():
            if isinstance(each, Blaming):
                found = each.behind(figure)
                if found is not None:
                    return listed(each.book, found)
        return None

    def figures(self) -> dict[Role, dict[str, Figure]]:
        """Read all figures of each model, by name."""
        return {
            role: {name: figure for each in mine.values() for name, figure in each.figures().items()}
            for role, mine in self.accumulators.items()
        }

    def details(self) -> dict[Role, dict[str, Any]]:
        """Read curves and matrices of each model, by name."""
        return {
            role: {name: value for each in mine.values() for name, value in each.details().items()}
            for role, mine in self.accumulators.items()
        }

    def as_json(self, *, intervals: bool = False) -> dict[str, Any]:
        """Give what a run stores of each model by role.

        `map_50_95`, `map_50`, `map_75`, `frames`, `truths` and `per_class` (average precision), `figures` (all, by
        name) and `details` (curves and matrices).
        """
        figures, details = self.with_intervals() if intervals else self.figures(), self.details()
        plain: dict[str, Any] = {}
        for role, mine in self.accumulators.items():
            quality = mine.get("detection")
            head = {}
            if isinstance(quality, DetectionQuality):
                head = quality.average_precision().as_json(self.vocabulary)
            plain[role.value] = head | {
                "figures": {name: figure.as_json() for name, figure in figures[role].items()},
                "details": details[role],
            }
        return plain
