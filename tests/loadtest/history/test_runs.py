"""What the history keeps of a run, and which runs are alike."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.history.runs import run_of
from loadtest.summary import Limit
from tests.loadtest.examples import agent, outcome
from tests.loadtest.history.builders import GIB, SCALE, campaign, run, summary

HOST = summary().host


def test_runs_of_one_kind_are_alike() -> None:
    assert run(1).kind == run(2).kind
    assert run(1).kind.differences(run(2).kind) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"plan": "quick"}, "plan: regression here, quick there"),
        ({"scale": 0.125}, "scale: 0.0625 here, 0.125 there"),
        ({"limits": {"true_memory_bytes": Limit(value=GIB, source="-")}},
         f"memory limit: {48 * GIB} here, {GIB} there"),
        ({"host": HOST | {"cpus": 2}}, "processors: 16 here, 2 there"),
        ({"host": HOST | {"memory_bytes": 32 * GIB}}, "host memory in GiB: 64 here, 32 there"),
        ({"host": HOST | {"cgroup_version": 1}}, "cgroup version: 2 here, 1 there"),
        ({"origin": {"engine": "28.0.0"}}, "engine version: 27.3 here, 28.0 there"),
        ({"target": "other"}, "target: standin here, other there"),
        ({"origin": {"engine": "27.3.1", "spread": "2 %"}},
         "spread of agents: alike here, 2 % there"),
    ],
)  # fmt: skip
def test_a_difference_that_matters_is_named(change: dict[str, Any], said: str) -> None:
    assert run(1).kind.differences(run(2, **change).kind) == [said]


@pytest.mark.parametrize(
    "change",
    [
        {"origin": {"engine": "27.3.9"}},
        {"host": HOST | {"kernel": "6.1.1", "fingerprint": "f"}},
        {"host": HOST | {"memory_bytes": 64 * GIB - 10**8}},
        {"exit_code": 1},
    ],
)
def test_a_difference_that_does_not_matter_is_none(change: dict[str, Any]) -> None:
    assert run(1).kind.differences(run(2, **change).kind) == []


def test_agents_told_to_reach_different_sizes_are_another_kind() -> None:
    agents = tuple(agent(n, target_bytes=4_000_000_000 + n) for n in (1, 2))
    differs = run_of(summary(), [outcome(agents=agents)])
    assert differs.kind.spread == "differ"


@pytest.mark.parametrize(
    ("code", "good"), [(0, True), (1, True), (2, False), (3, False), (130, False)]
)
def test_only_a_run_that_was_measured_whole_is_good(code: int, good: bool) -> None:
    assert run(1, exit_code=code).good is good


def test_a_limit_that_is_told_at_scale_is_taken_to_true_size() -> None:
    made = summary(limits={"memory_bytes": Limit(value=3 * GIB, source="compose")})
    assert run_of(made, []).kind.limit == 3 * GIB / SCALE


def test_a_summary_that_tells_little_is_still_kept() -> None:
    made = run_of(summary(host={}, origin={}, limits={}), [])
    assert (made.commit, made.kind.engine, made.kind.limit) == ("", "unknown", 0)


def test_a_changed_checkout_shows_at_the_commit() -> None:
    made, outcomes = campaign(1, origin={"commit": "ab" * 20, "dirty": "yes"})
    assert run_of(made, outcomes).commit == "ababababa+"
