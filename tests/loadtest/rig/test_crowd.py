"""What follows from the number of agents, sample by sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loadtest.rig.crowd import Crowd


class FakeSwarm:
    """Remembers when it was told that no agent is left."""

    def __init__(self, status: dict[str, int] | None = None) -> None:
        self.cleared_times = 0
        self._status = status or {}

    def cleared(self) -> None:
        self.cleared_times += 1

    def status(self) -> dict[str, int]:
        return self._status


def crowd(swarm: Any, told: list[Mapping[str, int]] | None = None) -> Crowd:
    return Crowd(swarm, (told if told is not None else []).append)


def test_the_swarm_hears_each_time_the_last_agent_is_gone_and_not_before_the_first_came() -> None:
    swarm = FakeSwarm()
    watched = crowd(swarm)
    for agents in (0, 0, 2, 1, 0, 0, 3, 0):
        watched.note(agents)
    assert swarm.cleared_times == 2


def test_the_mean_counts_from_the_first_agent_on() -> None:
    watched = crowd(FakeSwarm())
    assert watched.mean == 0.0
    for agents in (0, 0, 2, 4, 0):
        watched.note(agents)
    assert watched.mean == 2.0


def test_agents_by_state_are_told_now_and_then_and_not_at_every_sample() -> None:
    told: list[Mapping[str, int]] = []
    watched = crowd(FakeSwarm({"at peak": 1}), told)
    for _ in range(20):
        watched.note(1)
    assert told == [{"at peak": 1}]
    silent: list[Mapping[str, int]] = []
    crowd(FakeSwarm(), silent).note(1)
    assert silent == [], "a swarm that has written nothing yet says nothing"
