"""Waivers: known failures that somebody answers for until a day."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hilgui.documents import parse_document, read_document
from hilgui.durable import write_whole
from hilgui.errors import WaiversBroken
from hilgui.records import Finding, Kind

_GUIDE = "docs/evaluation.md"
FILE = "waivers.yaml"  # in the home: the known failures of a bench


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


def waiver_for(
    finding: Finding, drive: str, *, owner: str, reason: str, expires: date, only_there: bool = True
) -> Waiver:
    """Make the waiver of a finding: of its frames alone, or of its kind, model and class on the whole drive.

    Raises pydantic's ValidationError where owner or reason is missing.
    """
    where: dict[str, object] = {"drive": drive}
    if finding.role is not None:
        where["role"] = finding.role.value
    if finding.objects:
        where["class"] = finding.objects[0].label
    if only_there:
        where["frames"] = (finding.first_seq, finding.last_seq)
    plain = {"kind": finding.kind.value, "where": where, "owner": owner, "reason": reason, "expires": expires}
    return Waiver.model_validate(plain)


def add_waiver(path: Path, waiver: Waiver) -> None:
    """Add one waiver to a file, or begin the file; comments stay. Raises WaiversBroken for one that is no such file."""
    before = load_waivers(path) if path.exists() else ()
    plain = waiver.model_dump(mode="json", by_alias=True, exclude_none=True)
    entry = f"  - {json.dumps(plain, ensure_ascii=False)}\n"  # a flow mapping: JSON is YAML
    try:
        old = path.read_text(encoding="utf-8") if path.exists() else "schema: hilgui/waivers.v1\nwaivers:\n"
        text = old if old.endswith("\n") else f"{old}\n"
        parsed = parse_document(text + entry, Waivers)
        if isinstance(parsed, list) or parsed.waivers != (*before, waiver):  # the list does not stand last, or flows
            every = (each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in (*before, waiver))
            lines = "".join(f"  - {json.dumps(each, ensure_ascii=False)}\n" for each in every)
            text, entry = f"schema: hilgui/waivers.v1\nwaivers:\n{lines}", ""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (text + entry).encode())
    except OSError as failure:
        raise WaiversBroken(f"{path} cannot be written: {failure.strerror or failure}", path=path) from failure


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
