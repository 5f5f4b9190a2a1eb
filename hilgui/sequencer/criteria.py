"""Criteria of a test case, as people write them: what is measured, and the limit that it has to keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from hilgui.documents import Contradiction, Place
from hilgui.evaluation.limits import Limit, parse_limit
from hilgui.evaluation.slice_bins import DISTANCE, DISTANCES_M
from hilgui.records import Kind
from hilgui.sequencer.steps import LimitText, Part, in_order

BENCH = ("captured.", "rig.")  # metrics that say something about the bench and nothing about a model
RIG_METRICS = ("rig.refused", "rig.stops")
OF_RUN = {
    "frames": "",
    "lost_frames": "",
    "candidate_skipped": "",
    "fps": "1/s",
    "latency_p50_ms": "ms",
    "latency_p99_ms": "ms",
    "matched": "",
    "missed": "",
    "phantoms": "",
    "disagreement": "",
}
IN_SLICES = ("recall", "missed", "precision", "map_50")
_EDGES_M = (0.0, *DISTANCES_M)
_UNITS = {"_per_hour": "1/h", "_per_minute": "1/min", "_ms": "ms", "_s": "s", "_px": "px", "_m": "m"}


class Wanted(Part):
    """Findings that are counted: of a kind, at least so severe."""

    kind: Kind | None = Field(None, description="a corner case, such as missed_critical; default: all of them")
    severity: Literal["low", "medium", "high"] = "low"


class Unwanted(Part):
    """What must not be detected: classes, perhaps only in some frames or in a region."""

    classes: tuple[str, ...] = Field(min_length=1)
    frames: tuple[int, int] | None = None
    region: tuple[float, float, float, float] | None = Field(None, description="x1 y1 x2 y2 px; default: everywhere")
    score: float | None = Field(None, ge=0, le=1, description="default: the threshold of the model's card")

    @field_validator("frames")
    @classmethod
    def _in_order(cls, frames: tuple[int, int] | None) -> tuple[int, int] | None:
        return in_order(frames)


class Criterion(Part):
    """One question with its limit: a metric, a count of findings, or something that must not be detected."""

    metric: str | None = Field(None, pattern=r"^[a-z][A-Za-z0-9_.]{0,127}$")
    findings: Wanted | None = None
    must_not_detect: Unwanted | None = None
    limit: LimitText | None = Field(None, description="such as '>= 0.7'")
    unit: str = ""
    model: Literal["baseline", "candidate"] = "baseline"
    slice: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    distance_m: tuple[float, float | None] | None = Field(None, description="[from, to]; to may be null")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        given = [name for name in ("metric", "findings", "must_not_detect") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a criterion has exactly one of metric, findings and must_not_detect, not {len(given)}")
        if (self.limit is None) != (self.must_not_detect is not None):
            place = (given[0] if self.limit is None else "limit",)
            raise Contradiction((place, "a limit belongs to metric and findings; must_not_detect means none at all"))
        if found := (*self._flaws_of_unit(), *self._flaws_of_slice()):
            raise Contradiction(*found)
        return self

    def _flaws_of_unit(self) -> Iterator[tuple[Place, str]]:
        known = unit_of(self.metric or "findings")
        if self.unit and known is not None and self.unit != known:
            what = self.metric or "a count of findings"
            yield ("unit",), f"{what} is in {known or 'no unit'}, not in {self.unit}"

    def _flaws_of_slice(self) -> Iterator[tuple[Place, str]]:
        if not self.is_sliced:
            return
        place = ("slice" if self.slice else "distance_m",)
        if self.metric not in IN_SLICES:
            yield place, f"slices and distances have {', '.join(IN_SLICES)}; not {self.metric or 'this'}"
        elif self.metric in ("precision", "map_50") and len(self.slice) + (self.distance_m is not None) > 1:
            yield place, f"{self.metric} is known for one slice at a time; recall and missed for several"
        if self.distance_m is None:
            return
        low, high = self.distance_m
        if low not in _EDGES_M or high not in (*DISTANCES_M, None) or (high is not None and low >= high):
            borders = ", ".join(f"{edge:g}" for edge in _EDGES_M)
            yield ("distance_m",), f"distances are counted in bands between {borders} m; end with null for all beyond"

    @property
    def is_sliced(self) -> bool:
        """Say whether it looks at a part of the truth only."""
        return bool(self.slice) or self.distance_m is not None

    @property
    def is_of_bench(self) -> bool:
        """Say whether it judges the bench and not a model."""
        return self.metric is not None and self.metric.startswith(BENCH)

    @property
    def parsed(self) -> Limit:
        """Give the limit as a comparison."""
        return parse_limit("== 0" if self.limit is None else self.limit)

    @property
    def slices(self) -> dict[str, tuple[str, ...]]:
        """Give the values of every dimension that count; distances as the names of their bands."""
        chosen = {name: (said,) if isinstance(said, str) else said for name, said in self.slice.items()}
        if self.distance_m is not None:
            low, high = self.distance_m
            inside = [
                name
                for name, edge in zip(DISTANCE.labels, _EDGES_M, strict=True)
                if low <= edge and (high is None or edge < high)
            ]
            chosen["distance"] = tuple(inside)
        return chosen

    @property
    def title(self) -> str:
        """Say what is asked, without the limit: "baseline recall, class person, 0–30 m"."""
        if self.findings is not None:
            what = f"findings {self.findings.kind or 'of any kind'}, {self.findings.severity} or worse"
        elif self.must_not_detect is not None:
            what = f"must not detect {', '.join(self.must_not_detect.classes)}"
        else:
            what = str(self.metric)
        if self.is_of_bench:
            return what
        parts = [f"{name} {' or '.join(values)}" for name, values in self.slices.items()]
        return ", ".join((f"{self.model} {what}", *parts))


def unit_of(metric: str) -> str | None:
    """Give the unit of a metric by its name; None where the name does not tell."""
    if metric in OF_RUN:
        return OF_RUN[metric]
    if metric.startswith("captured."):
        return None
    base = metric.split(".")[0]
    return next((unit for end, unit in _UNITS.items() if base.endswith(end)), "")
