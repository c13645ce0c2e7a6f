"""What the doctor looks at: one value that holds all that was found on a host."""

from __future__ import annotations

from dataclasses import dataclass

from compose.endpoint import is_local
from compose.model import ServiceLimits

ELSEWHERE = ("not known, on another host", "invoke doctor on that host")
NOBODY_KNOWS = ("not known", "ask whoever runs the host")


@dataclass(frozen=True)
class EngineHost:
    """The host that the engine runs on, which need not be this one; sizes in bytes.

    None stands for what nobody knows, or what cannot be seen from here.
    """

    endpoint: str
    """Where the docker client looks for its engine."""
    memory: int | None = None
    swap: int | None = None
    cpus: int | None = None
    disk_total: int | None = None
    """Of the file system that holds Docker's data, as is `disk_free`."""
    disk_free: int | None = None
    network_mbps: int | None = None
    cgroup_version: int | None = None
    """1 or 2; 0 where there are no cgroups."""

    @property
    def local(self) -> bool:
        """Whether files, ports and processes seen here are those of the engine's host."""
        return is_local(self.endpoint)

    @property
    def unseen(self) -> tuple[str, str]:
        """What to say of something that is None, and what to do about it."""
        return NOBODY_KNOWS if self.local else ELSEWHERE


@dataclass(frozen=True)
class EnvReport:
    """State of `.env.staging`. `mode` is None where there is no file."""

    path: str
    mode: int | None
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class PortReport:
    """Who listens on a port that the stacks publish; `holder` is None where nobody was seen."""

    key: str
    """The key of `.env.staging` that moves it."""
    port: int
    holder: str | None = None
    ours: bool = False
    looked: bool = True
    """Whether all that could hold it was looked at; else it may be held all the same."""


@dataclass(frozen=True)
class PathReport:
    """A path of `.env.staging`. `real` is the directory it leads to here; None where there is none.

    Nothing is looked up, and `real` is None, where the engine is on another host.
    """

    key: str
    written: str
    real: str | None = None


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

    host: EngineHost
    engine: str | None
    compose: str | None
    buildx: str | None
    swap_accounting: bool | None
    env: EnvReport
    limits: ServiceLimits | None
    """Of the server."""
    beside_memory: int
    """Memory limits of the UI and the docs together, in bytes."""
    mounts_missing: tuple[str, ...] | None
    paths: tuple[PathReport, ...]
    owner: tuple[int, int]
    """(UID, GID) that the projects belong to."""
    ports: tuple[PortReport, ...]
    volumes_missing: tuple[str, ...] | None
    containers: tuple[ContainerReport, ...]
