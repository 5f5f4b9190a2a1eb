"""An explanation as it is stored and shown: sentences, figures, and the names of its pictures."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from hilgui.documents import read_stored
from hilgui.explanations.diagnosis import Reason
from hilgui.explanations.target import Box
from hilgui.records import Kind, Role

SCHEMA = "hilgui/explanation.v1"


@dataclass(frozen=True, slots=True)
class SaliencyPart:
    """What D-RISE found; `has_signal` False: the map means nothing and the sentences say so."""

    masks: int
    grid: tuple[int, int]  # rows, columns
    similarity: float  # IoU × score of the target in the whole picture
    masked: float  # ... mean behind masks
    p: float  # chance that shuffled answers give as high a peak
    p_hurts: float
    agreement: float  # correlation of the maps of both halves of the masks
    on_object: float  # share of what is above chance that lies on the object
    object_share: float  # share of the picture that the object is
    peak: tuple[float, float]  # px
    deletion: float  # mean similarity while the map's first places are deleted: low is good
    deletion_chance: float
    insertion: float  # ... inserted: high is good
    insertion_chance: float
    has_signal: bool
    is_better: bool  # than every one of the maps of chance, both ways
    sentences: tuple[str, ...]
    picture: str = ""
    whole: str = ""


@dataclass(frozen=True, slots=True)
class OcclusionPart:
    """What a grey patch does."""

    patches: int
    similarity: float
    largest_fall: float
    largest_rise: float
    noise: float  # largest change by a patch far away
    has_signal: bool
    sentences: tuple[str, ...]
    picture: str = ""


@dataclass(frozen=True, slots=True)
class AlikePart:
    """One object that was found."""

    run_id: str
    seq: int
    time_s: float | None
    score: float
    unlike: float
    is_same: bool  # the same object at another time
    differs: tuple[str, ...]  # what is different about the explained object
    picture: str = ""


@dataclass(frozen=True, slots=True)
class AlikesPart:
    """The nearest objects that were found."""

    measured: int
    nearest: tuple[AlikePart, ...]
    sentences: tuple[str, ...]
    picture: str = ""  # the object itself


@dataclass(frozen=True, slots=True)
class TryPart:
    """One change of the picture."""

    name: str
    severity: float | None  # share of the hardest that was tried; None: none of them helped
    words: str  # the amount
    score: float
    holds_to: float
    lost: int
    gained: int
    picture: str = ""


@dataclass(frozen=True, slots=True)
class RescuePart:
    """What would have saved it."""

    tries: tuple[TryPart, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is known about why; a part is None until it was asked for."""

    run_id: str
    finding: int
    kind: Kind
    role: Role
    model: str
    sha256: str  # of the model
    label: str
    box: Box
    seq: int
    is_missed: bool
    threshold: float
    seed: int
    version: str
    created: str  # ISO 8601, UTC
    sentence: str  # the diagnosis
    reason: Reason
    score: float
    iou: float
    picture: str = ""  # the object with what is around it
    saliency: SaliencyPart | None = None
    occlusion: OcclusionPart | None = None
    alikes: AlikesPart | None = None
    rescue: RescuePart | None = None
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] | None = None  # of each part, on the machine that made it
    schema: str = SCHEMA

    @property
    def sentences(self) -> tuple[str, ...]:
        """Give everything in words, the diagnosis first."""
        parts = (self.saliency, self.occlusion, self.alikes, self.rescue)
        return (self.sentence, *(each for part in parts if part is not None for each in part.sentences))


_SHAPE = TypeAdapter(Explanation)


def to_json(explanation: Explanation) -> bytes:
    """Write an explanation as JSON."""
    return _SHAPE.dump_json(explanation, indent=1)


def from_json(content: bytes) -> Explanation:
    """Read what `to_json` wrote; raises ValueError with what is wrong first."""
    return read_stored(_SHAPE, content, SCHEMA)
