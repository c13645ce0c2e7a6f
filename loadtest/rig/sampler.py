"""`python3 -m loadtest.rig.sampler`: the kernel's account of a container, as lines of JSON.

Runs beside a container on the machine of its engine, where nothing of this project is installed:
imports the standard library and modules that are sent along (`SENT`).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from loadtest.rig.cgroup import Reading, open_cgroup
from loadtest.rig.errors import RigError
from loadtest.rig.kernel import HeldAt, Kernel, LocalKernel, Look, Process
from loadtest.rig.smaps import Held

SENT = (
    "__init__.py",
    "rig/__init__.py",
    "rig/cgroup.py",
    "rig/errors.py",
    "rig/kernel.py",
    "rig/sampler.py",
    "rig/smaps.py",
)
"""All that has to be sent for this module to run, below the folder `loadtest`."""
CGROUPS = "/host-cgroup"
"""Where the host's cgroups are mounted."""
_HELD_EVERY_S = 0.5


def look_line(look: Look, host_oom_kills: int) -> str:
    """A look as one line."""
    return json.dumps(
        {
            "at": look.at_s,
            "reading": asdict(look.reading),
            "peak": look.peak,
            "processes": [[pid, *asdict(one).values()] for pid, one in look.processes.items()],
            "host_oom_kills": host_oom_kills,
        }
    )


def read_look(line: dict[str, Any], later_s: float) -> Look:
    """The look in a line; `later_s` is how far this machine's clock is ahead of the other's.

    Raises KeyError, TypeError or ValueError for a line that holds none.
    """
    processes = {int(pid): Process(*rest) for pid, *rest in line["processes"]}
    return Look(line["at"] + later_s, Reading(**line["reading"]), line["peak"], processes)


def held_line(held: dict[int, HeldAt]) -> str:
    """Memory of several processes as one line."""
    return json.dumps(
        {"held": [[pid, one.at_s, one.held.private, one.held.pss] for pid, one in held.items()]}
    )


def read_held(line: dict[str, Any], later_s: float) -> dict[int, HeldAt]:
    """Memory of processes in a line; see `read_look`."""
    return {
        int(pid): HeldAt(at_s + later_s, Held(private, pss))
        for pid, at_s, private, pss in line["held"]
    }


class Sampler:
    """Writes a look at the kernel `hz` times a second, and twice a second what agents hold."""

    def __init__(self, kernel: Kernel, out: TextIO) -> None:
        self._kernel = kernel
        self._out = out
        self._lock = threading.Lock()
        self._agents: tuple[int, ...] = ()

    def run(self, hz: float) -> None:
        """Go on until the container is gone, or nobody reads any more."""
        threading.Thread(target=self._watch_held, daemon=True).start()
        due = time.monotonic()
        with contextlib.suppress(OSError, ValueError):
            while True:
                look = self._kernel.look()
                self._agents = tuple(p for p, one in look.processes.items() if one.is_agent)
                self._write(look_line(look, self._kernel.host_oom_kills()))
                due = max(due, time.monotonic() - 1 / hz) + 1 / hz
                time.sleep(max(0.0, due - time.monotonic()))
        # What killed the container may have been counted after the last look.
        with contextlib.suppress(OSError):
            self._write(json.dumps({"gone": True, "host_oom_kills": self._kernel.host_oom_kills()}))

    def _watch_held(self) -> None:
        while True:
            held = {}
            for pid in self._agents:
                with contextlib.suppress(OSError, ValueError, KeyError):
                    held[pid] = self._kernel.held(pid)
            with contextlib.suppress(OSError, ValueError):
                if held:
                    self._write(held_line(held))
            time.sleep(_HELD_EVERY_S)

    def _write(self, line: str) -> None:
        with self._lock:
            self._out.write(line + "\n")
            self._out.flush()


def _end_with_reader() -> None:
    """End this process when its input ends: whoever started it is gone."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(0)


def main(argv: list[str]) -> int:
    """Sample the container of process `argv[0]` `argv[1]` times a second; returns the exit code."""
    threading.Thread(target=_end_with_reader, daemon=True).start()
    try:
        kernel = LocalKernel(open_cgroup(int(argv[0]), Path(CGROUPS)))
    except RigError as error:
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        return 1
    Sampler(kernel, sys.stdout).run(float(argv[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
