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
    def closes(self) -> bool:
        """Say whether every captured frame is accounted for."""
        return self.captured == self.evaluated + self.dropped + self.skipped
