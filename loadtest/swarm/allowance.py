"""How often sessions may ask for what counts against the server's rate limit."""

from __future__ import annotations

import time


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
