"""What one process holds, by the kernel's account of its pages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Held:
    """Memory of a process in bytes."""

    private: int
    """What its end would free (USS), in memory or swapped out."""
    pss: int
    """The same and its part of what it shares."""


def held_by(pid: int, proc: Path = Path("/proc")) -> Held:
    """Memory of a process of this host. Raises OSError when it is gone or may not be read."""
    sizes = {}
    for line in (proc / str(pid) / "smaps_rollup").read_bytes().splitlines()[1:]:
        key, value = line.split()[:2]
        sizes[key] = int(value) * 1024
    # SwapPss, not Swap: a swapped page that is shared counts once among those who share it.
    swapped = sizes.get(b"SwapPss:", 0)
    private = sizes[b"Private_Clean:"] + sizes[b"Private_Dirty:"] + swapped
    return Held(private, sizes[b"Pss:"] + swapped)
