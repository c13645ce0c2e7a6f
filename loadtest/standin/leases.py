"""The running map: which features have an agent. A slot is claimed without any await."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .agent import AgentOrder
from .errors import AtCapacity
from .features import Feature, model_of


class AgentProcess(Protocol):
    """One running agent."""

    async def wait(self) -> int:
        """Return the exit code once it ends; negative for a signal."""

    def stop(self) -> None:
        """Ask it to end; returns at once."""


class AgentRunner(Protocol):
    """What starts agents; the warm parent, or a fake in tests."""

    async def attach(self) -> None:
        """Listen in the running event loop."""

    async def start(self, order: AgentOrder) -> AgentProcess:
        """Start one agent. Raises OSError when no process could be made."""

    def close(self) -> None:
        """End every agent."""


@dataclass(eq=False)
class Lease:
    """One feature's slot, from before its agent starts until after it has ended."""

    feature_id: str
    project_path: str
    feature: Feature
    started_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    agent: AgentProcess | None = None
    stopped: bool = False
    """Set when someone took the feature away: its end then changes no state any more."""
    exit_code: int | None = None
    """How its agent ended, once it has; negative for a signal."""

    def describe(self) -> dict[str, Any]:
        """Return the lease as GET /api/running-agents lists it."""
        known = ("title", "description", "branchName")
        return {
            "featureId": self.feature_id,
            "projectPath": self.project_path,
            "projectName": Path(self.project_path).name,
            "isAutoMode": False,
            "startTime": self.started_ms,
            "model": model_of(self.feature),
            "provider": "claude",
            **{key: self.feature[key] for key in known if key in self.feature},
        }


class Leases:
    """All leases, keyed by feature id alone: one id in two projects shares a slot."""

    def __init__(self) -> None:
        self._held: dict[str, Lease] = {}

    def claim(
        self, project: str, feature_id: str, feature: Feature | None, limit: float
    ) -> Lease | None:
        """Take a slot; None when the feature has one already.

        Raises AtCapacity when the project has `limit` leases or more. An unknown feature takes a
        slot too, until its absence is found out.
        """
        running = self.count(project)
        known = feature or {"id": feature_id}
        if running >= limit:
            raise AtCapacity(running, limit, known.get("branchName"))
        if feature_id in self._held:
            return None
        lease = self._held[feature_id] = Lease(feature_id, project, known)
        return lease

    def release(self, lease: Lease) -> None:
        """Give a slot back; harmless when it was taken away before."""
        if self._held.get(lease.feature_id) is lease:
            del self._held[lease.feature_id]

    def take_away(self, feature_id: str) -> Lease | None:
        """End a lease from outside: its slot is free at once, its agent yet to be stopped."""
        lease = self._held.pop(feature_id, None)
        if lease:
            lease.stopped = True
        return lease

    def of(self, project: str) -> list[Lease]:
        """Return the leases of one project path, compared letter by letter."""
        return [lease for lease in self._held.values() if lease.project_path == project]

    def count(self, project: str) -> int:
        """How many leases a project holds."""
        return sum(lease.project_path == project for lease in self._held.values())

    def all(self) -> list[Lease]:
        """Every lease, oldest first."""
        return list(self._held.values())

    def __contains__(self, feature_id: str) -> bool:
        """Whether a feature has a lease."""
        return feature_id in self._held
