"""One change at a time: who holds the lock is known, and no lock outlives its holder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.deploy import lock
from compose.deploy.lock import LOCK_NAME, Holder, holder, holding
from compose.errors import ComposeError

ROOT = Path(__file__).parents[3]
HOLDER = """
import subprocess, sys, time
from pathlib import Path
from compose.deploy.lock import holding
with holding(Path(sys.argv[1]), "deploy", "nightly build", wait_s=0, note=print):
    child = subprocess.Popen(["sleep", "30"]) if len(sys.argv) > 2 else None
    print("held", child.pid if child else "", flush=True)
    sys.stdin.readline()
"""


def ignore(_text: str) -> None:
    """Take a note and do nothing with it."""


@contextlib.contextmanager
def held_elsewhere(home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Hold the lock in a process of its own until it gets a line; gives what it said at first."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home), *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        try:
            said = [process.stdout.readline().strip()]
            while said[-1] and not said[-1].startswith("held"):
                said.append(process.stdout.readline().strip())
            assert said[-1], "it never got the lock"
            yield process, said
        finally:
            process.kill()


def let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_second_one_is_refused_and_told_who_has_it_since_when_and_why(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as (process, _):
        with (
            pytest.raises(ComposeError) as caught,
            holding(tmp_path, "rollback", "", wait_s=0, note=ignore),
        ):
            pytest.fail("two at once")
        text = str(caught.value)
        assert text.startswith("locked: deploy (nightly build) of ")
        assert f", pid {process.pid}, since 20" in text
        assert "--lock-wait" in caught.value.__notes__[0]
        found = holder(tmp_path)
        assert found is not None
        assert (found.pid, found.what, found.why) == (process.pid, "deploy", "nightly build")


def test_who_waits_gets_it_as_soon_as_it_is_free_and_says_for_whom_it_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "REMIND_S", 0.1)
    notes: list[str] = []
    with held_elsewhere(tmp_path) as (process, _):

        def note(text: str) -> None:
            notes.append(text)
            if len(notes) == 2:
                let_go(process)

        with holding(tmp_path, "rollback", "", wait_s=20, note=note):
            assert holder(tmp_path) is not None
    assert notes[0].startswith("waiting for the lock: deploy (nightly build) of ")
    assert notes[1].startswith("still waiting for the lock: deploy")
    assert not any("gone" in one for one in notes), "it went in peace"


def test_kill_9_leaves_no_stale_lock_and_the_next_says_whom_it_follows(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as (process, _):
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert holder(tmp_path) is None
    notes: list[str] = []
    with holding(tmp_path, "rollback", "", wait_s=0, note=notes.append):
        found = holder(tmp_path)
        assert found is not None
        assert found.pid == os.getpid()
    (said,) = notes
    assert said.startswith("took over from a holder that is gone: deploy (nightly build)")
    assert f"pid {process.pid}" in said


def test_a_child_of_the_holder_does_not_keep_the_lock(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path, "with a child") as (process, said):
        child = int(said[-1].split()[1])
        try:
            process.send_signal(signal.SIGKILL)
            process.wait()
            os.kill(child, 0)
            with holding(tmp_path, "rollback", "", wait_s=0, note=ignore):
                pass
        finally:
            os.kill(child, signal.SIGKILL)


def test_an_ended_holder_leaves_no_trace_but_the_file(tmp_path: Path) -> None:
    for _ in range(2):
        notes: list[str] = []
        with holding(tmp_path, "deploy", "", wait_s=0, note=notes.append):
            pass
        assert notes == []
        assert holder(tmp_path) is None
    assert [one.name for one in tmp_path.iterdir()] == [LOCK_NAME]


def test_a_holder_that_fails_lets_go_too(tmp_path: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        holding(tmp_path, "deploy", "", wait_s=0, note=ignore),
    ):
        raise ZeroDivisionError
    assert holder(tmp_path) is None


def test_nobody_holds_what_never_was_locked_and_looking_makes_nothing(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    assert holder(tmp_path / "absent") is None
    assert list(tmp_path.iterdir()) == []


def test_a_look_at_the_lock_makes_nobody_give_up(tmp_path: Path) -> None:
    """`status` takes it for a moment; who comes right then must wait that moment."""
    with holding(tmp_path, "status", "", wait_s=0, note=ignore):
        pass
    with held_elsewhere(tmp_path) as (process, _):
        began = time.monotonic()
        let_go(process)
        with holding(tmp_path, "deploy", "", wait_s=0, note=ignore):
            assert time.monotonic() - began < 1


@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"who": "ada"}'])
def test_a_holder_that_cannot_be_read_is_somebody(tmp_path: Path, text: str) -> None:
    with holding(tmp_path, "deploy", "", wait_s=0, note=ignore):
        (tmp_path / "deploy.lock.json").write_text(text, encoding="utf-8")
        found = holder(tmp_path)
        assert found is not None
        assert found.who == "somebody"


def test_the_lock_is_its_owners_alone(tmp_path: Path) -> None:
    with holding(tmp_path, "deploy", "", wait_s=0, note=ignore):
        for name in (LOCK_NAME, "deploy.lock.json"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        written = json.loads((tmp_path / "deploy.lock.json").read_bytes())
        assert written["what"] == "deploy"


def test_a_place_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).mkdir()
    with (
        pytest.raises(ComposeError, match=LOCK_NAME),
        holding(tmp_path, "deploy", "", wait_s=0, note=ignore),
    ):
        pytest.fail("locked nothing")


def test_a_holder_without_a_reason_is_said_without_one() -> None:
    one = Holder("ada@host", "deploy", "", 7, "2026-03-14T09:15:00+00:00")
    assert one.text() == "deploy of ada@host, pid 7, since 2026-03-14T09:15:00+00:00"
