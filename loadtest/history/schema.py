"""The tables of the history, as the steps from one version to the next."""

from __future__ import annotations

APPLICATION_ID = 0x61736C68
"""Marks a file as a history, so that no other database is ever written to."""

_RUNS = (
    """
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY,
        started_at TEXT NOT NULL,
        plan TEXT NOT NULL,
        target TEXT NOT NULL,
        grade TEXT NOT NULL,
        scale REAL NOT NULL,
        true_limit INTEGER NOT NULL,
        fingerprint TEXT NOT NULL,
        memory INTEGER NOT NULL,
        cpus INTEGER NOT NULL,
        kernel TEXT NOT NULL,
        cgroup_version INTEGER NOT NULL,
        engine TEXT NOT NULL,
        commit_id TEXT NOT NULL,
        dirty INTEGER NOT NULL,
        image TEXT NOT NULL,
        exit_code INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE claims (
        run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
        id TEXT NOT NULL,
        verdict TEXT NOT NULL,
        measured TEXT NOT NULL,
        PRIMARY KEY (run_id, id)
    )
    """,
    """
    CREATE TABLE boundaries (
        run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
        workload TEXT NOT NULL,
        reading TEXT NOT NULL,
        holds INTEGER,
        fails_at INTEGER,
        failure_mode TEXT,
        ramps INTEGER NOT NULL,
        PRIMARY KEY (run_id, workload, reading)
    )
    """,
    """
    CREATE TABLE samples (
        run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
        metric TEXT NOT NULL,
        number INTEGER NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (run_id, metric, number)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX runs_by_time ON runs (started_at, run_id)",
)
_BASELINES = (
    """
    CREATE TABLE baselines (
        name TEXT PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs ON DELETE RESTRICT,
        marked_at TEXT NOT NULL
    )
    """,
    # Runs of before were all of agents alike.
    "ALTER TABLE runs ADD COLUMN spread TEXT NOT NULL DEFAULT 'alike'",
    "ALTER TABLE runs ADD COLUMN folder TEXT NOT NULL DEFAULT ''",
)

MIGRATIONS = (_RUNS, _BASELINES)
"""The statements of each step; a file of version N has had the first N steps."""
VERSION = len(MIGRATIONS)
