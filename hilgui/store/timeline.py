"""The numbers of a run as parallel arrays, for timelines, plots and sums."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.records import Role
from hilgui.store.writer import ROLES

_BLOCK = 16_384  # rows of numbers that are Python objects at the same time


@dataclass(frozen=True, slots=True, eq=False)
class RoleTimeline:
    """What one model did, one entry a frame; where it did not run `ran` is False and the rest is NaN or 0."""

    ran: NDArray[np.bool_]
    latency_ms: NDArray[np.float32]
    preprocess_ms: NDArray[np.float32]
    run_ms: NDArray[np.float32]
    postprocess_ms: NDArray[np.float32]
    detections: NDArray[np.int32]
    score: NDArray[np.float32]
    matched: NDArray[np.int32]
    missed: NDArray[np.int32]
    phantoms: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The numbers of a stretch of frames as parallel arrays."""

    seq: NDArray[np.int64]
    time_s: NDArray[np.float64]  # NaN in an unordered set
    fate: NDArray[np.uint8]  # 0 evaluated, 1 dropped, 2 skipped
    with_truth: NDArray[np.bool_]
    brightness: NDArray[np.float32]
    disagreement: NDArray[np.float32]
    roles: dict[Role, RoleTimeline]


def read_timeline(database: sqlite3.Connection, roles: tuple[Role, ...], since: int) -> Timeline:
    """Read every stored frame from `since` on; raises sqlite3.Error and ValueError."""
    table = _table(
        database.execute(
            "SELECT seq, time_s, fate, labelled, mean, disagreement FROM frame WHERE seq>=? ORDER BY seq", (since,)
        ),
        6,
    )
    seqs = table[:, 0].astype(np.int64)
    return Timeline(
        seq=seqs,
        time_s=table[:, 1],
        fate=table[:, 2].astype(np.uint8),
        with_truth=table[:, 3] > 0,
        brightness=table[:, 4].astype(np.float32),
        disagreement=table[:, 5].astype(np.float32),
        roles={role: _role_timeline(database, role, since, seqs) for role in roles},
    )


def _role_timeline(database: sqlite3.Connection, role: Role, since: int, seqs: NDArray[np.int64]) -> RoleTimeline:
    last = int(seqs[-1]) if len(seqs) else -1
    rows = database.execute(
        "SELECT seq, preprocess_ms, run_ms, postprocess_ms, detections, score, matched, missed, phantoms"
        " FROM inference WHERE role=? AND seq BETWEEN ? AND ? ORDER BY seq",
        (ROLES.index(role), since, last),
    )
    given = _table(rows, 9)
    table = np.full((len(seqs), 9), np.nan)
    table[np.searchsorted(seqs, given[:, 0].astype(np.int64))] = given
    times = table[:, 1:4].astype(np.float32)
    counts = np.nan_to_num(table[:, [4, 6, 7, 8]]).astype(np.int32)
    return RoleTimeline(
        ran=~np.isnan(table[:, 0]),
        latency_ms=times.sum(axis=1),
        preprocess_ms=times[:, 0],
        run_ms=times[:, 1],
        postprocess_ms=times[:, 2],
        detections=counts[:, 0],
        score=table[:, 5].astype(np.float32),
        matched=counts[:, 1],
        missed=counts[:, 2],
        phantoms=counts[:, 3],
    )


def _table(cursor: sqlite3.Cursor, columns: int) -> NDArray[np.float64]:
    """Turn rows of numbers into an array block by block; None becomes NaN."""
    blocks = [np.array(rows, np.float64).reshape(-1, columns) for rows in iter(lambda: cursor.fetchmany(_BLOCK), [])]
    return np.concatenate(blocks) if blocks else np.empty((0, columns))
