import threading
from pathlib import Path
from typing import Any

from loadtest.standin.config import Timings
from tests.loadtest.standin.fakes import World, wait_until, world


def start_agents(server: World, count: int) -> list[str]:
    ids = [server.create(f"lt {number}") for number in range(count)]
    server.auto_mode("start", maxConcurrency=count)
    wait_until(lambda: server.runner.live == count, f"{count} agents")
    return ids


def test_an_empty_server_drains_at_once(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        answer = server.post("/api/deploy/drain", {})
    assert answer.json() == {
        "success": True,
        "drained": True,
        "worktreesStopped": 0,
        "agentsForceStopped": 0,
        "elapsedSeconds": 0,
    }


def test_drain_stops_loops_then_leftovers_and_puts_them_back(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        ids = start_agents(server, 2)
        answer = server.post("/api/deploy/drain", {}).json()
        assert (answer["worktreesStopped"], answer["agentsForceStopped"]) == (1, 2)
        assert [server.status_of(one) for one in ids] == ["backlog"] * 2
        assert all(agent.stopped for agent in server.runner.agents)
        assert server.get("/api/deploy/status").json() == {
            "drainInProgress": False,
            "runningAgents": 0,
            "activeWorktrees": 0,
        }


def test_drain_waits_for_agents_that_finish_and_admits_one_drain_only(tmp_path: Path) -> None:
    answers: list[dict[str, Any]] = []
    with world(tmp_path, timings=Timings(normal=0, drain_timeout=60, drain_poll=0.01)) as server:
        ids = start_agents(server, 2)
        waiting = threading.Thread(
            target=lambda: answers.append(server.post("/api/deploy/drain", {}).json())
        )
        waiting.start()
        status = "/api/deploy/status"
        wait_until(lambda: server.get(status).json()["drainInProgress"] is True, "the drain")
        assert server.get(status).json()["activeWorktrees"] == 0
        second = server.post("/api/deploy/drain", {})
        assert second.status_code == 409
        assert second.json() == {"success": False, "error": "Drain already in progress"}
        for agent in list(server.runner.agents):
            server.runner.end(agent, 0)
        waiting.join(10)
        assert [server.status_of(one) for one in ids] == ["done"] * 2
    assert answers[0]["agentsForceStopped"] == 0


def test_drain_is_no_admission_gate(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        server.post("/api/deploy/drain", {})
        assert server.auto_mode("start", maxConcurrency=1).status_code == 200


def test_drain_without_a_json_body_is_a_415(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        answer = server.client.post("/api/deploy/drain", headers={"X-API-Key": "testkey"})
    assert answer.status_code == 415
