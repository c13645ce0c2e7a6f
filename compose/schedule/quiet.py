"""Whether the host has better things to do than a load test, which would disturb them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compose.deploy.context import Context
from compose.deploy.lock import holder
from compose.errors import ComposeError
from settings.errors import SettingsError
from settings.models import Schedule


@dataclass(frozen=True)
class Seen:
    """What goes on now. `memory` is the share of the host's memory that is in use."""

    at_work: str
    """Who holds the lock of deploys; empty where nobody does."""
    measuring: str
    """Another load test on this machine; empty where there is none."""
    agents: int | None
    """Running agents of the staging server; None where that cannot be told, which is idle."""
    why_not: str
    """Why it cannot be told."""
    memory: float


def look(ctx: Context, measuring: Callable[[], str], memory: Callable[[], float]) -> Seen:
    """Look at the stack and, through the doors given, at the host; changes nothing."""
    has = holder(ctx.stack.home)
    agents, why_not = _agents(ctx)
    return Seen(has.text() if has else "", measuring(), agents, why_not, memory())


def reasons(seen: Seen, limits: Schedule) -> list[str]:
    """Say what a load test has to give way to, each with its figure and the limit. Pure."""
    found = []
    if seen.at_work:
        found.append(f"at work on the stack: {seen.at_work}")
    if seen.measuring:
        found.append(seen.measuring)
    if seen.agents is not None and seen.agents >= limits.busy_agents:
        noun = "agent runs" if seen.agents == 1 else "agents run"
        found.append(f"{seen.agents} {noun} on staging (busy from {limits.busy_agents} on)")
    if seen.memory > limits.busy_memory:
        limit = f"busy above {limits.busy_memory:.0%}"
        found.append(f"{seen.memory:.0%} of the host's memory is in use ({limit})")
    return found


def _agents(ctx: Context) -> tuple[int | None, str]:
    """Running agents as the live server says; else None, and why."""
    try:
        live = ctx.live_state()
        if live is None:
            return None, "no server is deployed"
        answer = ctx.api(live.running).answers("/api/deploy/status")
    except (ComposeError, SettingsError) as error:
        return None, str(error).splitlines()[-1].strip()
    if answer is None:
        return None, "the server does not answer"
    running = answer.data.get("runningAgents")
    if not answer.ok or not isinstance(running, int):
        return None, f"the server does not say how many agents run: {answer.problem()}"
    return running, ""
