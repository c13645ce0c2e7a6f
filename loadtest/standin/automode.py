"""Auto mode: loops that keep a project's slots filled, and the runs started by hand."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .config import Timings
from .errors import AtCapacity, StandinError
from .execution import Executor, back_to_backlog
from .features import Feature, is_transient
from .leases import AgentRunner, Leases
from .scheduler import next_feature
from .server_settings import pickup_cooldown, resolve_max_concurrency
from .store import FeatureStore


@dataclass(eq=False)
class Loop:
    """One running loop: `limit` is frozen at its start."""

    project: str
    branch: str | None
    limit: float
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class AutoMode:
    """Every loop and every lease of the server."""

    def __init__(
        self,
        store: FeatureStore,
        runner: AgentRunner,
        settings: Callable[[], Mapping[str, Any]],
        cap: int,
        timings: Timings,
        leases: Leases,
    ) -> None:
        self.leases = leases
        self.loops: dict[tuple[str, str | None], Loop] = {}
        self.cap = cap
        self._store = store
        self._settings = settings
        self._timings = timings
        self._executor = Executor(store, runner, self.leases, self.notify)

    def start(
        self, project: str, branch: str | None, requested: int | None, delay: float | None = None
    ) -> float:
        """Start a loop that is not running yet and return its limit.

        `delay` in seconds replaces the usual pause before the first pick.
        """
        limit = resolve_max_concurrency(self._settings(), project, branch, requested, self.cap)
        loop = self.loops[project, branch] = Loop(project, branch, limit)
        pause = self._timings.startup if delay is None else delay
        loop.task = asyncio.create_task(self._work(loop, pause))
        return limit

    def stop(self, project: str, branch: str | None) -> int:
        """Stop a running loop. Its agents go on: returns how many the project still has."""
        loop = self.loops.pop((project, branch))
        if loop.task:
            loop.task.cancel()
        return self.leases.count(project)

    def limit_of(self, project: str) -> float:
        """How many agents the project may have: its loop's limit, else the system cap."""
        limits = [loop.limit for loop in self.loops.values() if loop.project == project]
        return max(limits, default=self.cap)

    def run_feature(self, project: str, feature_id: str, feature: Feature | None) -> None:
        """Run a feature in the background. Raises AtCapacity; running twice changes nothing."""
        lease = self.leases.claim(project, feature_id, feature, self.limit_of(project))
        if lease:
            self._executor.begin(lease)

    async def stop_feature(
        self,
        feature_id: str,
        status: str = "backlog",
        reason: str = "Stopped by user",
    ) -> bool:
        """Take a feature from its agent; False when it has none. The slot is free at once."""
        lease = self.leases.take_away(feature_id)
        if lease is None:
            return False
        self.notify(lease.project_path)
        await self._executor.stop(lease, status, reason)
        return True

    async def reconcile(self, project: str) -> list[dict[str, str]]:
        """Put features nobody runs back to the backlog; returns the changes made."""
        change = back_to_backlog("Reconciled: no running agent", self.leases)
        reconciled = []
        for feature in await self._orphans(project):
            after = await asyncio.to_thread(self._store.update, project, feature["id"], change)
            if after and after["status"] == "backlog":
                moved = {"from": feature["status"], "to": "backlog"}
                reconciled.append({"featureId": feature["id"], **moved})
        self.notify(project)
        return reconciled

    async def resume_interrupted(self, project: str) -> None:
        """Run features that lost their agent while slots last; the rest go to the backlog."""
        change = back_to_backlog("No free slot to resume in", self.leases)
        for feature in await self._orphans(project):
            try:
                self.run_feature(project, feature["id"], feature)
            except AtCapacity:
                await asyncio.to_thread(self._store.update, project, feature["id"], change)
        self.notify(project)

    def notify(self, project: str) -> None:
        """Wake the project's loops: a slot is free or a feature has changed."""
        for loop in self.loops.values():
            if loop.project == project:
                loop.wake.set()

    async def shut_down(self) -> None:
        """Stop every loop and agent and mark what was running as interrupted."""
        for project, branch in list(self.loops):
            self.stop(project, branch)
        reason = 'Interrupted from "in_progress": server shutdown'
        await asyncio.gather(
            *(
                self.stop_feature(lease.feature_id, "interrupted", reason)
                for lease in self.leases.all()
            ),
            return_exceptions=True,  # one feature that cannot be written must not keep the rest
        )

    async def _orphans(self, project: str) -> list[Feature]:
        features = await asyncio.to_thread(self._store.all_of, project)
        return [
            feature
            for feature in features
            if is_transient(feature["status"]) and feature["id"] not in self.leases
        ]

    async def _work(self, loop: Loop, delay: float) -> None:
        await asyncio.sleep(delay)
        while True:
            # Cleared before looking, so that a change during the look is not missed.
            loop.wake.clear()
            pause = self._timings.capacity
            try:
                if self.leases.count(loop.project) < loop.limit:
                    pause = await self._start_next(loop)
            except AtCapacity:
                pass  # a run started by hand took the last slot during the look
            except (OSError, ValueError, StandinError) as error:
                print(f"auto mode for {loop.project}: {error}", file=sys.stderr)
            if pause:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(loop.wake.wait(), pause)

    async def _start_next(self, loop: Loop) -> float:
        """Start one feature if there is one; returns how long to wait for news at most."""
        cooldown = pickup_cooldown(self._settings())
        features = await asyncio.to_thread(self._store.all_of, loop.project)
        running = {lease.feature_id for lease in self.leases.all()}
        feature = next_feature(features, running, loop.branch, time.time() - cooldown)
        if feature is None:
            return min(self._timings.idle, cooldown or self._timings.idle)
        lease = self.leases.claim(loop.project, feature["id"], feature, loop.limit)
        if lease:
            self._executor.begin(lease, only_from="backlog")
        await asyncio.sleep(self._timings.normal)
        return 0.0
