"""A container's memory as the kernel counts it, asked for inside the container, wherever that is.

`docker stats` takes one to two seconds a sample and counts page cache that can be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass

from compose.deploy.host import Host
from settings.sizes import in_binary

PRESSURE = 0.8
# Both layouts: cgroup 2 first, then 1. The first number is the usage.
_READ = """
cd /sys/fs/cgroup
if [ -r memory.current ]; then cat memory.current memory.stat memory.events
else cat memory/memory.usage_in_bytes memory/memory.stat memory/memory.oom_control; fi
"""


@dataclass(frozen=True)
class Memory:
    """Bytes. `anon` cannot be taken back; the working set is anon and the cache in use."""

    anon: int
    working_set: int
    limit: int
    """0 where there is none."""
    oom_kills: int
    """Processes that the kernel has killed in this container."""

    @property
    def share(self) -> float:
        """Working set as a share of the limit; 0 without one."""
        return self.working_set / self.limit if self.limit else 0.0

    def text(self) -> str:
        """Return it as a person reads it."""
        if not self.limit:
            return f"{in_binary(self.anon)} anon, no limit"
        return (
            f"{in_binary(self.anon)} anon, {in_binary(self.working_set)} working set "
            f"of {in_binary(self.limit)} ({self.share:.0%})"
        )

    def warnings(self) -> list[str]:
        """Return the guide's signs of pressure."""
        found = []
        if self.share > PRESSURE:
            found.append(f"memory pressure: {self.share:.0%} of the limit is in use (above 80 %)")
        if self.oom_kills:
            found.append(f"the kernel has killed {self.oom_kills} processes for memory")
        return found


def memory_of(host: Host, name: str, limit: int) -> Memory | None:
    """Read a running container's memory; None where it cannot be read."""
    done = host.look(["docker", "exec", "--user", "0", name, "sh", "-c", _READ])
    return parse_memory(done.stdout, limit) if done.returncode == 0 else None


def parse_memory(text: str, limit: int) -> Memory | None:
    """Read usage, statistics and events of either cgroup version; None for anything else."""
    first, _, rest = text.partition("\n")
    figures: dict[str, int] = {}
    for line in rest.splitlines():
        key, _, value = line.partition(" ")
        if value.strip().isdecimal():
            figures[key] = int(value)
    if not first.strip().isdecimal() or not figures:
        return None
    anon = figures.get("anon", figures.get("total_rss", 0))
    cache = figures.get("total_inactive_file", figures.get("inactive_file", 0))
    working_set = max(0, int(first) - cache)
    return Memory(anon, working_set, limit, figures.get("oom_kill", 0))
