"""The target: one server container with the staging limits, asserted, and gone afterwards."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from types import TracebackType
from typing import Any, Self

import docker
from docker.types import LogConfig
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from compose.model import Restart
from loadtest.outcome import Evidence
from loadtest.rig.cgroup import MemoryCgroup, open_cgroup
from loadtest.rig.errors import RigError, TargetDiedError
from loadtest.rig.probe import check_health

PORT = 3008
_LOG_LINES = 50
_HEAP_ABORT = "heap out of memory"


@dataclass(frozen=True)
class LogFiles:
    """How the engine keeps what a container prints; `max_size` as Docker writes it: 100m."""

    max_size: str
    max_file: int

    def config(self) -> dict[str, Any]:
        """The engine's words for it."""
        options = {"max-size": self.max_size, "max-file": str(self.max_file)}
        return {"Type": "json-file", "Config": options}


@dataclass(frozen=True)
class TargetSpec:
    """What is started; sizes in bytes."""

    image: str
    memory: int
    memswap: int | None
    """Memory and swap together; None leaves it to the engine."""
    cpus: float
    init: bool
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    restart: Restart | None = None
    """None leaves it to the engine, which restarts nothing."""
    logs: LogFiles | None = None

    def kwargs(self) -> dict[str, Any]:
        """The engine's arguments; in one piece, since testcontainers keeps only the last one."""
        arguments: dict[str, Any] = {
            "mem_limit": self.memory,
            "nano_cpus": round(self.cpus * 1e9),
            "init": self.init,
            "labels": dict(self.labels),
        }
        if self.memswap is not None:
            arguments["memswap_limit"] = self.memswap
        if self.restart:
            arguments["restart_policy"] = _policy(self.restart)
        if self.logs:
            config = self.logs.config()
            arguments["log_config"] = LogConfig(type=config["Type"], config=config["Config"])
        return arguments


def _policy(restart: Restart) -> dict[str, Any]:
    return {"Name": restart.name, "MaximumRetryCount": restart.retries or 0}


class Target:
    """A running server container; a context manager that removes it whatever happened."""

    def __init__(
        self, spec: TargetSpec, client: docker.DockerClient, engine: str | None = None
    ) -> None:
        """`engine` is the address that `client` talks to; None for the environment's."""
        # Our own sweeper cleans up: the reaper's image cannot be pulled without a registry.
        testcontainers_config.ryuk_disabled = True
        self.spec = spec
        self._client = client
        where = {"environment": {"DOCKER_HOST": engine}} if engine else None
        self._container = DockerContainer(spec.image, where).with_kwargs(**spec.kwargs())
        # 127.0.0.1 and a free port: nothing outside this host reaches the target.
        ports: dict[str, Any] = {f"{PORT}/tcp": ("127.0.0.1",)}
        self._container.ports = ports
        for name, value in spec.environment.items():
            self._container.with_env(name, value)
        self.id = ""
        self.pid = 0
        self.address = ("127.0.0.1", 0)

    def __enter__(self) -> Self:
        try:
            self._container.start()
            self.id = self._container.get_wrapped_container().id or ""
            state = self.inspect()
            assert_limits(state["HostConfig"], self.spec)
            self._note(state)
            self._reach()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    @property
    def url(self) -> str:
        """Base URL of the server."""
        return f"http://{self.address[0]}:{self.address[1]}"

    def _reach(self) -> None:
        """See that it can be measured from here: an engine elsewhere is found out now."""
        if self.pid:
            self.cgroup().close()

    def refresh(self) -> None:
        """Look again where the container is: a restart gives it another process and port."""
        self._note(self.inspect())

    def _note(self, state: Mapping[str, Any]) -> None:
        self.pid = state["State"]["Pid"]
        # A container that is down, or between two lives, has no port.
        for binding in (state["NetworkSettings"]["Ports"] or {}).get(f"{PORT}/tcp") or ():
            self.address = binding["HostIp"], int(binding["HostPort"])

    def cgroup(self) -> MemoryCgroup:
        """The container's memory cgroup, open."""
        return open_cgroup(self.pid)

    def wait_ready(self, budget_s: float) -> float:
        """Seconds until the server said it is ready. Raises TargetDiedError with its log."""
        began = time.monotonic()
        while time.monotonic() - began < budget_s:
            with contextlib.suppress(OSError, HTTPException):
                if check_health(self.address, 2, "/api/health/ready") == 200:
                    return time.monotonic() - began
            if not self.is_running():
                raise self._died("the server ended before it was ready")
            time.sleep(0.02)
        raise self._died(f"the server was not ready within {budget_s:.0f} s")

    def is_running(self) -> bool:
        """Whether the container runs now; False also when it is gone."""
        try:
            return bool(self.inspect()["State"]["Running"])
        except docker.errors.NotFound:
            return False

    def evidence(self) -> Evidence:
        """What the engine knows of the container; OOMKilled is only one witness among others."""
        try:
            state = self.inspect()
        except docker.errors.NotFound:
            return Evidence(running=False)
        status = state["State"]
        return Evidence(
            running=status["Running"],
            exit_code=None if status["Running"] else status["ExitCode"],
            oom_killed_flag=status["OOMKilled"],
            restarts=state["RestartCount"],
            heap_abort_logged=_HEAP_ABORT in self.log(),
        )

    def log(self) -> str:
        """The last lines that the server printed."""
        try:
            container = self._client.containers.get(self.id)
            return container.logs(tail=_LOG_LINES).decode(errors="replace")
        except docker.errors.DockerException:
            return ""

    def remove(self) -> None:
        """Kill and remove the container; its end is no news any more."""
        container = self._container.get_wrapped_container()
        if container is not None:
            with contextlib.suppress(docker.errors.NotFound):
                container.remove(force=True, v=True)

    def inspect(self) -> dict[str, Any]:
        """All that the engine says of the container. Raises NotFound once it is removed."""
        state: dict[str, Any] = self._client.api.inspect_container(self.id)
        return state

    def _died(self, what: str) -> TargetDiedError:
        lines = self.log().strip()
        return TargetDiedError(f"{what}; its last lines:\n{lines or '(it printed nothing)'}")


def assert_limits(host_config: Mapping[str, Any], spec: TargetSpec) -> None:
    """Compare the limits in force with those asked for. Raises RigError if they differ.

    A limit that was silently dropped would turn every later figure into fiction.
    """
    wanted: dict[str, Any] = {
        "Memory": spec.memory,
        "NanoCpus": round(spec.cpus * 1e9),
        "Init": spec.init,
    }
    if spec.memswap is not None:
        wanted["MemorySwap"] = spec.memswap
    if spec.restart:
        wanted["RestartPolicy"] = _policy(spec.restart)
    if spec.logs:
        wanted["LogConfig"] = spec.logs.config()
    for key, value in wanted.items():
        if host_config.get(key) != value:
            raise RigError(
                f"the engine did not apply {key}: asked for {value}, got {host_config.get(key)}"
            )
