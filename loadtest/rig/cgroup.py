"""The kernel's own account of a container's memory: cgroup v1 and v2 behind one reader."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loadtest.rig.errors import RigError

ROOT = Path("/sys/fs/cgroup")
_ENOUGH = 16384


@dataclass(frozen=True)
class Reading:
    """Memory of a cgroup at one moment, in bytes."""

    usage: int
    """Everything charged; this is what the limit is held against."""
    anon: int
    file: int
    swap: int
    oom_kills: int
    """Processes of the cgroup killed so far."""

    @property
    def committed(self) -> int:
        """What reclaim cannot give back without swap: usage less the page cache."""
        return max(0, self.usage - self.file)


class MemoryCgroup(Protocol):
    """An open cgroup; reading takes tens of microseconds."""

    path: Path

    def read(self) -> Reading:
        """The cgroup now. Raises OSError once it is gone."""
        ...

    def peak(self) -> int:
        """Most bytes of memory and swap ever charged, by the kernel; 0 where it does not say."""
        ...

    def pids(self) -> list[int]:
        """Process ids, as the host numbers them. Raises OSError once the cgroup is gone."""
        ...

    def close(self) -> None:
        """Give the file descriptors back."""
        ...


def open_cgroup(pid: int, root: Path = ROOT, proc: Path = Path("/proc")) -> MemoryCgroup:
    """The memory cgroup that process `pid` of this host lives in.

    Raises RigError where its files cannot be found: an engine on another machine, say.
    """
    try:
        lines = (proc / str(pid) / "cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        raise _unreachable(f"process {pid} of the container is not on this machine") from None
    paths = _parse(lines)
    try:
        if "memory" in paths:
            folder = root / "memory" / paths["memory"]
            return CgroupV1(folder)
        folder = root / paths.get("", "")
        return CgroupV2(folder)
    except OSError as error:
        raise _unreachable(f"{folder}: {error.strerror}") from None


def _unreachable(what: str) -> RigError:
    error = RigError(f"the container's memory cannot be read: {what}")
    error.add_note("run the load test on the machine whose Docker engine it uses")
    return error


def _parse(lines: list[str]) -> Mapping[str, str]:
    """Controller -> path from /proc/<pid>/cgroup; v2's own line has no controller."""
    found = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            found[controller] = path.lstrip("/")
    return found


class _Files:
    """Open files of one folder, read again and again from the start."""

    def __init__(self, path: Path, names: list[str]) -> None:
        self.path = path
        self._fds: dict[str, int] = {}
        try:
            for name in names:
                self._fds[name] = os.open(path / name, os.O_RDONLY)
        except OSError:
            self.close()
            raise

    def _text(self, name: str) -> bytes:
        return os.pread(self._fds[name], _ENOUGH, 0)

    def _table(self, name: str) -> dict[bytes, int]:
        fields = self._text(name).split()
        return {key: int(value) for key, value in zip(fields[::2], fields[1::2], strict=True)}

    def _figure(self, name: str) -> int:
        """A file that older kernels, or kernels without swap accounting, do not have."""
        try:
            return int((self.path / name).read_bytes())
        except FileNotFoundError:
            return 0

    def pids(self) -> list[int]:
        """Process ids, as the host numbers them."""
        # Opened anew: v1 keeps the list that an open file was first read with.
        return [int(pid) for pid in (self.path / "cgroup.procs").read_bytes().split()]

    def close(self) -> None:
        """Give the file descriptors back."""
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()


class CgroupV1(_Files):
    """The memory controller of cgroup v1."""

    def __init__(self, path: Path) -> None:
        names = ["memory.usage_in_bytes", "memory.stat", "memory.oom_control"]
        super().__init__(path, names)

    def read(self) -> Reading:
        """The cgroup now; see MemoryCgroup."""
        stat = self._table("memory.stat")
        return Reading(
            usage=int(self._text("memory.usage_in_bytes")),
            anon=stat[b"total_rss"],
            file=stat[b"total_cache"],
            swap=stat.get(b"total_swap", 0),
            oom_kills=self._table("memory.oom_control").get(b"oom_kill", 0),
        )

    def peak(self) -> int:
        """Most bytes charged so far, of memory and swap together where that is counted."""
        together = self._figure("memory.memsw.max_usage_in_bytes")
        return together or self._figure("memory.max_usage_in_bytes")


class CgroupV2(_Files):
    """The memory controller of cgroup v2."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, ["memory.current", "memory.stat", "memory.events"])

    def read(self) -> Reading:
        """The cgroup now; see MemoryCgroup."""
        stat = self._table("memory.stat")
        return Reading(
            usage=int(self._text("memory.current")),
            anon=stat[b"anon"],
            file=stat[b"file"],
            swap=self._figure("memory.swap.current"),
            oom_kills=self._table("memory.events")[b"oom_kill"],
        )

    def peak(self) -> int:
        """Most bytes charged so far: memory and swap each at their own worst moment."""
        return self._figure("memory.peak") + self._figure("memory.swap.peak")
