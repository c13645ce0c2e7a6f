"""Memory that is really there: fill until the kernel says the target is met."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import time
from typing import Literal

HUGE_PAGE = 2 * 1024 * 1024
# Closer than this to the target counts as met: 16 pages, 0.05 % of the smallest scaled agent.
CLOSE_ENOUGH = 64 * 1024


def private_bytes(pid: int | str = "self") -> int:
    """Bytes that the end of a process would free (USS), from /proc/<pid>/smaps_rollup.

    Raises OSError when the process is gone or may not be read.
    """
    total = 0
    with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith((b"Private_Clean:", b"Private_Dirty:", b"Private_Hugetlb:")):
                total += int(line.split()[1]) * 1024
            elif line.startswith(b"SwapPss:"):
                # Swapped pages are private memory too: a target backed by swap stays met. Those
                # still shared with the warm parent count by their share, which is next to nothing.
                total += int(line.split()[1]) * 1024
    return total


def huge_pages_pay(trial_bytes: int = 64 * 1024 * 1024) -> bool:
    """Whether huge pages fill faster than small ones on this host, now.

    On bare metal they do. In a virtual machine whose host takes free memory back, a huge page is
    more likely to be one that the host has to bring first. Each kind is touched once, since pages
    that were just given back are warm; what is filled here is given back at once.
    """
    times = {}
    for huge in (False, True):
        region = _Region(trial_bytes, huge=huge)
        began = time.perf_counter()
        region.fill(trial_bytes, 1, None)
        times[huge] = time.perf_counter() - began
    return times[True] <= times[False]


class Ballast:
    """Anonymous memory of this process, grown page by page and never given back.

    The bulk lies in a region that may use huge pages (fewer faults, smaller page tables); the
    last bytes lie in one of small pages, since 2 MiB steps would miss a 1 % tolerance.
    """

    def __init__(
        self,
        capacity: int,
        content: Literal["same", "random"] = "same",
        *,
        huge_pages: bool = True,
        seed: int = 0,
    ) -> None:
        self._bulk = _Region(capacity + HUGE_PAGE, huge=huge_pages)
        self._rest = _Region(2 * HUGE_PAGE + capacity // 64, huge=False)
        self._byte = 1 + seed % 255  # never zero: an untouched page reads as zeros
        self._noise = os.urandom(HUGE_PAGE) if content == "random" else None

    def add(self, count: int) -> int:
        """Touch as many whole huge pages as fit into `count` bytes; returns the bytes touched."""
        bulk = min(count, self._bulk.left) // HUGE_PAGE * HUGE_PAGE
        self._bulk.fill(bulk, self._byte, self._noise)
        return bulk

    def grow_to(self, target: int) -> int:
        """Fill until private memory meets `target` bytes; returns the private memory reached.

        What is there already (interpreter, conversation) is inside the figure.
        """
        now = private_bytes()
        while target - now > CLOSE_ENOUGH:
            missing = target - now
            if missing >= HUGE_PAGE and self._bulk.left >= HUGE_PAGE:
                self.add(missing)
            elif self._rest.left < missing:
                break
            else:
                self._rest.fill(missing, self._byte, self._noise)
            now = private_bytes()
        return now


class _Region:
    """One anonymous mapping with a fill mark."""

    def __init__(self, size: int, *, huge: bool) -> None:
        size = -(-size // HUGE_PAGE) * HUGE_PAGE + HUGE_PAGE
        self._map = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        advice = mmap.MADV_HUGEPAGE if huge else mmap.MADV_NOHUGEPAGE
        with contextlib.suppress(OSError):  # a kernel without huge pages fills small ones
            self._map.madvise(advice)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self._next = -(-address // HUGE_PAGE) * HUGE_PAGE
        self._end = address + size

    @property
    def left(self) -> int:
        """Bytes not yet touched."""
        return self._end - self._next

    def fill(self, count: int, byte: int, noise: bytes | None) -> None:
        """Touch the next `count` bytes, rounded up to whole small pages."""
        end = min(self._end, self._next + -(-count // mmap.PAGESIZE) * mmap.PAGESIZE)
        while self._next < end:
            step = min(HUGE_PAGE, end - self._next)
            if noise is None:
                ctypes.memset(self._next, byte, step)
            else:
                ctypes.memmove(self._next, noise, step)
            self._next += step
