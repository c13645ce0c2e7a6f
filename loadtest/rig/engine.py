"""The one connection to the Docker engine, and the sweeper of what runs left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import docker
from docker.errors import APIError, DockerException, NotFound

from loadtest.rig.errors import RigError
from loadtest.rig.labels import RUN, is_abandoned


@contextlib.contextmanager
def connect(timeout_s: float = 60) -> Iterator[docker.DockerClient]:
    """A client of the local engine. Raises RigError with the command that helps."""
    try:
        client = docker.from_env(timeout=int(timeout_s))
    except DockerException as error:
        raise _explain(error) from None
    try:
        client.ping()
        yield client
    except DockerException as error:
        raise _explain(error) from error
    finally:
        client.close()


def _explain(error: Exception) -> RigError:
    text = str(error)
    if "Permission" in text or "permission" in text:
        problem = RigError("no permission on the Docker socket")
        problem.add_note("run as root, or: sudo usermod -aG docker $USER, then log in again")
    elif isinstance(error, APIError):
        problem = RigError(f"the Docker engine refused: {error.explanation or text}")
    else:
        problem = RigError("no Docker engine answers")
        problem.add_note("install and start one: .venv/bin/invoke provision")
    return problem


def sweep(client: docker.DockerClient, run_id: str | None = None) -> list[str]:
    """Remove what our runs made: of `run_id`, or of every run whose owner is gone.

    Returns what was removed, in words. Things of others are never looked at: the label decides.
    """
    label = RUN if run_id is None else f"{RUN}={run_id}"
    removed = []
    for container in client.containers.list(all=True, filters={"label": label}):
        if run_id is not None or is_abandoned(container.labels):
            with contextlib.suppress(NotFound):
                container.remove(force=True, v=True)
            removed.append(f"container {container.name}")
    for network in client.networks.list(filters={"label": label}):
        if run_id is not None or is_abandoned(network.attrs.get("Labels") or {}):
            with contextlib.suppress(NotFound):
                network.remove()
            removed.append(f"network {network.name}")
    for volume in client.volumes.list(filters={"label": label}):
        if run_id is not None or is_abandoned(volume.attrs.get("Labels") or {}):
            with contextlib.suppress(NotFound):
                volume.remove(force=True)
            removed.append(f"volume {volume.name}")
    return removed
