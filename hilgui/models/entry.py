"""A model in the registry: which bytes, where from, by whom."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hilgui.errors import RegistryBroken

SCHEMA = "hilgui/model-entry.v1"


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a model comes from."""

    by: str  # who brought it in
    at: str  # ISO 8601, UTC
    source: str  # path that it was copied from
    command: str = ""  # that made it, as somebody typed it
    made_from: tuple[str, ...] = ()  # sha256 of models it was made from
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model, found by its content; immutable once it is in."""

    sha256: str  # of all its files together
    name: str
    files: dict[str, str]  # path in the entry → sha256 of that file
    model: str  # path of the ONNX file in the entry
    size: int  # bytes of all files
    adapter: str
    task: str
    licence: str
    inputs: tuple[str, ...]  # "images float32 1×3×416×416"
    outputs: tuple[str, ...]
    lineage: Lineage

    @property
    def short(self) -> str:
        """Give the beginning of the hash, for people."""
        return self.sha256[:12]

    @property
    def onnx_sha256(self) -> str:
        """Give the hash of the ONNX file itself, by which runs name their models."""
        return self.files[self.model]

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"schema": SCHEMA, **asdict(self)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Entry:
        """Read what `as_json` gave; raises RegistryBroken."""
        try:
            if plain["schema"] != SCHEMA:
                raise ValueError(f"its schema is {plain['schema']!r}")
            fields = {name: value for name, value in plain.items() if name not in ("schema", "lineage")}
            lineage = plain["lineage"]
            return cls(
                **{**fields, "inputs": tuple(fields["inputs"]), "outputs": tuple(fields["outputs"])},
                lineage=Lineage(**{**lineage, "made_from": tuple(lineage["made_from"])}),
            )
        except (KeyError, TypeError, ValueError) as failure:
            raise RegistryBroken(f"an entry of the registry is damaged: {failure!r}") from failure


@dataclass(frozen=True, slots=True)
class Placed:
    """Which model an alias of a slot names, since when and why."""

    slot: str
    alias: str
    sha256: str
    since: str  # ISO 8601, UTC
    by: tuple[str, ...]
    reason: str
    serial: int  # counts the moves of the slot; what watches an alias sees a change by it

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"schema": "hilgui/alias.v1", **asdict(self)}


def read_alias(path: Path) -> Placed | None:
    """Read the file of an alias; None where there is none. Raises RegistryBroken."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        fields = {name: value for name, value in plain.items() if name != "schema"}
        return Placed(**{**fields, "by": tuple(fields["by"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as failure:
        raise RegistryBroken(f"the alias {path} cannot be read: {failure!r}; set it again", path=path) from failure
