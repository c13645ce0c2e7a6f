"""The history's SQLite file: opened, brought to this version, and its complaints in words."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from loadtest.history.errors import HistoryError
from loadtest.history.schema import APPLICATION_ID, MIGRATIONS, VERSION

_BUSY_S = 20.0


@contextlib.contextmanager
def connected(path: Path, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to the history in a file, brought to this version. Raises HistoryError.

    Without `create` a file that is missing is an error.
    """
    if not create and not path.exists():
        raise HistoryError(
            f"{path}: no history yet",
            next_step="run the load test once with this --out; every run is recorded there",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with translated(path):
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        with translated(path):
            _prepare(path, connection)
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all or nothing; the lock is taken first, so that two writers wait for each other."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite says of the file into one line for a person."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # Others, such as a broken constraint, are mistakes of ours.
        if type(error) not in (sqlite3.DatabaseError, sqlite3.OperationalError):
            raise
        raise HistoryError(f"{path}: {_what(error)}", next_step=_advice(error)) from error


def _what(error: sqlite3.DatabaseError) -> str:
    match _code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"another process has been writing to it for {_BUSY_S:g} s"
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_ERROR:
            return f"not a history, or a damaged one ({error})"
        case _:
            return f"the history cannot be used ({error})"


def _advice(error: sqlite3.DatabaseError) -> str:
    match _code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "try again when it has ended"
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_ERROR:
            return "move it away: the next run begins a new one, and the reports beside it stay"
        case _:
            return "make room there and see who may write, or choose another folder with --out DIR"


def _code(error: sqlite3.DatabaseError) -> int:
    """The primary result code; the extended one has more in its upper bytes."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    if _version(path, connection) < VERSION:
        _write_ahead(connection)
        with transaction(connection):
            # Asked again, now that nobody else can change it.
            for statements in MIGRATIONS[_version(path, connection) :]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _version(path: Path, connection: sqlite3.Connection) -> int:
    # The tables first: another process that is making them commits the other two with them.
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if tables and application != APPLICATION_ID:
        raise HistoryError(
            f"{path}: a database of something else", next_step="choose another --out DIR"
        )
    if version > VERSION:
        raise HistoryError(
            f"{path}: a history of version {version}, and this program knows up to {VERSION}",
            next_step="use the newer checkout that wrote it, or choose another --out DIR",
        )
    return int(version)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work side by side; SQLite does not wait for this by itself."""
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
