"""Puts the containers of a release in the place of those that run.

A service at a time, never with what it depends on: Compose makes the new container first, so
that a service is away only while its old process ends and its new one starts. `up` of the whole
stack would stop the UI, too, and leave it down until the server's healthcheck has passed.
Two servers never run at once: they would both work on the same board.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compose.deploy.containers import container, of_project
from compose.deploy.host import Host
from compose.deploy.view import StackView, compose_environment, stack_command
from compose.errors import ComposeError

ENGINE_BACK_S = 120.0
_TAKEN = re.compile(r"port is already allocated|address already in use", re.IGNORECASE)
# What Compose calls a container that is to take over, until the old one has gone.
_HALFWAY = re.compile(r"[0-9a-f]{12}_")


@dataclass(frozen=True)
class Running:
    """A release made concrete: its compose file, its values (secrets), and what they amount to."""

    file: Path
    values: Mapping[str, str]
    view: StackView

    def compose(self) -> list[str]:
        """`docker compose` for this release."""
        return stack_command(self.file, self.view.project)

    def environment(self) -> dict[str, str]:
        """Return what Compose has to see."""
        return compose_environment(self.values)


def up_argv(running: Running, service: str, *, recreate: bool = False) -> list[str]:
    """Return the command that brings one service to a release."""
    options = ["--detach", "--no-deps", "--no-build", "--pull", "never", "--quiet-pull"]
    options += ["--force-recreate"] if recreate else []
    return [*running.compose(), "up", *options, service]


def cut_over(host: Host, running: Running, service: str, *, recreate: bool = False) -> None:
    """Bring one service to a release. Raises ComposeError."""
    clear_wreckage(host, running, service)
    patience = 120.0 + running.view[service].stop_grace_s
    argv = up_argv(running, service, recreate=recreate)
    if host.dry:
        host.progress.note(f"# with the values of {running.file.parent / '.env'}")
    try:
        host.change(argv, env=running.environment(), timeout_s=patience)
    except ComposeError as error:
        if not _TAKEN.search(str(error)):
            raise
        raise ComposeError(
            f"{service}: port {running.view[service].port} is held by something else",
            next_step="stop that (invoke doctor names it), then the same again",
        ) from None


def clear_wreckage(host: Host, running: Running, service: str) -> None:
    """Remove what a killed `up` left: containers of the service that have not got its name yet."""
    name = running.view[service].container
    for container_id, found, owner in of_project(host, running.view.project):
        if owner == service and _HALFWAY.fullmatch(found.removesuffix(name)):
            host.progress.note(f"removing {found}, which a cut over that was cut short left behind")
            host.change(["docker", "rm", "--force", container_id])


def stop(host: Host, running: Running, services: tuple[str, ...]) -> None:
    """Stop services, agents and all; containers, volumes and logs stay."""
    patience = 60.0 + sum(running.view[one].stop_grace_s for one in services)
    argv = [*running.compose(), "stop", *services]
    host.change(argv, env=running.environment(), timeout_s=patience)


def runs_release(host: Host, running: Running, images: Mapping[str, str]) -> bool:
    """Whether exactly the images of a release run now, under its names."""
    for service, image in images.items():
        state = container(host, running.view[service].container)
        if state is None or not state.running or state.image != image:
            return False
    return True


def await_engine(host: Host, budget_s: float = ENGINE_BACK_S) -> None:
    """Wait for an engine that may be restarting. Raises ComposeError when it stays away."""
    began = time.monotonic()
    told = False
    while not _answers(host):
        if time.monotonic() - began > budget_s:
            raise ComposeError(
                f"the engine does not answer for {budget_s:g} s",
                next_step="bring it back (invoke provision), then: invoke rollback",
            )
        if not told:
            host.progress.note("the engine does not answer; waiting for it")
            told = True
        time.sleep(0.5)


def _answers(host: Host) -> bool:
    try:
        return host.look(["docker", "version", "--format", "{{.Server.Version}}"]).returncode == 0
    except ComposeError:
        return False  # it hangs, which is no answer either
