"""Writes one run; what `write` returned from is safe against a killed process."""

from __future__ import annotations

import json
import logging
import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import StoreBroken
from hilgui.records import Detections, Fate, FeatureSample, Finding, Ledger, Loss, Moment, Role, RunHeader, Verdict
from hilgui.store import codec, schema
from hilgui.store.answers import answers_of, features_of
from hilgui.store.blocks import BlockMaker
from hilgui.store.folder import DATABASE, PICTURES
from hilgui.store.lock import RunLock
from hilgui.store.pictures import Clip, Picture

log = logging.getLogger(__name__)

EVICTED = "evicted"  # name of the list of pictures that a commit gave up
FATES = (Fate.EVALUATED, Fate.DROPPED, Fate.SKIPPED)
ROLES = (Role.BASELINE, Role.CANDIDATE)
_NUMBERS = {role: number for number, role in enumerate(ROLES)}

_CHECKPOINT_PAGES = 4000  # 16 MB of log between two waits for the disk; SQLite's own choice is 1000

_FRAME = f"INSERT INTO frame VALUES ({','.join('?' * 17)})"
_INFERENCE = f"INSERT INTO inference VALUES ({','.join('?' * 11)})"
_CONTENT = f"INSERT INTO content VALUES ({','.join('?' * 7)})"
_ANSWER = "INSERT INTO answer VALUES (?,?,?)"
_SERIES = "INSERT OR REPLACE INTO series VALUES (?,?,?,?)"
_FINDING = "INSERT OR REPLACE INTO finding VALUES (?,?,?,?,?)"


class RunWriter:
    """Owned by the record thread. A frame, its boxes and its findings are one transaction."""

    def __init__(self, root: Path, header: RunHeader) -> None:
        """Make the run folder and write its header; raises StoreBroken."""
        self.folder = root / header.run_id
        self._thresholds = {role: facts.threshold for role, facts in header.models.items()}
        self._judged = header.vocabulary.judged
        self._blocks = BlockMaker(tuple(header.models))
        self._evicted: list[int] = []  # pictures that could not be removed yet
        self._lock = RunLock(self.folder)
        with _translated(self.folder):
            (self.folder / PICTURES).mkdir(parents=True)
            self._lock.take()
            self._database = sqlite3.connect(
                self.folder / DATABASE, isolation_level=None, check_same_thread=False, cached_statements=32
            )
            self._database.executescript(
                f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;PRAGMA user_version={schema.VERSION};{schema.TABLES}"
            )
            self.put("header", header.as_json())
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")

    def write(
        self,
        frames: Sequence[Moment | Loss],
        findings: Sequence[Finding] = (),
        pictures: Sequence[Picture] = (),
        evicted: Sequence[int] = (),
        clips: Sequence[Clip] = (),
        features: Sequence[FeatureSample] = (),
    ) -> None:
        """Store frames, findings, the pictures of their clips, features of earlier frames; returns after the commit.

        `clips` are those of findings stored before, as they are now. Evicted pictures (sequence numbers) go after the
        commit, so that no stored finding misses one; whoever opens the run of a writer that died in between removes
        them, by the list that is committed too.
        """
        frame_rows: list[tuple[Any, ...]] = []
        inference_rows: list[tuple[Any, ...]] = []
        content_rows: list[tuple[Any, ...]] = []
        answer_rows: list[tuple[Any, ...]] = []
        for item in frames:
            if isinstance(item, Loss):
                frame_rows.append(_loss_row(item))
                answer_rows.extend(self._block(frame_rows[-1], []))
                continue
            frame_rows.append(_frame_row(item))
            mine = list(self._inference_rows(item))
            inference_rows.extend(mine)
            answer_rows.extend(self._block(frame_rows[-1], mine))
            content_rows.append(_content_row(item))
            answer_rows.extend((item.ref.seq, name, blob) for name, blob in answers_of(item))
        answer_rows.extend((each.ref.seq, name, blob) for each in features for name, blob in features_of(each))
        finding_rows = [_finding_row(finding) for finding in findings]
        with _translated(self.folder), self._transaction():
            for picture in pictures:
                (self.folder / PICTURES / f"{picture.seq:08d}.jpg").write_bytes(picture.jpeg)
                if picture.raw is not None:
                    (self.folder / PICTURES / f"{picture.seq:08d}.raw.png").write_bytes(picture.raw)
            for statement, rows in (
                (_FRAME, frame_rows),
                (_INFERENCE, inference_rows),
                (_CONTENT, content_rows),
                (_ANSWER, answer_rows),
                (_FINDING, finding_rows),
            ):
                if rows:
                    self._database.executemany(statement, rows)
            for clip in clips:
                self._change_clip(clip)
            if evicted:
                self.put(EVICTED, sorted({*self._evicted, *evicted}))
        if evicted:
            self._evicted = remove_pictures(self.folder, [*self._evicted, *evicted])

    def _change_clip(self, clip: Clip) -> None:
        """Write down what is left of the clip of a stored finding."""
        (value,) = self._database.execute("SELECT value FROM finding WHERE number=?", (clip.number,)).fetchone()
        plain = json.loads(value) | {"clip_first": clip.first, "clip_last": clip.last, "clip_note": clip.note}
        self._database.execute("UPDATE finding SET value=? WHERE number=?", (json.dumps(plain), clip.number))

    def put(self, key: str, value: Any) -> None:
        """Store one JSON value under a name; returns after the commit."""
        with _translated(self.folder):
            self._database.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, json.dumps(value)))

    def put_series(self, name: str, unit: str, times_s: NDArray[np.float64], numbers: NDArray[np.float64]) -> None:
        """Store a signal of the vehicle, its times on the clock of the run; returns after the commit."""
        row = (name, unit, times_s.astype("<f8", copy=False).tobytes(), numbers.astype("<f8", copy=False).tobytes())
        with _translated(self.folder):
            self._database.execute(_SERIES, row)

    def finish(self, verdict: Verdict, ledger: Ledger) -> None:
        """Write the verdict with full sync and leave WAL, so that the run opens from read-only media."""
        with _translated(self.folder):
            self._database.execute("PRAGMA synchronous=FULL")
            self._evicted = remove_pictures(self.folder, self._evicted)
            with self._transaction():
                self.put("ledger", ledger_json(ledger))
                self.put("verdict", verdict_json(verdict))
            leave_wal(self._database)
        self.close()

    def close(self) -> None:
        """Let go of the database and the lock; may be called twice."""
        self._database.close()
        self._lock.release()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _inference_rows(self, moment: Moment) -> Iterator[tuple[Any, ...]]:
        for role, inference in moment.inferences.items():
            scores = self._judged_scores(inference.detections, self._thresholds[role])
            comparison = moment.comparisons.get(role)
            yield (
                moment.ref.seq,
                _NUMBERS[role],
                inference.preprocess_ns / 1e6,
                inference.run_ns / 1e6,
                inference.postprocess_ns / 1e6,
                inference.invalid,
                len(scores),
                sum(scores) / len(scores) if scores else None,
                *(
                    (None, None, None)
                    if comparison is None
                    else (comparison.matched, comparison.missed, comparison.phantoms)
                ),
            )

    def _block(self, frame: tuple[Any, ...], models: list[tuple[Any, ...]]) -> tuple[tuple[int, str, bytes], ...]:
        """Hand the numbers of a frame to the blocks; give the block that it fills."""
        made = self._blocks.add(
            (frame[0], frame[2], frame[7], frame[9], frame[10], frame[14]),
            {ROLES[row[1]]: (1, row[2:5], row[7], (row[6], row[8] or 0, row[9] or 0, row[10] or 0)) for row in models},
        )
        return () if made is None else (made,)

    def _judged_scores(self, detections: Detections, threshold: float) -> list[float]:
        """Give the scores at or above the threshold of judged classes; plain numbers, as there are few."""
        above = detections.count_above(threshold)
        scores, classes = detections.scores[:above].tolist(), detections.classes[:above].tolist()
        return [score for score, classed in zip(scores, classes, strict=True) if classed in self._judged]


def remove_pictures(folder: Path, seqs: Iterable[int]) -> list[int]:
    """Remove pictures of clips; give those that somebody holds open, which stay for now."""
    busy = []
    for seq in seqs:
        try:
            for name in (f"{seq:08d}.jpg", f"{seq:08d}.raw.png"):
                (folder / PICTURES / name).unlink(missing_ok=True)
        except OSError as failure:
            log.warning("picture %d of %s was not removed: %s", seq, folder, failure)
            busy.append(seq)
    return busy


def leave_wal(database: sqlite3.Connection) -> None:
    """Fold the write-ahead log into the database file; readers that are still open keep it in WAL."""
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.execute("PRAGMA busy_timeout=200")
    try:
        database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as busy:
        if "locked" not in str(busy):
            raise


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Give plain values."""
    return {"outcome": verdict.outcome.value, "reasons": list(verdict.reasons)}


def ledger_json(ledger: Ledger) -> dict[str, Any]:
    """Give plain values."""
    return {
        "captured": ledger.captured,
        "evaluated": ledger.evaluated,
        "dropped": ledger.dropped,
        "skipped": ledger.skipped,
        "with_truth": ledger.with_truth,
        "candidate_skipped": ledger.candidate_skipped,
        "reasons": dict(ledger.reasons),
    }


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as failure:
        raise StoreBroken(
            f"the run folder {folder} cannot be written: {failure}; is the disk full or the folder read-only?",
            path=folder,
        ) from failure


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _loss_row(loss: Loss) -> tuple[Any, ...]:
    ref = loss.ref
    head = (ref.seq, ref.key, _number(ref.time_s), ref.stamp.isoformat(), ref.captured_ns, ref.width, ref.height)
    return (*head, FATES.index(loss.fate), loss.reason, 0, None, None, None, None, None, ref.channel, None)


def _frame_row(moment: Moment) -> tuple[Any, ...]:
    ref, health = moment.ref, moment.health
    return (
        ref.seq,
        ref.key,
        _number(ref.time_s),
        ref.stamp.isoformat(),
        ref.captured_ns,
        ref.width,
        ref.height,
        0,
        "",
        int(moment.is_labelled),
        health.mean,
        health.deviation,
        health.saturated,
        _number(health.change),
        None if moment.disagreement is None else moment.disagreement.value,
        ref.channel,
        moment.speed_mps,
    )


def _content_row(moment: Moment) -> tuple[Any, ...]:
    outputs = [moment.inferences.get(role) for role in ROLES]
    matches = [moment.comparisons.get(role) for role in ROLES]
    return (
        moment.ref.seq,
        None if moment.truth is None else codec.pack_truth(moment.truth),
        *(None if output is None else codec.pack_detections(output.detections) for output in outputs),
        *(None if match is None else codec.pack_comparison(match) for match in matches),
        None if moment.disagreement is None else codec.pack_disagreement(moment.disagreement),
    )


def _finding_row(finding: Finding) -> tuple[Any, ...]:
    value = json.dumps(codec.finding_json(finding))
    return (finding.number, finding.kind.value, int(finding.severity), finding.first_seq, value)
