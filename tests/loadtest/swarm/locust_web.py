"""A real Locust process with its web UI and the capacity tab, on a free port."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import requests

ROOT = Path(__file__).parents[3]
# One agent waits, one is on its way, two are at their peaks, one died.
LOCUSTFILE = """
import time
from types import SimpleNamespace
from locust import User, events, task
from loadtest.outcome import Trial
from loadtest.swarm.board import Board
from loadtest.swarm.capacity_tab import add_capacity_tab
from loadtest.swarm.conductor import Conductor
from loadtest.swarm.result import SwarmTask

class Nobody(User):
    @task
    def rest(self):
        time.sleep(0.5)

@events.init.add_listener
def _set_up(environment, **_):
    trial = Trial(id="t", kind="ramp", workload="medium", run=1, agents=("medium",) * 5, seed=1)
    conductor = Conductor(SwarmTask(
        host="http://127.0.0.1:1", api_key="k", trial=trial, models={"medium": "sonnet"},
        began=time.time(), projects_root="/p", agents_per_project=9, hold_s=1, duration_s=1,
        poll_s=1, agent_budget_s=9, unanswered_budget_s=9,
    ))
    conductor.held, conductor.failed_at = 2, 4
    for number, slot in enumerate(conductor.slots[:4]):
        slot.started_s = number
    for slot in conductor.slots[:2]:
        slot.peak_s, slot.target_bytes = 1.0, 4_000_000_000
    conductor.slots[3].end = "lost"
    board = Board(None, 1.0)
    board.most = 4
    add_capacity_tab(environment, SimpleNamespace(conductor=conductor, board=board, max_lag_s=0.25))
"""


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def locust_web(folder: Path, *options: str, locustfile: Path | None = None) -> Iterator[str]:
    """Address of the web UI of a Locust process that has not begun yet."""
    if locustfile is None:
        locustfile = folder / "watched.py"
        locustfile.write_text(LOCUSTFILE, encoding="utf-8")
    port = free_port()
    argv = [
        sys.executable, "-m", "locust", "--locustfile", str(locustfile), "--web-host", "127.0.0.1",
        "--web-port", str(port), "--host", "http://127.0.0.1:1", *options,
    ]  # fmt: skip
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    log = folder / "locust.log"
    with log.open("wb") as output:
        process = subprocess.Popen(argv, cwd=folder, env=env, stdout=output, stderr=output)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_served(address, process, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_served(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        with contextlib.suppress(requests.ConnectionError):
            # Any page: the statistics are remembered for two seconds, and with them the state.
            if requests.get(f"{address}/tasks", timeout=5).status_code < 500:
                return
        time.sleep(0.1)
    raise AssertionError(f"no web UI within 30 s: {log.read_text(encoding='utf-8')}")
