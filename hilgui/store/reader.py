"""Reads one run, while it is written or afterwards."""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import StoreBroken
from hilgui.records import (
    Disagreement,
    FeatureSample,
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
from hilgui.store import answers, codec, schema
from hilgui.store.folder import DATABASE, PICTURES
from hilgui.store.lock import RunLock
from hilgui.store.recovery import close_dead_run, count_frames, reading
from hilgui.store.timeline import Timeline, read_timeline
from hilgui.store.writer import FATES, ROLES

_FRAME_TABLES = (
    ("frame", "seq"),
    ("inference", "seq, role"),
    ("content", "seq"),
    ("answer", "seq, name"),
    ("series", "name"),
)
_PAGE = 64  # frames that are read at once

_Times = dict[tuple[int, Role], list[Any]]  # stage times in ms and invalid rows, by frame and model


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One signal over the time of a run."""

    unit: str
    times_s: NDArray[np.float64]  # rising
    numbers: NDArray[np.float64]


def state_of(verdict: Verdict | None) -> str:
    """Say "running", "finished" or "aborted"."""
    if verdict is None:
        return "running"
    return "aborted" if verdict.outcome is Outcome.ABORTED else "finished"


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
        with reading(folder):
            self._database = _open(folder)
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            upgrade = schema.upgrade(version)
            if upgrade is None:
                raise StoreBroken(
                    f"{folder} was written in format {version}, this hilgui reads up to {schema.VERSION}", path=folder
                )
            if upgrade:
                self._database.executescript(f"PRAGMA temp_store=MEMORY;{upgrade}")
        self.header = self._header()

    @property
    def state(self) -> str:
        """Say "running", "finished" or "aborted"."""
        return state_of(self.verdict)

    @property
    def verdict(self) -> Verdict | None:
        """Give how the run ended, None while it is written."""
        known = self._stored_verdict()
        if known is not None:
            return known
        lock = RunLock(self.folder)
        try:
            is_dead = lock.take()
        except OSError:  # read-only media: nobody can be writing there
            is_dead = True
        lock.release()
        if not is_dead:
            return None
        # The writer may have finished between the two looks.
        return self._stored_verdict() or Verdict(Outcome.ABORTED, ("the run was never finished",))

    def _stored_verdict(self) -> Verdict | None:
        plain = self.meta("verdict")
        with reading(self.folder):
            return None if plain is None else Verdict(Outcome(plain["outcome"]), tuple(plain["reasons"]))

    @property
    def ledger(self) -> Ledger:
        """Give what became of every frame; counted from the stored frames until the run is finished."""
        plain = self.meta("ledger")
        with reading(self.folder):
            if plain is None:
                plain = count_frames(self._database)
            return Ledger(**{**plain, "reasons": tuple(sorted(plain["reasons"].items()))})

    def meta(self, key: str) -> Any:
        """Give a JSON value by name, None where it is not stored."""
        with reading(self.folder):
            row = self._database.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
            return None if row is None else json.loads(row[0])

    def frames_sha256(self) -> str:
        """Hash all that the frames hold: fates, stamps, labels, answers of the models, signals.

        The same rows give the same hash, however the file is laid out.
        """
        digest = hashlib.sha256()
        with reading(self.folder):
            for table, order in _FRAME_TABLES:
                for row in self._database.execute(f"SELECT * FROM {table} ORDER BY {order}"):
                    blobs = [value for value in row if isinstance(value, bytes)]
                    plain = [len(value) if isinstance(value, bytes) else value for value in row]
                    digest.update(f"{table} {plain!r}".encode())
                    for blob in blobs:
                        digest.update(blob)
        return digest.hexdigest()

    def figures(self) -> dict[Role, dict[str, Any] | None]:
        """Give the detection figures of each model as JSON-like values, None without truth."""
        plain = self.meta("figures") or {}
        return {role: plain.get(role.value) for role in self.header.models}

    def timeline(self, since: int = 0) -> Timeline:
        """Give the numbers of every stored frame from `since` on; 0.1 µs a frame, the newest 1,000 4 µs."""
        with reading(self.folder):
            return read_timeline(self._database, tuple(self.header.models), since)

    def moment(self, seq: int) -> Moment | None:
        """Give everything about one frame; None where it was lost or is not stored yet."""
        found = list(self.moments(seq, seq))
        return found[0] if found else None

    def moments(self, first: int = 0, last: int | None = None) -> Iterator[Moment]:
        """Give the evaluated frames from `first` to `last`, in order; of a running run those stored when it gets there.

        Reads a page at a time: between two frames no cursor is open, so the writer is not held up and other
        questions to this reader see the newest state.
        """
        limit = 2**62 if last is None else last
        while page := self._page(first, limit):
            yield from page
            first = page[-1].ref.seq + 1

    def _page(self, first: int, last: int) -> list[Moment]:
        with reading(self.folder):
            rows = self._database.execute(
                "SELECT frame.seq, key, time_s, stamp, captured_ns, width, height, mean, deviation, saturated, change,"
                " frame.disagreement, truth, baseline, candidate, baseline_match, candidate_match,"
                " content.disagreement, channel, speed_mps"
                " FROM content JOIN frame ON frame.seq=content.seq WHERE content.seq BETWEEN ? AND ?"
                " ORDER BY content.seq LIMIT ?",
                (first, last, _PAGE),
            ).fetchall()
            if not rows:
                return []
            times: _Times = {
                (seq, ROLES[role]): figures
                for seq, role, *figures in self._database.execute(
                    "SELECT seq, role, preprocess_ms, run_ms, postprocess_ms, invalid FROM inference"
                    " WHERE seq BETWEEN ? AND ?",
                    (rows[0][0], rows[-1][0]),
                )
            }
            blobs: defaultdict[int, dict[str, bytes]] = defaultdict(dict)
            for seq, name, blob in self._database.execute(
                "SELECT seq, name, value FROM answer WHERE seq BETWEEN ? AND ?", (rows[0][0], rows[-1][0])
            ):
                blobs[seq][name] = blob
            return [_moment(row, times, blobs.get(row[0], {})) for row in rows]

    def features(self) -> list[FeatureSample]:
        """Give the sampled features of the networks in the order of their frames; empty where a run kept none."""
        names = {f"{role}.{answers.FEATURES}": role for role in ROLES}
        found: dict[int, FeatureSample] = {}
        with reading(self.folder):
            for *ref, name, blob in self._database.execute(
                "SELECT frame.seq, key, time_s, stamp, captured_ns, width, height, channel, name, value"
                " FROM answer JOIN frame ON frame.seq=answer.seq WHERE name IN (?,?) ORDER BY frame.seq, name",
                tuple(names),
            ):
                sample = found.setdefault(ref[0], FeatureSample(_ref(tuple(ref)), {}))
                sample.features[names[name]] = answers.features(blob)
        return list(found.values())

    def series(self) -> dict[str, Series]:
        """Give the signals of the vehicle by name, on the clock of the run."""
        with reading(self.folder):
            rows = self._database.execute("SELECT name, unit, times_s, numbers FROM series ORDER BY name").fetchall()
            return {
                name: Series(unit, np.frombuffer(times_s, "<f8"), np.frombuffer(numbers, "<f8"))
                for name, unit, times_s, numbers in rows
            }

    def losses(self) -> list[Loss]:
        """Give the frames that were not evaluated, with the reason."""
        with reading(self.folder):
            rows = self._database.execute(
                "SELECT seq, key, time_s, stamp, captured_ns, width, height, channel, fate, reason FROM frame"
                " WHERE fate>0 ORDER BY seq"
            ).fetchall()
        return [Loss(_ref(row[:8]), FATES[row[8]], row[9]) for row in rows]

    def findings(self, *, kind: Kind | None = None, known: dict[str, Finding] | None = None) -> list[Finding]:
        """Give the findings in the order in which they closed.

        `known` keeps them by their stored text, for whoever asks again and again: what is the same is read once.
        """
        known = {} if known is None else known
        with reading(self.folder):
            rows = self._database.execute(
                "SELECT value FROM finding WHERE ?1 IS NULL OR kind=?1 ORDER BY number",
                (None if kind is None else kind.value,),
            ).fetchall()
            for (value,) in rows:
                if value not in known:
                    known[value] = codec.finding_from_json(json.loads(value))
            return [known[value] for (value,) in rows]

    def picture(self, seq: int) -> bytes | None:
        """Give the JPEG that was kept for a clip; None where no finding was near."""
        try:
            return (self.folder / PICTURES / f"{seq:08d}.jpg").read_bytes()
        except FileNotFoundError:
            return None

    def raw_picture(self, seq: int) -> bytes | None:
        """Give the PNG of the samples as the sensor gave them; None where the picture is no reduction or not kept."""
        try:
            return (self.folder / PICTURES / f"{seq:08d}.raw.png").read_bytes()
        except FileNotFoundError:
            return None

    def close(self) -> None:
        """Let go of the database; may be called twice."""
        self._database.close()

    def _header(self) -> RunHeader:
        plain, moved_to = self.meta("header"), self.meta("moved_to")
        try:
            header = RunHeader.from_json(plain)
            if moved_to is None:
                return header
            places = moved_to if isinstance(moved_to, dict) else {header.source.path: str(moved_to)}
            return replace(header, source=header.source.moved(places))
        except (KeyError, TypeError, ValueError) as failure:
            self._database.close()
            raise StoreBroken(f"the header of {self.folder} is damaged: {failure!r}", path=self.folder) from failure


def _open(folder: Path) -> sqlite3.Connection:
    uri = (folder / DATABASE).resolve().as_uri()
    database = sqlite3.connect(f"{uri}?mode=ro", uri=True, isolation_level=None)
    try:
        database.execute("SELECT count(*) FROM meta").fetchone()
    except sqlite3.OperationalError as failure:  # read-only media cannot hold the files that WAL wants
        database.close()
        journal = folder / f"{DATABASE}-wal"
        if journal.is_file() and journal.stat().st_size:  # frames in it would be left out without a word
            raise StoreBroken(
                f"the run {folder} was not finished and lies on read-only media; copy it to where it can be closed",
                path=folder,
            ) from failure
        database = sqlite3.connect(f"{uri}?immutable=1", uri=True, isolation_level=None)
    return database


def _moment(row: tuple[Any, ...], times: _Times, blobs: Mapping[str, bytes]) -> Moment:
    seq, disagreement, truth, disagreement_rows = row[0], row[11], row[12], row[17]
    inferences, comparisons = {}, {}
    for index, role in enumerate(ROLES):
        output, match = row[13 + index], row[15 + index]
        if output is not None:
            pre, run, post, invalid = times[seq, role]
            inferences[role] = Inference(
                codec.unpack_detections(output),
                round(pre * 1e6),
                round(run * 1e6),
                round(post * 1e6),
                invalid,
                **answers.outputs(role, blobs),
            )
        if match is not None:
            comparisons[role] = codec.unpack_comparison(match)
    differs: Disagreement | None = None
    if disagreement_rows is not None:
        differs = codec.unpack_disagreement(disagreement, disagreement_rows)
    return Moment(
        ref=_ref((*row[:7], row[18])),
        health=FrameHealth(
            row[7], row[8], row[9], math.nan if row[10] is None else row[10], *answers.health_figures(blobs)
        ),
        truth=answers.with_tags(
            answers.with_truncation(None if truth is None else codec.unpack_truth(truth), blobs), blobs
        ),
        inferences=inferences,
        comparisons=comparisons,
        disagreement=differs,
        speed_mps=row[19],
        **answers.truths(blobs),
    )


def _ref(row: tuple[Any, ...]) -> FrameRef:
    seq, key, time_s, stamp, captured_ns, width, height, channel = row
    return FrameRef(
        seq=seq,
        key=key,
        time_s=math.nan if time_s is None else time_s,
        stamp=datetime.fromisoformat(stamp),
        captured_ns=captured_ns,
        width=width,
        height=height,
        channel=channel,
    )
