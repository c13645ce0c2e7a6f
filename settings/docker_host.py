"""What this process's environment says about Docker, and what commands started here inherit."""

from __future__ import annotations

import os
from collections.abc import Mapping

# A login through `su` may leave the system directories out, where dockerd and iptables live.
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


def docker_host() -> str | None:
    """Return the engine's address from DOCKER_HOST; None where it is unset or empty."""
    return os.environ.get("DOCKER_HOST") or None


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables a command gets: ours, PATH with the system directories, then `extra`."""
    path = os.environ.get("PATH", os.defpath)
    return {**os.environ, "PATH": f"{path}:{SYSTEM_PATH}", **(extra or {})}
