"""Reads one run, while it is written or afterwards."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import StoreBroken
from hilgui.records import (
    Disagreement,
    Fate,
    Finding,
    FrameHealth,
    FrameRef,
    Inference,
    Kind,
    Ledger,
    Loss,
    Moment,
    Outcome,
    Role,
    RunHeader,
    Verdict,
)
from hilgui.store import codec, schema
from hilgui.store.folder import DATABASE, PICTURES
from hilgui.store.lock import RunLock
from hilgui.store.writer import FATES, ROLES, leave_wal, ledger_json, verdict_json


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


class RunReader:
    """One thread owns a reader. A run whose writer died is closed as ABORTED the first time it is opened."""

    def __init__(self, folder: Path) -> None:
        """Open the run; raises StoreBroken."""
        self.folder = folder
        if not (folder / DATABASE).is_file():
            raise StoreBroken(f"{folder} holds no run (no {DATABASE}); is it the right folder?", path=folder)
        close_dead_run(
            folder, Verdict(Outcome.ABORTED, ("the process that wrote the run ended before it was finished",))
        )
        with _translated(folder):
            self._database = _open(folder)
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if version != schema.VERSION:
                raise StoreBroken(
                    f"{folder} was written in format {version}, this hilgui reads {schema.VERSION}", path=folder
                )
        self.header = self._header()

    @property
    def state(self) -> str:
        """Say "running", "finished" or "aborted"."""
        verdict = self.verdict
        if verdict is None:
            return "running"
        return "aborted" if verdict.outcome is Outcome.ABORTED else "finished"

    @property
    def verdict(self) -> Verdict | None:
        """Give how the run ended, None while it is written."""
        plain = self.meta("verdict")
        if plain is not None:
            return Verdict(Outcome(plain["outcome"]), tuple(plain["reasons"]))
        lock = RunLock(self.folder)
        try:
            is_dead = lock.take()
        except OSError:  # read-only media: nobody can be writing there
            is_dead = True
        lock.release()
        return Verdict(Outcome.ABORTED, ("the run was never finished",)) if is_dead else None

    @property
    def ledger(self) -> Ledger:
        """Give what became of every frame; counted from the stored frames until the run is finished."""
        plain = self.meta("ledger")
        if plain is None:
            with _translated(self.folder):
                plain = count_frames(self._database)
        reasons = tuple(sorted(plain.pop("reasons").items()))
        return Ledger(**plain, reasons=reasons)

    def meta(self, key: str) -> Any:
        """Give a JSON value by name, None where it is not stored."""
        with _translated(self.folder):
            row = self._database.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
            return None if row is None else json.loads(row[0])

    def figures(self) -> dict[Role, dict[str, Any] | None]:
        """Give the detection figures of each model as JSON-like values, None without truth."""
        plain = self.meta("figures") or {}
        return {role: plain.get(role.value) for role in self.header.models}

    def timeline(self, since: int = 0) -> Timeline:
        """Give the numbers of every stored frame from `since` on."""
        with _translated(self.folder):
            rows = self._database.execute(
                "SELECT seq, time_s, fate, labelled, mean, disagreement FROM frame WHERE seq>=? ORDER BY seq", (since,)
            ).fetchall()
            table = np.array(rows, np.float64).reshape(-1, 6)  # None becomes NaN
            seqs = table[:, 0].astype(np.int64)
            last = int(seqs[-1]) if len(seqs) else -1
            roles = {role: self._role_timeline(role, since, last, seqs) for role in self.header.models}
        return Timeline(
            seq=seqs,
            time_s=table[:, 1],
            fate=table[:, 2].astype(np.uint8),
            with_truth=table[:, 3] > 0,
            brightness=table[:, 4].astype(np.float32),
            disagreement=table[:, 5].astype(np.float32),
            roles=roles,
        )

    def _role_timeline(self, role: Role, since: int, last: int, seqs: NDArray[np.int64]) -> RoleTimeline:
        rows = self._database.execute(
            "SELECT seq, preprocess_ms, run_ms, postprocess_ms, detections, score, matched, missed, phantoms"
            " FROM inference WHERE role=? AND seq BETWEEN ? AND ? ORDER BY seq",
            (ROLES.index(role), since, last),
        ).fetchall()
        given = np.array(rows, np.float64).reshape(-1, 9)
        table = np.full((len(seqs), 9), np.nan)
        where = np.searchsorted(seqs, given[:, 0].astype(np.int64))
        table[where] = given
        ran = ~np.isnan(table[:, 0])
        times = table[:, 1:4].astype(np.float32)
        counts = np.nan_to_num(table[:, [4, 6, 7, 8]]).astype(np.int32)
        return RoleTimeline(
            ran=ran,
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

    def moment(self, seq: int) -> Moment | None:
        """Give everything about one frame; None where it was lost or is not stored yet."""
        found = list(self.moments(seq, seq))
        return found[0] if found else None

    def moments(self, first: int = 0, last: int | None = None) -> Iterator[Moment]:
        """Give the evaluated frames from `first` to `last`, in order, one at a time."""
        limits = (first, 2**62 if last is None else last)
        with _translated(self.folder):
            rows = self._database.execute(
                "SELECT frame.seq, key, time_s, stamp, captured_ns, width, height, mean, deviation, saturated, change,"
                " frame.disagreement, truth, baseline, candidate, baseline_match, candidate_match, content.disagreement"
                " FROM frame JOIN content ON content.seq=frame.seq WHERE frame.seq BETWEEN ? AND ? ORDER BY frame.seq",
                limits,
            )
            for row in rows:
                yield self._moment(row)

    def losses(self) -> list[Loss]:
        """Give the frames that were not evaluated, with the reason."""
        with _translated(self.folder):
            rows = self._database.execute(
                "SELECT seq, key, time_s, stamp, captured_ns, width, height, fate, reason FROM frame"
                " WHERE fate>0 ORDER BY seq"
            ).fetchall()
        return [Loss(_ref(row[:7]), FATES[row[7]], row[8]) for row in rows]

    def findings(self, *, kind: Kind | None = None) -> list[Finding]:
        """Give the findings in the order in which they closed."""
        with _translated(self.folder):
            rows = self._database.execute(
                "SELECT value FROM finding WHERE ?1 IS NULL OR kind=?1 ORDER BY number",
                (None if kind is None else kind.value,),
            ).fetchall()
            return [codec.finding_from_json(json.loads(value)) for (value,) in rows]

    def picture(self, seq: int) -> bytes | None:
        """Give the JPEG that was kept for a clip; None where no finding was near."""
        try:
            return (self.folder / PICTURES / f"{seq:08d}.jpg").read_bytes()
        except FileNotFoundError:
            return None

    def close(self) -> None:
        """Let go of the database; may be called twice."""
        self._database.close()

    def _header(self) -> RunHeader:
        plain = self.meta("header")
        try:
            return RunHeader.from_json(plain)
        except (KeyError, TypeError, ValueError) as failure:
            self._database.close()
            raise StoreBroken(f"the header of {self.folder} is damaged: {failure!r}", path=self.folder) from failure

    def _moment(self, row: tuple[Any, ...]) -> Moment:
        seq, disagreement, truth, disagreement_rows = row[0], row[11], row[12], row[17]
        times = {
            ROLES[role]: figures
            for role, *figures in self._database.execute(
                "SELECT role, preprocess_ms, run_ms, postprocess_ms, invalid FROM inference WHERE seq=?", (seq,)
            )
        }
        inferences, comparisons = {}, {}
        for index, role in enumerate(ROLES):
            output, match = row[13 + index], row[15 + index]
            if output is not None:
                pre, run, post, invalid = times[role]
                inferences[role] = Inference(
                    codec.unpack_detections(output), round(pre * 1e6), round(run * 1e6), round(post * 1e6), invalid
                )
            if match is not None:
                comparisons[role] = codec.unpack_comparison(match)
        differs: Disagreement | None = None
        if disagreement_rows is not None:
            differs = codec.unpack_disagreement(disagreement, disagreement_rows)
        return Moment(
            ref=_ref(row[:7]),
            health=FrameHealth(row[7], row[8], row[9], math.nan if row[10] is None else row[10]),
            truth=None if truth is None else codec.unpack_truth(truth),
            inferences=inferences,
            comparisons=comparisons,
            disagreement=differs,
        )


def close_dead_run(folder: Path, verdict: Verdict) -> bool:
    """Finish a run whose writer is gone; say whether there was one.

    Does nothing where a writer holds the lock, the run has a verdict, or the folder is read-only.
    """
    lock = RunLock(folder)
    try:
        if not lock.take():
            return False
    except OSError:
        return False
    try:
        with _translated(folder):
            database = sqlite3.connect(folder / DATABASE, isolation_level=None)
            try:
                if database.execute("SELECT 1 FROM meta WHERE key='verdict'").fetchone():
                    return False
                if database.execute("SELECT 1 FROM meta WHERE key='header'").fetchone() is None:
                    return False
                database.execute("BEGIN IMMEDIATE")
                for key, value in (("ledger", count_frames(database)), ("verdict", verdict_json(verdict))):
                    database.execute("INSERT INTO meta VALUES (?,?)", (key, json.dumps(value)))
                database.execute("COMMIT")
                leave_wal(database)
                return True
            finally:
                database.close()
    finally:
        lock.release()


def count_frames(database: sqlite3.Connection) -> dict[str, Any]:
    """Count a ledger from the stored frames."""
    counts = dict(database.execute("SELECT fate, count(*) FROM frame GROUP BY fate"))
    ledger = Ledger(
        captured=sum(counts.values()),
        evaluated=counts.get(FATES.index(Fate.EVALUATED), 0),
        dropped=counts.get(FATES.index(Fate.DROPPED), 0),
        skipped=counts.get(FATES.index(Fate.SKIPPED), 0),
        with_truth=database.execute("SELECT count(*) FROM frame WHERE labelled").fetchone()[0],
        candidate_skipped=database.execute(
            "SELECT count(*) FROM content WHERE candidate IS NULL AND EXISTS (SELECT 1 FROM inference WHERE role=1)"
        ).fetchone()[0],
        reasons=tuple(
            database.execute("SELECT reason, count(*) FROM frame WHERE fate>0 GROUP BY reason ORDER BY reason")
        ),
    )
    return ledger_json(ledger)


def _open(folder: Path) -> sqlite3.Connection:
    uri = (folder / DATABASE).resolve().as_uri()
    database = sqlite3.connect(f"{uri}?mode=ro", uri=True, isolation_level=None)
    try:
        database.execute("SELECT count(*) FROM meta").fetchone()
    except sqlite3.OperationalError:  # read-only media cannot hold the files that WAL wants
        database.close()
        database = sqlite3.connect(f"{uri}?immutable=1", uri=True, isolation_level=None)
    return database


def _ref(row: tuple[Any, ...]) -> FrameRef:
    seq, key, time_s, stamp, captured_ns, width, height = row
    return FrameRef(
        seq=seq,
        key=key,
        time_s=math.nan if time_s is None else time_s,
        stamp=datetime.fromisoformat(stamp),
        captured_ns=captured_ns,
        width=width,
        height=height,
    )


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, ValueError, KeyError, IndexError) as failure:
        raise StoreBroken(
            f"the run {folder} cannot be read: {failure}; is it damaged or on a broken disk?", path=folder
        ) from failure
