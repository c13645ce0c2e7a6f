"""Who made this? A process, told apart from a later one with its number."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil

# By this the next verb finds commands that outlived the one that ran them.
OWNER_VARIABLE = "AUTOMAKER_STAGING_OWNER"


@dataclass(frozen=True)
class Owner:
    """A process that owns things; the start time tells it from a later one with its number."""

    pid: int
    started: int
    """Seconds since the epoch."""

    @classmethod
    def this_process(cls) -> Owner:
        """The owner of what this process makes."""
        return cls(os.getpid(), int(psutil.Process().create_time()))

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The owner in a label, or None for a label that is not one."""
        pid, _, started = text.partition("@")
        return cls(int(pid), int(started)) if pid.isdigit() and started.isdigit() else None

    def __str__(self) -> str:
        return f"{self.pid}@{self.started}"

    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        try:
            # Clocks are read to different precisions; two seconds never span a reused number.
            return abs(psutil.Process(self.pid).create_time() - self.started) < 2
        except psutil.NoSuchProcess:
            return False
