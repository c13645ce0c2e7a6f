"""The load of one trial on a fleet: Locust's master, and a worker for each host."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from loadtest.outcome import Trial
from loadtest.rig.swarm_process import SwarmProcess
from loadtest.swarm.result import FleetStatistics, SwarmResult, SwarmTask

_LOOK_S = 0.05
_END_S = 15.0
_NOT_COMPLETED = 4
_OUT_OF_TIME = 124


class FleetMaster(SwarmProcess):
    """The master of one trial: it hands out users and collects statistics."""

    def lead(self, workers: int) -> None:
        """Let it begin with so many workers."""
        with contextlib.suppress(OSError):
            os.write(self._go, b"%d\n" % workers)

    @property
    def is_running(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    def finish(self) -> FleetStatistics:
        """End it, and its workers with it; returns what it counted, nothing where it crashed."""
        if self._go >= 0:
            os.close(self._go)
            self._go = -1
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self.stop()
        try:
            return FleetStatistics.model_validate_json(self._result_file.read_bytes())
        except (OSError, ValueError):
            return FleetStatistics()


class FleetWorker(SwarmProcess):
    """The worker of one host. It stays when its trial is over, until that of all others is."""

    def __init__(
        self,
        fleet: FleetSwarm,
        host: str,
        task: SwarmTask,
        folder: Path,
        log: Path,
        environ: Mapping[str, str],
    ) -> None:
        role = ("--worker", "--master-host", "127.0.0.1", "--master-port", str(fleet.port))
        super().__init__(task, folder, log, environ, role)
        self._fleet = fleet
        self._host = host
        self._ending = threading.Lock()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._task_file.unlink(missing_ok=True)
        if error is not None:
            self._fleet.drop(self._host)

    def go(self) -> None:
        """Wait until every host of the fleet has come this far; then let the agents come."""
        self._fleet.arrive(self._host)
        super().go()

    def wait(self, budget_s: float) -> tuple[int, SwarmResult | None]:
        """Exit code and result, from the file: the process is to outlive its own trial."""
        end = time.monotonic() + budget_s
        while time.monotonic() < end:
            ended = self._process.poll() is not None or not self._fleet.is_running
            if result := self._result():
                return 0 if result.completed else _NOT_COMPLETED, result
            if ended:
                self.stop()
                return self._process.returncode or _NOT_COMPLETED, None
            time.sleep(_LOOK_S)
        self.stop()
        return _OUT_OF_TIME, None

    def stop(self) -> None:
        """End the process; from whichever thread."""
        with self._ending:
            super().stop()

    def end(self) -> None:
        """End it, and remove its files."""
        super().__exit__(None, None, None)


class FleetSwarm:
    """All Locust processes of one trial; a context manager that leaves none behind."""

    def __init__(
        self,
        trial: Trial,
        models: Mapping[str, str],
        hosts: Collection[str],
        folder: Path,
        environ: Mapping[str, str],
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._environ = environ
        role = ("--headless", "--master", "--master-bind-host", "127.0.0.1",
                "--master-bind-port", str(self.port))  # fmt: skip
        log = folder / "logs" / f"{trial.id}.master.log"
        self._master = FleetMaster(_master_task(trial, models), folder, log, environ, role)
        self._expected = set(hosts)
        self._arrived: set[str] = set()
        self._workers: dict[str, FleetWorker] = {}
        self._gate = threading.Condition()
        self._open = self._closed = False
        self.statistics = FleetStatistics()
        """What the master counted, once all is over."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_running(self) -> bool:
        """Whether there is a master that leads."""
        return not self._closed and self._master.is_running

    def worker(self, host: str, task: SwarmTask, folder: Path, log: Path) -> FleetWorker:
        """Start the worker of a host; it follows `task`."""
        worker = FleetWorker(self, host, task, folder, log, self._environ)
        with self._gate:
            self._workers[host] = worker
            gone = host not in self._expected or self._closed
        if gone:  # dropped while it was started
            worker.end()
        return worker

    def arrive(self, host: str) -> None:
        """Wait until all hosts that are not dropped are ready."""
        with self._gate:
            self._arrived.add(host)
            self._look()
            self._gate.wait_for(lambda: self._open or self._closed or host not in self._expected)

    def drop(self, host: str) -> None:
        """Go on without a host, whose worker is ended."""
        with self._gate:
            self._expected.discard(host)
            self._look()
            self._gate.notify_all()
            worker = self._workers.get(host)
        if worker is not None:
            worker.end()

    def leave(self, host: str) -> None:
        """Go on without a host that has not come to the start; others do not wait for it."""
        with self._gate:
            came = host in self._arrived
        if not came:
            self.drop(host)

    def close(self) -> None:
        """End the trial for whoever still runs. A second call does nothing."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._gate.notify_all()
        self.statistics = self._master.finish()
        for worker in list(self._workers.values()):
            worker.end()
        self._master.__exit__(None, None, None)

    def _look(self) -> None:
        """Open the gate once all are there."""
        if not self._open and self._expected and self._expected <= self._arrived:
            self._open = True
            self._master.lead(len(self._expected))
            self._gate.notify_all()


def _master_task(trial: Trial, models: Mapping[str, str]) -> SwarmTask:
    """What the master is told: which agents there are; it speaks to no server."""
    return SwarmTask(
        host="",
        api_key="",
        trial=trial,
        models=dict(models),
        began=time.time(),
        projects_root="",
        agents_per_project=1,
        hold_s=0,
        duration_s=0,
        poll_s=1,
        agent_budget_s=0,
        unanswered_budget_s=0,
    )
