"""Whether the engine of a host is still there: by its stream of events, and by asking."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import docker

from loadtest.rig.engine import ENGINE_ERRORS

_ASK_EVERY_S = 2.0
_ANSWER_S = 5
_TRIES = 3


class Lifeline:
    """Watches one engine until it is closed, or lost for good.

    An engine that has gone and come back is lost too: what its containers were in between, nobody
    has seen. Its stream of events tells that at once; questions tell of a machine that went
    without a word.
    """

    def __init__(self, engine: str) -> None:
        """`engine` is its address. Raises an error of the engine when it does not answer."""
        self._client = docker.DockerClient(base_url=engine, timeout=_ANSWER_S)
        self._stream: Any = self._client.events(filters={"type": "daemon"})
        self._closed = threading.Event()
        self.lost: str | None = None
        """Why it counts as lost; None while it is there."""
        loops = (self._listen, self._ask)
        self._threads = [threading.Thread(target=loop, daemon=True) for loop in loops]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Watch no longer."""
        self._closed.set()
        with contextlib.suppress(Exception):
            self._stream.close()
        self._threads[1].join(_ANSWER_S)
        self._client.close()

    def _listen(self) -> None:
        reason = "its engine ended"
        try:
            for _ in self._stream:
                pass
        except Exception as error:
            # Whatever broke it: nobody sees the engine through this stream any more.
            reason = f"the connection to its engine broke ({type(error).__name__})"
        self._lose(reason)

    def _ask(self) -> None:
        misses = 0
        while not self._closed.wait(_ASK_EVERY_S):
            try:
                self._client.ping()
                misses = 0
            except ENGINE_ERRORS:
                misses += 1
            if misses == _TRIES:
                self._lose(f"its engine gave no answer {_TRIES} times")
                return

    def _lose(self, reason: str) -> None:
        if not self._closed.is_set() and self.lost is None:
            self.lost = reason
