"""The history on disk: several writers, kills, other versions, damage."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from loadtest.boundary import Boundary
from loadtest.history import database, schema
from loadtest.history.errors import HistoryError
from loadtest.history.runs import run_of
from loadtest.history.store import FILE, opened
from tests.loadtest.history.builders import campaign

TOP = Path(__file__).parents[3]
BOUNDARY = Boundary(
    workload="medium", holds=12, fails_at=13, failure_mode="agent-oom", runs=2, predicted=12,
    agreed=True,
)  # fmt: skip
WRITER = """
import sys
from pathlib import Path
from loadtest.history.runs import run_of
from loadtest.history.store import opened
from tests.loadtest.history.builders import campaign
first, count, path = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
made = [campaign(number) for number in range(first, first + count)]
print("ready", flush=True)
sys.stdin.readline()
for summary, outcomes in made:
    with opened(path, create=True) as store:
        store.record(run_of(summary, outcomes), summary)
    print(summary.run_id, flush=True)
"""


def writer(path: Path, first: int, count: int) -> subprocess.Popen[str]:
    """A process that records runs one by one as soon as it is told to."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(first), str(count), str(path)],
        cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports" / FILE


def add(path: Path, number: int = 1, **changes: Any) -> bool:
    summary, outcomes = campaign(number, boundaries=(BOUNDARY,), **changes)
    with opened(path, create=True) as store:
        return store.record(run_of(summary, outcomes), summary)


def test_a_run_comes_back_as_it_was(path: Path) -> None:
    summary, outcomes = campaign(1, boundaries=(BOUNDARY,))
    made = run_of(summary, outcomes, "run-001")
    with opened(path, create=True) as store:
        assert store.record(made, summary)
    with opened(path) as store:
        assert store.with_samples(store.runs()) == [made]


def test_a_run_is_recorded_once(path: Path) -> None:
    assert add(path)
    assert not add(path, exit_code=1)
    with opened(path) as store:
        (run,) = store.with_samples(store.runs())
    assert run.header.exit_code == 0
    assert len(run.samples["base-memory"]) == 7


def test_runs_come_oldest_first_however_they_were_recorded(path: Path) -> None:
    for number in (3, 1, 2):
        add(path, number)
    with opened(path) as store:
        assert [run.run_id for run in store.runs()] == ["run-001", "run-002", "run-003"]


def test_a_name_moves_to_another_run_and_can_be_forgotten(path: Path) -> None:
    add(path, 1)
    add(path, 2)
    with opened(path) as store:
        store.mark("v1", "run-001")
        store.mark("v1", "run-002")
        assert [(mark.name, mark.run_id) for mark in store.marks()] == [("v1", "run-002")]
        assert store.unmark("v1")
        assert not store.unmark("v1")


def test_only_a_recorded_run_can_have_a_name(path: Path) -> None:
    add(path)
    with opened(path) as store, pytest.raises(sqlite3.IntegrityError):
        store.mark("v1", "no such run")


def test_two_processes_can_record_at_once(path: Path) -> None:
    path.parent.mkdir()
    both = [writer(path, first, 10) for first in (1, 101)]
    for process in both:
        go(process)
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    with opened(path) as store:
        runs = store.with_samples(store.runs())
    assert len(runs) == 20
    assert {len(run.samples["base-memory"]) for run in runs} == {7}


@pytest.mark.parametrize("statement", [1, 2, 3])
def test_a_history_that_another_begins_meanwhile_is_still_one(path: Path, statement: int) -> None:
    seen: list[str] = []

    def meanwhile(sql: str) -> None:
        seen.append(sql)
        if len(seen) == statement:
            add(path)

    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.set_trace_callback(meanwhile)
        database._version(path, db)
    assert len(seen) == 3


def test_a_writer_killed_at_any_moment_leaves_whole_runs_only(path: Path) -> None:
    told = 0
    for attempt in range(6):
        process = writer(path, 100 * attempt, 60)
        go(process)
        time.sleep(0.01 + 0.02 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
        told += out.count("\n")
        if not path.exists():
            continue
        with opened(path) as store:
            runs = store.with_samples(store.runs())
        assert len(runs) >= told, "what was said to be recorded is there"
        assert {len(run.samples["base-memory"]) for run in runs} <= {7}
        assert add(path, 1000 + attempt), "the next one can write"
        told += 1
    assert told > 6, "some writers got far enough"


def test_a_write_cut_short_leaves_nothing(path: Path) -> None:
    add(path, 1)
    code = f"""
import os, signal, sqlite3
from loadtest.history.database import connected, transaction
from pathlib import Path
with connected(Path({str(path)!r})) as db, transaction(db):
    db.execute("INSERT INTO runs SELECT 'half', started_at, plan, target, grade, scale, true_limit,"
               " fingerprint, memory, cpus, kernel, cgroup_version, engine, commit_id, dirty,"
               " image, exit_code, spread, folder FROM runs")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=TOP, check=False)
    assert done.returncode == -signal.SIGKILL
    assert add(path, 2)
    with opened(path) as store:
        assert [run.run_id for run in store.runs()] == ["run-001", "run-002"]


def of_version_1(path: Path) -> None:
    """A history as the first version wrote it, with one run in it."""
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        for statement in schema.MIGRATIONS[0]:
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        db.execute("PRAGMA user_version = 1")
        db.execute(
            "INSERT INTO runs VALUES ('old', '2025-12-01T03:00:00+00:00', 'regression', 'standin',"
            " 'scaled', 0.0625, 51539607552, 'f', 68719476736, 16, '6.1.0', 2, '27.3.0',"
            " 'abcd', 0, 'sha256:1', 0)"
        )
        db.execute("INSERT INTO samples VALUES ('old', 'base-memory', 0, 30e6)")


def test_a_history_of_version_1_is_brought_up_to_date(path: Path) -> None:
    of_version_1(path)
    assert add(path, 1)
    with opened(path) as store:
        old, new = store.with_samples(store.runs())
        assert old.kind == new.kind
        assert old.samples == {"base-memory": (30e6,)}
        store.mark("first", "old")
        assert store.marks()[0].run_id == "old"
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)


def test_a_migration_that_fails_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_version_1(path)
    broken = (schema.MIGRATIONS[0], (*schema.MIGRATIONS[1], "CREATE TABLE runs (x)"))
    monkeypatch.setattr("loadtest.history.database.MIGRATIONS", broken)
    with pytest.raises(HistoryError, match="already exists"), opened(path):
        pass
    monkeypatch.undo()
    assert add(path, 1)


def test_two_processes_can_migrate_at_once(path: Path) -> None:
    of_version_1(path)
    both = [writer(path, first, 1) for first in (1, 2)]
    for process in both:
        go(process)
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    with opened(path) as store:
        assert len(store.runs()) == 3


def test_a_history_of_a_newer_version_is_left_alone(path: Path) -> None:
    add(path)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(HistoryError, match="a history of version 99, and this program knows up to"):
        add(path, 2)


def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE mine (x)")
    with pytest.raises(HistoryError, match="a database of something else"):
        add(path)


@pytest.mark.parametrize("where", [0, 4096])
def test_a_damaged_file_is_one_clear_line(path: Path, where: int) -> None:
    for number in range(1, 20):
        add(path, number)
    with path.open("r+b") as file:
        file.seek(where)
        file.write(b"\xff" * 20_000)
    with pytest.raises(HistoryError) as caught:
        add(path, 30)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: not a history, or a damaged one")
    assert "move it away" in caught.value.__notes__[0]


def test_an_empty_file_becomes_a_history(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert add(path)


def test_a_missing_history_is_no_empty_one(path: Path) -> None:
    with pytest.raises(HistoryError, match="no history yet"), opened(path):
        pass
    assert not path.parent.exists()


def test_a_folder_in_its_place_is_one_clear_line(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(HistoryError, match="cannot be used"):
        add(path)


def test_a_writer_that_never_ends_is_waited_for_and_then_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(path)
    monkeypatch.setattr("loadtest.history.database._BUSY_S", 0.1)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryError, match=r"another process has been writing to it for 0.1 s"):
            add(path, 2)
