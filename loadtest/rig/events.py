"""What the engine says of our containers: out of memory. Subscribed before they start."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import docker

from loadtest.rig.labels import RUN


class EventLog:
    """The `oom` events of one run's containers, as they arrive."""

    def __init__(self, client: docker.DockerClient, run_id: str) -> None:
        filters = {"label": f"{RUN}={run_id}", "event": "oom"}
        self._stream: Any = client.events(decode=True, filters=filters)
        self._events: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        # Closing the stream from another thread ends the loop with an error of its socket.
        with contextlib.suppress(Exception):
            for event in self._stream:
                self._events.append(event)

    def ooms(self, container_id: str) -> int:
        """How often the kernel ran out of memory for that container."""
        return sum(
            event.get("Action") == "oom" and event["Actor"]["ID"] == container_id
            for event in list(self._events)
        )

    def close(self) -> None:
        """End the subscription."""
        with contextlib.suppress(Exception):
            self._stream.close()
        self._thread.join(timeout=2)
