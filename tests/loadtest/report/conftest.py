"""An example campaign: small, but with every verdict, basis and kind of trial."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loadtest.boundary import Boundary
from loadtest.outcome import AgentRecord, Evidence, Health, Outcome, Sampling, Trial
from loadtest.report.samples import Samples
from loadtest.summary import ClaimResult, Limit, Summary

GIB = 2**30


def _claim(**changes: Any) -> ClaimResult:
    facts: dict[str, Any] = {
        "id": "concurrent-medium",
        "statement": "Medium agents: 10-12 at once",
        "expected": "12 hold, 13 fail",
        "measured": "12 hold, 13 fail",
        "unit": "agents",
        "basis": "assumed",
        "gating": True,
        "verdict": "confirmed",
        "reason": "3 of 3 ramps agree",
        "trials": ("ramp-medium-1",),
    }
    return ClaimResult(**(facts | changes))


def _agent(number: int, **changes: Any) -> AgentRecord:
    facts: dict[str, Any] = {
        "feature_id": f"feature-{number}",
        "agent_class": "medium",
        "project": "/projects/one",
        "started_s": float(number),
        "peak_s": number + 0.8,
        "end": "held",
        "private_bytes": GIB // 4,
    }
    return AgentRecord(**(facts | changes))


def _outcome(**changes: Any) -> Outcome:
    trial = Trial(
        id="ramp-medium-1",
        kind="ramp",
        workload="medium",
        run=1,
        agents=("medium",) * 5,
        seed=1,
        predicted=2,
    )
    agents = (
        _agent(1),
        _agent(2),
        _agent(3, peak_s=None, ended_s=3.6, end="lost"),
        _agent(4, started_s=None, peak_s=None, end="pending"),
        _agent(5, started_s=None, peak_s=None, end="refused", agent_class="a class of its own"),
    )
    facts: dict[str, Any] = {
        "trial": trial,
        "status": "measured",
        "reason": "",
        "started_at": "2026-11-23T20:41:12+00:00",
        "duration_s": 5.0,
        "limit_bytes": 3 * GIB,
        "base_bytes": 60_000_000,
        "peak_bytes": 3 * GIB - 4096,
        "held": 2,
        "failed_at": 3,
        "failure_mode": "agent-oom",
        "max_running": 3,
        "max_reported": 3,
        "agents": agents,
        "health": Health(checks=9, p50_ms=2.0, p99_ms=9.0, max_ms=11.0),
        "sampling": Sampling(samples=100, hz=20.0, longest_gap_s=0.1),
        "evidence": Evidence(oom_kills=1, oom_events=1),
        "samples_file": "samples/ramp-medium-1.csv",
    }
    return Outcome(**(facts | changes))


def _stable() -> Outcome:
    trial = Trial(
        id="stable-8", kind="stable", workload="mixed", run=1, agents=("small",), seed=0,
        concurrent=8,
    )  # fmt: skip
    return _outcome(
        trial=trial, status="invalid", reason="the probe missed samples", failure_mode=None,
        failed_at=None, samples_file="", agents=(), health=Health(),
    )  # fmt: skip


def _summary(**changes: Any) -> Summary:
    claims = (
        _claim(),
        _claim(id="concurrent-large", verdict="refuted", reason="all ramps say otherwise"),
        _claim(id="crash-mode", verdict="refuted", gating=False, expected="server-oom"),
        _claim(id="stable-8", verdict="inconclusive", expected="8 run", trials=("stable-8",)),
        _claim(id="cap-10", verdict="not-run", selected=False, reason="not asked for", trials=()),
        _claim(id="memory-medium", basis="rig", expected="4.00 GB within 1%", measured="4.01 GB"),
        _claim(id="real", basis="measured"),
        _claim(id="seen", basis="observed"),
    )
    facts: dict[str, Any] = {
        "run_id": "20261123T204112Z-1",
        "started_at": "2026-11-23T20:41:12+00:00",
        "plan": "quick",
        "target": "standin",
        "mocked": ("the model: agents call none",),
        "grade": "scaled",
        "scale": 0.0625,
        "host": {"memory_bytes": 24 * GIB, "cpus": 2, "kernel": "6.1.0"},
        "limits": {"memory_bytes": Limit(value=3 * GIB, source="compose x 0.0625")},
        "base": "60 MB, counted in every prediction",
        "claims": claims,
        "boundaries": (
            Boundary(workload="medium", holds=12, fails_at=13, failure_mode="agent-oom", runs=3,
                     predicted=12, agreed=True),
            Boundary(workload="mixed", holds=None, fails_at=None, failure_mode=None, runs=0,
                     predicted=None, agreed=False),
        ),
        "agents": {
            "medium": {"claimed_bytes": 4e9, "measured_bytes": 4.01e9, "agents": 24.0},
            "large": {"claimed_bytes": 5e9, "agents": 0.0},
        },
        "trials": 2,
        "invalid_trials": 1,
        "duration_s": 125.0,
        "exit_code": 1,
    }  # fmt: skip
    return Summary(**(facts | changes))


@pytest.fixture
def make_claim() -> Callable[..., ClaimResult]:
    return _claim


@pytest.fixture
def make_outcome() -> Callable[..., Outcome]:
    return _outcome


@pytest.fixture
def make_summary() -> Callable[..., Summary]:
    return _summary


@pytest.fixture
def outcome() -> Outcome:
    """A ramp whose third agent was killed."""
    return _outcome()


@pytest.fixture
def outcomes(outcome: Outcome) -> tuple[Outcome, ...]:
    """The ramp, and a stability trial that does not count and has no samples."""
    return (outcome, _stable())


@pytest.fixture
def summary() -> Summary:
    """Every verdict, every basis."""
    return _summary()


@pytest.fixture
def samples() -> Samples:
    """Five seconds at 20 Hz up to a limit of 3 GiB, a kill at 3.5 s."""
    times = tuple(number / 20 for number in range(100))
    usage = tuple(min(3 * GIB - 4096, round(time * 0.9 * GIB)) for time in times)
    return Samples(
        t_s=times,
        usage=usage,
        anon=tuple(max(0, size - 10**7) for size in usage),
        file=(10**7,) * 100,
        swap=(0,) * 100,
        agents=(1,) * 100,
        oom_kills=tuple(int(time >= 3.5) for time in times),
        health_ms=(None,) * 100,
    )
