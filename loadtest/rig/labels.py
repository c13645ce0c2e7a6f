"""Whose is this? Every container, network and volume the rig makes says so in its labels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

RUN = "automaker-staging.run"
OWNER = "automaker-staging.owner"


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


def labels_for(run_id: str) -> dict[str, str]:
    """The labels of everything that this process makes for a run."""
    return {RUN: run_id, OWNER: str(Owner.this_process())}


def is_abandoned(labels: Mapping[str, str]) -> bool:
    """Whether the run that made this is over: its owner is gone, or unknown."""
    owner = Owner.parse(labels.get(OWNER, ""))
    return owner is None or not owner.is_alive()
