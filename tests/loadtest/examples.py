"""Values that tests of the campaign start from; each test changes what it is about."""

from __future__ import annotations

from typing import Any

from compose.model import Restart, ServiceLimits
from loadtest.outcome import AgentRecord, Health, Outcome, Sampling, Trial
from settings.host import GIB, HostFacts

HOST = HostFacts(
    memory=64 * GIB,
    memory_available=60 * GIB,
    swap=0,
    cpus=16,
    disk_free=100 * GIB,
    kernel="6.1.0",
    system="Linux",
    cgroup_version=2,
)

LIMITS = ServiceLimits(
    memory_bytes=48 * GIB,
    memswap_bytes=48 * GIB,
    cpus=8.0,
    node_old_space_mib=32768,
    max_concurrency=6,
    health=None,
    restart=Restart(),
    init=True,
    environment={},
)
"""The staging model's limits."""


def trial(**changes: Any) -> Trial:
    """A ramp of 15 medium agents."""
    values: dict[str, Any] = {
        "id": "ramp-medium-1",
        "kind": "ramp",
        "workload": "medium",
        "run": 1,
        "agents": ("medium",) * 15,
        "seed": 1,
    }
    return Trial(**(values | changes))


def agent(number: int = 1, **changes: Any) -> AgentRecord:
    """An agent that reached its peak and held it."""
    values: dict[str, Any] = {
        "feature_id": f"feature-{number}",
        "agent_class": "medium",
        "project": "/projects/load-00",
        "started_s": float(number),
        "peak_s": number + 0.5,
        "end": "held",
        "private_bytes": 4_000_000_000,
        "target_bytes": 4_000_000_000,
    }
    return AgentRecord(**(values | changes))


def outcome(**changes: Any) -> Outcome:
    """A ramp in which 12 held and the 13th was killed."""
    values: dict[str, Any] = {
        "trial": trial(),
        "status": "measured",
        "reason": "agent 13 was lost",
        "started_at": "2026-01-01T00:00:00+00:00",
        "duration_s": 10.0,
        "limit_bytes": 48 * GIB,
        "base_bytes": 50_000_000,
        "peak_bytes": 48 * GIB,
        "held": 12,
        "failed_at": 13,
        "failure_mode": "agent-oom",
        "max_running": 13,
        "max_reported": 13,
        "agents": tuple(agent(number) for number in range(1, 13)),
        "health": Health(checks=20, p50_ms=1.0, p99_ms=2.0, max_ms=3.0),
        "sampling": Sampling(samples=200, hz=20.0, longest_gap_s=0.1),
    }
    return Outcome(**(values | changes))
