"""The database of a run: numbers in narrow tables, boxes as packed blobs beside them."""

from __future__ import annotations

VERSION = 1

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
    disagreement REAL
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
CREATE TABLE finding (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    severity INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    value TEXT NOT NULL            -- JSON
);
"""
