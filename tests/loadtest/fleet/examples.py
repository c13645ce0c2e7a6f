"""Values that tests of a fleet start from; each test changes what it is about."""

from __future__ import annotations

from typing import Any

from loadtest.boundary import Boundary
from loadtest.fleet.summary import FleetSummary, HostResult, totals_of
from loadtest.summary import ClaimResult


def boundary(**changes: Any) -> Boundary:
    """Medium agents: 12 hold, the 13th is killed."""
    values: dict[str, Any] = {
        "workload": "medium",
        "holds": 12,
        "fails_at": 13,
        "failure_mode": "agent-oom",
        "runs": 1,
        "predicted": 12,
        "agreed": True,
    }
    return Boundary(**(values | changes))


def claim(**changes: Any) -> ClaimResult:
    """A gating claim about medium agents that was confirmed."""
    values: dict[str, Any] = {
        "id": "concurrent-medium-12",
        "kind": "boundary",
        "workload": "medium",
        "statement": "12 run",
        "expected": "12 hold",
        "measured": "12 hold",
        "unit": "agents",
        "basis": "assumed",
        "gating": True,
        "verdict": "confirmed",
        "reason": "all ramps agree",
    }
    return ClaimResult(**(values | changes))


def host(name: str = "ssh://a", **changes: Any) -> HostResult:
    """A host that held what the guide says."""
    values: dict[str, Any] = {
        "name": name,
        "address": name,
        "state": "measured",
        "folder": name.removeprefix("ssh://"),
        "grade": "scaled",
        "boundaries": (boundary(),),
        "claims": (claim(),),
        "trials": 1,
        "exit_code": 0,
    }
    return HostResult(**(values | changes))


def lost(name: str = "ssh://b") -> HostResult:
    """A host that went after it had held a ramp."""
    return host(name, state="lost", reason="its engine ended", exit_code=3)


def unusable(name: str = "ssh://c") -> HostResult:
    """A host that was never reached."""
    return HostResult(name=name, address=name, state="unusable", reason="no route")


def summary(*hosts: HostResult, **changes: Any) -> FleetSummary:
    """What a fleet of such hosts comes to."""
    values: dict[str, Any] = {
        "run_id": "20260101T000000Z-1",
        "started_at": "2026-01-01T00:00:00+00:00",
        "plan": "quick",
        "scale": 0.0625,
        "hosts": hosts,
        "totals": totals_of(hosts),
        "duration_s": 12.5,
        "exit_code": 0,
    }
    return FleetSummary(**(values | changes))
