"""The numbers of a run as parallel arrays, for timelines, plots and sums: blocks, and behind them single rows."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.records import Role
from hilgui.store.blocks import layout, read_blocks
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
    blocks = read_blocks(database, roles, since)
    if blocks:
        since = int(blocks[-1]["seq"][-1]) + 1
    rows = np.concatenate([*blocks, _tail(database, roles, since)])
    return Timeline(
        seq=_column(rows, "seq"),
        time_s=_column(rows, "time_s"),
        fate=_column(rows, "fate"),
        with_truth=rows["labelled"] > 0,
        brightness=_column(rows, "mean"),
        disagreement=_column(rows, "disagreement"),
        roles={role: _role_timeline(rows[role.value]) for role in roles},
    )


def _role_timeline(rows: NDArray[np.void]) -> RoleTimeline:
    times, counts = _column(rows, "times_ms"), _column(rows, "counts")
    return RoleTimeline(
        ran=rows["ran"] > 0,
        latency_ms=times.sum(axis=1),
        preprocess_ms=times[:, 0],
        run_ms=times[:, 1],
        postprocess_ms=times[:, 2],
        detections=counts[:, 0],
        score=_column(rows, "score"),
        matched=counts[:, 1],
        missed=counts[:, 2],
        phantoms=counts[:, 3],
    )


def _column(rows: NDArray[np.void], name: str) -> NDArray[Any]:
    return np.ascontiguousarray(rows[name])


def _tail(database: sqlite3.Connection, roles: tuple[Role, ...], since: int) -> NDArray[np.void]:
    """Read the frames behind the last block one by one, laid out like a block."""
    table = _table(
        database.execute(
            "SELECT seq, time_s, fate, labelled, mean, disagreement FROM frame WHERE seq>=? ORDER BY seq", (since,)
        ),
        6,
    )
    rows = np.zeros(len(table), layout(roles))
    for place, name in enumerate(("seq", "time_s", "fate", "labelled", "mean", "disagreement")):
        rows[name] = table[:, place]
    seqs = rows["seq"]
    for role in roles:
        mine = rows[role.value]
        mine["times_ms"], mine["score"] = np.nan, np.nan
        given = _table(
            database.execute(
                "SELECT seq, preprocess_ms, run_ms, postprocess_ms, detections, score, matched, missed, phantoms"
                " FROM inference WHERE role=? AND seq BETWEEN ? AND ? ORDER BY seq",
                (ROLES.index(role), since, int(seqs[-1]) if len(seqs) else -1),
            ),
            9,
        )
        at = np.searchsorted(seqs, given[:, 0].astype(np.int64))
        mine["ran"][at] = 1
        mine["times_ms"][at] = given[:, 1:4]
        mine["score"][at] = given[:, 5]
        mine["counts"][at] = np.nan_to_num(given[:, [4, 6, 7, 8]])
    return rows


def _table(cursor: sqlite3.Cursor, columns: int) -> NDArray[np.float64]:
    """Turn rows of numbers into an array block by block; None becomes NaN."""
    blocks = [np.array(rows, np.float64).reshape(-1, columns) for rows in iter(lambda: cursor.fetchmany(_BLOCK), [])]
    return np.concatenate(blocks) if blocks else np.empty((0, columns))
