"""One look at the server for all sessions: who runs, and whether it still answers."""

from __future__ import annotations

import time

import gevent

from loadtest.swarm.api import Api, ApiError, NoAnswerError
from loadtest.swarm.conductor import Silence


class Board:
    """The running agents, asked for again and again; sessions read it instead of polling."""

    def __init__(self, api: Api, poll_s: float) -> None:
        self._api = api
        self._poll_s = poll_s
        self.running: frozenset[str] = frozenset()
        self.version = 0
        """Counts the answers, so that a reader knows whether it has seen the newest."""
        self.most = 0
        self._answered = time.monotonic()
        self._refused = False

    def silence(self) -> Silence:
        """How long the server has not answered, and whether anything listens at all."""
        return Silence(time.monotonic() - self._answered, refused=self._refused)

    def watch(self) -> None:
        """Poll for ever; runs in a greenlet of its own."""
        while True:
            try:
                self.running = frozenset(self._api.running())
            except (ApiError, ValueError, KeyError) as error:
                self._refused = isinstance(error, NoAnswerError) and error.refused
                gevent.sleep(self._poll_s)
                continue
            self._answered = time.monotonic()
            self._refused = False
            self.version += 1
            self.most = max(self.most, len(self.running))
            gevent.sleep(self._poll_s)
