"""The lanes of the timeline: which there are, and what each draws, reduced to pixel columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.series import Series, covered
from hilgui.records import Kind, Role, Severity

_SAMPLE = 4096  # frames that tell the usual latency
_ABOVE_USUAL = 3.0  # times the usual latency fill a lane; higher ones are cut off


class Look(Enum):
    """How a lane draws its columns."""

    BARS = auto()  # height by value
    SPANS = auto()  # findings: height and colour by severity
    MARKS = auto()  # lost frames


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the timeline. `ink` names the colour; `kind` is set where the lane shows findings of that kind."""

    key: str
    title: str
    look: Look
    ink: str
    height: int
    kind: Kind | None = None
    role: Role | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Heights 0..1 of each column, and where a limit line runs (0..1), if there is one."""

    heights: NDArray[np.float32]
    limit: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """The highest severity of the findings that touch each column, 0 where there is none."""

    severities: NDArray[np.int8]


class FindingRows:
    """The findings of a drive as arrays of rows, by kind; made once for each new set of findings."""

    def __init__(self, drive: Drive) -> None:
        self._by_kind: dict[Kind, dict[Severity, tuple[NDArray[np.int64], NDArray[np.int64]]]] = {}
        self.counts: dict[Kind, int] = {}
        grouped: dict[tuple[Kind, Severity], list[tuple[int, int]]] = {}
        for finding in drive.findings:
            grouped.setdefault((finding.kind, finding.severity), []).append((finding.first_seq, finding.last_seq))
            self.counts[finding.kind] = self.counts.get(finding.kind, 0) + 1
        for (kind, severity), spans in grouped.items():
            seqs = np.array(spans, np.int64)
            rows = drive.rows_of(seqs[:, 0]), drive.rows_of(seqs[:, 1])
            self._by_kind.setdefault(kind, {})[severity] = rows

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Give the kinds that occur, in the order of the vocabulary."""
        return tuple(kind for kind in Kind if kind in self._by_kind)

    def spans(self, kind: Kind, edges: NDArray[np.int64]) -> Spans:
        """Reduce the findings of a kind to columns."""
        severities = np.zeros(max(len(edges) - 1, 0), np.int8)
        for severity, (first, last) in sorted(self._by_kind.get(kind, {}).items()):
            severities[covered(first, last, edges)] = int(severity)
        return Spans(severities)


def lanes_of(drive: Drive, kinds: tuple[Kind, ...]) -> tuple[Lane, ...]:
    """List the lanes that say something about this run."""
    return tuple(_lanes(drive, kinds))


def _lanes(drive: Drive, kinds: tuple[Kind, ...]) -> Iterator[Lane]:
    for kind in kinds:
        yield Lane(kind.value, kind.value, Look.SPANS, "missed", 15, kind=kind)
    if drive.header.truth is not None:
        for role in sorted(drive.roles, key=lambda role: role is Role.BASELINE):
            yield Lane(f"missed {role.value}", f"missed · {role.value}", Look.BARS, "missed", 17, role=role)
        for role in sorted(drive.roles, key=lambda role: role is Role.BASELINE):
            yield Lane(f"phantoms {role.value}", f"phantoms · {role.value}", Look.BARS, "phantom", 17, role=role)
    if Role.CANDIDATE in drive.roles:
        yield Lane("disagreement", "disagreement 1−F1", Look.BARS, "text_soft", 17)
    for role in drive.roles:
        yield Lane(f"latency {role.value}", f"latency · {role.value}", Look.BARS, role.value, 17, role=role)
    if drive.ledger.dropped or drive.ledger.skipped or drive.ledger.candidate_skipped:
        yield Lane("lost", "dropped, skipped", Look.MARKS, "warning", 15)


def bars(lane: Lane, drive: Drive, edges: NDArray[np.int64]) -> Bars:
    """Reduce a lane to the highest bar of each column."""
    if lane.key == "disagreement":
        return Bars(np.nan_to_num(drive.disagreement.columns(edges).high))
    if lane.key == "lost":
        return Bars(_lost(drive, edges))
    assert lane.role is not None
    series = drive.roles[lane.role]
    if lane.key.startswith("latency"):
        return _latency(series.latency_ms, drive, edges)
    counts = series.missed if lane.key.startswith("missed") else series.phantoms
    top = max(float(np.nanmax(counts.peaks, initial=0.0)), 3.0)  # a single miss stays a low bar
    return Bars(np.nan_to_num(counts.columns(edges).high) / np.float32(top))


def unlabelled(drive: Drive, edges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say in which columns no frame has labels: nothing is judged there."""
    nowhere: NDArray[np.bool_] = np.nan_to_num(drive.with_truth.columns(edges).high) == 0
    return nowhere


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Give the stretches of True as (first, end) columns, end not included."""
    padded = np.concatenate(([False], mask, [False]))
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    return [(int(first), int(end)) for first, end in zip(changes[::2], changes[1::2], strict=True)]


def _latency(series: Series, drive: Drive, edges: NDArray[np.int64]) -> Bars:
    values = series.values[:: max(len(series) // _SAMPLE, 1)]
    values = values[~np.isnan(values)]
    usual = float(np.median(values)) if len(values) else 0.0
    deadline = None
    if drive.header.speed != "max" and drive.has_time:
        deadline = drive.period_s * 1000
    top = max(usual * _ABOVE_USUAL, deadline * 1.25 if deadline else 0.0, 1e-3)
    heights = np.clip(np.nan_to_num(series.columns(edges).high) / np.float32(top), 0, 1)
    return Bars(heights, None if deadline is None else deadline / top)


def _lost(drive: Drive, edges: NDArray[np.int64]) -> NDArray[np.float32]:
    """Give 1 where a frame was dropped, half of it where one was skipped, by the run or by the candidate."""
    fate = drive.fate.columns(edges)
    heights = np.where(np.nan_to_num(fate.high) == 2, 0.5, 0.0).astype(np.float32)
    candidate = drive.roles.get(Role.CANDIDATE)
    if candidate is not None:
        skipped = np.nan_to_num(candidate.ran.columns(edges).low, nan=1.0) == 0
        heights[skipped] = np.maximum(heights[skipped], 0.5)
    heights[(np.nan_to_num(fate.low) == 1) | (np.nan_to_num(fate.high) == 1)] = 1.0
    return heights
