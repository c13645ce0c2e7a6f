import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loadtest.standin.config import Timings
from loadtest.standin.scheduler import blocking_dependencies, next_feature
from tests.loadtest.standin.fakes import FakeRunner, World, wait_until, world


def statuses(server: World, ids: list[str]) -> Counter[str]:
    return Counter(server.status_of(one) for one in ids)


def test_three_times_the_backlog_never_exceeds_the_cap(tmp_path: Path) -> None:
    runner = FakeRunner()
    with world(tmp_path, runner) as server:
        ids = [server.create(f"lt {number}") for number in range(18)]
        server.auto_mode("start", maxConcurrency=10)
        wait_until(lambda: runner.live == 6, "agents in all slots")
        runner.code = 0  # from here on agents end by themselves
        for agent in list(runner.agents):
            runner.end(agent, 0)
        wait_until(lambda: statuses(server, ids) == {"done": 18}, "18 done features")
    assert runner.most_live == 6
    assert len(runner.agents) == 18


def test_two_loops_on_one_project_share_its_slots_and_run_nothing_twice(tmp_path: Path) -> None:
    runner = FakeRunner(code=0)
    with world(tmp_path, runner) as server:
        ids = [server.create(f"lt {number}", branchName="b") for number in range(12)]
        server.auto_mode("start", maxConcurrency=3)
        server.auto_mode("start", maxConcurrency=3, branchName="b")
        wait_until(lambda: statuses(server, ids) == {"done": 12}, "12 done features")
    assert runner.most_live <= 3
    assert len(runner.agents) == 12


def test_each_project_has_the_whole_cap(tmp_path: Path) -> None:
    with world(tmp_path, max_concurrency=2) as server:
        for project in ("demo1", "demo2"):
            server.project = str(tmp_path / project)
            for number in range(4):
                server.create(f"lt {number}")
            server.auto_mode("start", maxConcurrency=5)
        wait_until(lambda: server.runner.live == 4, "two agents in each of two projects")
        status = server.post("/api/auto-mode/status", {}).json()
    assert status["runningCount"] == 4
    assert len(status["activeAutoLoopProjects"]) == 2


@pytest.mark.parametrize(("looped", "accepted"), [(False, 6), (True, 2)])
def test_of_twenty_simultaneous_runs_only_the_slots_are_filled(
    tmp_path: Path, looped: bool, accepted: int
) -> None:
    with world(tmp_path) as server:
        if looped:
            server.auto_mode("start", maxConcurrency=2)
        # Done, so that no loop competes for them.
        ids = [server.create(f"lt {number}", status="done") for number in range(20)]
        bodies = [{"projectPath": server.project, "featureId": one} for one in ids]
        answers = server.client.many([("/api/auto-mode/run-feature", body) for body in bodies])
        wait_until(lambda: server.runner.live == accepted, "agents in all slots")
        assert len(server.running()) == accepted
    codes = Counter(answer.status_code for answer in answers)
    assert codes == {200: accepted, 429: 20 - accepted}
    refused = next(answer.json() for answer in answers if answer.status_code == 429)
    assert refused["error"].startswith('Agent limit reached for worktree "feature/lt-')
    assert f"({accepted}/{accepted}). Wait for running tasks" in refused["error"]
    assert refused["details"]["maxAgents"] == accepted


def test_a_killed_agent_leaves_no_slot_behind_and_the_loop_goes_on(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        first, second = server.create("first"), server.create("second")
        server.auto_mode("start", maxConcurrency=1)
        wait_until(lambda: server.runner.live == 1, "the first agent")
        server.runner.end(server.runner.agents[0], -9)
        wait_until(lambda: len(server.runner.agents) == 2, "the second agent")
        assert server.running() == [second]
        feature = server.feature(first)
        assert feature["status"] == "blocked"
        assert feature["statusChangeReason"] == "agent process killed by signal 9"
        assert feature["failureCount"] == 1
        assert [one["to"] for one in feature["statusHistory"]] == [
            "backlog",
            "in_progress",
            "blocked",
        ]


def test_an_agent_that_cannot_start_blocks_its_feature_and_frees_the_slot(tmp_path: Path) -> None:
    runner = FakeRunner()
    runner.error = OSError(12, "Cannot allocate memory")
    with world(tmp_path, runner) as server:
        feature_id = server.create("one")
        server.auto_mode("run-feature", featureId=feature_id)
        wait_until(lambda: server.status_of(feature_id) == "blocked", "a blocked feature")
        assert "Cannot allocate memory" in server.feature(feature_id)["statusChangeReason"]
        wait_until(lambda: not server.running(), "a free slot")


def test_an_unknown_feature_is_accepted_and_its_slot_comes_back(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        answer = server.auto_mode("run-feature", featureId="feature-unknown")
        assert answer.json() == {"success": True}
        wait_until(lambda: not server.running(), "a free slot")
        assert server.runner.agents == []


def test_a_new_feature_wakes_an_idle_loop(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        server.auto_mode("start", maxConcurrency=1)
        server.create("late")
        wait_until(lambda: server.runner.live == 1, "an agent", seconds=5)


def test_a_stopped_feature_is_in_the_backlog_at_once(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        feature_id = server.create("one")
        server.auto_mode("run-feature", featureId=feature_id)
        wait_until(lambda: server.runner.live == 1, "an agent")
        body = {"featureId": feature_id}
        answer = server.post("/api/auto-mode/stop-feature", body)
        assert answer.json() == {"success": True, "stopped": True}
        assert server.running() == []
        assert server.feature(feature_id)["status"] == "backlog"
        assert server.runner.agents[0].stopped
        again = server.post("/api/auto-mode/stop-feature", body)
        assert again.json() == {"success": True, "stopped": False}


def test_stopping_a_loop_lets_its_agents_finish(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        ids = [server.create(f"lt {number}") for number in range(3)]
        server.auto_mode("start", maxConcurrency=2)
        wait_until(lambda: server.runner.live == 2, "two agents")
        assert server.auto_mode("stop").json()["runningFeaturesCount"] == 2
        for agent in list(server.runner.agents):
            server.runner.end(agent, 0)
        wait_until(lambda: statuses(server, ids) == {"done": 2, "backlog": 1}, "two done")
        assert len(server.runner.agents) == 2


def test_a_clean_end_marks_features_interrupted_and_resume_runs_them(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        ids = [server.create(f"lt {number}") for number in range(3)]
        server.auto_mode("start", maxConcurrency=3)
        wait_until(lambda: server.runner.live == 3, "three agents")
    assert server.runner.closed
    assert all(agent.stopped for agent in server.runner.agents)
    assert (tmp_path / "data" / ".clean-shutdown").exists()
    with world(tmp_path, FakeRunner(), max_concurrency=2) as server:
        assert statuses(server, ids) == {"interrupted": 3}
        reason = server.feature(ids[0])["statusChangeReason"]
        assert reason == 'Interrupted from "in_progress": server shutdown'
        answer = server.auto_mode("resume-interrupted").json()
        assert answer == {"success": True, "message": "Resume check completed"}
        wait_until(lambda: server.runner.live == 2, "two resumed agents")
        wait_until(
            lambda: statuses(server, ids) == {"in_progress": 2, "backlog": 1}, "the rest put back"
        )


def test_reconcile_puts_orphans_back_and_leaves_the_running(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        orphan = server.create("orphan", status="in_progress")
        running = server.create("running")
        done = server.create("done", status="done")
        server.auto_mode("run-feature", featureId=running)
        wait_until(lambda: server.status_of(running) == "in_progress", "a running feature")
        answer = server.auto_mode("reconcile").json()
        assert answer["reconciled"] == [
            {"featureId": orphan, "from": "in_progress", "to": "backlog"}
        ]
        assert answer["message"] == "Reconciled 1 feature(s)"
        assert [server.status_of(one) for one in (orphan, running, done)] == [
            "backlog",
            "in_progress",
            "done",
        ]


def test_always_on_projects_are_reconciled_and_started_with_the_server(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        feature_id = server.create("one", status="in_progress")
        project = server.project
    always_on = {"enabled": True, "projects": [{"projectPath": project, "maxConcurrency": 2}]}
    settings = json.dumps({"autoModeAlwaysOn": always_on})
    (tmp_path / "data" / "settings.json").write_text(settings, "utf-8")
    with world(tmp_path) as server:
        wait_until(lambda: server.running() == [feature_id], "the orphan to run")
        assert server.auto_mode("status").json()["maxConcurrency"] == 2
        everywhere = server.post("/api/auto-mode/reconcile", {}).json()
        assert everywhere["message"] == "Reconciled 0 feature(s) across 1 project(s)"
        assert not (tmp_path / "data" / ".clean-shutdown").exists()


def test_a_feature_waits_for_its_dependencies_unless_forced(tmp_path: Path) -> None:
    with world(tmp_path) as server:
        base = server.create("base")
        feature_id = server.create("top", dependencies=[base])
        refused = server.auto_mode("run-feature", featureId=feature_id)
        assert refused.status_code == 409
        assert refused.json() == {
            "success": False,
            "error": 'Feature has unsatisfied dependencies: "base" (backlog)',
            "details": {"blockingDependencies": [base]},
        }
        forced = server.auto_mode("run-feature", featureId=feature_id, force=True)
        assert forced.status_code == 200


def test_a_new_feature_rests_for_the_cooldown(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    settings = tmp_path / "data" / "settings.json"
    settings.write_text('{"autoModePickupCooldownMs": 300}', "utf-8")
    with world(tmp_path) as server:
        server.auto_mode("start", maxConcurrency=1)
        server.create("one")
        assert server.runner.agents == []
        wait_until(lambda: server.runner.live == 1, "the rested feature", seconds=5)


def test_the_startup_delay_holds_back_the_first_pick(tmp_path: Path) -> None:
    with world(tmp_path, timings=Timings(startup=60)) as server:
        server.create("one")
        server.auto_mode("start", maxConcurrency=1)
        assert server.auto_mode("status").json()["isAutoLoopRunning"] is True
        assert server.running() == []


@pytest.mark.parametrize(
    ("complexity", "model"),
    [
        ("small", "claude-haiku-4-5-20251001"),
        ("medium", "claude-sonnet-4-6"),
        ("large", "claude-sonnet-4-6"),
        ("architectural", "claude-opus-4-6"),
        ("unheard-of", "claude-sonnet-4-6"),
    ],
)
def test_the_model_follows_the_class(tmp_path: Path, complexity: str, model: str) -> None:
    with world(tmp_path) as server:
        feature_id = server.create("one", complexity=complexity)
        server.auto_mode("run-feature", featureId=feature_id)
        agents = server.get("/api/running-agents").json()["runningAgents"]
        wait_until(lambda: server.runner.live == 1, "an agent")
        worktree = Path(server.runner.agents[0].order.worktree)
        assert worktree == Path(server.project, ".worktrees", "feature-one")
        assert worktree.is_dir()
    assert [agent["model"] for agent in agents] == [model]


def backlog(feature_id: str, **fields: Any) -> dict[str, Any]:
    return {"id": feature_id, "status": "backlog", **fields}


@pytest.mark.parametrize(
    ("features", "picked", "why"),
    [
        ([], None, "nothing to do"),
        ([backlog("feature-2"), backlog("feature-1")], "feature-1", "oldest first"),
        ([backlog("a"), backlog("b", priority=1)], "b", "urgent first"),
        ([backlog("a", priority=4), backlog("b", priority=0)], "b", "no priority ranks as 3"),
        ([backlog("a", isEpic=True)], None, "epics are never run"),
        ([backlog("a", dependencies=["b"])], None, "a missing dependency blocks"),
        ([backlog("running")], None, "it runs already"),
        ([backlog("a", createdAt="2999-01-01T00:00:00.000Z")], None, "too new"),
        ([{"id": "a", "status": "interrupted"}], None, "interrupted features wait for resume"),
    ],
)
def test_the_next_feature(features: list[dict[str, Any]], picked: str | None, why: str) -> None:
    feature = next_feature(features, {"running"}, None, 2e9)
    assert (feature["id"] if feature else None) == picked, why


def test_a_branch_loop_takes_its_own_features_only() -> None:
    features = [backlog("a", branchName="x"), backlog("b", branchName="y")]
    feature = next_feature(features, set(), "y", 2e9)
    assert feature
    assert feature["id"] == "b"


def test_dependencies_that_are_no_list_block_nothing() -> None:
    assert blocking_dependencies({"id": "a", "dependencies": "b"}, set()) == []
