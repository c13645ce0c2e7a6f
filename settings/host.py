"""What this host is: memory, swap, processors, disk, kernel, cgroup version."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

GIB = 2**30
TARGET_MEMORY = 48 * GIB
# A 48 GiB host reports a little less: firmware and the kernel keep some of it.
NEARLY = 0.96
TARGET_CPUS = 8


@dataclass(frozen=True)
class HostFacts:
    """Facts of one host; sizes in bytes."""

    memory: int
    memory_available: int
    swap: int
    cpus: int
    disk_free: int
    kernel: str
    system: str
    cgroup_version: int
    """1 or 2; 0 where there are no cgroups."""

    @property
    def is_target(self) -> bool:
        """Whether this is the host the guide speaks of: 48 GiB and 8 cores, or more."""
        return self.memory >= TARGET_MEMORY * NEARLY and self.cpus >= TARGET_CPUS

    @property
    def fingerprint(self) -> str:
        """Short id of the host's class; equal for hosts whose results can be compared."""
        parts = (self.memory // GIB, self.cpus, self.cgroup_version, self.kernel, self.system)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def host_facts(disk: Path = Path("/")) -> HostFacts:
    """Facts of this host, with the free space of the file system that holds `disk`."""
    memory = psutil.virtual_memory()
    return HostFacts(
        memory=memory.total,
        memory_available=memory.available,
        swap=psutil.swap_memory().total,
        cpus=_usable_cpus(),
        disk_free=shutil.disk_usage(disk).free,
        kernel=platform.release(),
        system=platform.system(),
        cgroup_version=_cgroup_version(Path("/sys/fs/cgroup")),
    )


def network_mbps(
    routes: Path = Path("/proc/net/route"), devices: Path = Path("/sys/class/net")
) -> int | None:
    """Speed of the device that leads out of this host, in Mbit/s; None where nobody knows.

    Virtual devices often have no speed, and report -1 or an error.
    """
    try:
        lines = [line.split() for line in routes.read_text(encoding="ascii").splitlines()[1:]]
        device = next(words[0] for words in lines if len(words) > 1 and words[1] == "00000000")
        speed = int((devices / device / "speed").read_text(encoding="ascii"))
    except (OSError, StopIteration, ValueError):
        return None
    return speed if speed > 0 else None


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return psutil.cpu_count() or 1


def _cgroup_version(root: Path) -> int:
    if (root / "cgroup.controllers").exists():
        return 2
    return 1 if (root / "memory").is_dir() else 0
