"""The probe: watches a container's memory, processes and health from outside while agents run."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from loadtest.outcome import Health, Sampling, SeenAgent
from loadtest.rig.cgroup import Reading
from loadtest.rig.kernel import AGENT_PREFIX, Kernel, Process

COLUMNS = "t_s,usage,anon,file,swap,agents,oom_kills,health_ms"
_PRIVATE_EVERY_S = 0.5
_HEALTH_EVERY_S = 0.5


class Probe:
    """Samples until stopped: memory at `hz`, private memory of agents and health twice a second.

    Three threads, since none may wait for another: reading memory takes microseconds, walking the
    pages of a large process milliseconds, and a health check as long as the server likes.
    """

    def __init__(
        self,
        kernel: Kernel,
        samples: Path,
        health_address: tuple[str, int],
        *,
        began: float,
        hz: float,
        health_timeout_s: float,
        on_sample: Callable[[Reading, int], None] = lambda *_: None,
    ) -> None:
        self._kernel = kernel
        self._samples = samples
        self._address = health_address
        self._began = began
        self._period = 1 / hz
        self._health_timeout_s = health_timeout_s
        self._on_sample = on_sample
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._agents: dict[int, SeenAgent] = {}
        self._times: list[float] = []
        self._latencies: list[float] = []
        self._new_latency: float | None = None
        self.failed_checks = 0
        self.max_running = 0
        self.peak = 0
        self.base = 0
        """Least memory that reclaim could not give back, before the first agent."""
        self.last: Reading | None = None
        self.first_kill_s: float | None = None
        """When a process was first seen to have been killed for want of memory."""
        self.problem: str | None = None
        """Why sampling ended before it was stopped."""
        self.vanished_s: float | None = None
        """When the cgroup could no longer be read: the container ended, or the probe is blind."""
        self._stopped_s: float | None = None

    def start(self) -> None:
        """Begin to watch."""
        loops = (self._watch_memory, self._watch_private, self._watch_health)
        self._threads = [threading.Thread(target=loop, daemon=True) for loop in loops]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all threads and wait for them; a second call does nothing."""
        if self._stopped_s is None:
            self._stopped_s = self._now()
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=self._health_timeout_s + 5)

    @property
    def agents(self) -> list[SeenAgent]:
        """Every agent process seen so far, in the order of its first sample."""
        return list(self._agents.values())

    def sampling(self) -> Sampling:
        """How densely memory was sampled."""
        times = list(self._times)
        if len(times) < 2:
            return Sampling(samples=len(times))
        # A stall just before the end is a hole like any other.
        end = self.vanished_s or self._stopped_s or times[-1]
        gaps = [after - before for before, after in itertools.pairwise([*times, end])]
        span = times[-1] - times[0]
        return Sampling(samples=len(times), hz=(len(times) - 1) / span, longest_gap_s=max(gaps))

    def health(self) -> Health:
        """How the server answered its health check."""
        if not self._latencies:
            return Health(checks=self.failed_checks, failures=self.failed_checks)
        ordered = sorted(self._latencies)
        return Health(
            checks=len(ordered) + self.failed_checks,
            failures=self.failed_checks,
            p50_ms=statistics.median(ordered),
            p99_ms=ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
            max_ms=ordered[-1],
        )

    def _now(self) -> float:
        return time.time() - self._began

    def _watch_memory(self) -> None:
        try:
            with self._samples.open("w", encoding="ascii") as file:
                file.write(COLUMNS + "\n")
                due = time.monotonic()
                while not self._stop.wait(max(0.0, due - time.monotonic())):
                    # After a stall the next sample is due one period later, not at once.
                    due = max(due, time.monotonic() - self._period) + self._period
                    if not self._sample(file):
                        return
        except OSError as error:
            self.problem = f"samples cannot be written: {error.strerror}: {self._samples}"
        except Exception as error:
            # Whatever it was, the trial must not count as if it had been watched.
            self.problem = f"{type(error).__name__}: {error}"

    def _sample(self, file: TextIO) -> bool:
        try:
            look = self._kernel.look()
        except (OSError, ValueError):
            self.vanished_s = self._now()
            return False
        reading, now = look.reading, look.at_s - self._began
        running = self._note_agents(look.processes, now)
        # A spike may fall between two samples; the kernel misses none.
        self.peak = max(self.peak, look.peak, reading.usage + reading.swap)
        if reading.oom_kills and self.first_kill_s is None:
            self.first_kill_s = now
        self._times.append(now)
        self.last = reading
        self.max_running = max(self.max_running, running)
        if not self._agents:
            self.base = min(self.base or reading.committed, reading.committed)
        latency, self._new_latency = self._new_latency, None
        health = "" if latency is None else f"{latency:.1f}"
        file.write(
            f"{now:.3f},{reading.usage},{reading.anon},{reading.file},{reading.swap},"
            f"{running},{reading.oom_kills},{health}\n"
        )
        file.flush()
        self._on_sample(reading, running)
        return True

    def _note_agents(self, processes: Mapping[int, Process], now: float) -> int:
        """Count the agents that run, and remember those not seen before."""
        running = 0
        for pid, process in processes.items():
            if not process.is_agent or process.parent in self._agents:
                # A child that an agent has just started still bears the agent's name.
                continue
            agent = self._agents.setdefault(
                pid, SeenAgent(pid, process.name.removeprefix(AGENT_PREFIX), now, now)
            )
            agent.last_s = now
            running += 1
        return running

    def _watch_private(self) -> None:
        while not self._stop.wait(_PRIVATE_EVERY_S):
            self.look_at_agents()

    def look_at_agents(self) -> None:
        """Read the private memory of every agent that runs, where this user may."""
        for agent in self.agents:
            if self._now() - agent.last_s > 1:
                continue
            with contextlib.suppress(OSError, ValueError, KeyError):
                at_s, held = self._kernel.held(agent.pid)
                agent.private_bytes, agent.pss_bytes = held.private, held.pss
                agent.private_s = at_s - self._began

    def _watch_health(self) -> None:
        while not self._stop.wait(_HEALTH_EVERY_S):
            began = time.monotonic()
            try:
                healthy = check_health(self._address, self._health_timeout_s) == 200
            except (OSError, http.client.HTTPException):
                healthy = False
            if healthy:
                self._new_latency = (time.monotonic() - began) * 1000
                self._latencies.append(self._new_latency)
            else:
                self.failed_checks += 1


def check_health(address: tuple[str, int], timeout_s: float, path: str = "/api/health") -> int:
    """Ask the server for its health once; returns the status code.

    Raises OSError or HTTPException when there is no answer.
    """
    connection = http.client.HTTPConnection(*address, timeout=timeout_s)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()
