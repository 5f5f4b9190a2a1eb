"""Corner cases: the hit of one frame, and the finding that consecutive hits merge into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import NamedTuple

from hilgui.records.inference import Role


class Kind(StrEnum):
    """Names of the corner cases: the same on the screen, in JSON and in exports; of equal severity the worst first."""

    MISSED_CRITICAL = "missed_critical"
    MISSED_OBJECT = "missed_object"
    PHANTOM = "phantom"
    FLICKER = "flicker"
    SHORT_LIVED = "short_lived"
    DUPLICATE = "duplicate"
    CLASS_FLIP = "class_flip"
    IDENTITY_SWITCH = "identity_switch"
    JITTER = "jitter"
    LATE_DETECTION = "late_detection"
    GAP = "gap"
    POOR_LOCALISATION = "poor_localisation"
    DISAGREEMENT = "disagreement"
    BORDERLINE = "borderline"
    OVERCONFIDENT = "overconfident"
    DRIFT = "drift"
    FROZEN_FRAME = "frozen_frame"
    BLACK_FRAME = "black_frame"
    OVER_EXPOSED = "over_exposed"
    BLUR = "blur"
    NOISE_BURST = "noise_burst"
    TIME_FAULT = "time_fault"
    DEADLINE_MISS = "deadline_miss"
    INVALID_OUTPUT = "invalid_output"


class Level(StrEnum):
    """Corner-case level (Breitenstein et al., "Systematization of Corner Cases for Visual Perception", IV 2020)."""

    PIXEL = "pixel"
    DOMAIN = "domain"
    OBJECT = "object"
    SCENE = "scene"
    SCENARIO = "scenario"


class Suspect(StrEnum):
    """Where to look first: who most likely caused a finding, by the stated rules."""

    MODEL = "model"
    LABEL = "label"
    RIG = "rig"
    TIMING = "timing"


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


class Telling(NamedTuple):
    """What a hit says to people."""

    why: str
    objects: tuple[FoundObject, ...]
    evidence: dict[str, float]


@dataclass(frozen=True, slots=True)
class Hit:
    """One corner case on one frame, before merging.

    Hits with the same kind, role and `thread` on consecutive frames become one finding.
    `weight` chooses the worst frame of the finding: larger is worse. Only that one is told, so a detector that often
    hits gives `telling` instead of `why`, `objects` and `evidence`; it is called later and must not depend on what the
    detector looks at meanwhile.
    """

    kind: Kind
    seq: int
    thread: str  # what persists over frames: "truth 17", "track 4", "" for the whole frame
    severity: Severity
    weight: float
    why: str = ""  # one sentence for people, with figures
    role: Role | None = None
    objects: tuple[FoundObject, ...] = ()
    evidence: dict[str, float] = field(default_factory=dict)
    suspect: Suspect | None = None  # None: the watch works it out
    suspect_why: str = ""  # the rule that said so, in a sentence
    suspect_role: Role | None = None  # the model that is suspected, where the hit is about both
    telling: Callable[[], Telling] | None = field(default=None, repr=False, compare=False)

    def told(self) -> Hit:
        """Give the hit with its words, objects and evidence."""
        if self.telling is None:
            return self
        why, objects, evidence = self.telling()
        return replace(self, why=why, objects=objects, evidence=evidence, telling=None)


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
    channel: str = ""  # the camera, in a drive of several
    level: Level | None = None  # None: of a run that was stored before there were levels, or of a stranger's kind
    trigger: str = ""  # triggering condition in the sense of ISO 21448, "" where none fits
    suspect: Suspect | None = None
    suspect_why: str = ""  # the rule that named the suspect, in a sentence
    frame_hash: str = ""  # perceptual hash of the worst frame, 16 hex digits; "" where no picture was at hand
    crop_hash: str = ""  # ... of its first object
    clip_note: str = ""  # what the disk budget did to the clip, in a sentence; "" where it is whole
    suspect_role: Role | None = None  # of two models that disagree the one suspected; None: neither, or see `role`

    @property
    def suspect_model(self) -> Role | None:
        """Give the model that it points at; None where no model is suspected, or neither of two."""
        return None if self.suspect is not Suspect.MODEL else self.suspect_role or self.role
