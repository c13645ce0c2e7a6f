"""One real agent from its creation to its end, and nothing of it left afterwards."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from compose.checks import Check
from compose.deploy import smoke_agent
from compose.deploy.api import Api
from compose.deploy.smoke_agent import Where, agent_runs
from tests.compose.deploy.automaker import SERVER, Automaker, site_of
from tests.compose.deploy.fakes import KEY, Engine, closed_port, host, refusal

OWN = Where("/data/smoke", SERVER, own=True)
CHOSEN = Where("/srv/smoke", SERVER, own=False)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def run_one(
    automaker: Automaker, where: Where = OWN, budget_s: float = 5, engine: Engine | None = None
) -> tuple[Check, Engine, list[str]]:
    """Returns the line, the engine, and the paths that were asked."""
    engine = engine or automaker.engine()
    with site_of(automaker) as (site, web):
        check = agent_runs(host(engine), site.api, where, budget_s)
        return check, engine, web.paths()


@pytest.mark.parametrize("status", ["done", "review", "verified"])
def test_an_agent_that_ends_well_passes(status: str) -> None:
    automaker = Automaker(statuses=["backlog", "in_progress", status])
    check, _, paths = run_one(automaker)
    assert (check.level, check.name) == ("pass", "agent")
    assert check.found.startswith("one ran to its end in ")
    assert paths == [
        "/api/features/create",
        "/api/auto-mode/run-feature",
        *["/api/features/get"] * 3,
        "/api/auto-mode/stop-feature",
        "/api/features/delete",
    ]


@pytest.mark.parametrize(
    ("defect", "found", "why"),
    [
        ({"statuses": ["running", "blocked"], "reason": "spawn claude ENOENT"},
         "ended blocked: spawn claude ENOENT", "no program for agents"),
        ({"statuses": ["blocked"]}, "ended blocked: no reason given", "it does not say why"),
        ({"statuses": ["interrupted"]}, "ended interrupted: no reason given", "it was stopped"),
        ({"runs": False}, "could not be started: 500 at capacity", "no agent may start"),
        ({"broken": "/api/features/create"}, "no feature could be created: 500 it broke", "board"),
        ({"broken": "/api/features/get"}, "its feature cannot be read: 500 it broke", "lost"),
    ],
)  # fmt: skip
def test_an_agent_that_does_not_fails_with_the_reason(
    defect: dict[str, Any], found: str, why: str
) -> None:
    automaker = Automaker(**defect)
    check, engine, _ = run_one(automaker)
    assert (check.level, check.name, check.found) == ("fail", "agent", found), why
    assert "invoke logs" in check.fix
    created = automaker.broken != "/api/features/create"
    assert automaker.deleted == (["f1"] if created else []), "always deleted"
    assert "rm -rf" in engine.argvs[-1][5]


def test_an_agent_that_takes_too_long_fails_and_is_stopped() -> None:
    automaker = Automaker(statuses=["running"])
    check, _, paths = run_one(automaker, budget_s=0.05)
    assert (check.level, check.found) == ("fail", "did not end in time; its feature is running")
    assert paths[-2:] == ["/api/auto-mode/stop-feature", "/api/features/delete"]
    assert automaker.deleted == ["f1"]


def test_its_project_is_made_before_and_removed_after() -> None:
    _, engine, _ = run_one(Automaker())
    prepare, remove = engine.argvs
    for argv in (prepare, remove):
        assert argv[:5] == ["docker", "exec", SERVER, "sh", "-c"]
        assert argv[6:8] == ["sh", "/data/smoke"]
    assert "mkdir -p" in prepare[5]


def test_a_project_that_was_chosen_is_left_alone() -> None:
    automaker = Automaker()
    check, engine, _ = run_one(automaker, CHOSEN)
    assert check.level == "pass"
    assert engine.argvs == []
    assert automaker.deleted == ["f1"]


def test_a_project_that_cannot_be_made_fails_and_no_feature_is() -> None:
    engine = Engine({"docker exec": refusal("mkdir: Read-only file system")})
    check, _, paths = run_one(Automaker(), engine=engine)
    assert check.level == "fail"
    assert "Read-only" in check.found
    assert paths == []


def test_where_nobody_answers_it_fails_without_the_key() -> None:
    api = Api(f"http://127.0.0.1:{closed_port()}", KEY)
    check = agent_runs(host(Automaker().engine()), api, CHOSEN, 1)
    assert check.level == "fail"
    assert "nobody answers" in check.found
    assert KEY not in check.found


def test_two_agents_have_two_names_that_differ_at_their_beginning() -> None:
    titles = []
    for _ in range(2):
        automaker = Automaker()
        with site_of(automaker) as (site, web):
            agent_runs(host(automaker.engine()), site.api, CHOSEN, 5)
            (asked,) = [one for one in web.asked if one.path == "/api/features/create"]
        titles.append(asked.data["feature"]["title"])
    assert titles[0][:8] != titles[1][:8], "branch names are cut to 40 characters"


@pytest.mark.parametrize("created", [{}, {"feature": {}}, {"feature": None}])
def test_a_server_that_creates_nothing_and_says_success_fails(created: object) -> None:
    assert run_one(Automaker(created=created))[0].level == "fail"


def sh(script: str, project: Path) -> None:
    pattern = f"{smoke_agent.FOLDER}-*"
    subprocess.run(["sh", "-c", script, "sh", str(project), pattern], check=True)


def test_the_project_is_a_repository_that_can_be_pushed_and_is_made_once(tmp_path: Path) -> None:
    project = tmp_path / "a b" / "smoke"
    project.parent.mkdir()
    for _ in range(2):
        sh(smoke_agent._PREPARE, project)
    log = ["git", "-c", "safe.directory=*", "-C", str(project), "log", "--format=%s", "--all"]
    done = subprocess.run(log, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["smoke"]
    sh(smoke_agent._REMOVE, project)
    assert list(project.parent.iterdir()) == []


def test_projects_that_killed_runs_left_are_swept_an_hour_later(tmp_path: Path) -> None:
    old, fresh = (tmp_path / f"{smoke_agent.FOLDER}-{name}" for name in ("old", "fresh"))
    for folder in (old, fresh, tmp_path / "projects"):
        folder.mkdir()
    for folder in (old, tmp_path / "projects"):
        os.utime(folder, (0, 0))
    sh(smoke_agent._PREPARE, tmp_path / f"{smoke_agent.FOLDER}-mine")
    assert not old.exists()
    assert fresh.exists()
    assert (tmp_path / "projects").exists()
