"""Commands that outlived the verb that ran them: the next verb ends them, and nobody else's."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from compose.deploy.orphans import end_orphans
from settings.owner import OWNER_VARIABLE, Owner


@pytest.fixture
def gone() -> Owner:
    """A process that has ended."""
    with subprocess.Popen(["true"]) as process:
        pid = process.pid
    return Owner(pid, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where programs get the names they need."""
    return tmp_path


@contextlib.contextmanager
def command(folder: Path, name: str = "docker", **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of that name, which waits."""
    sleep = shutil.which("sleep", path=os.defpath)
    assert sleep is not None
    program = folder / name
    if not program.exists():
        shutil.copy(sleep, program)
    with subprocess.Popen([program, "30"], env={"PATH": os.defpath, **env}) as process:
        try:
            # Name and environment are those of this process until it has become another program.
            while not _has_become(process.pid, name, env):
                time.sleep(0.005)
            yield process
        finally:
            process.kill()


def _has_become(pid: int, name: str, env: dict[str, str]) -> bool:
    process = psutil.Process(pid)
    return process.name() == name and process.environ() == {"PATH": os.defpath, **env}


@pytest.mark.parametrize("name", ["docker", "docker-compose", "docker-buildx"])
def test_what_a_process_that_is_gone_left_at_work_is_ended(
    folder: Path, gone: Owner, name: str
) -> None:
    with command(folder, name, **{OWNER_VARIABLE: str(gone)}) as left:
        assert end_orphans(gone) == [f"{name} (pid {left.pid})"]
        assert not psutil.pid_exists(left.pid)
    assert end_orphans(gone) == []


@pytest.mark.parametrize("name", ["ssh", "git", "docker-proxy"])
def test_what_may_serve_the_operator_too_goes_on(folder: Path, gone: Owner, name: str) -> None:
    with command(folder, name, **{OWNER_VARIABLE: str(gone)}) as process:
        assert end_orphans(gone) == []
        assert process.poll() is None


def test_what_others_started_goes_on(folder: Path, gone: Owner) -> None:
    other = Owner(gone.pid, gone.started + 100)
    mark = {OWNER_VARIABLE: str(other)}
    with command(folder, **mark) as theirs, command(folder) as nobodys:
        assert end_orphans(gone) == []
        assert theirs.poll() is None
        assert nobodys.poll() is None


def test_nothing_is_ended_while_its_owner_runs(folder: Path) -> None:
    mine = Owner.this_process()
    with command(folder, **{OWNER_VARIABLE: str(mine)}) as process:
        assert end_orphans(mine) == []
        assert process.poll() is None


def test_only_what_could_be_ended_is_said_to_be(
    folder: Path, gone: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_process: psutil.Process) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "kill", denied)
    monkeypatch.setattr("compose.deploy.orphans.END_S", 0.01)
    with command(folder, **{OWNER_VARIABLE: str(gone)}):
        assert end_orphans(gone) == []
