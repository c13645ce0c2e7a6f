"""The server as a process of its own, with the real warm parent and real agents."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from loadtest.standin.store import FeatureStore
from tests.loadtest.standin.fakes import API_KEY, wait_until

LOADTEST = Path(__file__).parents[3] / "loadtest"
IDLE_LIMIT_KB = 60_000


@contextlib.contextmanager
def server(root: Path, **env: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Run `python -m standin` on a free port; it is killed at the end if it still runs."""
    settings = {
        "DATA_DIR": str(root / "data"),
        "AUTOMAKER_PROJECT_PATH": str(root / "demo"),
        "AUTOMAKER_API_KEY": API_KEY,
        "AUTOMAKER_MAX_CONCURRENCY": "3",
        "SLEEP_INTERVAL_NORMAL_MS": "0",
        "HOST": "127.0.0.1",
        "PATH": os.environ["PATH"],
        **env,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "standin"],
        cwd=LOADTEST,
        env={"PORT": free_port(), **settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process, process.stdout:
        try:
            announced = process.stdout.readline()
            port = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", announced)
            assert port, announced
            url = f"http://127.0.0.1:{port.group(1)}"
            with httpx.Client(base_url=url, headers={"X-API-Key": API_KEY}) as client:
                yield process, client
        finally:
            process.kill()


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def fill(client: httpx.Client, project: str, count: int) -> None:
    for number in range(count):
        feature = {"title": f"lt {number}", "description": "d", "complexity": "small"}
        body = {"projectPath": project, "feature": feature}
        assert client.post("/api/features/create", json=body).status_code == 200
    client.post("/api/auto-mode/start", json={"projectPath": project, "maxConcurrency": 3})


def running(client: httpx.Client) -> int:
    count: int = client.get("/api/running-agents").json()["totalCount"]
    return count


def states(project: str) -> list[Any]:
    return sorted(feature["status"] for feature in FeatureStore().all_of(project))


def test_agents_run_and_sigterm_ends_everything_within_five_seconds(tmp_path: Path) -> None:
    project = str(tmp_path / "demo")
    profiles = '{"small": {"turns": 2, "hold_s": 600}}'
    with server(tmp_path, STANDIN_PROFILES=profiles) as (process, client):
        fill(client, project, 4)
        wait_until(lambda: running(client) == 3, "three agents")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 5
    assert states(project) == ["backlog", "interrupted", "interrupted", "interrupted"]
    assert (tmp_path / "data" / ".clean-shutdown").exists()


def test_agents_finish_and_a_crash_leaves_features_that_reconcile_puts_back(
    tmp_path: Path,
) -> None:
    project = str(tmp_path / "demo")
    profiles = '{"small": {"turns": 2, "hold_s": 600}}'
    with server(tmp_path) as (_, client):
        fill(client, project, 4)
        wait_until(lambda: states(project) == ["done"] * 4, "four done features")
    other = str(tmp_path / "other")
    with server(tmp_path, STANDIN_PROFILES=profiles) as (process, client):
        fill(client, other, 2)
        wait_until(lambda: states(other) == ["in_progress"] * 2, "two agents")
        process.kill()
        process.wait(10)
    assert states(other) == ["in_progress"] * 2
    with server(tmp_path) as (_, client):
        assert running(client) == 0
        answer = client.post("/api/auto-mode/reconcile", json={"projectPath": other})
        assert answer.json()["message"] == "Reconciled 2 feature(s)"
    assert states(other) == ["backlog"] * 2


def test_a_drain_that_still_waits_is_told_of_the_shutdown(tmp_path: Path) -> None:
    project = str(tmp_path / "demo")
    profiles = '{"small": {"turns": 2, "hold_s": 600}}'
    answers: list[httpx.Response] = []
    with server(tmp_path, STANDIN_PROFILES=profiles) as (process, client):
        fill(client, project, 1)
        wait_until(lambda: running(client) == 1, "an agent")
        waiting = threading.Thread(
            target=lambda: answers.append(client.post("/api/deploy/drain", json={}))
        )
        waiting.start()
        status = "/api/deploy/status"
        wait_until(lambda: client.get(status).json()["drainInProgress"] is True, "the drain")
        process.terminate()
        assert process.wait(5) == 0
        waiting.join(5)
    assert answers[0].status_code == 503
    assert states(project) == ["interrupted"]


def test_server_and_warm_parent_are_small_and_the_key_is_not_printed(tmp_path: Path) -> None:
    with server(tmp_path, AUTOMAKER_API_KEY="a-secret-key") as (process, client):
        for _ in range(100):
            client.get("/api/health/deep", headers={"X-API-Key": "a-secret-key"})
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        resident = sum(resident_kb(pid) for pid in [str(process.pid), *children])
        assert resident < IDLE_LIMIT_KB
        process.terminate()
        assert process.wait(10) == 0
        assert process.stdout
        assert "a-secret-key" not in process.stdout.read()


def test_profiles_that_cannot_be_followed_are_refused(tmp_path: Path) -> None:
    env = {"DATA_DIR": str(tmp_path), "STANDIN_PROFILES": '{"small": {"speed": 1}}'}
    command = [sys.executable, "-m", "standin"]
    done = subprocess.run(
        command, cwd=LOADTEST, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "STANDIN_PROFILES: small.speed: unknown key\n"


def resident_kb(pid: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    if found is None:
        pytest.fail(f"process {pid} has ended")
    return int(found.group(1))
