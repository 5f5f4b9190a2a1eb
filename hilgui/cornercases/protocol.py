"""What a corner-case detector is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol

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
