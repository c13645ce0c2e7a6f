"""The engine of one host of a fleet: reached, asked what its machine is, and let go of."""

from __future__ import annotations

import contextlib
import platform
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import docker

from loadtest.rig.engine import ENGINE_ERRORS
from loadtest.rig.errors import RigError
from loadtest.rig.ssh import Dialer
from settings.host import HostFacts, host_facts

_TIMEOUT_S = 20


@dataclass(frozen=True)
class FleetEngine:
    """An engine that answers."""

    client: docker.DockerClient
    url: str
    """What commands and clients here reach it by."""
    ssh: str | None
    """The way to its machine; None where it listens on a socket of this one."""
    id: str
    """By which two addresses of one engine are found out."""
    architecture: str
    host: HostFacts


@contextlib.contextmanager
def fleet_engine(address: str, ssh: str | None) -> Iterator[FleetEngine]:
    """The engine at `address`; `ssh` is the same where that leads through ssh.

    Raises RigError with what ssh or the engine says when it does not answer.
    """
    with contextlib.ExitStack() as open_:
        dialer = Dialer(ssh) if ssh else None
        if dialer:
            open_.callback(dialer.close)
        url = dialer.url if dialer else address
        try:
            _knock(url)
            client = docker.DockerClient(base_url=url, timeout=_TIMEOUT_S)
            open_.callback(client.close)
            info = client.info()
        except (*ENGINE_ERRORS, OSError) as error:
            raise _unreached(address, dialer, error) from None
        yield FleetEngine(
            client=client,
            url=url,
            ssh=ssh,
            # The id alone is the machine's, or that of the disk it was cloned from.
            id=" ".join(str(info[key]) for key in ("ID", "Name", "DockerRootDir")),
            architecture=info["Architecture"],
            host=facts_of(info),
        )


def facts_of(info: dict[str, Any], this_machine: str | None = None) -> HostFacts:
    """The facts of an engine's machine, from what `docker info` says.

    What is free there is not known from afar: all memory counts, and is looked at again by
    whether agents are killed below the limit. For this machine's own engine it is known.
    """
    facts = HostFacts(
        memory=info["MemTotal"],
        memory_available=info["MemTotal"],
        swap=0,
        cpus=info["NCPU"],
        disk_free=0,
        kernel=info["KernelVersion"],
        system=str(info["OSType"]).capitalize(),
        cgroup_version=int(info.get("CgroupVersion") or 0),
    )
    if info.get("Name") != (this_machine or platform.node()):
        return facts
    here = host_facts()
    return replace(facts, memory_available=min(here.memory_available, facts.memory), swap=here.swap)


def _knock(url: str) -> None:
    """Raise OSError where nothing listens: its words are clearer than those of the library."""
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(_TIMEOUT_S)
        door.connect(url.removeprefix("unix://"))


def _unreached(address: str, dialer: Dialer | None, error: Exception) -> RigError:
    said = dialer.problem() if dialer else getattr(error, "strerror", None)
    problem = RigError(f"{address}: no Docker engine answers: {said or error}")
    if dialer:
        problem.add_note(f"try it: docker --host {address} version")
    return problem
