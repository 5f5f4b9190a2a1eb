"""Dialects of SCPI supplies: which header does what, as YAML, so that another supply needs no code."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hilgui.documents import read_document
from hilgui.errors import ProfileBroken

SHIPPED = Path(__file__).parent / "scpi_dialects"
_GUIDE = "docs/rigs.md"
_DIGITS = 4
_NO_NUMBER = 9.9e37  # infinity in SCPI-1999, and 9.91e37 is not-a-number (volume 1, 7.2.1)
_COMMAND = re.compile(r"[*A-Za-z][A-Za-z0-9:_*]*( [A-Za-z0-9_.{},]+)*")
_QUERY = re.compile(r"[*A-Za-z][A-Za-z0-9:_]*\?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


def _is_command(text: str) -> str:
    if not _COMMAND.fullmatch(text):
        raise ValueError(f"{text!r} is no single command: a header and words, without ; ? or control characters")
    return text


def _sets(text: str) -> str:
    if text.count("{}") != 1 or not text.endswith("{}"):
        raise ValueError(f"{text!r} has to end with {{}}, where the number goes")
    return _is_command(text)


def _is_query(text: str) -> str:
    if not _QUERY.fullmatch(text):
        raise ValueError(f"{text!r} is no query: one header and a question mark, nothing else")
    return text


Command = Annotated[str, Field(max_length=60), AfterValidator(_is_command)]
Setter = Annotated[str, Field(max_length=60), AfterValidator(_sets)]
QueryText = Annotated[str, Field(max_length=60), AfterValidator(_is_query)]
LineEnd = Literal["\n", "\r\n", "\r"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LineEnds(_Part):
    """What ends a line in each direction."""

    sent: LineEnd = "\n"
    answered: LineEnd = "\n"


class Asked(_Part):
    """A query and what stands around the number of its answer."""

    ask: QueryText
    before: str = Field("", max_length=20)
    after: str = Field("", max_length=20)

    def value(self, answer: str) -> float:
        """Read the number; NaN where the answer has none."""
        text = answer.strip()
        if not text.startswith(self.before) or not text.endswith(self.after):
            return math.nan
        text = text[len(self.before) : len(text) - len(self.after)].strip()
        if text.upper() in ("ON", "OFF"):
            return float(text.upper() == "ON")
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
        return value if abs(value) < _NO_NUMBER else math.nan


class Setting(Asked):
    """A quantity that is set and asked for."""

    set: Setter


class Output(Asked):
    """The switch of the output."""

    on: Command
    off: Command


class Dialect(_Part):
    """The file that people write."""

    schema_: Literal["hilgui/scpi-dialect.v1"] = Field(alias="schema")
    says: str = Field(min_length=1, max_length=80)
    end: LineEnds = LineEnds()
    remote: Command | None = None
    local: Command | None = None
    identify: Asked
    error: Asked | None = None  # the answer begins with the number of the error, 0 for none
    output: Output
    voltage: Setting
    current: Setting
    measured_voltage: Asked
    measured_current: Asked
    ovp: Setting | None = None
    ocp: Setting | None = None
    ovp_tripped: Asked | None = None
    ocp_tripped: Asked | None = None
    clear_protection: Command | None = None

    @property
    def queries(self) -> frozenset[bytes]:
        """Give every query with its line end, exactly as it goes over the wire."""
        parts = (getattr(self, name) for name in type(self).model_fields)
        return frozenset(self.line(part.ask) for part in parts if isinstance(part, Asked))

    def asked(self, channel: str) -> Asked | None:
        """Give how a channel is asked for."""
        part = getattr(self, channel, None) if channel in type(self).model_fields else None
        return part if isinstance(part, Asked) else None

    def line(self, text: str) -> bytes:
        """Make one line of one command. Refuses what could end or chain it: ValueError."""
        if not text or not text.isascii() or not text.isprintable() or ";" in text:
            raise ValueError(f"{text!r} holds a control character or a semicolon")
        return text.encode("ascii") + self.end.sent.encode("ascii")

    def setting(self, channel: str, value: float) -> bytes:
        """Make the line that sets a channel; raises ValueError for what is no finite number."""
        if not math.isfinite(value):
            raise ValueError(f"{value} is no number to set")
        if channel == "output":
            return self.line(self.output.on if value else self.output.off)
        part = getattr(self, channel)
        # Fixed decimals: a line that is cut short sets less, never more.
        return self.line(part.set.format(f"{value:.{_DIGITS}f}"))


def error_number(answer: str) -> int | None:
    """Give the number an answer to the error query begins with, None where there is none."""
    found = re.match(r"[+-]?\d{1,5}(?=\D|$)", answer.strip())
    return int(found[0]) if found else None


def dialect_of(options: Mapping[str, Any], device: str) -> Dialect:
    """Read the dialect that a profile names: a shipped one, or a path to YAML; raises ProfileBroken."""
    wanted = options.get("dialect", "generic")
    shipped = {path.stem: path for path in SHIPPED.glob("*.yaml")}
    if not isinstance(wanted, str) or not (wanted in shipped or wanted.endswith((".yaml", ".yml"))):
        known = ", ".join(sorted(shipped))
        raise ProfileBroken(f"{device}: there is no dialect {wanted!r}; there are {known}, or give the path of a .yaml")
    path = shipped.get(wanted) or Path(wanted).expanduser()
    try:
        written_ns = path.stat().st_mtime_ns
    except OSError as failure:
        raise ProfileBroken(f"{device}: the dialect {path} cannot be read: {failure}", path=path) from failure
    return _read(path, written_ns)


@lru_cache(maxsize=32)
def _read(path: Path, written_ns: int) -> Dialect:
    """Read a file once: it is asked for before every query that goes out."""
    return read_document(path, Dialect, what="SCPI dialect", broken=ProfileBroken, guide=_GUIDE)
