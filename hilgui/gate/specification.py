"""The plan of a gate, fixed before anybody looks: YAML, versioned, unknown keys refused.

schema: hilgui/gate.v1
name: front-camera-detector
gates:
  - {id: critical-recall, metric: critical_recall, role: non_inferiority, margin: 0.005, better: higher}
  - {id: gain, metric: map_50_95, role: superiority, better: higher}
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hilgui.documents import read_document
from hilgui.errors import GateBroken
from hilgui.evaluation.limits import Limit, parse_limit

_Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
_Metric = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,127}$")]
_Level = Annotated[float, Field(gt=0, lt=0.5)]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSide(_Part):
    """A model by alias of the registry ("front-detector@champion"), by sha256, or by the path of its file."""

    model: str = Field(min_length=1, max_length=500)


class Runtime(_Part):
    """What both models must have run on."""

    provider: str | None = None


class Subject(_Part):
    """What is decided about; in `canary` and `production` a ROLL BACK also moves the alias back."""

    stage: Literal["shadow", "canary", "production"] = "shadow"
    baseline: ModelSide | None = None
    candidate: ModelSide | None = None
    runtime: Runtime = Runtime()


class DataPlan(_Part):
    """How much evidence is asked for, and how sound it must be."""

    cluster: Literal["drive"] = "drive"
    min_clusters: int = Field(20, ge=2)
    min_frames: int = Field(20000, ge=1)
    max_unpaired_fraction: float = Field(0.005, ge=0, le=1)
    max_truth_sync_ms: _Amount = 50.0
    fallback_block_s: float = Field(10.0, gt=0, description="spread from blocks of this length where drives are few")


class RollbackPlan(_Part):
    """How harm is proven, early and at the end."""

    sequential: Literal["confidence_sequence", "none"] = "confidence_sequence"
    alpha_early: _Level = 0.025
    correction: Literal["holm"] = "holm"
    alpha_final: _Level = 0.025
    min_clusters: int = Field(10, ge=2)


class SlicePlan(_Part):
    """What a significant loss in a slice does."""

    correction: Literal["bh"] = "bh"
    q: _Level = 0.10
    action: Literal["HOLD", "REPORT"] = "HOLD"
    min_objects: int = Field(200, ge=1)


class StatisticsPlan(_Part):
    """Levels and corrections."""

    alpha: _Level = 0.05
    seed: int = Field(20240607, ge=0)
    resamples: int = Field(10000, ge=100, le=1_000_000)
    rollback: RollbackPlan = RollbackPlan()
    slices: SlicePlan = SlicePlan()


class Invariant(_Part):
    """Something that must hold, whatever the models' figures are."""

    id: _Id
    metric: _Metric
    limit: str

    @field_validator("limit")
    @classmethod
    def _is_a_limit(cls, text: str) -> str:
        parse_limit(text)
        return text

    @property
    def parsed(self) -> Limit:
        """Give the limit as a comparison."""
        return parse_limit(self.limit)


class Gate(_Part):
    """One question about one metric: not worse than the margin, or better."""

    id: _Id
    metric: _Metric
    role: Literal["non_inferiority", "superiority"]
    better: Literal["higher", "lower"]
    margin: _Amount | None = None
    slice_: dict[str, str] = Field(
        default_factory=dict, alias="slice", description="only drives under these conditions, such as day_part: night"
    )

    @property
    def figure(self) -> str:
        """Name the figure with its slice: critical_recall@day_part=night."""
        where = ",".join(f"{kind}={self.slice_[kind]}" for kind in sorted(self.slice_))
        return f"{self.metric}@{where}" if where else self.metric

    @model_validator(mode="after")
    def _margin_goes_with_the_role(self) -> Self:
        if self.role == "non_inferiority" and not self.margin:
            raise ValueError(f"gate {self.id} asks for non-inferiority, which needs a margin above 0")
        if self.role == "superiority" and self.margin is not None:
            raise ValueError(f"gate {self.id} asks for superiority, which has no margin")
        return self


class SignOff(_Part):
    """Whose agreement an action takes; anyone alone may stop and roll back."""

    required_for: tuple[Literal["PROMOTE"], ...] = ("PROMOTE",)
    people: int = Field(2, ge=1, le=10)


class GateSpec(_Part):
    """The whole plan."""

    schema_: Literal["hilgui/gate.v1"] = Field(alias="schema")
    name: str = Field(min_length=1, max_length=200)
    subject: Subject = Subject()
    data: DataPlan = DataPlan()
    statistics: StatisticsPlan = StatisticsPlan()
    invariants: tuple[Invariant, ...] = ()
    gates: tuple[Gate, ...] = Field(min_length=1)
    signoff: SignOff = SignOff()

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        names = [*(one.id for one in self.invariants), *(one.id for one in self.gates)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the id {twice[0]} is given more than once")
        if not any(gate.role == "non_inferiority" for gate in self.gates):
            raise ValueError("no gate asks for non-inferiority; without one nothing speaks against a promotion")
        return self

    @property
    def digest(self) -> str:
        """Give the sha256 of the plan's content, whatever its layout in the file."""
        text = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def read_specification(path: Path) -> GateSpec:
    """Read a plan; raises GateBroken naming file, line and key."""
    return read_document(path, GateSpec, what="gate specification", broken=GateBroken, guide="docs/gate.md")
