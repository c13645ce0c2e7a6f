"""Draining before a deploy: loops stop, agents get time to finish, the rest are stopped."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from .automode import AutoMode
from .config import Timings
from .errors import Refusal


class Drain:
    """At most one drain at a time. It is no admission gate: new runs may still be started."""

    def __init__(self, auto_mode: AutoMode, timings: Timings) -> None:
        self._auto_mode = auto_mode
        self._timings = timings
        self._active = False

    async def drain(self) -> dict[str, Any]:
        """Stop loops, wait for agents, stop leftovers. Raises Refusal 409 while one is active.

        `drained` is true even when agents had to be stopped: `agentsForceStopped` counts them.
        """
        if self._active:
            raise Refusal(409, "Drain already in progress")
        self._active = True
        began = time.monotonic()
        try:
            loops = list(self._auto_mode.loops)
            for project, branch in loops:
                self._auto_mode.stop(project, branch)
            await self._wait_for_agents(began + self._timings.drain_timeout)
            stopped = await self._stop_leftovers()
        finally:
            self._active = False
        return {
            "success": True,
            "drained": True,
            "worktreesStopped": len(loops),
            "agentsForceStopped": stopped,
            "elapsedSeconds": round(time.monotonic() - began),
        }

    def status(self) -> dict[str, Any]:
        """Whether a drain is active, and what runs."""
        return {
            "drainInProgress": self._active,
            "runningAgents": len(self._auto_mode.leases.all()),
            "activeWorktrees": len(self._auto_mode.loops),
        }

    async def _wait_for_agents(self, deadline: float) -> None:
        while self._auto_mode.leases.all():
            left = deadline - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(self._timings.drain_poll, left))

    async def _stop_leftovers(self) -> int:
        ids = [lease.feature_id for lease in self._auto_mode.leases.all()]
        stopped = [await self._auto_mode.stop_feature(one, reason="Drained") for one in ids]
        return sum(stopped)
