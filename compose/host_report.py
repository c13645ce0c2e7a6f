"""What the doctor looks at: one value that holds all that was found on a host."""

from __future__ import annotations

from dataclasses import dataclass

from compose.model import ServiceLimits
from settings.host import HostFacts


@dataclass(frozen=True)
class EnvReport:
    """State of `.env.staging`. `mode` is None where there is no file."""

    path: str
    mode: int | None
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class PortReport:
    """Who listens on a port that the stacks publish; `holder` is None where it is free."""

    key: str
    """The key of `.env.staging` that moves it."""
    port: int
    holder: str | None = None
    ours: bool = False


@dataclass(frozen=True)
class ContainerState:
    """What drift shows in. Memory in bytes, restart as `on-failure:5`, image as its id."""

    memory: int
    restart: str
    image: str | None


@dataclass(frozen=True)
class ContainerReport:
    """A container of the stacks: what the compose file wants, and what is there, if anything."""

    name: str
    wanted: ContainerState
    actual: ContainerState | None
    status: str = "absent"


@dataclass(frozen=True)
class HostReport:
    """Everything the checks need. None stands for what could not be found out."""

    facts: HostFacts
    disk_total: int
    """Bytes of the file system that holds Docker's data."""
    network_mbps: int | None
    engine: str | None
    compose: str | None
    buildx: str | None
    swap_accounting: bool | None
    env: EnvReport
    limits: ServiceLimits | None
    """Of the server."""
    beside_memory: int
    """Memory limits of the UI and the docs together, in bytes."""
    mounts_missing: tuple[str, ...]
    owner: tuple[int, int]
    """(UID, GID) that the projects belong to."""
    ports: tuple[PortReport, ...]
    volumes_missing: tuple[str, ...] | None
    containers: tuple[ContainerReport, ...]
