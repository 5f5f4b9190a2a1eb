"""Corner cases: the hit of one frame, and the finding that consecutive hits merge into."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from hilgui.records.inference import Role


class Kind(StrEnum):
    """Names of the corner cases: the same on the screen, in JSON and in exports."""

    MISSED_OBJECT = "missed_object"
    PHANTOM = "phantom"
    FLICKER = "flicker"
    CLASS_FLIP = "class_flip"
    DISAGREEMENT = "disagreement"
    DEADLINE_MISS = "deadline_miss"
    FROZEN_FRAME = "frozen_frame"
    BLACK_FRAME = "black_frame"


class Severity(IntEnum):
    """How much a finding matters to somebody on the road."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """Give the word for screens and exports."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object that a finding is about, at one frame."""

    label: str  # class name
    box: tuple[float, float, float, float]  # x1 y1 x2 y2 px
    track: int = -1  # identity in the truth or in the bench's own tracker
    score: float | None = None  # None for a truth
    distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One corner case on one frame, before merging.

    Hits with the same kind, role and `thread` on consecutive frames become one finding.
    `weight` chooses the worst frame of the finding: larger is worse.
    """

    kind: Kind
    seq: int
    thread: str  # what persists over frames: "truth 17", "track 4", "" for the whole frame
    severity: Severity
    weight: float
    why: str  # one sentence for people, with figures
    role: Role | None = None
    objects: tuple[FoundObject, ...] = ()
    evidence: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """A corner case from its first to its last frame; the clip spans `clip_first` to `clip_last`."""

    number: int  # counts from 1 within a run
    kind: Kind
    severity: Severity
    role: Role | None
    first_seq: int
    last_seq: int
    worst_seq: int
    frames: int  # frames with a hit between first and last
    first_s: float
    last_s: float
    worst_s: float
    why: str
    objects: tuple[FoundObject, ...]  # at the worst frame
    evidence: dict[str, float]
    clip_first: int | None = None  # None: no clip (unordered set, or the clip budget was spent)
    clip_last: int | None = None
