"""One look at the server for all sessions: who runs, and whether it still answers."""

from __future__ import annotations

import time

import gevent

from loadtest.swarm.api import Api, ApiError


class Board:
    """The running agents, asked for again and again; sessions read it instead of polling."""

    def __init__(self, api: Api, poll_s: float) -> None:
        self._api = api
        self._poll_s = poll_s
        self.running: frozenset[str] = frozenset()
        self.version = 0
        """Counts the answers, so that a reader knows whether it has seen the newest."""
        self.answered = time.monotonic()
        self.most = 0

    @property
    def unanswered_s(self) -> float:
        """Seconds since the server last answered."""
        return time.monotonic() - self.answered

    def watch(self) -> None:
        """Poll for ever; runs in a greenlet of its own."""
        while True:
            try:
                self.running = frozenset(self._api.running())
            except (ApiError, ValueError, KeyError):
                gevent.sleep(self._poll_s)
                continue
            self.answered = time.monotonic()
            self.version += 1
            self.most = max(self.most, len(self.running))
            gevent.sleep(self._poll_s)


class Allowance:
    """A token bucket: how often sessions may ask for something that counts against a limit."""

    def __init__(self, burst: int, per_s: float) -> None:
        self._tokens = float(burst)
        self._burst = burst
        self._per_s = per_s
        self._seen = time.monotonic()

    def take(self) -> bool:
        """Whether one more request may be made now."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._seen) * self._per_s)
        self._seen = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
