"""What has to happen on a host before containers run there: decisions only, nothing is touched."""

from __future__ import annotations

from dataclasses import dataclass

from compose import host_packages
from compose.errors import ComposeError
from compose.host_packages import COMPANIONS, FROM_DISTRIBUTION, FROM_DOCKER, Packages
from compose.provision_steps import DAEMON_LOG, AwaitReady, RunCommand, StartDaemon, Step

LOCAL_ENDPOINTS = ("unix:///var/run/docker.sock", "unix:///run/docker.sock")
MANUAL = "https://docs.docker.com/engine/install/"
EXIT_HOST = 2


@dataclass(frozen=True)
class HostState:
    """What was found on a host. Versions are None where the thing is missing or does not answer."""

    system: str = "linux"
    """Kernel name in lower case: linux, darwin."""
    distribution: str = ""
    """ID of /etc/os-release, as in debian; `release` is its VERSION_ID, as in 12."""
    release: str = ""
    codename: str = ""
    root: bool = False
    sudo: bool = False
    """Whether sudo works without a password."""
    systemd: bool = False
    endpoint: str = LOCAL_ENDPOINTS[0]
    """Where the docker client looks for its engine."""
    engine_version: str | None = None
    compose_version: str | None = None
    buildx_version: str | None = None
    engine_installed: bool = False
    engine_package: str | None = None
    """The package that brought the engine: docker.io, docker-ce, or None for any other way."""
    socket_denied: bool = False
    """The engine's socket is there, and this user may not use it."""
    docker_repository: bool = False
    """Whether Docker's own package repository answers."""

    @property
    def prefix(self) -> tuple[str, ...]:
        """What goes before a command that only root may run."""
        return () if self.root else ("sudo", "-n")

    def missing(self) -> list[str]:
        """Name what containers here still need."""
        parts = {
            "a Docker engine": self.engine_version,
            "Compose v2": self.compose_version,
            "buildx": self.buildx_version,
        }
        return [name for name, version in parts.items() if version is None]


def plan(state: HostState) -> list[Step]:
    """List the steps that bring this host to an engine with Compose v2 and buildx, in order.

    Empty when nothing is missing. An engine that answers is never reinstalled or restarted.
    Raises ComposeError (exit code 2) when a person has to act first.
    """
    if not state.missing():
        return []
    _refuse_what_a_person_must_fix(state)
    steps = _install(state)
    if state.engine_version is None:
        steps += _start(state)
    return steps


def _refuse_what_a_person_must_fix(state: HostState) -> None:
    """Raise where no step of ours can or may help."""
    lacks = "this host lacks " + ", ".join(state.missing())
    if state.engine_version is None and state.endpoint not in LOCAL_ENDPOINTS:
        raise ComposeError(
            f"the Docker engine at {state.endpoint} does not answer",
            next_step="start it, or use one on this host: unset DOCKER_HOST; "
            "docker context use default",
            exit_code=EXIT_HOST,
        )
    if state.socket_denied:
        raise ComposeError(
            "a Docker engine is here, but this user may not use its socket",
            next_step='sudo usermod -aG docker "$USER" and log in again, or run this with sudo',
            exit_code=EXIT_HOST,
        )
    if state.system != "linux":
        raise ComposeError(
            f"{lacks}, and installing works on Linux only",
            next_step="install Docker Desktop: https://docs.docker.com/desktop/",
            exit_code=EXIT_HOST,
        )
    if not (state.root or state.sudo):
        raise ComposeError(
            f"{lacks}, and changing that takes root",
            next_step="sudo .venv/bin/invoke provision",
            exit_code=EXIT_HOST,
        )
    if _packages_wanted(state) and not host_packages.supported(state.distribution, state.release):
        here = f"{state.distribution} {state.release}".strip() or "this distribution"
        raise ComposeError(
            f"{lacks}, and packages for {here} are not known here",
            next_step=f"install it by the manual: {MANUAL}",
            exit_code=EXIT_HOST,
        )


def _packages_wanted(state: HostState) -> bool:
    return not state.engine_installed or None in (state.compose_version, state.buildx_version)


def _install(state: HostState) -> list[Step]:
    """List the steps that bring the packages; none where the engine only has to be started."""
    if not _packages_wanted(state):
        return []
    source, steps = _source(state)
    names: list[str] = []
    if not state.engine_installed:
        names += (*source.engine, *COMPANIONS)
    if state.compose_version is None:
        names.append(source.compose)
    if state.buildx_version is None:
        names.append(source.buildx)
    return [
        *steps,
        host_packages.update(state.prefix),
        host_packages.install("install what is missing", names, state.prefix),
    ]


def _source(state: HostState) -> tuple[Packages, list[Step]]:
    """Where the packages come from, and how apt learns of that place.

    Plugins come from where the engine came from: Docker's packages and the distribution's
    overwrite each other's files.
    """
    if state.docker_repository and state.engine_package != "docker.io":
        known = host_packages.docker_repository(state.distribution, state.codename, state.prefix)
        return FROM_DOCKER, known
    source = FROM_DISTRIBUTION[state.distribution, state.release]
    plugins_wanted = None in (state.compose_version, state.buildx_version)
    wants_trixie = source.trixie and plugins_wanted
    return source, host_packages.trixie_archive(state.prefix) if wants_trixie else []


def _start(state: HostState) -> list[Step]:
    """List the steps that start an installed engine and wait until it answers."""
    start: Step
    if state.systemd:
        command = (*state.prefix, "systemctl", "enable", "--now", "docker")
        start = RunCommand("start the engine, now and at every boot", command)
        evidence = (*state.prefix, "journalctl", "-u", "docker", "-n", "20", "--no-pager")
    else:
        service = (*state.prefix, "service", "docker", "start")
        start = StartDaemon("start the engine", service, state.prefix)
        evidence = (*state.prefix, "tail", "-n", "20", DAEMON_LOG)
    answer = (*state.prefix, "docker", "version", "--format", "{{.Server.Version}}")
    return [start, AwaitReady("wait until the engine answers", answer, evidence)]
