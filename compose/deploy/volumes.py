"""External volumes: made before the first start, labelled as ours, never removed by a deploy."""

from __future__ import annotations

from compose.deploy.build import STACK_LABEL
from compose.deploy.host import Host
from compose.deploy.view import StackView
from settings.stack import Stack


def ensure_volumes(host: Host, stack: Stack, view: StackView) -> None:
    """Make the volumes that are missing; what is there stays as it is."""
    there = host.listing(["docker", "volume", "ls", "--format", "{{.Name}}"])
    for name in view.volumes:
        if name not in there:
            label = f"{STACK_LABEL}={stack.name}"
            host.change(["docker", "volume", "create", "--label", label, name])
            if not host.dry:
                host.progress.note(f"made {name}")
