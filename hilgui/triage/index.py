"""The index over all runs: every finding of every run in one database, so that filters and pages cost nothing."""

from __future__ import annotations

import json
import logging
import math
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.cornercases.rank import badness
from hilgui.errors import StoreBroken
from hilgui.records import Finding, RunHeader
from hilgui.records.triage import Triage, TriageState
from hilgui.store import RunReader
from hilgui.store.codec import finding_from_json, finding_json
from hilgui.store.folder import DATABASE
from hilgui.triage.journal import Journal
from hilgui.triage.query import Query
from hilgui.triage.row import FindingRow

log = logging.getLogger(__name__)

FILE = "findings.sqlite"
_VERSION = 2
_FETCH = 500  # ids in one question
_SAMPLE = 1000  # findings that say whether a text is common

_TABLES = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY, folder TEXT UNIQUE NOT NULL, run_id TEXT NOT NULL, created TEXT NOT NULL,
    drive TEXT NOT NULL, stamp TEXT NOT NULL, triage_stamp TEXT NOT NULL, problem TEXT NOT NULL,
    baseline TEXT NOT NULL, candidate TEXT NOT NULL, conditions TEXT NOT NULL
);
CREATE TABLE finding (  -- narrow and lying in the one order of findings: a filter reads it from end to end
    badness INTEGER NOT NULL, run INTEGER NOT NULL, id INTEGER NOT NULL,
    number INTEGER NOT NULL, kind TEXT NOT NULL, severity INTEGER NOT NULL, role TEXT NOT NULL, label TEXT NOT NULL,
    suspect TEXT NOT NULL, suspect_model TEXT NOT NULL, level TEXT NOT NULL,
    first_s REAL, frames INTEGER NOT NULL, distance_m REAL,
    state TEXT NOT NULL, tags TEXT NOT NULL, assignee TEXT NOT NULL,
    PRIMARY KEY (badness, run)
) WITHOUT ROWID;
CREATE UNIQUE INDEX finding_id ON finding(id);
CREATE INDEX finding_run ON finding(run, number);
CREATE TABLE words (id INTEGER PRIMARY KEY, words TEXT NOT NULL);
CREATE TABLE hash (id INTEGER PRIMARY KEY, frame INTEGER, crop INTEGER);
CREATE TABLE value (id INTEGER PRIMARY KEY, value TEXT NOT NULL, note TEXT NOT NULL);
"""
_COUNTED = ("kind", "severity", "label", "drive", "state", "role", "suspect", "suspect_model", "level", "assignee")
_FINDING = f"INSERT INTO finding VALUES ({','.join('?' * 17)})"


class FindingsIndex:
    """Owned by one thread. Derived from the runs and their journals: it can be deleted at any time.

    Lies in the home; one that is damaged or of another version is made again.
    """

    def __init__(self, home: Path) -> None:
        """Open or make the index; raises StoreBroken where neither is possible."""
        self._home = home
        self._path = home / FILE
        with _translated(self._path):
            home.mkdir(parents=True, exist_ok=True)
            self._database = _open(self._path)
        self._hashes: tuple[tuple[int, int], NDArray[np.int64]] | None = None

    def close(self) -> None:
        """Let go of the database; may be called twice."""
        self._database.close()

    # -- keeping up ---------------------------------------------------------------------------------------------------

    def refresh(self, folders: Iterable[Path], tell: Callable[[int, int], object] | None = None) -> int:
        """Read the runs that are new or have changed, forget those that are gone; returns how many were read.

        `tell(done, total)` hears of the progress over runs that must be read. A damaged run is kept in mind with its
        problem and read again when it changes.
        """
        with _translated(self._path):
            known = {
                folder: (stamp, triage)
                for folder, stamp, triage in self._database.execute("SELECT folder, stamp, triage_stamp FROM run")
            }
            self._forget([folder for folder in known if not (Path(folder) / DATABASE).is_file()])
            stale = []
            for folder in folders:
                stamps = (_run_stamp(folder), self._journal_stamp(folder))
                before = known.get(str(folder))
                if before is None or before[0] != stamps[0]:
                    stale.append((folder, stamps, True))
                elif before[1] != stamps[1]:
                    stale.append((folder, stamps, False))
            for done, (folder, stamps, is_whole) in enumerate(stale):
                if tell is not None:
                    tell(done, len(stale))
                self._read_run(folder, *stamps) if is_whole else self._read_triage(folder, stamps[1])
            return len(stale)

    def problems(self) -> dict[Path, str]:
        """Give the runs that could not be read and why."""
        with _translated(self._path):
            return {
                Path(folder): problem
                for folder, problem in self._database.execute("SELECT folder, problem FROM run WHERE problem != ''")
            }

    def note_change(self, folder: Path, numbers: Sequence[int]) -> None:
        """Take over what was just written to the journal of a run about some findings."""
        with _translated(self._path):
            self._read_triage(folder, self._journal_stamp(folder), numbers)

    # -- asking -------------------------------------------------------------------------------------------------------

    def ids(self, query: Query) -> array[int]:
        """Give the ids of all findings that pass, in order: 8 bytes each, so that any page can be fetched."""
        with _translated(self._path):
            where, values = self._where(query)
            rows = self._database.execute(
                f"SELECT id FROM finding WHERE {where} ORDER BY {query.order_by()}", values
            ).fetchall()
            return array("q", [number for (number,) in rows])

    def rows(self, ids: Sequence[int]) -> list[FindingRow]:
        """Give the findings with those ids, in the order of the ids; what is gone is left out."""
        found: dict[int, FindingRow] = {}
        with _translated(self._path):
            for start in range(0, len(ids), _FETCH):
                part = list(ids[start : start + _FETCH])
                marks = ",".join("?" * len(part))
                for row in self._database.execute(
                    "SELECT f.id, r.folder, r.run_id, r.created, r.drive, r.baseline, r.candidate, r.conditions,"
                    " v.value, f.state, v.note, f.tags, f.assignee FROM finding f JOIN value v ON v.id=f.id"
                    f" JOIN run r ON r.id=f.run WHERE f.id IN ({marks})",
                    part,
                ):
                    found[row[0]] = _row(row)
        return [found[number] for number in ids if number in found]

    def counts(self, column: str, query: Query) -> dict[str, int]:
        """Count the findings that pass by a column, such as "kind", "drive", "state" or "suspect_model"."""
        if column not in _COUNTED:
            raise ValueError(f"findings are not counted by {column!r}")
        with _translated(self._path):
            where, values = self._where(query)
            if column == "drive":
                by_run = f"SELECT run, count(*) n FROM finding WHERE {where} GROUP BY run"
                statement = f"SELECT drive, sum(n) FROM run JOIN ({by_run}) c ON c.run=run.id GROUP BY drive"
            else:
                statement = f"SELECT {column}, count(*) FROM finding WHERE {where} GROUP BY {column}"
            rows = self._database.execute(f"{statement} ORDER BY 2 DESC", values)
            return {str(value): count for value, count in rows}

    def tags(self) -> list[str]:
        """Give every tag in use."""
        with _translated(self._path):
            rows = self._database.execute("SELECT DISTINCT tags FROM finding WHERE tags != ''")
            return sorted({tag for (text,) in rows for tag in _parts(text)})

    def conditions(self) -> list[str]:
        """Give every condition of a drive, as "weather=rain"."""
        with _translated(self._path):
            rows = self._database.execute("SELECT DISTINCT conditions FROM run WHERE conditions != ''")
            return sorted({condition for (text,) in rows for condition in _parts(text)})

    def hashes(self, ids: Sequence[int]) -> list[tuple[int, str, str, int | None]]:
        """Give id, kind, class and picture hash of findings, for grouping; the object's hash where there is one."""
        wanted = set(ids)
        with _translated(self._path):
            rows = self._database.execute(
                "SELECT f.id, kind, label, coalesce(crop, frame) FROM finding f JOIN hash ON hash.id=f.id"
            )
            return [row for row in rows if row[0] in wanted]

    def _where(self, query: Query) -> tuple[str, list[Any]]:
        where, values = query.where(text_is_common=self._is_common(query))
        if query.like is not None:
            where += " AND id IN (SELECT value FROM json_each(?))"
            values.append(json.dumps(self._alike(query.like, query.like_bits)))
        return where, values

    def _is_common(self, query: Query) -> bool:
        """Say whether most of the first findings have the text."""
        if not query.has_words:
            return False
        sample = f"SELECT words FROM words LIMIT {_SAMPLE}"
        row = self._database.execute(
            f"SELECT count(*), coalesce(sum(({query.has_words}) != 0), 0) FROM ({sample})", query.text.lower().split()
        ).fetchone()
        return 2 * int(row[1]) > int(row[0])

    def _alike(self, given: int, bits: int) -> list[int]:
        """Give the ids of the findings whose picture, or object, differs from a hash in so few bits."""
        state = (self._database.execute("PRAGMA data_version").fetchone()[0], self._database.total_changes)
        if self._hashes is None or self._hashes[0] != state:
            rows = self._database.execute("SELECT id, frame, crop FROM hash").fetchall()
            self._hashes = (state, np.array(rows, np.int64).reshape(-1, 3))
        table = self._hashes[1]
        differing = np.bitwise_count(table[:, 1:].view(np.uint64) ^ np.uint64(given))
        alike: list[int] = table[(differing <= bits).any(axis=1), 0].tolist()
        return alike

    # -- inside -------------------------------------------------------------------------------------------------------

    def _forget(self, folders: Iterable[str]) -> None:
        for folder in folders:
            with self._transaction():
                self._drop(folder)

    def _drop(self, folder: str) -> None:
        run = self._database.execute("SELECT id FROM run WHERE folder=?", (folder,)).fetchone()
        if run is not None:
            for table in ("value", "words", "hash"):
                self._database.execute(f"DELETE FROM {table} WHERE id IN (SELECT id FROM finding WHERE run=?)", run)
            self._database.execute("DELETE FROM finding WHERE run=?", run)
            self._database.execute("DELETE FROM run WHERE id=?", run)

    def _read_run(self, folder: Path, stamp: str, triage_stamp: str) -> None:
        try:
            with closing(RunReader(folder)) as reader:
                header, findings = reader.header, reader.findings()
            standing = Journal(folder, self._home, run_id=header.run_id).states()
        except StoreBroken as failure:
            with self._transaction():
                self._drop(str(folder))
                self._put_run(folder, stamp, triage_stamp, problem=str(failure))
            return
        with self._transaction():
            ids = self._ids_of(str(folder))
            self._drop(str(folder))
            run = self._put_run(folder, stamp, triage_stamp, header=header)
            rows, words, hashes, values = [], [], [], []
            for finding in findings:
                number = ids[finding.number]
                triage = standing.get(finding.number, Triage())
                rows.append((_packed(finding), run, number, *_columns(finding), *_standing(triage)))
                words.append((number, _words(finding, header.source.name, header.run_id, triage)))
                if finding.frame_hash or finding.crop_hash:
                    frame = _hash(finding.frame_hash or finding.crop_hash)
                    hashes.append((number, frame, _hash(finding.crop_hash) if finding.crop_hash else frame))
                values.append((number, json.dumps(finding_json(finding)), triage.note))
            self._database.executemany(_FINDING, rows)
            self._database.executemany("INSERT INTO words VALUES (?,?)", words)
            self._database.executemany("INSERT INTO hash VALUES (?,?,?)", hashes)
            self._database.executemany("INSERT INTO value VALUES (?,?,?)", values)

    def _ids_of(self, folder: str) -> defaultdict[int, int]:
        """Give the ids of the findings of a run by their numbers; what is new in it gets a new one.

        A run under way is read again and again: whoever looks at one of its findings keeps it.
        """
        new = count(self._database.execute("SELECT coalesce(max(id), 0) + 1 FROM finding").fetchone()[0])
        known = self._database.execute(
            "SELECT number, id FROM finding WHERE run=(SELECT id FROM run WHERE folder=?)", (folder,)
        )
        return defaultdict(new.__next__, known.fetchall())

    def _put_run(
        self, folder: Path, stamp: str, triage_stamp: str, *, header: RunHeader | None = None, problem: str = ""
    ) -> int:
        names = {} if header is None else {role.value: facts.name for role, facts in header.models.items()}
        cursor = self._database.execute(
            "INSERT INTO run VALUES (NULL,?,?,?,?,?,?,?,?,?,?)",
            (
                str(folder),
                folder.name if header is None else header.run_id,
                "" if header is None else header.created,
                "" if header is None else header.source.name,
                stamp,
                triage_stamp,
                problem,
                names.get("baseline", ""),
                names.get("candidate", ""),
                "" if header is None else _conditions(header),
            ),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _read_triage(self, folder: Path, stamp: str, numbers: Sequence[int] | None = None) -> None:
        row = self._database.execute("SELECT id, run_id, drive FROM run WHERE folder=?", (str(folder),)).fetchone()
        if row is None:
            return
        standing = Journal(folder, self._home, run_id=row[1]).states()
        before = "OR state != 'open' OR tags || assignee || note != ''" if numbers is None else ""
        with self._transaction():
            touched = self._database.execute(
                "SELECT f.id, f.number, v.value FROM finding f JOIN value v ON v.id=f.id WHERE run=? AND"
                f" (number IN (SELECT value FROM json_each(?)) {before})",
                (row[0], json.dumps(list(standing if numbers is None else numbers))),
            ).fetchall()
            for place, number, value in touched:
                triage = standing.get(number, Triage())
                words = _words(finding_from_json(json.loads(value)), row[2], row[1], triage)
                self._database.execute(
                    "UPDATE finding SET state=?, tags=?, assignee=? WHERE id=?", (*_standing(triage), place)
                )
                self._database.execute("UPDATE words SET words=? WHERE id=?", (words, place))
                self._database.execute("UPDATE value SET note=? WHERE id=?", (triage.note, place))
            self._database.execute("UPDATE run SET triage_stamp=? WHERE id=?", (stamp, row[0]))

    def _journal_stamp(self, folder: Path) -> str:
        return " ".join(_stamp(path) for path in Journal(folder, self._home).paths)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def _open(path: Path) -> sqlite3.Connection:
    database = _connect(path)
    try:
        version = database.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as damage:
        log.warning("%s is made again: %s", path, damage)
        version = -1
    if version != _VERSION:
        database.close()
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)
        database = _connect(path)
        database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA user_version={_VERSION}; {_TABLES}")
    database.execute("PRAGMA cache_size=-65536")  # 64 MB
    return database


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=10)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as failure:
        raise StoreBroken(
            f"the index of findings {path} cannot be used: {failure}; is the disk full? It can be deleted: it is made"
            " again from the runs",
            path=path,
        ) from failure


def _columns(finding: Finding) -> tuple[Any, ...]:
    first = finding.objects[0] if finding.objects else None
    distance = None if first is None else first.distance_m
    return (
        finding.number,
        finding.kind.value,
        int(finding.severity),
        finding.role.value if finding.role else "",
        "" if first is None else first.label,
        finding.suspect.value if finding.suspect else "",
        finding.suspect_model.value if finding.suspect_model else "",
        finding.level.value if finding.level else "",
        None if math.isnan(finding.first_s) else finding.first_s,
        finding.frames,
        None if distance is None or not math.isfinite(distance) else distance,
    )


def _standing(triage: Triage) -> tuple[str, str, str]:
    return (triage.state.value, _joined(triage.tags), triage.assignee)


def _words(finding: Finding, drive: str, run_id: str, triage: Triage) -> str:
    names = (finding.kind.value, finding.kind.value.replace("_", " "), drive, run_id, *triage.tags, triage.assignee)
    labels = dict.fromkeys(found.label for found in finding.objects)
    return " ".join((finding.why, *names, *labels, finding.trigger, triage.note)).lower()


def _packed(finding: Finding) -> int:
    """Pack the one order of findings into a number: severity, blame, kind, frames, number."""
    severity, blame, kind, frames, number = badness(finding)
    parts = ((severity + 3, 2), (blame, 2), (kind, 6), (2**24 - 1 - min(-frames, 2**24 - 1), 24), (number, 24))
    packed = 0
    for value, bits in parts:
        packed = packed << bits | max(0, min(value, 2**bits - 1))
    return packed


def _hash(text: str) -> int:
    number = int(text, 16)
    return number - 2**64 if number >= 2**63 else number  # 64 bits as SQLite holds them


def _conditions(header: RunHeader) -> str:
    given = {} if header.truth is None else header.truth.conditions
    return _joined(f"{name}={value}" for name, value in sorted(given.items()))


def _joined(parts: Iterable[str]) -> str:
    text = "|".join(parts)
    return f"|{text}|" if text else ""


def _parts(text: str) -> list[str]:
    return [part for part in text.split("|") if part]


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "-"
    return f"{found.st_mtime_ns}:{found.st_size}"


def _run_stamp(folder: Path) -> str:
    return f"{_stamp(folder / DATABASE)} {_stamp(folder / f'{DATABASE}-wal')}"


def _row(row: tuple[Any, ...]) -> FindingRow:
    number, folder, run_id, created, drive, baseline, candidate, conditions, value, state, note, tags, assignee = row
    pairs = tuple((name, text) for name, _, text in (part.partition("=") for part in _parts(conditions)))
    return FindingRow(
        id=number,
        folder=Path(folder),
        run_id=run_id,
        created=created,
        drive=drive,
        baseline=baseline,
        candidate=candidate,
        conditions=pairs,
        finding=finding_from_json(json.loads(value)),
        triage=Triage(TriageState(state), note, tuple(_parts(tags)), assignee),
    )
