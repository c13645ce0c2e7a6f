"""The story of the README: nothing, a first deploy, more of them, failures, and back to nothing.

The tests of this module build on each other, in the order in which they stand.
"""

from __future__ import annotations

import json
import time

import pytest

from tests.docker.deploy.staging import (
    API,
    DOCS,
    DOCS_NAME,
    KEY,
    MODEL_KEY,
    SERVER,
    UI_NAME,
    Staging,
)

pytestmark = pytest.mark.timeout(600)
PROJECTS = ("projects/team/automaker", "labs/automaker")
found: dict[str, str] = {}


def test_nothing_is_live_before_the_first_deploy(staging: Staging) -> None:
    done = staging.invoke("status", check=False)
    assert done.returncode == 1
    assert "nothing is live" in done.stdout
    for verb in ("rollback", "smoke", "restart", "stop", "logs", "health"):
        done = staging.invoke(verb, check=False)
        assert done.returncode == 1, verb
        assert "Traceback" not in done.stderr
        assert "->" in done.stderr


def test_the_first_deploy_serves_api_ui_and_docs(staging: Staging) -> None:
    done = staging.deploy("--ref", "v1", "--why", "the first")
    found["v1"] = done["release"]["id"]
    assert done["result"] == "ok"
    assert [one["level"] for one in done["checks"] if one["name"] == "agent"] == ["pass"]
    staging.assert_all_serves()
    assert staging.serves(f"{DOCS}/")
    found["docs"] = staging.container_id(DOCS_NAME)
    assert staging.status()["problems"] == []


def test_the_container_gets_every_value_as_it_was_written(staging: Staging) -> None:
    ask = "import os; print(os.environ['AUTOMAKER_API_KEY'], os.environ['ANTHROPIC_API_KEY'])"
    assert staging.host.docker("exec", SERVER, "python3", "-c", ask).split() == [KEY, MODEL_KEY]


def test_the_containers_are_as_the_guide_has_them(staging: Staging) -> None:
    fields = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.RestartPolicy.Name}}"
    asked = staging.host.docker("inspect", "--format", fields, SERVER, UI_NAME).splitlines()
    assert asked == [
        f"{2**30} {2**30} on-failure",
        f"{2 * 2**30} {2 * 2**30} unless-stopped",
    ]
    projects = '{{index .Config.Labels "com.docker.compose.project"}}'
    owners = staging.host.docker("inspect", "--format", projects, SERVER, UI_NAME, DOCS_NAME)
    assert owners.split() == ["automaker-staging", "automaker-staging", "automaker-docs"]


def test_the_release_can_be_used_by_hand(staging: Staging) -> None:
    folder = staging.home / "current"
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    assert staging.home.stat().st_mode & 0o777 == 0o700
    done = staging.host.run(["docker", "compose", "ps", "--format", "{{.Name}}"], cwd=folder)
    assert set(done.stdout.split()) == {SERVER, UI_NAME}


def test_the_same_again_changes_nothing(staging: Staging) -> None:
    before = staging.container_id(SERVER)
    done = staging.deploy("--ref", "v1")
    assert (done["result"], done["release"]["id"]) == ("unchanged", found["v1"])
    assert staging.container_id(SERVER) == before


def test_work_and_auto_mode_survive_a_deploy(staging: Staging) -> None:
    """Incidents C18, D21, E1: loops are off and boards are empty after a deploy."""
    for project in PROJECTS:
        path = str(staging.folder / project)
        feature = {"title": f"of {project}", "description": "x", "complexity": "small"}
        staging.call("POST", "/api/features/create", {"projectPath": path, "feature": feature})
        body = {"projectPath": path, "maxConcurrency": 2}
        assert staging.call("POST", "/api/auto-mode/start", body)["success"]
    done = staging.deploy("--ref", "v2")
    found["v2"] = done["release"]["id"]
    assert done["before"] == found["v1"]
    status = staging.call("POST", "/api/auto-mode/status", {})
    running = {one["projectPath"] for one in status["activeAutoLoopWorktrees"]}
    assert running == {str(staging.folder / project) for project in PROJECTS}
    for project in PROJECTS:
        body = {"projectPath": str(staging.folder / project)}
        assert staging.call("POST", "/api/auto-mode/status", body)["maxConcurrency"] == 2
        [feature] = staging.call("POST", "/api/features/list", body)["features"]
        assert feature["title"] == f"of {project}"


def test_two_projects_of_one_name_share_nothing(staging: Staging) -> None:
    """The guide's Project Isolation: the absolute path tells them apart, not the name."""
    boards = {}
    for number, project in enumerate(PROJECTS):
        path = str(staging.folder / project)
        for one in range(3):
            title = f"{number}-{one} {project}"
            feature = {"title": title, "description": "x", "complexity": "small"}
            staging.call("POST", "/api/features/create", {"projectPath": path, "feature": feature})
        boards[path] = {f"of {project}", *(f"{number}-{one} {project}" for one in range(3))}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lists = {
            path: staging.call("POST", "/api/features/list", {"projectPath": path})["features"]
            for path in boards
        }
        if all(one["status"] == "done" for features in lists.values() for one in features):
            break
        time.sleep(0.5)
    for path, titles in boards.items():
        assert {one["title"] for one in lists[path]} == titles
        assert {one["status"] for one in lists[path]} == {"done"}
        ids = {one["id"] for one in lists[path]}
        worktrees = staging.folder / path / ".worktrees"
        assert len(list(worktrees.iterdir())) == len(titles)
        assert {one.name for one in (staging.folder / path / ".automaker/features").iterdir()} == (
            ids
        )


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("crash", "restarts exhausted: it crashed 6 times in a row"),
        ("never-ready", "not ready after 4 s: it answers 503 not_ready"),
        ("no-agents", "smoke test failed: agent: ended blocked: agent could not run"),
    ],
)
def test_a_broken_release_rolls_back_by_itself(staging: Staging, fault: str, says: str) -> None:
    words = ("--ready-timeout", "4") if fault == "never-ready" else ()
    done = staging.deploy(*words, source=f"standin:{fault}", check=False)
    assert done.returncode == 1
    assert says in done.stderr
    assert f"{found['v2']} serves again" in done.stderr
    assert "Traceback" not in done.stderr
    staging.assert_all_serves()
    assert staging.live() == found["v2"]
    assert staging.status()["problems"] == []
    newest = json.loads(staging.invoke("releases", "--json").stdout)[0]
    assert says[:16] in newest["state"]
    evidence = (staging.home / "releases" / newest["id"] / "failure.log").read_text("utf-8")
    assert says[:16] in evidence
    assert f"--- last 50 log lines of {SERVER}" in evidence
    body = {"projectPath": str(staging.folder / PROJECTS[0])}
    assert staging.call("POST", "/api/auto-mode/status", body)["isAutoLoopRunning"]


def test_a_release_that_failed_cannot_be_gone_back_to(staging: Staging) -> None:
    newest = json.loads(staging.invoke("releases", "--json").stdout)[0]["id"]
    done = staging.invoke("rollback", "--release", newest, check=False)
    assert done.returncode == 1
    assert "never passed its checks" in done.stderr


def test_rollback_brings_images_values_and_compose_file_back(staging: Staging) -> None:
    staging.write(AUTOMAKER_MAX_CONCURRENCY="3", MEMORY_LIMIT="2G", NODE_MAX_OLD_SPACE="600")
    third = staging.deploy("--ref", "v3")["release"]["id"]
    assert "2147483648" in staging.host.docker("inspect", "-f", "{{.HostConfig.Memory}}", SERVER)
    began = time.monotonic()
    done = json.loads(staging.invoke("rollback", "--json").stdout)
    assert time.monotonic() - began < 30
    assert done["release"]["id"] == found["v2"]
    assert str(2**30) in staging.host.docker("inspect", "-f", "{{.HostConfig.Memory}}", SERVER)
    image = staging.host.docker("inspect", "-f", "{{.Image}}", SERVER).strip()
    assert image == done["release"]["images"]["server"]["id"]
    assert staging.live() == found["v2"]
    # And on to a later one, and to the very first.
    for release in (third, found["v1"]):
        staging.invoke("rollback", "--release", release)
        assert staging.live() == release
        staging.assert_all_serves()


def test_the_docs_were_never_touched_by_all_this(staging: Staging) -> None:
    assert staging.container_id(DOCS_NAME) == found["docs"]
    assert "0" in staging.host.docker("inspect", "-f", "{{.RestartCount}}", DOCS_NAME)


def test_the_docs_have_a_life_of_their_own(staging: Staging) -> None:
    server = staging.container_id(SERVER)
    staging.invoke("docs.stop")
    assert staging.invoke("docs.status", check=False).returncode == 1
    staging.invoke("docs.deploy", "--source", "standin", "--ref", "d2")
    assert staging.invoke("docs.status").returncode == 0
    assert staging.container_id(DOCS_NAME) != found["docs"]
    assert staging.serves(f"{DOCS}/")
    assert staging.container_id(SERVER) == server


def test_everyday_verbs_say_how_things_are(staging: Staging) -> None:
    assert staging.invoke("health").returncode == 0
    smoke = json.loads(staging.invoke("smoke", "--json").stdout)
    assert {one["level"] for one in smoke} == {"pass"}
    stats = json.loads(staging.invoke("stats", "--json").stdout)
    assert {one["service"] for one in stats} == {"server", "ui", "docs"}
    assert all(0 < one["memory"]["anon"] < one["memory"]["limit"] for one in stats)
    assert "listening on" in staging.invoke("logs", "--service", "server").stdout
    drained = json.loads(staging.invoke("drain", "--json").stdout)
    assert drained["agents_stopped"] == 0
    assert staging.status()["loops"] == 0
    server = staging.container_id(SERVER)
    staging.invoke("restart")
    assert staging.container_id(SERVER) != server
    staging.invoke("stop")
    assert not staging.serves()
    assert "server is exited" in "".join(staging.status()["problems"])
    staging.invoke("start")
    staging.assert_all_serves()


def test_the_audit_log_tells_who_did_what(staging: Staging) -> None:
    log = json.loads(staging.invoke("releases", "--audit", "--json").stdout)
    did = [(one["what"], one["result"]) for one in log]
    first = did.index(("deploy", "ok"))
    assert did.count(("deploy", "rolled back")) == 3
    assert did.count(("rollback", "ok")) == 3
    assert log[first]["why"] == "the first"
    assert all("@" in one["who"] and one["when"] for one in log)


def test_prune_forgets_old_releases_and_nothing_that_belongs_to_others(staging: Staging) -> None:
    staging.host.docker("tag", staging.host.docker("images", "-q").split()[0], "stranger:1")
    before = {one["id"] for one in json.loads(staging.invoke("releases", "--json").stdout)}
    staging.invoke("prune", "--keep", "1")
    kept = [one["id"] for one in json.loads(staging.invoke("releases", "--json").stdout)]
    assert staging.live() in kept
    assert len(kept) < len(before)
    assert "stranger" in staging.host.docker("images", "--format", "{{.Repository}}")
    staging.assert_all_serves()
    staging.host.docker("rmi", "stranger:1")


def test_teardown_asks_and_lists_what_it_removes(staging: Staging) -> None:
    done = staging.invoke("teardown", check=False)
    assert done.returncode == 1
    assert "automaker-data" in done.stdout
    assert "nothing was removed" in done.stderr
    assert staging.serves()
    done = staging.invoke("teardown", "--yes", "--keep-data")
    assert "volume" not in done.stdout
    assert staging.host.docker("ps", "-aq") == ""
    assert "automaker-data" in staging.host.docker("volume", "ls", "-q").split()
    assert not staging.serves(f"{API}/api/health")


def test_teardown_removes_data_only_without_keep_data(staging: Staging) -> None:
    staging.host.docker("volume", "create", "stranger")
    staging.invoke("teardown", "--yes")
    assert staging.host.docker("volume", "ls", "-q").split() == ["stranger"]
    staging.host.docker("volume", "rm", "stranger")
    assert staging.invoke("teardown", "--yes").stdout.strip() == "nothing to remove"
    assert (staging.home / "audit.jsonl").exists()
