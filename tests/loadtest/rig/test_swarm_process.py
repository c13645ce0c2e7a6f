"""The Locust process against a real stand-in server: told when to go, never left behind."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loadtest.rig.swarm_process import SwarmProcess
from loadtest.swarm.result import SwarmTask
from settings.environment import swarm_environment
from tests.loadtest.examples import trial
from tests.loadtest.standin.fakes import wait_until

LOADTEST = Path(__file__).parents[3] / "loadtest"
KEY = "0123456789abcdef"
SMALL = {"turns": 2, "start_bytes": 1, "peak_bytes": 30_000_000, "huge_pages": False}


@contextlib.contextmanager
def server(root: Path, hold_s: float) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A stand-in whose agents hold their peak for so long; yields it and its address."""
    env = {
        "PATH": os.environ["PATH"],
        "HOST": "127.0.0.1",
        "PORT": free_port(),
        "DATA_DIR": str(root / "data"),
        "AUTOMAKER_PROJECT_PATH": str(root),
        "AUTOMAKER_API_KEY": KEY,
        "AUTOMAKER_MAX_CONCURRENCY": "20",
        "STANDIN_PROFILES": json.dumps({"small": SMALL | {"hold_s": hold_s}}),
    }

    argv = [sys.executable, "-m", "standin"]
    with subprocess.Popen(
        argv, cwd=LOADTEST, env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            announced = process.stdout.readline()
            found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", announced)
            assert found, announced
            yield process, f"http://127.0.0.1:{found[1]}"
        finally:
            process.kill()


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def task(root: Path, host: str, **changes: Any) -> SwarmTask:
    values: dict[str, Any] = {
        "host": host,
        "api_key": KEY,
        "trial": trial(agents=("small",) * 3, workload="small"),
        "models": {"small": "haiku"},
        "began": time.time(),
        "projects_root": str(root),
        "agents_per_project": 2,
        "hold_s": 0.1,
        "duration_s": 1.0,
        "poll_s": 0.05,
        "agent_budget_s": 30.0,
        "unanswered_budget_s": 10.0,
        "gone_budget_s": 0.5,
    }
    return SwarmTask(**(values | changes))


def swarm(root: Path, told: SwarmTask) -> SwarmProcess:
    return SwarmProcess(told, root, root / "swarm.log", swarm_environment())


def test_a_ramp_admits_agent_after_agent_and_holds_them_all(tmp_path: Path) -> None:
    with (
        server(tmp_path, hold_s=600) as (_, url),
        swarm(tmp_path, task(tmp_path, url)) as process,
    ):
        assert (tmp_path / "swarm-task.json").stat().st_mode & 0o077 == 0, "it holds a key"
        process.go()
        code, result = process.wait(60)
    assert code == 0, (tmp_path / "swarm.log").read_text(encoding="utf-8")
    assert result
    assert (result.completed, result.held, result.failed_at) == (True, 3, None)
    assert [agent.end for agent in result.agents] == ["held"] * 3
    projects = [Path(agent.project).name for agent in result.agents]
    assert projects == ["load-00", "load-00", "load-01"]
    times = [(agent.started_s, agent.peak_s) for agent in result.agents]
    for (_, peak), (start, _) in itertools.pairwise(times):
        assert peak is not None
        assert start is not None
        assert start >= peak + 0.1, "the next one waits for peak and hold"
    assert (result.max_reported, result.classes) == (3, {"HaikuAgent": 3})
    assert result.agents[0].target_bytes == 30_000_000


def test_a_server_that_is_killed_is_a_failure_of_the_agents_at_work(tmp_path: Path) -> None:
    endless = trial(agents=("small",) * 19, workload="small")
    with (
        server(tmp_path, hold_s=600) as (standin, url),
        swarm(tmp_path, task(tmp_path, url, trial=endless, hold_s=0.5)) as process,
    ):
        process.go()
        wait_until(lambda: len(list(tmp_path.glob("load-*/**/agent-output.md"))) > 1, "two agents")
        standin.send_signal(signal.SIGKILL)
        code, result = process.wait(60)
    assert code == 0, (tmp_path / "swarm.log").read_text(encoding="utf-8")
    assert result
    assert result.completed
    assert result.failed_at
    assert result.held < result.failed_at <= 19
    assert not result.unresponsive
    assert "nothing listened" in result.reason


def test_without_a_go_nothing_is_asked_and_the_swarm_ends_with_the_campaign(
    tmp_path: Path,
) -> None:
    process = swarm(tmp_path, task(tmp_path, "http://127.0.0.1:1"))
    process.stop()
    process.stop()
    assert process._process.returncode in {4, -signal.SIGTERM}
    assert not (tmp_path / "swarm-result.json").exists()


def test_a_swarm_out_of_time_has_no_result(tmp_path: Path) -> None:
    with swarm(tmp_path, task(tmp_path, "http://127.0.0.1:1")) as process:
        assert process.wait(0.2) == (124, None)


def test_a_result_of_an_earlier_trial_is_never_taken_for_this_ones(tmp_path: Path) -> None:
    (tmp_path / "swarm-result.json").write_text("{}", encoding="utf-8")
    with swarm(tmp_path, task(tmp_path, "http://127.0.0.1:1")):
        assert not (tmp_path / "swarm-result.json").exists()
