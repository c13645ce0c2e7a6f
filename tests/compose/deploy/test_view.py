"""What a deploy reads out of the effective model, and what Compose gets to see."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compose.deploy.view import compose_environment, read_view, stack_command, view_stack
from compose.errors import ComposeError
from compose.run import Completed
from settings.env_keys import KEYS, PINS
from tests.compose.deploy.fakes import GIB, Engine, model


def test_a_stack_is_read() -> None:
    found = read_view(model())
    assert found.project == "automaker-staging"
    assert list(found.services) == ["server", "ui"]
    server = found["server"]
    assert (server.container, server.port) == ("automaker-server-staging", 3008)
    assert server.image == "automaker-server:abc"
    assert server.limits.memory_bytes == 4 * GIB
    assert server.stop_grace_s == 45
    assert found["ui"].stop_grace_s == 10, "Docker's own where the model says nothing"
    assert server.build_args == {"UID": "1000", "GIT_COMMIT_SHA": "unknown"}
    assert found["ui"].build_args == {}


def test_external_volumes_have_to_be_made_and_own_ones_do_not() -> None:
    assert read_view(model()).volumes == ("automaker-cache", "automaker-data")


def test_directories_are_named_once_and_volumes_are_none() -> None:
    twice = model()
    twice["services"]["ui"]["volumes"] = [{"type": "bind", "source": "/srv/labs", "target": "/x"}]
    assert read_view(twice).mounts == ("/srv/projects", "/srv/labs")


@pytest.mark.parametrize("ports", [None, [], [{"target": 80}]])
def test_a_service_without_a_published_port_is_refused(ports: object) -> None:
    changed = model()
    changed["services"]["ui"]["ports"] = ports
    with pytest.raises(ComposeError, match=r"services\.ui\.ports: none is published"):
        read_view(changed)


def test_compose_sees_every_key_so_that_none_comes_from_this_process() -> None:
    seen = compose_environment({"API_PORT": "4008"})
    assert set(seen) == {*KEYS, *PINS}
    assert {key for key, value in seen.items() if value} == {"API_PORT"}


def test_the_command_is_about_one_project_whatever_the_environment_says() -> None:
    assert stack_command(Path("/home/r/compose.yml"), "automaker-staging") == [
        *("docker", "compose", "--file", "/home/r/compose.yml", "--env-file", os.devnull),
        *("--project-directory", "/home/r", "--project-name", "automaker-staging"),
        *("--ansi", "never"),
    ]


def test_a_model_is_asked_for_with_the_values_of_the_release_and_no_file() -> None:
    engine = Engine(model=model(server=4008))
    found = view_stack(engine, Path("/home/r/compose.yml"), {"API_PORT": "4008"})
    assert found["server"].port == 4008
    assert engine.argvs == [
        [
            *("docker", "compose", "--file", "/home/r/compose.yml", "--env-file", os.devnull),
            *("--project-directory", "/home/r", "config", "--format", "json"),
        ]
    ]
    assert engine.environments[0]["API_PORT"] == "4008"
    assert engine.environments[0]["UI_PORT"] == ""


def test_values_that_compose_refuses_are_said() -> None:
    def refuse(*_words: object, **_options: object) -> Completed:
        raise ComposeError("required variable AUTOMAKER_API_KEY is missing a value")

    with pytest.raises(ComposeError, match="required variable"):
        view_stack(refuse, Path("/x.yml"), {})
