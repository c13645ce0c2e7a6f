"""Faults to have on purpose, so that deploys can be seen to fail and to go back.

Built in with the argument STANDIN_FAULT: `crash` ends at every start, `never-ready` starts and
never gets ready, `no-agents` does everything but run an agent.
"""

from __future__ import annotations

from .agent import AgentOrder
from .leases import AgentProcess, AgentRunner

CRASH, NEVER_READY, NO_AGENTS = "crash", "never-ready", "no-agents"


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
