"""What the kernel says of a container: its memory, its processes, the memory of each.

Imports the standard library and its neighbours only: where the container runs on another machine,
this module is sent there and runs beside it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from loadtest.rig.cgroup import MemoryCgroup, Reading
from loadtest.rig.smaps import Held, held_by

AGENT_PREFIX = "agent:"
_OOM_KILL = "oom_kill "


@dataclass(frozen=True)
class Process:
    """What /proc says of a process in one line."""

    name: str
    state: str
    parent: int

    @property
    def is_agent(self) -> bool:
        """Whether this is an agent that runs.

        One that was killed stays listed on cgroup v1 until its parent has read its exit code.
        """
        return self.name.startswith(AGENT_PREFIX) and self.state not in "ZX"


class Look(NamedTuple):
    """A container at one moment."""

    at_s: float
    """Seconds since the epoch, by the clock of this machine."""
    reading: Reading
    peak: int
    """Most bytes ever charged, by the kernel; 0 where it does not say."""
    processes: Mapping[int, Process]
    """By process id, as the container's host numbers them."""


class HeldAt(NamedTuple):
    """Memory of a process, and when it was read, in seconds since the epoch."""

    at_s: float
    held: Held


class Kernel(Protocol):
    """The kernel of the container's host, here or elsewhere."""

    def look(self) -> Look:
        """The container now. Raises OSError or ValueError once it is gone or cannot be seen."""
        ...

    def held(self, pid: int) -> HeldAt:
        """Memory of one of its processes. Raises OSError when that is gone or may not be read."""
        ...

    def host_oom_kills(self) -> int:
        """Processes killed for want of memory since boot, in all cgroups of the host."""
        ...

    def close(self) -> None:
        """Ask no more."""
        ...


class LocalKernel:
    """The kernel of this machine; a look takes well under a millisecond."""

    def __init__(self, cgroup: MemoryCgroup, proc: Path = Path("/proc")) -> None:
        self._cgroup = cgroup
        self._proc = proc

    def look(self) -> Look:
        """The container now; see Kernel."""
        reading = self._cgroup.read()
        listed = {pid: read_process(pid, self._proc) for pid in self._cgroup.pids()}
        peak = self._cgroup.peak()
        processes = {pid: process for pid, process in listed.items() if process is not None}
        return Look(time.time(), reading, peak, processes)

    def held(self, pid: int) -> HeldAt:
        """Memory of one of its processes; see Kernel."""
        held = held_by(pid, self._proc)
        return HeldAt(time.time(), held)

    def host_oom_kills(self) -> int:
        """Processes killed on this machine; see Kernel."""
        return host_oom_kills(self._proc / "vmstat")

    def close(self) -> None:
        """Give the file descriptors back."""
        self._cgroup.close()


def read_process(pid: int, proc: Path = Path("/proc")) -> Process | None:
    """A process of this host; None when it is gone."""
    try:
        text = (proc / str(pid) / "stat").read_bytes().decode(errors="replace")
    except OSError:
        return None
    # The name stands in brackets and may hold anything, brackets too.
    name, _, rest = text.partition("(")[2].rpartition(")")
    state, parent = rest.split()[:2]
    return Process(name, state, int(parent))


def host_oom_kills(vmstat: Path = Path("/proc/vmstat")) -> int:
    """Processes that the kernel killed for want of memory since boot, in all cgroups."""
    for line in vmstat.read_text(encoding="ascii").splitlines():
        if line.startswith(_OOM_KILL):
            return int(line.removeprefix(_OOM_KILL))
    return 0


def is_here(pid: int, container_id: str, proc: Path = Path("/proc")) -> bool:
    """Whether a container's process is one of this machine.

    A process of that number alone proves nothing; that its cgroup bears the container's id does.
    """
    try:
        text = (proc / str(pid) / "cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return bool(container_id) and container_id in text
