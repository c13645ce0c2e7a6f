"""What a deploy needs to know of a stack, read from the effective model of its compose file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compose.commands import compose
from compose.errors import ComposeError
from compose.model import ServiceLimits, load_model, read_limits, seconds
from compose.run import Run
from settings.env_keys import KEYS, PINS


@dataclass(frozen=True)
class ServiceView:
    """One service: its container's name, image, published port and limits."""

    name: str
    container: str
    image: str
    port: int
    limits: ServiceLimits
    stop_grace_s: float
    build_args: Mapping[str, str]


@dataclass(frozen=True)
class StackView:
    """A stack as Compose would run it."""

    project: str
    services: Mapping[str, ServiceView]
    volumes: tuple[str, ...]
    """External volumes, which have to be there first."""
    mounts: tuple[str, ...]
    """Directories of the engine's host that containers see."""

    def __getitem__(self, service: str) -> ServiceView:
        """Return a service by its name."""
        return self.services[service]


def compose_environment(values: Mapping[str, str]) -> dict[str, str]:
    """Return what Compose has to see: these values, and nothing that this process happens to have.

    A key that a release leaves to the file's default must not come from today's environment.
    """
    blank = dict.fromkeys((*KEYS, *PINS), "")
    return {**blank, **values}


def stack_command(file: Path, project: str) -> list[str]:
    """`docker compose` for one stack, whatever COMPOSE_* variables say."""
    argv = [*compose([file], os.devnull, file.parent), "--project-name", project]
    return [*argv, "--ansi", "never"]


def view_stack(run: Run, file: Path, values: Mapping[str, str]) -> StackView:
    """Read a compose file with these values. ComposeError where Compose refuses them."""
    env = compose_environment(values)
    model = load_model(run, [file], env_file=os.devnull, project_dir=file.parent, env=env)
    return read_view(model)


def read_view(model: Mapping[str, Any]) -> StackView:
    """Read an effective model."""
    services = {name: _service(model, name, body) for name, body in model["services"].items()}
    volumes = (model.get("volumes") or {}).values()
    mounts = [
        _plain(one["source"])
        for body in model["services"].values()
        for one in body.get("volumes") or ()
        if one["type"] == "bind"
    ]
    return StackView(
        project=str(model["name"]),
        services=services,
        volumes=tuple(sorted(one["name"] for one in volumes if one.get("external"))),
        mounts=tuple(dict.fromkeys(mounts)),
    )


def _service(model: Mapping[str, Any], name: str, body: Mapping[str, Any]) -> ServiceView:
    ports = body.get("ports") or []
    if not ports or "published" not in ports[0]:
        raise ComposeError(f"services.{name}.ports: none is published")
    return ServiceView(
        name=name,
        container=str(body["container_name"]),
        image=str(body["image"]),
        port=int(ports[0]["published"]),
        limits=read_limits(model, name),
        stop_grace_s=seconds(body.get("stop_grace_period"), 10.0, f"services.{name}"),
        build_args={
            key: _plain(str(value))
            for key, value in ((body.get("build") or {}).get("args") or {}).items()
            if value is not None
        },
    )


def _plain(text: str) -> str:
    """Undo what Compose does to each `$` when it prints its model."""
    return text.replace("$$", "$")
