"""One run of one feature: worktree, agent, outcome, and the slot back whatever happens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .agent import AgentOrder
from .errors import StandinError
from .features import (
    Feature,
    agent_class,
    branch_of,
    is_transient,
    model_of,
    status_change,
    worktree_name,
)
from .leases import AgentRunner, Lease, Leases
from .store import FeatureStore, feature_file

Mutation = Callable[[Feature], Mapping[str, Any] | None]


class Executor:
    """Runs leased features in the background and settles how they end."""

    def __init__(
        self,
        store: FeatureStore,
        runner: AgentRunner,
        leases: Leases,
        on_release: Callable[[str], None],
    ) -> None:
        self._store = store
        self._runner = runner
        self._leases = leases
        self._on_release = on_release
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, lease: Lease, only_from: str | None = None) -> None:
        """Run a leased feature to its end; returns at once.

        With `only_from` it runs only if it still is in that state: a loop picks from a listing
        that may be older than the feature's last run.
        """
        task = asyncio.create_task(self._run(lease, only_from))
        # The loop keeps only weak references: without this one a run could vanish.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self, lease: Lease, status: str, reason: str) -> None:
        """Stop the agent of a lease already taken away and put its feature into `status`."""
        if lease.agent:
            lease.agent.stop()

        def settle(feature: Feature) -> Mapping[str, Any] | None:
            # The agent may have ended on its own a moment ago; its outcome then stands.
            settled = feature["status"] in ("done", "blocked", "review")
            return None if settled else status_change(feature, status, reason)

        await asyncio.to_thread(self._store.update, lease.project_path, lease.feature_id, settle)

    async def _run(self, lease: Lease, only_from: str | None) -> None:
        try:
            code = lease.exit_code = await self._run_agent(lease, only_from)
            if code == 0:
                await self._change(lease, _done)
            elif code is not None:
                await self._change(lease, _blocked(_ending(code)))
        except (OSError, ValueError, StandinError) as error:
            await self._give_up(lease, error)
        finally:
            self._leases.release(lease)
            self._on_release(lease.project_path)

    async def _run_agent(self, lease: Lease, only_from: str | None) -> int | None:
        feature = await self._change(lease, _in_progress(only_from))
        if feature is None or feature["status"] != "in_progress":
            return None
        order = await asyncio.to_thread(_prepare, lease)
        if lease.stopped:
            return None
        lease.agent = await self._runner.start(order)
        if lease.stopped:
            lease.agent.stop()
        return await lease.agent.wait()

    async def _change(self, lease: Lease, mutation: Mutation) -> Feature | None:
        """Change the feature unless the lease was taken away; returns it as it is afterwards."""

        def change(feature: Feature) -> Mapping[str, Any] | None:
            return None if lease.stopped else mutation(feature)

        return await asyncio.to_thread(
            self._store.update, lease.project_path, lease.feature_id, change
        )

    async def _give_up(self, lease: Lease, error: Exception) -> None:
        print(f"feature {lease.feature_id} could not run: {error}", file=sys.stderr)
        try:
            await self._change(lease, _blocked(f"agent could not run: {error}"))
        except OSError as second:
            # A full disk: the state stays in_progress, which reconcile can undo later.
            print(f"feature {lease.feature_id} keeps its state: {second}", file=sys.stderr)


def back_to_backlog(reason: str, leases: Leases) -> Mutation:
    """Return a change for features that look busy while nobody runs them."""

    def change(feature: Feature) -> Mapping[str, Any] | None:
        if feature["id"] in leases or not is_transient(feature["status"]):
            return None
        return status_change(feature, "backlog", reason)

    return change


def _prepare(lease: Lease) -> AgentOrder:
    branch = lease.feature.get("branchName") or branch_of(None, lease.feature_id)
    worktree = Path(lease.project_path, ".worktrees", worktree_name(str(branch)))
    worktree.mkdir(parents=True, exist_ok=True)
    output = feature_file(lease.project_path, lease.feature_id).with_name("agent-output.md")
    return AgentOrder(
        feature_id=lease.feature_id,
        agent_class=agent_class(lease.feature),
        project_path=lease.project_path,
        worktree=str(worktree),
        output_path=str(output),
    )


def _in_progress(only_from: str | None) -> Mutation:
    def change(feature: Feature) -> Mapping[str, Any] | None:
        if only_from is not None and feature["status"] != only_from:
            return None
        changes = status_change(feature, "in_progress", "Agent started")
        return {**changes, "model": model_of(feature)}

    return change


def _done(feature: Feature) -> Mapping[str, Any]:
    return status_change(feature, "done", "Agent finished")


def _blocked(reason: str) -> Mutation:
    def change(feature: Feature) -> Mapping[str, Any]:
        failures = feature.get("failureCount")
        count = failures + 1 if isinstance(failures, int) else 1
        return {**status_change(feature, "blocked", reason), "failureCount": count}

    return change


def _ending(code: int) -> str:
    if code < 0:
        return f"agent process killed by signal {-code}"
    return f"agent process exited with code {code}"
