"""What many paired runs decide, with everything that a reader needs to check it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

RAN_ON = "the models ran on"  # begins the sentence about a wrong execution provider
SIGN_FIRST = "sign, then promote"  # ends the next step of a PROMOTE that people have to agree to


class Action(StrEnum):
    """The word of a decision; `exit_code` is what the command line returns."""

    PROMOTE = "PROMOTE"
    HOLD = "HOLD"
    ROLL_BACK = "ROLL BACK"
    INCONCLUSIVE = "INCONCLUSIVE"

    @property
    def exit_code(self) -> int:
        """Map to the process exit status: 0 promote, 1 roll back, 3 hold or inconclusive."""
        return {Action.PROMOTE: 0, Action.ROLL_BACK: 1}.get(self, 3)


class GateVerdict(StrEnum):
    """What the drives say to one question."""

    PASSED = "passed"
    HARM = "harm"  # worse than the margin, proven
    WORSE = "worse"  # significantly worse, within the margin
    UNPROVEN = "unproven"  # neither shown nor refuted
    MISSING = "missing"  # no figure


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate: all differences are candidate minus baseline in the unit of the metric."""

    id: str
    metric: str
    role: str  # "non_inferiority", "superiority"
    better: str  # "higher", "lower"
    unit: str
    verdict: GateVerdict
    margin: float | None
    baseline: float | None = None  # pooled over the drives
    candidate: float | None = None
    difference: float | None = None  # mean of the drives' (pseudo) values
    low: float | None = None  # one-sided bounds, each at confidence 1 - alpha
    high: float | None = None
    alpha: float | None = None
    deviation: float | None = None  # of the differences between drives
    drives: int = 0
    p_harm: float | None = None  # of "worse than the margin"
    harm_after: int | None = None  # drives after which the confidence sequence had proven harm
    drives_needed: int | None = None  # for a power of 80 %, if the candidate is as good as the baseline
    drives_needed_as_seen: int | None = None  # if the difference seen is the true one
    smallest_detectable: float | None = None


@dataclass(frozen=True, slots=True)
class InvariantResult:
    """Something that must hold; `holds` is None where nobody measured it."""

    id: str
    metric: str
    limit: str
    measured: float | None
    holds: bool | None
    unconditional: bool  # holds whatever the state of the bench


@dataclass(frozen=True, slots=True)
class SliceResult:
    """A loss in a part of the data; `significant` after the correction over all slices."""

    name: str
    metric: str
    objects: int
    drives: int
    difference: float
    low: float
    high: float
    p_worse: float
    significant: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, its reasons in the order in which they weigh, and the figures behind them."""

    action: Action
    sentence: str  # for the manager
    reasons: tuple[str, ...]
    next_steps: tuple[str, ...]
    specification: str  # name
    specification_sha256: str
    drives: int
    frames: int
    unit: str  # "drive", or "block of 10 s" where there are few drives
    runs: tuple[str, ...]
    models: dict[str, str]  # role → sha256
    integrity: tuple[str, ...]  # what is broken on the bench; empty when it is sound
    invariants: tuple[InvariantResult, ...]
    gates: tuple[GateResult, ...]
    slices: tuple[SliceResult, ...] = ()
    signatures_needed: int = 0
    seed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Give plain values; the same decision gives the same ones."""
        return {"schema": "hilgui/decision.v1", **asdict(self)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Decision:
        """Give a decision again from its plain values; what this version does not know is left out."""
        known = _known(cls, plain)
        for name in ("reasons", "next_steps", "runs", "integrity"):
            known[name] = tuple(known[name])
        known["action"] = Action(known["action"])
        known["gates"] = tuple(
            GateResult(**{**_known(GateResult, one), "verdict": GateVerdict(one["verdict"])}) for one in plain["gates"]
        )
        known["invariants"] = tuple(InvariantResult(**_known(InvariantResult, one)) for one in plain["invariants"])
        known["slices"] = tuple(SliceResult(**_known(SliceResult, one)) for one in plain.get("slices", ()))
        return cls(**known)


def _known(kind: type[Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: plain[field.name] for field in fields(kind) if field.name in plain}
