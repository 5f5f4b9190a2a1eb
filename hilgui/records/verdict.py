"""How a run ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The word of a verdict; `exit_code` is what the command line returns."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"
    ABORTED = "ABORTED"

    @property
    def exit_code(self) -> int:
        """Map to the process exit status: 0 good, 1 bad, 3 inconclusive, 4 broken bench, 130 stopped."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Outcome.PASS: 0,
    Outcome.FAIL: 1,
    Outcome.INCONCLUSIVE: 3,
    Outcome.ERROR: 4,
    Outcome.ABORTED: 130,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a run and the reasons, in sentences."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()


MIXED = "show two frames of the drive at once, so they are not judged"
REPEATED = "show a frame of the drive again that was judged already"
_HARMLESS = frozenset(
    {MIXED, REPEATED}
)  # of a filmed screen: a recorded frame that is never seen whole counts by itself


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of every captured frame; `candidate_skipped` frames were evaluated by the baseline alone."""

    captured: int = 0
    evaluated: int = 0
    dropped: int = 0
    skipped: int = 0
    with_truth: int = 0
    candidate_skipped: int = 0
    reasons: tuple[tuple[str, int], ...] = ()  # why frames were dropped or skipped, with counts

    @property
    def losses(self) -> tuple[tuple[str, int], ...]:
        """Give the reasons for which evidence is missing; pictures that took none away are left out."""
        return tuple((why, count) for why, count in self.reasons if why not in _HARMLESS)

    @property
    def lost(self) -> int:
        """Count the frames whose evidence is missing."""
        return self.dropped + self.skipped - sum(count for why, count in self.reasons if why in _HARMLESS)

    @property
    def closes(self) -> bool:
        """Say whether every captured frame is accounted for."""
        return self.captured == self.evaluated + self.dropped + self.skipped
