"""The container of a server as a scenario disturbs it: a protocol, so that tests can play it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from loadtest.scenarios.model import Setup
    from loadtest.scenarios.world import World

Signal = Literal["KILL", "TERM"]


@dataclass(frozen=True)
class ContainerState:
    """What the engine says of a container; memory in bytes."""

    running: bool
    status: str
    """`running`, `restarting`, `exited`, ..."""
    exit_code: int
    restarts: int
    started_at: str
    memory: int
    memswap: int
    """Memory and swap together, as the engine applied it."""
    restart_policy: str
    """As Compose writes it: on-failure:5."""


@dataclass(frozen=True)
class LogFile:
    """One file of a container's log."""

    name: str
    size: int


class Docs(Protocol):
    """A container of the docs beside the server's."""

    def answers(self) -> bool:
        """Whether it serves its page now."""
        ...

    def started_at(self) -> str:
        """When it was started last, and how often it was restarted."""
        ...


class Control(Protocol):
    """A container of ours with a server in it."""

    def agents(self) -> list[str] | None:
        """The feature of every agent process, by the kernel; None where nothing can be read."""
        ...

    def kill_agent(self, feature_id: str) -> bool:
        """End an agent with SIGKILL; False when it has no process."""
        ...

    def end_server(self, signal: Signal) -> bool:
        """Signal the server's own process from inside; False when there is none."""
        ...

    def oom_kills(self) -> int:
        """Processes of the container that the kernel killed for want of memory."""
        ...

    def restart(self) -> None:
        """Stop the container in order and start it again."""
        ...

    def state(self) -> ContainerState:
        """The container now."""
        ...

    def write(self, path: str, text: str) -> None:
        """Put a file into the container, owned by the server's user."""
        ...

    def exists(self, path: str) -> bool:
        """Whether the container has such a file or folder."""
        ...

    def environment(self) -> Mapping[str, str]:
        """The environment of the server's process, as the kernel shows it."""
        ...

    def heap_limit(self) -> int | None:
        """V8's heap limit in bytes, by the container's own node; None without one."""
        ...

    def print_lines(self, total: int) -> None:
        """Have the container print about `total` bytes."""
        ...

    def log_files(self) -> list[LogFile] | None:
        """The engine's files of the container's output; None where they cannot be read."""
        ...

    def another(self, setup: Setup) -> AbstractContextManager[World]:
        """A fresh target beside this one, gone afterwards."""
        ...

    def docs(self) -> AbstractContextManager[Docs]:
        """A docs container, gone afterwards."""
        ...

    def swap(self, size: int) -> AbstractContextManager[bool]:
        """Swap on the host for the length of the block; False where there is none."""
        ...
