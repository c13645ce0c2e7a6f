"""Locust's distributed mode for a fleet: one master, and a worker for each host with its own trial.

The master hands out users and collects statistics; when an agent starts, and when a trial is over,
each worker decides for its own host.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import gevent
import gevent.os
from locust import LoadTestShape
from locust.dispatch import UsersDispatcher
from locust.env import Environment

from loadtest.swarm.result import FleetStatistics

_AT_ONCE = 100.0
_CONNECT_S = 30.0
# What Locust calls the requests of a server; the swarm's own marks are AGENT.
_MARK = "AGENT"


class FleetDispatcher(UsersDispatcher):
    """Gives every worker all users of the trial, where Locust's own divides them.

    A worker that is lost takes its users along: they are its host's, and no other has a place for
    them. One that comes late gets the same as all others.
    """

    plan: ClassVar[list[str]] = []
    """Names of user classes, one an agent of the trial."""

    def _dispatcher(self) -> Iterator[dict[str, dict[str, int]]]:  # type: ignore[override]
        self._users_on_workers = self._everyone()
        yield self._users_on_workers

    def _prepare_rebalance(self) -> None:
        self._users_on_workers = self._everyone()

    def _everyone(self) -> dict[str, dict[str, int]]:
        wanted = Counter(self.plan)
        users = {user.__name__: wanted[user.__name__] for user in self._user_classes}
        return {worker.id: dict(users) for worker in self._worker_nodes}


class Everyone(LoadTestShape):
    """All users from the first moment on: they wait for the gates of their conductors."""

    abstract = True

    def __init__(self, users: int) -> None:
        self._users = users

    def tick(self) -> tuple[int, float]:
        """The same number always: the master ends when it is told to."""
        return self._users, _AT_ONCE


def lead(environment: Environment, plan: list[str], result: Path, go_fd: int) -> None:
    """Make this process the master: wait for the word, with the number of workers, then lead them.

    It ends, and its workers with it, when the pipe closes.
    """
    FleetDispatcher.plan = plan
    environment.dispatcher_class = FleetDispatcher
    environment.process_exit_code = 0
    workers = _read_number(go_fd)
    environment.shape_class = Everyone(len(plan) * workers)
    events: Any = environment.events  # Locust gives it no types
    events.quitting.add_listener(lambda **_: _write(environment, result))
    gevent.spawn(_end_with_pipe, go_fd, environment)
    _wait_for_workers(environment, workers)


def _read_number(fd: int) -> int:
    gevent.os.make_nonblocking(fd)
    text = b""
    while not text.endswith(b"\n"):
        byte = gevent.os.nb_read(fd, 1)
        if not byte:
            os._exit(1)
        text += byte
    return int(text)


def _end_with_pipe(fd: int, environment: Environment) -> None:
    while gevent.os.nb_read(fd, 1):
        pass
    if environment.runner:
        environment.runner.quit()


def _wait_for_workers(environment: Environment, workers: int) -> None:
    """Until all are there; after some time without those that are missing."""
    runner = environment.runner
    with gevent.Timeout(_CONNECT_S, False):
        while len(runner.clients.ready) < workers:  # type: ignore[union-attr]
            gevent.sleep(0.02)


def _write(environment: Environment, path: Path) -> None:
    """Write the statistics of all workers, as Locust has put them together."""
    entries = environment.stats.entries.values()
    requests = [entry for entry in entries if entry.method != _MARK]
    started = sum(e.num_requests for e in entries if e.method == _MARK and "spawn" in e.name)
    statistics = FleetStatistics(
        requests=sum(entry.num_requests for entry in requests),
        failures=sum(entry.num_failures for entry in requests),
        agents_started=started,
    )
    temporary = path.with_suffix(".tmp")
    temporary.write_text(statistics.model_dump_json(), encoding="utf-8")
    temporary.replace(path)
