"""A target on the host of any engine: its port brought here where it is another machine's."""

from __future__ import annotations

import contextlib

import docker

from loadtest.rig.kernel import is_here
from loadtest.rig.ssh import tunnel
from loadtest.rig.target import Target, TargetSpec


class RemoteTarget(Target):
    """A target whose processes need not be on this machine."""

    def __init__(
        self, spec: TargetSpec, client: docker.DockerClient, engine: str, ssh: str | None
    ) -> None:
        """`engine` is the address that `client` talks to; `ssh` the way to its machine."""
        super().__init__(spec, client, engine)
        self._ssh = ssh
        self._ways = contextlib.ExitStack()

    @property
    def is_here(self) -> bool:
        """Whether the kernel of this machine can be asked about it."""
        return self._ssh is None and is_here(self.pid, self.id)

    def remove(self) -> None:
        """Remove the container, and the way to it."""
        try:
            super().remove()
        finally:
            self._container.get_docker_client().client.close()
            self._ways.close()

    def _reach(self) -> None:
        """Open the way to it; whether its memory can be read shows when it is asked for."""
        if self._ssh is not None:
            self.address = "127.0.0.1", self._ways.enter_context(tunnel(self._ssh, self.address[1]))
