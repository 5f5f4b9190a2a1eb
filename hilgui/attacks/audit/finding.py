"""What the audit found: one line a probe, with what makes it happen again."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from hilgui.documents import read_stored
from hilgui.evaluation import Interval

SCHEMA = "hilgui/audit.v1"


class Kind(StrEnum):
    """The classes of weakness."""

    SENSING = "A sensing"
    SEMANTIC = "B semantic"
    PATCH = "C patch"
    PIXEL = "D pixel"
    MALFORMED = "E malformed input"
    TIMING = "F timing and stream"


class Severity(StrEnum):
    """How bad it is where it happens; the audit ends with 1 while one of HIGH is open."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Status(StrEnum):
    """Where a weakness stands after this audit."""

    NEW = "new"  # found, and not known before
    OPEN = "open"  # found, and known before
    CLOSED = "closed"  # known before, not found any more, and its reproducer does nothing
    PASSED = "passed"  # below its limit, and not known before
    UNCLEAR = "unclear"  # the interval reaches over the limit: more pictures would tell
    NOT_RUN = "not run"  # could not be tried; says nothing


@dataclass(frozen=True, slots=True)
class Finding:
    """One probe of the suite and what came of it."""

    id: str
    kind: Kind
    title: str
    severity: Severity
    status: Status
    hits: int
    trials: int
    limit: float  # found where the lower end of the interval lies above
    interval: Interval | None
    words: str
    recommendation: str
    reproducer: str = ""  # SHA-256 of the file `reproducers/<sha256>.npz`
    picture: str = ""  # path inside the folder
    retest: str = ""  # what the stored reproducer of the last audit did now

    @property
    def rate(self) -> float | None:
        """Give the share of trials in which it worked."""
        return self.hits / self.trials if self.trials else None

    @property
    def is_standing(self) -> bool:
        """Say whether the weakness is there."""
        return self.status in (Status.NEW, Status.OPEN)


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit of one model."""

    model: str
    model_sha256: str
    created: str
    version: str
    pictures: str  # recording, and how many
    suite: str
    findings: tuple[Finding, ...]
    before: str = ""  # SHA-256 of the model that the audit before looked at
    notes: tuple[str, ...] = ()
    seed: int = 0
    schema: str = field(default=SCHEMA)

    @property
    def standing(self) -> tuple[Finding, ...]:
        """Give the weaknesses that are there, the worst first."""
        order = list(Severity)
        return tuple(
            sorted((one for one in self.findings if one.is_standing), key=lambda one: order.index(one.severity))
        )

    @property
    def exit_code(self) -> int:
        """Give 1 while a weakness of high severity is open, 3 where one cannot be ruled out, else 0."""
        if any(one.severity is Severity.HIGH for one in self.standing):
            return 1
        return 3 if any(one.severity is Severity.HIGH for one in self.untold) else 0

    @property
    def untold(self) -> tuple[Finding, ...]:
        """Give the probes that say nothing: not tried, or not on enough pictures."""
        return tuple(one for one in self.findings if one.status in (Status.NOT_RUN, Status.UNCLEAR))

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        document: dict[str, Any] = _SHAPE.dump_python(self, mode="json")
        for one, finding in zip(document["findings"], self.findings, strict=True):
            one["rate"] = finding.rate
        return document | {"exit_code": self.exit_code}


_SHAPE = TypeAdapter(Audit)


def to_json(audit: Audit) -> bytes:
    """Write what `read_audit` reads."""
    return _SHAPE.dump_json(audit, indent=1)


def from_plain(plain: dict[str, Any]) -> Audit:
    """Take an audit from plain values; raises ValueError."""
    return _SHAPE.validate_python(plain)


def read_audit(content: bytes) -> Audit:
    """Read what was stored; raises ValueError."""
    return read_stored(_SHAPE, content, SCHEMA)
