"""Cutting over: the very words, and nobody else's containers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from compose.deploy.cutover import (
    Running,
    await_engine,
    clear_wreckage,
    cut_over,
    runs_release,
    stop,
    up_argv,
)
from compose.errors import ComposeError
from compose.run import Completed
from settings.env_keys import KEYS
from tests.compose.deploy.fakes import KEY, Engine, host, inspected, refusal, running

FILE = Path("/home/releases/r1/docker-compose.staging.yml")
RUNNING: Running = running(FILE)
COMPOSE = [
    *("docker", "compose", "--file", str(FILE), "--env-file", os.devnull),
    *("--project-directory", "/home/releases/r1", "--project-name", "automaker-staging"),
    *("--ansi", "never"),
]
UP = ["--detach", "--no-deps", "--no-build", "--pull", "never", "--quiet-pull"]
SERVER, UI = "automaker-server-staging", "automaker-ui-staging"


def test_one_service_is_brought_up_word_by_word() -> None:
    assert up_argv(RUNNING, "server") == [*COMPOSE, "up", *UP, "server"]
    assert up_argv(RUNNING, "ui", recreate=True) == [*COMPOSE, "up", *UP, "--force-recreate", "ui"]


def test_values_reach_compose_through_its_environment_and_never_as_words() -> None:
    engine = Engine({"docker ps": "", "docker compose": ""})
    cut_over(host(engine), RUNNING, "server")
    assert engine.argvs[-1] == up_argv(RUNNING, "server")
    assert engine.environments[-1]["AUTOMAKER_API_KEY"] == KEY
    assert set(engine.environments[-1]) >= set(KEYS), "nothing comes from this process"
    assert KEY not in " ".join(engine.commands)


def test_a_cut_over_that_fails_says_what_compose_said() -> None:
    engine = Engine({"docker ps": "", "docker compose": refusal("no such network")})
    with pytest.raises(ComposeError, match="no such network"):
        cut_over(host(engine), RUNNING, "server")


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    engine = Engine({"docker ps": "", "docker compose": refusal("port is already allocated")})
    with pytest.raises(ComposeError) as caught:
        cut_over(host(engine), RUNNING, "server")
    assert str(caught.value) == "server: port 3008 is held by something else"
    assert "stop that" in caught.value.__notes__[0]


def test_services_are_stopped_word_by_word() -> None:
    engine = Engine({"docker compose": ""})
    stop(host(engine), RUNNING, ("server", "ui"))
    assert engine.argvs == [[*COMPOSE, "stop", "server", "ui"]]
    assert engine.environments[0]["AUTOMAKER_API_KEY"] == KEY


@pytest.mark.parametrize(
    ("row", "removed", "why"),
    [
        (f"id1\t{SERVER}\tserver", False, "the one that runs has the name"),
        (
            f"id1\t0123456789ab_{SERVER}\tserver",
            True,
            "a killed `up` had made it and not renamed it",
        ),
        (f"id1\t0123456789ab_{UI}\tui", False, "another service is not this one's business"),
        (f"id1\t0123456789ab_{SERVER}\tserver\tTrue", False, "somebody's own `compose run`"),
        ("id1\tautomaker-server-2\tserver", False, "a name that Compose never gives halfway"),
        ("id1\tmine\t", False, "a container without a service"),
    ],
)
def test_only_this_services_wreckage_is_removed(row: str, removed: bool, why: str) -> None:
    engine, said = Engine({"docker ps": f"{row}\n", "docker rm": ""}), list[str]()
    clear_wreckage(host(engine, said), RUNNING, "server")
    gone = [argv for argv in engine.argvs if argv[1] == "rm"]
    assert gone == ([["docker", "rm", "--force", "id1"]] if removed else []), why
    assert ("which a cut over that was cut short left behind" in "".join(said)) is removed


def test_containers_of_other_projects_are_not_even_looked_at() -> None:
    engine = Engine({"docker ps": ""})
    clear_wreckage(host(engine), RUNNING, "server")
    assert "label=com.docker.compose.project=automaker-staging" in engine.argvs[0]


IMAGES = {"server": "sha256:s", "ui": "sha256:u"}


@pytest.mark.parametrize(
    ("server", "ui", "runs", "why"),
    [
        (inspected(SERVER, image="sha256:s"), inspected(UI, image="sha256:u"), True, "both"),
        (inspected(SERVER, image="sha256:old"), inspected(UI, image="sha256:u"), False, "older"),
        (inspected(SERVER, image="sha256:s"), inspected(UI, image="sha256:old"), False, "half"),
        (inspected(SERVER, image="sha256:s", Status="exited"), inspected(UI, image="sha256:u"),
         False, "stopped"),
        (inspected(SERVER, image="sha256:s", Status="restarting"),
         inspected(UI, image="sha256:u"), False, "crashing"),
        (inspected(SERVER, image="sha256:s"), None, False, "gone"),
    ],
)  # fmt: skip
def test_a_release_runs_if_exactly_its_images_do(
    server: str, ui: str | None, runs: bool, why: str
) -> None:
    engine = Engine(containers={SERVER: server} | ({UI: ui} if ui else {}))
    assert runs_release(host(engine), RUNNING, IMAGES) is runs, why


def restarting(times: int) -> Callable[..., Completed]:
    """An engine that is away for so many questions."""
    answers = iter([refusal("Cannot connect to the Docker daemon")] * times)
    return lambda *_words, **_options: next(answers, Completed("20.10\n", "", 0))


def test_an_engine_that_restarts_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    said: list[str] = []
    await_engine(host(restarting(3), said))
    assert "".join(said).count("waiting for it") == 1


def test_an_engine_that_stays_away_is_said_with_what_to_do() -> None:
    with pytest.raises(ComposeError, match="does not answer for 0 s") as caught:
        await_engine(host(restarting(10**6)), 0)
    assert "invoke rollback" in caught.value.__notes__[0]


def test_an_engine_that_answers_is_not_spoken_of() -> None:
    said: list[str] = []
    await_engine(host(restarting(0), said))
    assert said == []
