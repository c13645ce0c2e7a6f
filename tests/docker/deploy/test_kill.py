"""`kill -9` at every step, then a deploy or a rollback: staging serves, and nothing is lost."""

from __future__ import annotations

import json

import pytest

from tests.docker.deploy.staging import SERVER, Staging

pytestmark = pytest.mark.timeout(600)
BEFORE = ("engine", "preflight", "lock", "source", "build server", "build ui", "volumes")
# The containers may be in any state: killed at once, amid Compose's work, and right after it.
AMID = (
    ("cut over server", 0.0),
    ("cut over server", 0.3),
    ("cut over server", 0.55),
    ("server ready", 0.0),
    ("cut over ui", 0.0),
    ("cut over ui", 0.4),
    ("ui ready", 0.0),
    ("smoke test", 0.0),
    ("go live", 0.0),
)
# From here on the new release is live.
AFTER = ("prune",)
count = iter(range(1000))


@pytest.fixture(scope="module")
def live(staging: Staging) -> Staging:
    """A stack that serves, with a project on which auto-mode is on."""
    staging.deploy("--ref", "start")
    project = str(staging.folder / "projects" / "automaker")
    feature = {"title": "must survive", "description": "x", "complexity": "small"}
    staging.call("POST", "/api/features/create", {"projectPath": project, "feature": feature})
    body = {"projectPath": project, "maxConcurrency": 2}
    staging.call("POST", "/api/auto-mode/start", body)
    return staging


def killed(staging: Staging, step: str, after_s: float) -> tuple[str, str]:
    """Kill a deploy of something new at a step; returns the release live before, and the output."""
    before = staging.live()
    ref = f"k{next(count)}"
    words = ("deploy", "--source", "standin", "--ref", ref, "--min-free", "0.1")
    return before, staging.kill_at(step, after_s, *words)


def assert_nothing_is_lost(staging: Staging) -> None:
    """It serves, auto-mode is on, the board is whole, no lock is held, nothing is half done."""
    staging.assert_all_serves()
    project = str(staging.folder / "projects" / "automaker")
    [feature] = staging.call("POST", "/api/features/list", {"projectPath": project})["features"]
    assert feature["title"] == "must survive"
    status = staging.call("POST", "/api/auto-mode/status", {"projectPath": project})
    assert (status["isAutoLoopRunning"], status["maxConcurrency"]) == (True, 2)
    found = staging.status()
    assert (found["lock"], found["unfinished"], found["problems"]) == ("", "", [])
    names = staging.host.docker("ps", "-a", "--format", "{{.Names}}").split()
    assert sorted(names) == ["automaker-docs", SERVER, "automaker-ui-staging"]


@pytest.mark.parametrize("step", BEFORE)
def test_before_the_switch_what_ran_goes_on_running(live: Staging, step: str) -> None:
    before, _ = killed(live, step, 0.1)
    assert live.live() == before
    assert_or_said(live)
    live.deploy("--ref", f"after-{step.replace(' ', '-')}")
    assert_nothing_is_lost(live)


def assert_or_said(staging: Staging) -> None:
    """Right after the kill everything serves still, and status says if something is half done."""
    staging.assert_all_serves()
    found = staging.status()
    assert found["lock"] == ""
    assert all("was cut short" in one for one in found["problems"])


@pytest.mark.parametrize(("step", "after_s"), AMID)
def test_amid_the_switch_a_rollback_brings_back_what_was_live(
    live: Staging, step: str, after_s: float
) -> None:
    before, _ = killed(live, step, after_s)
    if live.live() != before:
        pytest.fail("it went live before it was killed")
    assert "was cut short at" in live.status()["unfinished"]
    done = json.loads(live.invoke("rollback", "--json").stdout)
    assert done["release"]["id"] == before
    assert_nothing_is_lost(live)


@pytest.mark.parametrize(("step", "after_s"), AMID[::3])
def test_amid_the_switch_another_deploy_goes_on(live: Staging, step: str, after_s: float) -> None:
    killed(live, step, after_s)
    done = live.deploy("--ref", f"over-{next(count)}")
    assert done["result"] == "ok"
    assert_nothing_is_lost(live)


@pytest.mark.parametrize("step", AFTER)
def test_after_the_switch_the_new_release_is_live(live: Staging, step: str) -> None:
    before, _ = killed(live, step, 0.0)
    assert live.live() != before
    live.assert_all_serves()
    live.deploy("--ref", f"after-{step}")
    assert_nothing_is_lost(live)


def test_rollback_if_unfinished_does_nothing_else(live: Staging) -> None:
    """What a cancelled job of CI runs."""
    before = live.live()
    assert "nothing was left half done" in live.invoke("rollback", "--if-unfinished").stdout
    killed(live, "server ready", 0.0)
    live.invoke("rollback", "--if-unfinished")
    assert live.live() == before
    assert_nothing_is_lost(live)


def test_a_rollback_can_be_killed_too(live: Staging) -> None:
    before = live.live()
    live.deploy("--ref", f"r{next(count)}")
    live.kill_at("cut over server", 0.3, "rollback")
    live.invoke("rollback", "--release", before)
    assert live.live() == before
    assert_nothing_is_lost(live)


def test_the_kills_are_in_the_audit_log(live: Staging) -> None:
    log = json.loads(live.invoke("releases", "--audit", "--json").stdout)
    cut = [one for one in log if one["result"] == "interrupted"]
    assert len(cut) >= len(AMID)
    assert all("was cut short at" in one["detail"] for one in cut)
