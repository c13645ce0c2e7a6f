"""Faults to have on purpose: each makes a deploy fail where it says, and nowhere else."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compose.deploy.source import FAULTS
from loadtest.standin.agent import AgentOrder
from loadtest.standin.config import read_config
from loadtest.standin.fault import CRASH, NEVER_READY, NO_AGENTS, NoAgents
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
