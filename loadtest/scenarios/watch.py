"""The watcher: how many agents run, by the server's word and by the kernel's, and the most ever."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Look = Callable[[], list[str] | None]
"""Features that have an agent now, one entry an agent; None where nobody can say."""
HZ = 20.0
UNKNOWN = ""
"""The feature of an agent process that cannot be told from outside."""


@dataclass(frozen=True)
class Most:
    """The most agents at once so far."""

    reported: int
    """By the server's API."""
    live: int
    """Processes, by the kernel."""

    @property
    def either(self) -> int:
        """The larger of the two."""
        return max(self.reported, self.live)

    def __str__(self) -> str:
        return f"{self.reported} in the API, {self.live} processes"


class Watcher:
    """Looks `hz` times a second in a thread of its own, and remembers.

    A process counts when it is there in two looks in a row: one that was told to end, and is
    about to, is no agent at work.
    """

    def __init__(self, reported: Look, live: Look, hz: float = HZ) -> None:
        self._reported_by = reported
        self._live_by = live
        self._period = 1 / hz
        self._projects: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._lock = threading.Lock()
        self._last: Counter[str] = Counter()
        self._reported: Counter[str | None] = Counter()
        self._live: Counter[str | None] = Counter()
        self._twice: set[str] = set()
        self._looks = 0
        self._kernel_looks = 0
        self.problem = ""
        """Why it no longer looks: what it has seen until then is not all there was."""

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=15)

    def know(self, feature_id: str, project: str) -> None:
        """Remember which project a feature belongs to; the server does not say."""
        self._projects[feature_id] = project

    def of(self, project: str, features: list[str]) -> list[str]:
        """Those of the features that belong to a project."""
        return [one for one in features if self._projects.get(one) == project]

    def most(self, project: str | None = None) -> Most:
        """The most at once since the last `forget`: of one project, or of all."""
        with self._lock:
            return Most(self._reported[project], self._live[project])

    @property
    def twice(self) -> set[str]:
        """Features that had two agents at the same time."""
        with self._lock:
            return set(self._twice)

    @property
    def looks(self) -> int:
        """How often the server has answered since the last `forget`."""
        return self._looks

    @property
    def sees_processes(self) -> bool:
        """Whether the kernel was asked too."""
        return self._kernel_looks > 0

    def forget(self) -> None:
        """Begin anew, after a part of a story that does not count."""
        with self._lock:
            self._reported.clear()
            self._live.clear()
            self._twice.clear()
            self._last.clear()
            self._looks = 0

    def _watch(self) -> None:
        while not self._stop.wait(self._period):
            try:
                reported, live = self._reported_by(), self._live_by()
            except Exception as error:
                self.problem = f"{type(error).__name__}: {error}"
                return
            with self._lock:
                self._note(reported, live)

    def _note(self, reported: list[str] | None, live: list[str] | None) -> None:
        if reported is not None:
            self._looks += 1
            self._raise(self._reported, Counter(reported))
        if live is not None:
            self._kernel_looks += 1
            now = Counter(live)
            lasting = now & self._last
            self._last = now
            self._raise(self._live, lasting)
            self._twice |= {one for one, n in lasting.items() if n > 1 and one != UNKNOWN}

    def _raise(self, most: Counter[str | None], now: Mapping[str, int]) -> None:
        totals: Counter[str | None] = Counter()
        for feature_id, count in now.items():
            totals[None] += count
            if project := self._projects.get(feature_id):
                totals[project] += count
        for key, count in totals.items():
            most[key] = max(most[key], count)
