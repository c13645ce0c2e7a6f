"""Which feature each agent process of a container works on, by what it has open."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from loadtest.rig.kernel import read_process

_FEATURES = "/.automaker/features/"
UNKNOWN = ""


def agents_among(pids: Iterable[int], proc: Path = Path("/proc")) -> dict[int, str]:
    """The agents among processes of this host, each with its feature.

    A feature is "" where this user may not look at the process's files.
    """
    found: dict[int, str] = {}
    for pid in pids:
        process = read_process(pid, proc)
        # A child that an agent has just started still bears the agent's name.
        if process is not None and process.is_agent and process.parent not in found:
            found[pid] = feature_of(pid, proc)
    return found


def feature_of(pid: int, proc: Path = Path("/proc")) -> str:
    """The feature whose output an agent process writes; "" where that cannot be seen."""
    with contextlib.suppress(OSError):
        folder = proc / str(pid) / "fd"
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                path = os.readlink(folder / name)
                if _FEATURES in path:
                    return path.partition(_FEATURES)[2].partition("/")[0]
    return UNKNOWN


def owner_of(pid: int, proc: Path = Path("/proc")) -> str:
    """User and group whose process it is, as uid:gid; root's when it is gone."""
    with contextlib.suppress(OSError):
        found = (proc / str(pid)).stat()
        # The group too: the kernel lets only a like process look into another.
        return f"{found.st_uid}:{found.st_gid}"
    return "0:0"


def pid_inside(pid: int, proc: Path = Path("/proc")) -> int | None:
    """What a process of a container is numbered inside it; None when it is gone."""
    with contextlib.suppress(OSError):
        for line in (proc / str(pid) / "status").read_text(encoding="ascii").splitlines():
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    return None
