"""Limits read from an effective model."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from compose.errors import ComposeError
from compose.model import Health, Restart, load_model, read_limits
from compose.run import Completed

SERVER: dict[str, Any] = {
    "cpus": 8,
    "mem_limit": "51539607552",
    "memswap_limit": "51539607552",
    "init": True,
    "restart": "on-failure:5",
    "environment": {
        "AUTOMAKER_MAX_CONCURRENCY": "6",
        "NODE_OPTIONS": "--max-old-space-size=32768",
        "AUTOMAKER_API_KEY": "pa$$1wor$$D",
        "UNSET": None,
    },
    "healthcheck": {
        "interval": "30s",
        "timeout": "10s",
        "retries": 3,
        "start_period": "1m0s",
    },
}


def model(**changes: Any) -> dict[str, Any]:
    """The staging model with some keys of the server changed; None takes a key out."""
    server = {**copy.deepcopy(SERVER), **changes}
    return {"services": {"server": {k: v for k, v in server.items() if v is not None}}}


def test_every_limit_is_read() -> None:
    limits = read_limits(model())
    assert limits.memory_bytes == limits.memswap_bytes == 48 * 2**30
    assert limits.cpus == 8
    assert limits.node_old_space_mib == 32768
    assert limits.max_concurrency == 6
    assert limits.health == Health(30, 10, 3, 60)
    assert limits.restart == Restart("on-failure", 5)
    assert limits.init


def test_doubled_dollars_are_single_ones_in_the_container() -> None:
    environment = read_limits(model()).environment
    assert environment["AUTOMAKER_API_KEY"] == "pa$1wor$D"
    assert "UNSET" not in environment


def test_secrets_are_not_shown() -> None:
    assert "pa$1wor$D" not in repr(read_limits(model()))


def test_without_a_limit_for_swap_docker_takes_twice_the_memory() -> None:
    assert read_limits(model(memswap_limit=None)).memswap_bytes == 2 * 48 * 2**30


def test_limits_may_stand_under_deploy() -> None:
    deploy = {"resources": {"limits": {"memory": "8589934592", "cpus": "2"}}}
    limits = read_limits(model(mem_limit=None, memswap_limit=None, cpus=None, deploy=deploy))
    assert (limits.memory_bytes, limits.cpus) == (8 * 2**30, 2)


def test_what_is_not_set_is_none() -> None:
    bare = {"services": {"ui": {"mem_limit": "1024"}}}
    limits = read_limits(bare, "ui")
    assert (limits.cpus, limits.health, limits.max_concurrency) == (None, None, None)
    assert (limits.restart, limits.init) == (Restart("no", None), False)


def test_a_disabled_healthcheck_is_none() -> None:
    assert read_limits(model(healthcheck={"disable": True})).health is None


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("10s", 10), ("1m30s", 90), ("1h0m0s", 3600), ("500ms", 0.5), ("1.5s", 1.5)],
)
def test_durations_are_read_as_compose_prints_them(duration: str, seconds: float) -> None:
    health = read_limits(model(healthcheck={"interval": duration})).health
    assert health == Health(interval_s=seconds)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mem_limit": None}, "services.server.mem_limit: missing"),
        ({"mem_limit": "48G"}, "services.server.mem_limit: '48G' is not a number"),
        ({"mem_limit": "0"}, "services.server.mem_limit: 0 is no limit"),
        ({"cpus": "all"}, "services.server.cpus: 'all' is not a number"),
        ({"restart": "on-failure:x"}, "services.server.restart: 'x' is not a number"),
        ({"environment": ["A=1"]}, "services.server.environment: missing or not a mapping"),
        (
            {"environment": {"AUTOMAKER_MAX_CONCURRENCY": "six"}},
            "services.server.environment.AUTOMAKER_MAX_CONCURRENCY: 'six' is not a number",
        ),
        (
            {"healthcheck": {"timeout": "soon"}},
            "services.server.healthcheck.timeout: 'soon' is not a duration such as 1m30s",
        ),
    ],
)
def test_an_error_names_the_key_path(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ComposeError) as caught:
        read_limits(model(**changes))
    assert str(caught.value) == message


def test_an_unknown_service_is_answered_with_those_there_are() -> None:
    with pytest.raises(ComposeError, match=r"services\.agent: missing") as caught:
        read_limits(model(), "agent")
    assert caught.value.__notes__ == ["services there: server"]


class Answering:
    """Prints one text, whatever is run, and keeps what it was asked."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.argv: list[str] = []
        self.env: Mapping[str, str] | None = None

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        check: bool = True,
        stdin: str = "",
    ) -> Completed:
        self.argv, self.env = list(argv), env
        return Completed(self.text, "", 0)


def test_the_model_is_loaded_through_the_door() -> None:
    run = Answering(json.dumps(model()))
    assert load_model(run, ["a.yml"], env_file="x.env", env={"A": "1"}) == model()
    assert run.argv[:6] == ["docker", "compose", "--file", "a.yml", "--env-file", "x.env"]
    assert run.env == {"A": "1"}


@pytest.mark.parametrize("text", ["", "name: x", "[]"])
def test_what_is_not_a_model_is_refused(text: str) -> None:
    with pytest.raises(ComposeError):
        load_model(Answering(text))
