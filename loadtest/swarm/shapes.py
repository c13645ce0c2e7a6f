"""Locust's load over time: Ramp, Hold and Arrivals, and who is spawned in which order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from locust import LoadTestShape
from locust.dispatch import UsersDispatcher

from loadtest.swarm.conductor import Conductor

# Locust asks a shape once a second; users beyond the gate wait for it without a request.
LOOK_AHEAD = 6
_AT_ONCE = 100.0
Tick = tuple[int, float] | None


class Ramp(LoadTestShape):
    """Agent after agent: the next when the last has reached its peak and the hold has passed."""

    abstract = True

    def __init__(self, conductor: Conductor) -> None:
        super().__init__()
        self._conductor = conductor

    def tick(self) -> Tick:
        """How many users there should be now, and how fast they come."""
        if self._conductor.finished:
            return None
        planned = len(self._conductor.slots)
        return min(self._conductor.admitted + LOOK_AHEAD, planned), _AT_ONCE


class Hold(Ramp):
    """N agents for some time: whoever is done is followed by another of its class."""

    abstract = True

    def tick(self) -> Tick:
        """N users until the time is over."""
        if self._conductor.finished:
            return None
        return self._conductor.task.trial.concurrent or 1, _AT_ONCE


class Arrivals(Ramp):
    """Features arrive whether or not there is room for them: a backlog."""

    abstract = True
    per_s = 20.0

    def tick(self) -> Tick:
        """The whole backlog, so many a second."""
        return None if self._conductor.finished else (len(self._conductor.slots), self.per_s)


SHAPES: dict[str, type[Ramp]] = {
    "ramp": Ramp,
    "rounds": Hold,
    "stable": Hold,
    "cap": Arrivals,
}


class PlannedDispatcher(UsersDispatcher):
    """Spawns users in the order of the trial's agents, where Locust's own goes by weights."""

    plan: ClassVar[list[str]] = []
    """Names of user classes, one a slot."""

    def _user_gen(self) -> Iterator[str | None]:
        yield from self.plan
        while True:
            yield None
