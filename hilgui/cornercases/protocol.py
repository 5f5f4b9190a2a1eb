"""What a corner-case detector is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from hilgui.cornercases.following import Following
from hilgui.cornercases.grading import Grading
from hilgui.cornercases.labelled import Labelling
from hilgui.cornercases.self_noise import NO_NOISE, SelfNoise
from hilgui.cornercases.shifts import Shifts
from hilgui.cornercases.threads import Threads
from hilgui.cornercases.waits import Waits
from hilgui.drift import Monitor
from hilgui.evaluation.geometry import CameraGeometry
from hilgui.records import Hit, Kind, Moment, Role, Vocabulary
from hilgui.settings import CornerCaseLimits


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a detector may know about the run before its first frame."""

    limits: CornerCaseLimits
    vocabulary: Vocabulary
    thresholds: dict[Role, float]  # score threshold of each model's card; its keys are the roles present
    period_s: float | None  # nominal frame period; None for an unordered set
    real_time: bool  # live, or replayed at a finite speed: deadlines mean something
    noise: SelfNoise = NO_NOISE  # smaller differences are no findings
    camera: CameraGeometry | None = None  # where the camera looks from; None: heights and a polygon stand in
    monitor: Monitor | None = None  # compares pictures and outputs with a reference; None: the beginning of the drive
    features: Monitor | None = None  # compares samples of the networks' own features
    following: Following = field(init=False, repr=False, compare=False)  # shared: tracks of what the models show
    grading: Grading = field(init=False, repr=False, compare=False)  # shared: how much each object matters
    labelling: Labelling = field(init=False, repr=False, compare=False)  # shared: what they may be asked for
    waits: Waits = field(init=False, repr=False, compare=False)  # shared: how long objects stay without a match
    shifts: Shifts = field(init=False, repr=False, compare=False)  # shared: whether labels lie beside their frames

    def __post_init__(self) -> None:
        """Start following with empty tracks; they live as long as a flicker or a merged finding may last."""
        keep = self.limits.merge_gap
        if self.period_s is not None:
            keep = max(keep, math.ceil(self.limits.flicker.within_s / self.period_s))
        ordered = self.period_s is not None
        following = Following(self.thresholds, self.vocabulary.judged, keep, ordered=ordered)
        threads = Threads(self.limits.merge_gap, self.vocabulary, ordered=ordered)
        grading = Grading(self.limits.criticality, self.vocabulary, self.camera, threads, following)
        labelling = Labelling(self.limits, self.vocabulary, threads, grading)
        object.__setattr__(self, "following", following)
        object.__setattr__(self, "grading", grading)
        object.__setattr__(self, "labelling", labelling)
        object.__setattr__(self, "waits", Waits(self.thresholds, labelling))
        object.__setattr__(self, "shifts", Shifts(self.thresholds, labelling, self.period_s))


class CornerCase(Protocol):
    """Looks at moments in frame order, on the judge thread; a class, one file, one kind.

    The constructor gets the context. `needs_time` detectors are left out for unordered sets,
    `needs_candidate` without a candidate, `needs_real_time` at speed "max".
    """

    kind: ClassVar[Kind]
    needs_time: ClassVar[bool]
    needs_candidate: ClassVar[bool]
    needs_real_time: ClassVar[bool]

    def __init__(self, context: RunContext) -> None: ...

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give the hits of this frame."""
        ...
