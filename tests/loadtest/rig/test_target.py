"""Limits that were asked for are limits in force, or there is no trial."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from compose.model import Restart
from loadtest.rig.errors import RigError
from loadtest.rig.target import LogFiles, TargetSpec, assert_limits

SPEC = TargetSpec(
    image="standin:1",
    memory=3 * 2**30,
    memswap=3 * 2**30,
    cpus=1.5,
    init=True,
    environment={"PORT": "3008"},
    labels={"automaker-staging.run": "run-1"},
)
IN_FORCE: dict[str, Any] = {
    "Memory": 3221225472,
    "MemorySwap": 3221225472,
    "NanoCpus": 1_500_000_000,
    "Init": True,
    "PidsLimit": None,
}


def test_the_limits_in_force_are_those_asked_for() -> None:
    assert_limits(IN_FORCE, SPEC)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("Memory", 0, "0 is unlimited"),
        ("Memory", 3221225471, "one byte less"),
        ("MemorySwap", 6442450944, "the engine's default: twice the memory"),
        ("MemorySwap", -1, "no limit"),
        ("NanoCpus", 0, "all processors"),
        ("NanoCpus", 1_000_000_000, "fewer processors"),
        ("Init", False, "the process that reaps zombies"),
        ("Init", None, "not said"),
    ],
)
def test_a_limit_that_is_not_in_force_is_named(key: str, value: object, why: str) -> None:
    with pytest.raises(RigError) as refused:
        assert_limits(IN_FORCE | {key: value}, SPEC)
    assert str(refused.value).startswith(f"the engine did not apply {key}: asked for "), why
    assert str(refused.value).endswith(f", got {value}")


@pytest.mark.parametrize("key", ["Memory", "MemorySwap", "NanoCpus", "Init"])
def test_a_limit_that_the_engine_dropped_is_named(key: str) -> None:
    dropped = {name: value for name, value in IN_FORCE.items() if name != key}
    with pytest.raises(RigError, match=f"did not apply {key}: .* got None"):
        assert_limits(dropped, SPEC)


def test_the_engine_is_told_everything_in_one_piece() -> None:
    assert SPEC.kwargs() == {
        "mem_limit": 3221225472,
        "memswap_limit": 3221225472,
        "nano_cpus": 1_500_000_000,
        "init": True,
        "labels": {"automaker-staging.run": "run-1"},
    }


STAGING = replace(SPEC, restart=Restart("on-failure", 5), logs=LogFiles("100m", 10))
POLICY = {"Name": "on-failure", "MaximumRetryCount": 5}
LOGS = {"Type": "json-file", "Config": {"max-size": "100m", "max-file": "10"}}


def test_restarts_and_logs_are_told_to_the_engine_where_they_are_wanted() -> None:
    told = STAGING.kwargs()
    assert told["restart_policy"] == POLICY
    assert told["log_config"] == LOGS
    assert SPEC.kwargs().keys().isdisjoint({"restart_policy", "log_config"})


def test_swap_may_be_left_to_the_engine() -> None:
    spec = replace(SPEC, memswap=None)
    assert "memswap_limit" not in spec.kwargs()
    assert_limits(IN_FORCE | {"MemorySwap": 6442450944}, spec)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("RestartPolicy", {"Name": "no", "MaximumRetryCount": 0}),
        ("RestartPolicy", {"Name": "on-failure", "MaximumRetryCount": 3}),
        ("LogConfig", {"Type": "journald", "Config": {}}),
        ("LogConfig", {"Type": "json-file", "Config": {"max-size": "100m"}}),
    ],
)
def test_a_policy_that_is_not_in_force_is_named(key: str, value: object) -> None:
    in_force = {**IN_FORCE, "RestartPolicy": POLICY, "LogConfig": LOGS}
    assert_limits(in_force, STAGING)
    with pytest.raises(RigError, match=f"did not apply {key}"):
        assert_limits(in_force | {key: value}, STAGING)


def test_a_policy_that_nobody_asked_for_is_not_looked_at() -> None:
    assert_limits(IN_FORCE | {"RestartPolicy": POLICY, "LogConfig": LOGS}, SPEC)
