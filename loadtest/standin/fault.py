"""Faults to have on purpose, so that what looks for them can be seen to find them.

Taken from STANDIN_FAULT, of the environment or built in with the argument of that name:

    crash             ends at every start
    never-ready       starts and never gets ready
    no-agents         does everything but run an agent
    leak-slot         one slot of every project is taken from the start and never given back
    lost-slot         the slot of an agent that was killed is never given back
    one-more          admits one agent more than the limit says
    slow-health:<ms>  waits so many milliseconds before it answers a health check
"""

from __future__ import annotations

import re

from .agent import AgentOrder
from .leases import AgentProcess, AgentRunner, Lease, Leases

CRASH, NEVER_READY, NO_AGENTS = "crash", "never-ready", "no-agents"
LEAK_SLOT, LOST_SLOT, ONE_MORE = "leak-slot", "lost-slot", "one-more"
SLOW_HEALTH = "slow-health:"


class NoAgents:
    """A runner whose agents never start, as in an image without the agents' program."""

    def __init__(self, runner: AgentRunner) -> None:
        self._runner = runner

    async def attach(self) -> None:
        """Listen as the real one does."""
        await self._runner.attach()

    async def start(self, order: AgentOrder) -> AgentProcess:
        """Raise OSError, always."""
        raise FileNotFoundError(f"no program for agents of class {order.agent_class}")

    def close(self) -> None:
        """End the real one."""
        self._runner.close()


class LeakedSlot(Leases):
    """Leases of which one a project leaked before anybody looked: no feature shows it."""

    def count(self, project: str) -> int:
        """One more than there are."""
        return super().count(project) + 1


class LostSlots(Leases):
    """Leases that stay when their agent was killed."""

    def release(self, lease: Lease) -> None:
        """Give a slot back unless a signal ended the agent."""
        if lease.exit_code is None or lease.exit_code >= 0:
            super().release(lease)


class OneMore(Leases):
    """Leases that are counted one short."""

    def count(self, project: str) -> int:
        """One fewer than there are."""
        return max(0, super().count(project) - 1)


def leases_for(fault: str) -> Leases:
    """The leases of a server with a fault, or without one."""
    faulty = {LEAK_SLOT: LeakedSlot, LOST_SLOT: LostSlots, ONE_MORE: OneMore}
    return faulty.get(fault, Leases)()


def health_delay(fault: str) -> float:
    """Seconds that a health check waits for its answer; 0 without that fault."""
    text = fault.removeprefix(SLOW_HEALTH)
    is_number = re.fullmatch(r"[0-9]+(\.[0-9]+)?", text)
    return float(text) / 1000 if fault != text and is_number else 0.0
