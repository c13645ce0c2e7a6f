"""What a fleet tells while it runs: a line for each step of each host."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Lock

from rich.console import Console

from loadtest.outcome import Outcome, Trial
from loadtest.report.gauge import clock
from loadtest.report.trial_words import trial_name, trial_result
from settings.sizes import in_gib

_QUIET_S = 10.0


class FleetProgress:
    """Lines with the time, on a terminal and elsewhere alike."""

    def __init__(
        self, console: Console, wall: Callable[[], str] = lambda: time.strftime("%H:%M:%S")
    ) -> None:
        self._console = console
        self._wall = wall
        self._lock = Lock()
        self._state: dict[str, str] = {}
        self._last = time.monotonic()

    def say(self, text: str, host: str = "") -> None:
        """A step, of the fleet or of one host."""
        with self._lock:
            self._last = time.monotonic()
            line = f"{self._wall()} {host}{': ' if host else ''}{text}"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def trial_started(
        self, trial: Trial, number: int, total: int, hosts: int, left_s: float
    ) -> None:
        """Trial `number` of `total` begins on so many hosts; numbers start at 1."""
        with self._lock:
            self._state.clear()
        where = f"{hosts} host{'' if hosts == 1 else 's'}"
        name = trial_name(trial)
        self.say(f"trial {number}/{total}: {name}, on {where}; about {clock(left_s)} left")

    def memory(self, host: str, used: int, limit: int, agents: int) -> None:
        """Memory of a host's target, in bytes; said now and then, for all hosts in one line."""
        with self._lock:
            self._state[host] = f"{host} {agents} agents, {in_gib(used)} of {in_gib(limit)}"
            if time.monotonic() - self._last < _QUIET_S:
                return
            text = "; ".join(self._state.values())
        self.say(f"  {text}")

    def trial_ended(self, host: str, outcome: Outcome) -> None:
        """Say what a host's trial found."""
        self.say(f"{trial_result(outcome)} after {outcome.duration_s:.0f} s", f"  {host}")


class HostProgress:
    """The part of one host, as its rig wants it."""

    def __init__(self, progress: FleetProgress, host: str) -> None:
        self._progress = progress
        self._host = host

    def memory(self, used: int, limit: int, agents: int) -> None:
        """Memory now."""
        self._progress.memory(self._host, used, limit, agents)

    def swarm(self, counts: Mapping[str, int]) -> None:
        """Agents by state are not shown: there is one line for all hosts."""
