"""The database of a run: numbers in narrow tables, boxes as packed blobs beside them.

What comes later has a place without a new version: a figure of the run in `meta`, an answer or a truth of a frame in
`answer`, a signal over time in `series`. Readers leave alone what they do not know.
"""

from __future__ import annotations

VERSION = 2

TABLES = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,          -- header, ledger, verdict, figures, notes
    value TEXT NOT NULL            -- JSON
) WITHOUT ROWID;
CREATE TABLE frame (
    seq INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    time_s REAL,                   -- NULL in an unordered set
    stamp TEXT NOT NULL,           -- ISO 8601, UTC
    captured_ns INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    fate INTEGER NOT NULL,         -- 0 evaluated, 1 dropped, 2 skipped
    reason TEXT NOT NULL,
    labelled INTEGER NOT NULL,     -- 1 where the truth knows the frame
    mean REAL, deviation REAL, saturated REAL, change REAL,
    disagreement REAL,
    channel TEXT NOT NULL,         -- the camera, "" in a drive of one
    speed_mps REAL                 -- of the vehicle, NULL where no log tells it
);
CREATE TABLE inference (
    seq INTEGER NOT NULL,
    role INTEGER NOT NULL,         -- 0 baseline, 1 candidate
    preprocess_ms REAL NOT NULL, run_ms REAL NOT NULL, postprocess_ms REAL NOT NULL,
    invalid INTEGER NOT NULL,
    detections INTEGER NOT NULL,   -- at or above the card's threshold, judged classes
    score REAL,                    -- their mean score
    matched INTEGER, missed INTEGER, phantoms INTEGER,  -- NULL without truth
    PRIMARY KEY (seq, role)
) WITHOUT ROWID;
CREATE TABLE content (
    seq INTEGER PRIMARY KEY,
    truth BLOB, baseline BLOB, candidate BLOB,
    baseline_match BLOB, candidate_match BLOB, disagreement BLOB
);
CREATE TABLE answer (              -- outputs and truths that are no boxes, and further figures of the picture
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,            -- baseline.depth, truth.lanes, ...; below frame 0 blocks, see blocks.py
    value BLOB NOT NULL,           -- see answers.py
    PRIMARY KEY (seq, name)
);
CREATE TABLE series (              -- signals of the vehicle on the clock of the run
    name TEXT PRIMARY KEY,
    unit TEXT NOT NULL,
    times_s BLOB NOT NULL,         -- float64, rising
    numbers BLOB NOT NULL          -- float64
) WITHOUT ROWID;
CREATE TABLE finding (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    severity INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    value TEXT NOT NULL            -- JSON
);
"""

# What a connection needs before it reads a run of an older version. All of it lies in the connection's own temporary
# schema, whose names come before those of the file: a run on read-only media is read like one that was written today.
_FROM_1 = """
CREATE TEMP VIEW frame AS SELECT *, '' AS channel, NULL AS speed_mps FROM main.frame;
CREATE TEMP TABLE answer (seq INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (seq, name));
CREATE TEMP TABLE series (name TEXT PRIMARY KEY, unit TEXT NOT NULL, times_s BLOB NOT NULL, numbers BLOB NOT NULL);
"""


def upgrade(version: int) -> str | None:
    """Give the statements through which a run of that version reads as one of `VERSION`; None for an unknown one."""
    return {1: _FROM_1, VERSION: ""}.get(version)
