"""Asks the engine itself whether a port is free and a directory is there.

The engine may be on another host, where nothing can be looked up from here. So it is handed a
container whose program ends at once, with the port published and the directories mounted; what
cannot be had, it says. The image is a few hundred bytes and needs no registry.
"""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Sequence

from compose.deploy.host import Host
from compose.deploy.tiny_program import NAME, archive, program
from compose.errors import ComposeError
from settings.owner import Owner

PROBE_LABEL = "automaker-staging.probe"
PROBE_IMAGE = "automaker-staging-probe"
_TAKEN = re.compile(
    r"port is already allocated|address already in use|bind for .* failed|bind: permission denied",
    re.I,
)
_MISSING = re.compile(r"bind source path does not exist", re.I)


def probe_image(host: Host, architecture: str) -> str | None:
    """Return an image to probe with, made here if need be; None for a processor not known here.

    What killed verbs have left of earlier probes is removed.
    """
    content = program(architecture)
    if content is None:
        return None
    _sweep(host)
    name = f"{PROBE_IMAGE}:{architecture}"
    if host.look(["docker", "image", "inspect", name]).returncode != 0:
        with tempfile.NamedTemporaryFile(prefix="automaker-staging-", suffix=".tar") as file:
            file.write(archive(content))
            file.flush()
            host.change(["docker", "import", file.name, name])
    return name


def missing_mounts(host: Host, image: str, paths: Sequence[str]) -> list[str]:
    """Return the directories that the engine's host does not have."""
    return [path for path in paths if _MISSING.search(_try(host, image, _mount(path)))]


def taken_ports(host: Host, image: str, ports: Sequence[int]) -> list[int]:
    """Return the ports that cannot be published now."""
    return [port for port in ports if _TAKEN.search(_try(host, image, ["--publish", f"{port}:1"]))]


def _sweep(host: Host) -> None:
    """Remove probes of verbs that were killed."""
    argv = ["docker", "ps", "--all", "--filter", f"label={PROBE_LABEL}"]
    for line in host.listing([*argv, "--format", f'{{{{.ID}}}} {{{{.Label "{PROBE_LABEL}"}}}}']):
        container_id, _, text = line.partition(" ")
        owner = Owner.parse(text)
        if owner is None or not owner.is_alive():
            host.look(["docker", "rm", "--force", container_id])


def _mount(path: str) -> list[str]:
    return ["--mount", f"type=bind,source={path},target=/probe"]


def _try(host: Host, image: str, options: Sequence[str]) -> str:
    """Make and start a container that ends at once; returns what the engine says against it."""
    name = f"automaker-staging-probe-{uuid.uuid4().hex[:12]}"
    label = f"{PROBE_LABEL}={Owner.this_process()}"
    create = ["docker", "create", "--name", name, "--label", label, "--restart=no"]
    made = host.look([*create, *options, image, f"/{NAME}"])
    if made.returncode != 0:
        return made.stderr
    try:
        return host.look(["docker", "start", name]).stderr
    finally:
        if host.look(["docker", "rm", "--force", name]).returncode != 0:
            raise ComposeError(f"the probe container {name} could not be removed")
