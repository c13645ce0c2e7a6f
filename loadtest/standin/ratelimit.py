"""Request limits in fixed windows, counted per client, reported in draft-7 headers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import StandinError

Clock = Callable[[], float]

EXEMPT = ("/api/health", "/api/settings/status")
EXEMPT_BELOW = ("/api/health/", "/api/setup/")


@dataclass
class Window:
    """One client's current window: when it ends (clock seconds) and the requests so far."""

    ends: float
    count: int = 0


class Windows:
    """Counters that start with a client's first request and fall after `seconds`."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self.seconds = seconds
        self.clock = clock
        self._windows: dict[str, Window] = {}

    def current(self, client: str) -> Window:
        """Return the client's open window, a new one when the last has ended."""
        now = self.clock()
        window = self._windows.get(client)
        if window is None or window.ends <= now:
            # Ended windows go when a new one opens, so that clients long gone cost no memory.
            self._windows = {key: old for key, old in self._windows.items() if old.ends > now}
            window = self._windows[client] = Window(now + self.seconds)
        return window

    def remaining(self, window: Window) -> int:
        """Whole seconds until the window ends, rounded up."""
        return max(0, math.ceil(window.ends - self.clock()))


class RateLimit:
    """At most `limit` requests a window; every answer says how many are left."""

    def __init__(
        self, limit: int, seconds: int, message: str, clock: Clock = time.monotonic
    ) -> None:
        self.limit = limit
        self.message = message
        self._windows = Windows(seconds, clock)
        self._policy = f"{limit};w={seconds}"

    def admit(self, client: str) -> dict[str, str]:
        """Count one request and return its headers. Raises StandinError (429) over the limit."""
        window = self._windows.current(client)
        window.count += 1
        reset = self._windows.remaining(window)
        left = max(0, self.limit - window.count)
        headers = {
            "RateLimit-Policy": self._policy,
            "RateLimit": f"limit={self.limit}, remaining={left}, reset={reset}",
        }
        if window.count > self.limit:
            body = {"error": self.message}
            raise StandinError(429, body, {**headers, "Retry-After": str(reset)})
        return headers


def api_limit(clock: Clock = time.monotonic) -> RateLimit:
    """Return the limit on all of /api."""
    return RateLimit(300, 60, "Too many requests, please try again later", clock)


def login_limit(clock: Clock = time.monotonic) -> RateLimit:
    """Return the further limit on logins."""
    return RateLimit(20, 900, "Too many login attempts, please try again later", clock)


def is_exempt(path: str) -> bool:
    """Whether a path may be polled without limit."""
    return path in EXEMPT or path.startswith(EXEMPT_BELOW)
