"""Waivers: known failures that somebody answers for until a day."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hilgui.documents import read_document
from hilgui.errors import WaiversBroken
from hilgui.records import Finding, Kind

_GUIDE = "docs/evaluation.md"


class Where(BaseModel):
    """Which findings of a kind are meant; what is left out is any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    drive: str = Field("*", description="name of the recording; * and ? stand for anything")
    role: Literal["baseline", "candidate"] | None = None
    label: str | None = Field(None, alias="class", description="class of the object")
    frames: tuple[int, int] | None = Field(None, description="first and last frame; the finding lies within")


class Waiver(BaseModel):
    """One known failure: who answers for it, why, and until when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    where: Where = Where.model_validate({})
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    expires: date = Field(description="last day on which it holds")

    @field_validator("kind", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        if value not in set(Kind):
            raise ValueError(f"there is no corner case {value!r}; the kinds are {', '.join(Kind)}")
        return value

    def covers(self, finding: Finding, drive: str) -> bool:
        """Say whether it speaks of this finding, expired or not."""
        where = self.where
        label = finding.objects[0].label if finding.objects else ""
        return (
            finding.kind is self.kind
            and fnmatch.fnmatchcase(drive.casefold(), where.drive.casefold())
            and (where.role is None or (finding.role is not None and finding.role.value == where.role))
            and (where.label is None or label.casefold() == where.label.casefold())
            and (where.frames is None or (where.frames[0] <= finding.first_seq and finding.last_seq <= where.frames[1]))
        )


class Waivers(BaseModel):
    """A file of waivers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_name: Literal["hilgui/waivers.v1"] = Field(alias="schema")
    waivers: tuple[Waiver, ...]


@dataclass(frozen=True, slots=True)
class Waived:
    """What waivers say about a list of findings."""

    waived: dict[int, Waiver]  # by number of the finding
    expired: dict[int, Waiver]  # these count again
    unused: tuple[Waiver, ...]  # speak of nothing: mended, or mistyped


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read a file of waivers; raises WaiversBroken naming file, line and key."""
    return read_document(path, Waivers, what="waivers file", broken=WaiversBroken, guide=_GUIDE).waivers


def apply_waivers(waivers: Sequence[Waiver], findings: Sequence[Finding], drive: str, today: date) -> Waived:
    """Sort findings by the first waiver that covers them; one that still holds goes before an expired one."""
    waived: dict[int, Waiver] = {}
    expired: dict[int, Waiver] = {}
    used: set[int] = set()
    for finding in findings:
        covering = [waiver for waiver in waivers if waiver.covers(finding, drive)]
        used |= {id(waiver) for waiver in covering}
        holding = next((waiver for waiver in covering if waiver.expires >= today), None)
        if holding is not None:
            waived[finding.number] = holding
        elif covering:
            expired[finding.number] = covering[0]
    return Waived(waived, expired, tuple(waiver for waiver in waivers if id(waiver) not in used))
