"""Closes runs whose writer died, and translates what a damaged run raises."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hilgui.errors import StoreBroken
from hilgui.records import Fate, Ledger, Verdict
from hilgui.store.folder import DATABASE
from hilgui.store.lock import RunLock
from hilgui.store.writer import EVICTED, FATES, leave_wal, ledger_json, remove_pictures, verdict_json


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
        with reading(folder):
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
                evicted = database.execute("SELECT value FROM meta WHERE key=?", (EVICTED,)).fetchone()
                if evicted is not None:  # the writer may have died between its last commit and removing them
                    remove_pictures(folder, map(int, json.loads(evicted[0])))
                return True
            finally:
                database.close()
    finally:
        lock.release()


def relink(folder: Path, recordings: Mapping[str, Path]) -> None:
    """Remember where the recordings of a finished run lie now, by the paths of its header, which stays as it was.

    Raises StoreBroken, also where the run is being written.
    """
    lock = RunLock(folder)
    with reading(folder):
        if not lock.take():
            raise StoreBroken(f"{folder} is being written; wait for the run to end", path=folder)
        try:
            with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
                row = ("moved_to", json.dumps({before: str(now) for before, now in recordings.items()}))
                database.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", row)
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


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Translate what reading a damaged run raises into StoreBroken."""
    try:
        yield
    except (sqlite3.Error, OSError) as failure:
        raise StoreBroken(
            f"the run {folder} cannot be read: {failure}; is it damaged or on a broken disk?", path=folder
        ) from failure
    except (ValueError, LookupError, TypeError, AttributeError) as failure:  # a value that is not what was written
        raise StoreBroken(
            f"the run {folder} cannot be read: a stored value is damaged ({failure!r}); is there a copy?", path=folder
        ) from failure
