"""Faults to have on purpose: each makes a deploy fail where it says, and nowhere else."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compose.deploy.source import FAULTS
from loadtest.standin.agent import AgentOrder
from loadtest.standin.config import read_config
from loadtest.standin.fault import CRASH, NEVER_READY, NO_AGENTS, NoAgents, health_delay
from tests.loadtest.standin.fakes import FakeRunner, wait_until, world

LOADTEST = Path(__file__).parents[3] / "loadtest"


def test_faults_are_those_that_can_be_deployed() -> None:
    assert {CRASH, NEVER_READY, NO_AGENTS} == set(FAULTS)


@pytest.mark.parametrize(("value", "fault"), [("", ""), ("crash", CRASH)])
def test_a_fault_comes_from_the_environment(value: str, fault: str) -> None:
    assert read_config({"STANDIN_FAULT": value}, "/").fault == fault
    assert read_config({}, "/").fault == ""


def test_one_that_crashes_says_why_at_every_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "standin"],
        cwd=LOADTEST,
        env={
            "STANDIN_FAULT": CRASH,
            "DATA_DIR": str(tmp_path / "data"),
            "PATH": os.environ["PATH"],
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "this image was built to crash at its start\n"
    assert list(tmp_path.iterdir()) == []


def test_one_that_never_gets_ready_lives(tmp_path: Path) -> None:
    with world(tmp_path, fault=NEVER_READY) as server:
        ready, alive = server.get("/api/health/ready"), server.get("/api/health")
    assert (ready.status_code, ready.json()["status"]) == (503, "not_ready")
    assert ready.json()["checks"]["dataDir"]["writable"] is True
    assert (alive.status_code, alive.json()["status"]) == (200, "ok")


def test_one_without_agents_is_well_in_all_else(tmp_path: Path) -> None:
    with world(tmp_path, fault=NO_AGENTS) as server:
        assert server.get("/api/health/ready").json()["status"] == "ready"
        feature = server.create("an agent that cannot start")
        body = {"projectPath": server.project, "featureId": feature}
        assert server.post("/api/auto-mode/run-feature", body).status_code == 200
        wait_until(lambda: server.status_of(feature) == "blocked", "the end of the agent")
        found = server.post("/api/features/get", body).json()["feature"]
        assert server.runner.agents == []
    assert "no program for agents" in found["statusChangeReason"]


def test_a_stack_without_a_fault_runs_agents(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        feature = server.create("an agent")
        body = {"projectPath": server.project, "featureId": feature}
        server.post("/api/auto-mode/run-feature", body)
        wait_until(lambda: server.runner.live == 1, "the agent")


def test_a_runner_without_agents_is_closed_like_any_other() -> None:
    runner = FakeRunner()

    async def use() -> None:
        broken = NoAgents(runner)
        await broken.attach()
        with pytest.raises(OSError, match="no program for agents of class small"):
            await broken.start(AgentOrder("f", "small", "/p", "/w", "/o"))
        broken.close()

    asyncio.run(use())
    assert runner.closed
    assert runner.agents == []


@pytest.mark.parametrize(("fault", "most"), [("", 2), ("leak-slot", 1), ("one-more", 3)])
def test_a_slot_leaked_from_the_start_or_counted_short_shows_in_what_runs(
    fault: str, most: int, tmp_path: Path
) -> None:
    with world(tmp_path, fault=fault) as server:
        for number in range(4):
            server.create(f"lt {number}")
        server.auto_mode("start", maxConcurrency=2)
        wait_until(lambda: server.runner.live == most, "agents in all slots")
        time.sleep(0.05)
        assert server.runner.live == most
        # A leaked slot is nobody's: the API lists those that run.
        assert server.get("/api/running-agents").json()["totalCount"] == most


@pytest.mark.parametrize(("code", "starts"), [(-9, 1), (0, 2), (1, 2)])
def test_a_lost_slot_is_that_of_an_agent_that_was_killed(
    code: int, starts: int, tmp_path: Path
) -> None:
    with world(tmp_path, fault="lost-slot") as server:
        for number in range(2):
            server.create(f"lt {number}")
        server.auto_mode("start", maxConcurrency=1)
        wait_until(lambda: server.runner.live == 1, "the first agent")
        server.runner.end(server.runner.agents[0], code)
        if starts == 2:
            wait_until(lambda: len(server.runner.agents) == 2, "the second agent")
        time.sleep(0.05)
        assert len(server.runner.agents) == starts
        assert len(server.running()) == 1


@pytest.mark.parametrize("path", ["/api/health", "/api/health/ready"])
def test_slow_health_delays_its_answers_and_no_others(path: str, tmp_path: Path) -> None:
    with world(tmp_path, fault="slow-health:150") as server:
        began = time.monotonic()
        assert server.get(path).status_code == 200
        slow = time.monotonic() - began
        assert server.get("/api/running-agents").status_code == 200
        assert slow >= 0.15
        assert time.monotonic() - began - slow < 0.15


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [("slow-health:2500", 2.5), ("slow-health:x", 0), ("slow-health:", 0), ("", 0), ("2500", 0)],
)
def test_the_delay_is_in_milliseconds(fault: str, seconds: float) -> None:
    assert health_delay(fault) == seconds
