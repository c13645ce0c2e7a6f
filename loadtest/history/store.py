"""The history on disk: one SQLite file that several writers may use at once."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtest.history.database import connected, transaction, translated
from loadtest.history.metrics import order
from loadtest.history.runs import Header, Run
from loadtest.summary import Summary

FILE = "history.sqlite3"
_COLUMNS = ", ".join(one.name for one in fields(Header))
_PLACES = ", ".join("?" for _ in fields(Header))


@dataclass(frozen=True)
class Mark:
    """A run that was given a name, to compare with."""

    name: str
    run_id: str
    marked_at: str


class Store:
    """Runs, their samples and the named baselines. Every method raises HistoryError."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection

    def record(self, run: Run, summary: Summary) -> bool:
        """Add a run as a whole; False where it is there already, which then stays as it is."""
        with self._writing():
            done = self._db.execute(
                f"INSERT INTO runs ({_COLUMNS}) VALUES ({_PLACES}) "  # noqa: S608 - our own names
                "ON CONFLICT (run_id) DO NOTHING",
                astuple(run.header),
            )
            if done.rowcount == 0:
                return False
            self._db.executemany(
                "INSERT INTO claims VALUES (?, ?, ?, ?)",
                [(run.run_id, one.id, one.verdict, one.measured) for one in summary.claims],
            )
            self._db.executemany(
                "INSERT INTO boundaries VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (run.run_id, b.workload, b.reading, b.holds, b.fails_at, b.failure_mode, b.runs)
                    for b in summary.boundaries
                ],
            )
            self._db.executemany(
                "INSERT INTO samples VALUES (?, ?, ?, ?)",
                [
                    (run.run_id, metric, number, value)
                    for metric, values in run.samples.items()
                    for number, value in enumerate(values)
                ],
            )
        return True

    def runs(self) -> list[Run]:
        """All runs, oldest first, without their samples."""
        sql = f"SELECT {_COLUMNS} FROM runs ORDER BY started_at, run_id"  # noqa: S608 - our names
        with translated(self.path):
            rows = self._db.execute(sql).fetchall()
        return [Run(_header(row)) for row in rows]

    def with_samples(self, runs: Sequence[Run]) -> list[Run]:
        """The same runs with their samples."""
        with translated(self.path):
            return [Run(run.header, self._samples(run.run_id)) for run in runs]

    def marks(self) -> list[Mark]:
        """The named baselines, the latest first."""
        sql = "SELECT name, run_id, marked_at FROM baselines ORDER BY marked_at DESC, name"
        with translated(self.path):
            return [Mark(*row) for row in self._db.execute(sql)]

    def mark(self, name: str, run_id: str) -> None:
        """Give a recorded run a name; a name that was another run's moves."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with self._writing():
            self._db.execute(
                "INSERT INTO baselines VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
                "SET run_id = excluded.run_id, marked_at = excluded.marked_at",
                (name, run_id, now),
            )

    def unmark(self, name: str) -> bool:
        """Forget a name; the run stays. False where nothing had it."""
        with self._writing():
            done = self._db.execute("DELETE FROM baselines WHERE name = ?", (name,))
        return done.rowcount > 0

    def _samples(self, run_id: str) -> dict[str, tuple[float, ...]]:
        found: dict[str, list[float]] = {}
        sql = "SELECT metric, value FROM samples WHERE run_id = ? ORDER BY metric, number"
        for metric, value in self._db.execute(sql, (run_id,)):
            found.setdefault(metric, []).append(value)
        return {metric: tuple(found[metric]) for metric in sorted(found, key=order)}

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with translated(self.path), transaction(self._db):
            yield


@contextlib.contextmanager
def opened(path: Path, *, create: bool = False) -> Iterator[Store]:
    """The history in a file. Raises HistoryError, also for a missing file without `create`."""
    with connected(path, create=create) as connection:
        yield Store(path, connection)


def _header(row: Sequence[Any]) -> Header:
    values = dict(zip((one.name for one in fields(Header)), row, strict=True))
    return Header(**(values | {"dirty": bool(values["dirty"])}))
