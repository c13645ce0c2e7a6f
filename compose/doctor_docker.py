"""What the engine says of single containers, images and ports."""

from __future__ import annotations

import json
from typing import Any

import psutil

from compose.difference import restart_as_compose_writes_it
from compose.errors import ComposeError
from compose.host_report import ContainerState
from compose.model import ServiceLimits
from compose.run import Run

ANSWER_BUDGET_S = 20.0


def wanted_state(limits: ServiceLimits, image: str | None) -> ContainerState:
    """Return what a container of this service has to be; `image` is the id its tag has now."""
    return ContainerState(limits.memory_bytes, restart_as_compose_writes_it(limits), image)


def actual_state(run: Run, name: str) -> tuple[ContainerState | None, str]:
    """Return a container's state and its status (running, exited, ...).

    (None, absent) if there is none, (None, unknown) where the engine does not say.
    """
    # Asked for single fields: the whole answer would hold the container's secrets.
    fields = "[{{json .HostConfig.Memory}},{{json .HostConfig.RestartPolicy}},"
    fields += "{{json .Image}},{{json .State.Status}}]"
    try:
        argv = ["docker", "container", "inspect", "--format", fields, name]
        found = json.loads(run(argv, timeout_s=ANSWER_BUDGET_S).stdout)
    except ComposeError as error:
        return None, "absent" if "no such container" in str(error).lower() else "unknown"
    except ValueError:
        return None, "unknown"
    memory, policy, image, status = found
    restart = policy.get("Name") or "no"
    if policy.get("MaximumRetryCount"):
        restart += f":{policy['MaximumRetryCount']}"
    return ContainerState(memory, restart, image), status


def image_id(run: Run, reference: str) -> str | None:
    """Return the id of the image that a tag means now; None where there is no such tag."""
    found = _ask(run, ["docker", "image", "inspect", "--format", "{{json .Id}}", reference])
    return None if found is None else str(found)


def port_state(run: Run, port: int, *, local: bool = True) -> tuple[str | None, bool]:
    """Name the container that publishes a port, else the process that listens here.

    Returns (holder, looked): `holder` is None where nobody was seen, and the port is free only
    if all that could hold it was looked at. Processes are not, unless the engine is `local`.
    """
    try:
        argv = ["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}"]
        names = run(argv, timeout_s=ANSWER_BUDGET_S).stdout.split()
    except ComposeError:
        names = []
    if names:
        return names[0], True
    return _listener(port) if local else (None, False)


def _listener(port: int) -> tuple[str | None, bool]:
    """Name the process that listens on a TCP port; only root sees those of others."""
    try:
        sockets = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return None, False
    for one in sockets:
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port:
            return _process_name(one.pid), True
    return None, True


def _process_name(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except psutil.Error:
        return f"pid {pid}"


def _ask(run: Run, argv: list[str]) -> Any:
    """Return what a command prints as JSON; None where it fails, as for things that are absent."""
    try:
        return json.loads(run(argv, timeout_s=ANSWER_BUDGET_S).stdout)
    except (ComposeError, ValueError):
        return None
