"""Commands that outlive the verb that ran them, and how the next verb ends them.

A command is killed with its parent, but what it has started itself may not be: Docker's own
client of some versions leaves its Compose plugin behind, at work on containers with no lock held.
So every command carries the name of the verb's process in its environment.
"""

from __future__ import annotations

import os

import psutil

from settings.owner import OWNER_VARIABLE, Owner

END_S = 10.0
# What may be ended. Others that git or ssh leave at work may serve the operator, too.
DOCKER = frozenset({"docker", "docker-compose", "docker-buildx"})


def end_orphans(owner: Owner) -> list[str]:
    """End what commands of a process that is gone have left running; returns their names.

    Nothing is ended while that process runs, and nothing that it did not start.
    """
    if owner.is_alive():
        return []
    found = [process for process in psutil.process_iter() if _belongs(process, owner)]
    names = []
    for process in found:
        try:
            name = f"{process.name()} (pid {process.pid})"
            process.kill()
            names.append(name)
        except psutil.Error:
            continue
    psutil.wait_procs(found, timeout=END_S)
    return names


def _belongs(process: psutil.Process, owner: Owner) -> bool:
    try:
        if process.pid == os.getpid() or process.name() not in DOCKER:
            return False
        return process.environ().get(OWNER_VARIABLE) == str(owner)
    except (psutil.Error, OSError):
        return False
