"""Agents at work when a deploy comes: they get time, and nothing that was stopped stays so."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.docker.deploy.staging import Staging

pytestmark = pytest.mark.timeout(300)
HOLD_S = 7


@pytest.fixture(scope="module")
def slow(staging: Staging, tmp_path_factory: pytest.TempPathFactory) -> Staging:
    """A stack whose agents take seconds, and whose drain gives up on them after a while."""
    staging.deploy("--ref", "start")
    for service in ("server", "ui"):
        staging.host.docker("tag", f"automaker-{service}:staging", f"kept-{service}:1")
    return staging


def deploy_with(staging: Staging, folder: Path, drain_ms: int, name: str) -> None:
    """Deploy the stand-in with other timings, as another commit."""
    profile = f'{{"small": {{"turns": 1, "hold_s": {HOLD_S}.0}}}}'
    commit = "LABEL automaker.git.commit.sha=unknown\n"
    (folder / "Dockerfile").write_text(
        f"FROM kept-server:1 AS server\n{commit}ENV STANDIN_PROFILES='{profile}' NAME={name}\n"
        f"ENV DRAIN_TIMEOUT_MS={drain_ms} DRAIN_POLL_MS=200\nFROM kept-ui:1 AS ui\n{commit}",
        encoding="utf-8",
    )
    # The smoke test's own agent takes its seconds, too.
    staging.deploy("--no-drain", source=str(folder))


def begin_work(staging: Staging, title: str) -> tuple[str, str]:
    """Have auto-mode run one feature; returns (project, feature)."""
    project = str(staging.folder / "projects" / "busy")
    feature = {"title": title, "description": "x", "complexity": "small"}
    body = {"projectPath": project, "feature": feature}
    found = staging.call("POST", "/api/features/create", body)["feature"]["id"]
    start = {"projectPath": project, "maxConcurrency": 1}
    staging.call("POST", "/api/auto-mode/start", start)
    deadline = time.monotonic() + 20
    while not staging.call("GET", "/api/running-agents")["totalCount"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return project, found


def state_of(staging: Staging, project: str, feature: str) -> str:
    body = {"projectPath": project, "featureId": feature}
    return str(staging.call("POST", "/api/features/get", body)["feature"]["status"])


def is_on(staging: Staging, project: str) -> bool:
    return bool(
        staging.call("POST", "/api/auto-mode/status", {"projectPath": project})["isAutoLoopRunning"]
    )


def test_a_deploy_waits_for_agents_and_says_so(slow: Staging, tmp_path: Path) -> None:
    """Incident C2: deploys killed every agent."""
    deploy_with(slow, tmp_path, 60_000, "patient")
    project, feature = begin_work(slow, "to be waited for")
    done = slow.invoke("deploy", "--source", "standin", "--ref", "next", "--min-free", "0.1")
    assert "1 agents still run" in done.stdout
    assert "1 loops stopped; agents: none lost" in done.stdout
    assert state_of(slow, project, feature) == "done"
    assert is_on(slow, project)


def test_agents_that_take_too_long_are_stopped_and_counted(slow: Staging, tmp_path: Path) -> None:
    deploy_with(slow, tmp_path, 1_000, "impatient")
    project, feature = begin_work(slow, "too slow")
    done = slow.invoke("deploy", "--source", "standin", "--ref", "again", "--min-free", "0.1")
    assert "agents: 1 stopped by force" in done.stdout
    assert is_on(slow, project)
    deadline = time.monotonic() + 30
    while state_of(slow, project, feature) != "done":
        assert time.monotonic() < deadline, "its feature was not taken up again"
        time.sleep(0.5)


def test_a_drain_that_was_killed_is_made_good_by_start(slow: Staging, tmp_path: Path) -> None:
    deploy_with(slow, tmp_path, 60_000, "killed")
    project, feature = begin_work(slow, "while a deploy is killed")
    before = slow.live()
    words = ("deploy", "--source", "standin", "--ref", "never", "--min-free", "0.1")
    slow.kill_at("drain", 1.5, *words)
    assert not is_on(slow, project)
    found = slow.status()
    assert "auto-mode may be off: invoke start" in found["unfinished"]
    slow.invoke("start")
    assert slow.live() == before
    assert is_on(slow, project)
    assert slow.status()["unfinished"] == ""
    assert state_of(slow, project, feature) in ("in_progress", "done")


def test_ctrl_c_during_a_drain_waits_for_its_end_and_starts_the_loops(
    slow: Staging, tmp_path: Path
) -> None:
    deploy_with(slow, tmp_path, 60_000, "interrupted")
    project, feature = begin_work(slow, "while somebody hesitates")
    before = slow.live()
    process = slow.begin("deploy", "--source", "standin", "--ref", "never", "--min-free", "0.1")
    assert process.stdout is not None
    seen = ""
    while "] drain" not in seen:
        seen += process.stdout.read(1)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "cannot be told to stop draining" in said
    assert slow.live() == before
    assert is_on(slow, project)
    assert state_of(slow, project, feature) == "done"


def test_what_stop_stops_start_starts_again(slow: Staging) -> None:
    project = str(slow.folder / "projects" / "busy")
    assert is_on(slow, project)
    slow.invoke("stop")
    found = slow.status()
    assert found["unfinished"] == ""
    assert found["problems"][0].startswith("stopped by ")
    slow.invoke("start")
    assert is_on(slow, project)
