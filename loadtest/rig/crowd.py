"""Who is told of a running trial, and what follows from its number of agents."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from loadtest.rig.swarm_process import SwarmProcess

_TELL_EVERY_S = 0.5


class Watcher(Protocol):
    """Who is told while a trial runs; both may come from another thread."""

    def memory(self, used: int, limit: int, agents: int) -> None:
        """Memory now, in bytes, and agent processes alive."""

    def swarm(self, counts: Mapping[str, int]) -> None:
        """Agents by state, as the swarm sees them."""


class Crowd:
    """What follows from the number of agents, sample by sample."""

    def __init__(self, swarm: SwarmProcess, tell: Callable[[Mapping[str, int]], None]) -> None:
        self._swarm = swarm
        self._tell = tell
        self._before = 0
        self._samples = 0
        self._sum = 0
        self._told = 0.0

    def note(self, agents: int) -> None:
        """Count one sample; the swarm hears of it when the last agent is gone."""
        if self._before and not agents:
            self._swarm.cleared()
        self._before = agents
        if agents or self._samples:
            self._samples += 1
            self._sum += agents
        if time.monotonic() - self._told > _TELL_EVERY_S:
            self._told = time.monotonic()
            if counts := self._swarm.status():
                self._tell(counts)

    @property
    def mean(self) -> float:
        """Agents at once on average, from the first one on."""
        return self._sum / self._samples if self._samples else 0.0
