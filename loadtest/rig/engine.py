"""The one connection to the Docker engine, and the sweeper of what runs left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from docker.models.networks import Network
from docker.models.volumes import Volume
from requests.exceptions import RequestException

from loadtest.rig.errors import RigError
from loadtest.rig.labels import RUN, is_abandoned

Client = docker.DockerClient
ENGINE_ERRORS = (RigError, DockerException, RequestException)
"""What an engine that refuses, or is lost, makes a rig raise."""


@dataclass(frozen=True)
class Leftover:
    """A container, network or volume that a run of ours made."""

    kind: str
    name: str
    labels: Mapping[str, str]
    thing: Container | Network | Volume

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    def remove(self) -> None:
        """Remove it; one that is gone by now is as good."""
        with contextlib.suppress(NotFound):
            if isinstance(self.thing, Container):
                self.thing.remove(force=True, v=True)
            else:
                self.thing.remove()


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
    except (DockerException, RequestException) as error:
        raise _explain(error) from error
    finally:
        client.close()


def _explain(error: Exception) -> RigError:
    text = str(error)
    if "Permission" in text or "permission" in text:
        problem = RigError("no permission on the Docker socket")
        problem.add_note("run as root, or: sudo usermod -aG docker $USER, then log in again")
    elif isinstance(error, APIError):  # a RequestException too, so it comes first
        problem = RigError(f"the Docker engine refused: {error.explanation or text}")
    elif isinstance(error, RequestException):
        problem = RigError("the Docker engine stopped answering")
        problem.add_note("see that it runs again: .venv/bin/invoke provision; then run again")
    else:
        problem = RigError("no Docker engine answers")
        problem.add_note("install and start one: .venv/bin/invoke provision")
    return problem


def leftovers(client: docker.DockerClient, run_id: str | None = None) -> list[Leftover]:
    """What our runs made and is still there: of `run_id`, or of runs whose owner is gone.

    Things of others are never looked at: the label decides.
    """
    filters: dict[str, str | list[str] | bool] = {
        "label": RUN if run_id is None else f"{RUN}={run_id}"
    }
    containers = client.containers.list(all=True, filters=filters)
    found = [
        *(Leftover("container", c.name or "", c.labels, c) for c in containers),
        *(
            Leftover("network", n.name or "", n.attrs.get("Labels") or {}, n)
            for n in client.networks.list(filters=filters)
        ),
        *(
            Leftover("volume", v.name or "", v.attrs.get("Labels") or {}, v)
            for v in client.volumes.list(filters=filters)
        ),
    ]
    return [left for left in found if run_id is not None or is_abandoned(left.labels)]


def sweep(client: docker.DockerClient, run_id: str | None = None) -> list[Leftover]:
    """Remove all leftovers; returns them."""
    found = leftovers(client, run_id)
    for left in found:
        left.remove()
    return found
