"""What is under way is on disk before it begins, and what a kill left is not forgotten."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from compose.deploy.journal import STOPPED, Journal, unfinished
from compose.deploy.store import Attempt, Loop, Store
from compose.errors import ComposeError

A, B, C = (Loop(f"/srv/{name}", None, 3) for name in "abc")
KILLED = Attempt("deploy", "r2", "cut over ui", "ada@host", 7, "2026", switching=True, loops=(A,))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.prepare()
    return store


def journal(store: Store, said: list[str] | None = None, *, dry: bool = False) -> Journal:
    return Journal(store, (said if said is not None else []).append, dry=dry)


def test_every_step_is_on_disk(store: Store) -> None:
    mine = journal(store)
    assert mine.begin("deploy") is None
    mine.step("source", switching=None)
    found = store.attempt()
    assert found is not None
    assert (found.verb, found.step, found.switching, found.pid) == (
        "deploy",
        "source",
        False,
        os.getpid(),
    )
    mine.name("r2")
    mine.step("cut over server", switching=True)
    mine.step("smoke test", switching=None)
    assert store.attempt() == mine.attempt
    found = store.attempt()
    assert found is not None
    assert (found.release, found.step) == ("r2", "smoke test")
    assert found.switching, "once containers were touched, they were"
    mine.finish()
    assert store.attempt() is None


def test_a_dry_run_writes_nothing_and_forgets_nothing(store: Store) -> None:
    store.note_attempt(KILLED)
    dry = journal(store, dry=True)
    assert dry.begin("deploy") == KILLED
    dry.step("source", switching=True)
    dry.keep_loops([B])
    dry.finish()
    assert store.attempt() == KILLED


def test_what_a_kill_left_goes_on_to_be_left_until_it_is_done(store: Store) -> None:
    store.note_attempt(KILLED)
    mine = journal(store)
    assert mine.begin("rollback") == KILLED
    assert mine.was_switching
    assert mine.loops == (A,)
    found = store.attempt()
    assert found is not None
    assert (found.verb, found.switching, found.loops) == ("rollback", True, (A,))


def test_loops_that_are_to_be_stopped_join_those_that_were(store: Store) -> None:
    store.note_attempt(KILLED)
    mine = journal(store)
    mine.begin("deploy")
    newer = replace(A, max_concurrency=5)
    mine.keep_loops([newer, B])
    assert list(mine.loops) == [newer, B], "what is known now goes first"
    mine.keep_loops([C])
    assert list(mine.loops) == [C, newer, B]
    mine.left_off([B])
    found = store.attempt()
    assert found is not None
    assert found.loops == (B,), "the others run again"


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (None, None, "nothing was touched"),
        (replace(KILLED, switching=False, loops=()), None, "nor by the one before"),
        (KILLED, KILLED, "containers that an earlier run touched are still half changed"),
        (replace(KILLED, switching=False), replace(KILLED, switching=False), "loops still off"),
    ],
)
def test_giving_up_leaves_what_was_left_before(
    store: Store, before: Attempt | None, after: Attempt | None, why: str
) -> None:
    if before is not None:
        store.note_attempt(before)
    mine = journal(store)
    mine.begin("deploy")
    mine.step("build server", switching=None)
    mine.give_up()
    assert store.attempt() == after, why
    assert mine.attempt is None


def test_giving_up_with_loops_still_off_says_so_on_disk(store: Store) -> None:
    mine = journal(store)
    mine.begin("deploy")
    mine.keep_loops([B])
    mine.give_up()
    found = store.attempt()
    assert found is not None
    assert found.loops == (B,)


@pytest.mark.parametrize("end", ["give_up", "finish", "end_stopped", "switched"])
def test_a_verb_that_never_began_a_change_ends_nobody_elses(store: Store, end: str) -> None:
    store.note_attempt(KILLED)
    getattr(journal(store), end)()
    assert store.attempt() == KILLED


def test_what_ends_well_keeps_only_loops_that_could_not_be_started(store: Store) -> None:
    mine = journal(store)
    mine.begin("deploy", "r2")
    mine.keep_loops([A, B])
    mine.step("go live", switching=True)
    mine.left_off([B])
    mine.finish()
    assert mine.attempt is None
    found = store.attempt()
    assert found is not None
    assert (found.switching, found.loops) == (False, (B,))
    assert unfinished(found) == (f"auto-mode could not be started again: {B.project}: invoke start")
    later = journal(store)
    later.begin("start")
    assert later.loops == (B,)
    later.left_off([])
    later.finish()
    assert store.attempt() is None


def test_once_switched_nothing_is_half_done_and_a_full_disk_ends_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    mine = journal(store, said)
    mine.begin("deploy", "r2")
    mine.keep_loops([A])
    mine.step("go live", switching=True)
    mine.switched()
    found = store.attempt()
    assert found is not None
    assert (found.switching, found.loops) == (False, (A,))

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    mine.left_off([])
    mine.finish()
    assert "No space left" in "".join(said)
    assert store.attempt() is None


def test_a_stack_that_was_stopped_knows_its_loops(store: Store) -> None:
    mine = journal(store)
    mine.begin("stop", "r1")
    mine.keep_loops([A])
    mine.end_stopped()
    later = journal(store)
    before = later.begin("start", "r1")
    assert before is not None
    assert (before.step, later.loops, later.was_switching) == (STOPPED, (A,), False)


def test_a_full_disk_ends_an_attempt_but_never_the_way_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    mine = journal(store, said)
    mine.begin("deploy")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ComposeError, match="No space left"):
        mine.step("build server", switching=None)
    mine.must_write = False
    mine.step("cut over server", switching=True)
    assert "No space left" in "".join(said)
    assert mine.attempt is not None
    assert mine.attempt.switching


@pytest.mark.parametrize(
    ("attempt", "says", "why"),
    [
        (None, "", "nothing is under way"),
        (replace(KILLED, step=STOPPED), "", "stopped on purpose"),
        (replace(KILLED, switching=False, loops=()), "", "nothing was touched"),
        (KILLED, "deploy of r2 by ada@host was cut short at 'cut over ui': invoke rollback, or "
         "deploy again", "containers"),
        (replace(KILLED, release="", switching=False), "deploy by ada@host was cut short at "
         "'cut over ui': auto-mode may be off: invoke start, or deploy again", "loops"),
    ],
)  # fmt: skip
def test_what_was_left_half_done_is_said_with_what_to_do(
    attempt: Attempt | None, says: str, why: str
) -> None:
    assert unfinished(attempt) == says, why
