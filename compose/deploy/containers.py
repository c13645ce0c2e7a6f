"""What the engine says of one container: its state, its health, its last words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compose.deploy.host import Host
from compose.errors import ComposeError
from compose.run import failure_text

LAST_LINES = 50
# Asked for single fields: the whole answer would hold the container's secrets.
_FIELDS = (
    "[{{json .Id}},{{json .Name}},{{json .Image}},{{json .State}},{{json .RestartCount}},"
    "{{json .HostConfig.RestartPolicy}},{{json .HostConfig.Memory}},{{json .Config.Labels}}]"
)
PROJECT_LABEL = "com.docker.compose.project"
HOME_LABEL = "automaker-staging.deploy-dir"
ID_LABEL = "automaker-staging.deploy-id"


@dataclass(frozen=True)
class Container:
    """One container. `health` is empty without a healthcheck; memory in bytes, 0 without limit."""

    id: str
    name: str
    image: str
    status: str
    exit_code: int
    oom_killed: bool
    restarts: int
    restart_limit: int
    """Restarts after which the engine gives up; 0 where it never does."""
    health: str
    health_log: tuple[str, ...]
    memory: int
    labels: Mapping[str, str]

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self.status == "running"

    @property
    def exhausted(self) -> bool:
        """Whether the engine gave up restarting it."""
        return (
            self.status == "exited"
            and self.exit_code != 0
            and 0 < self.restart_limit <= self.restarts
        )

    def end(self) -> str:
        """Say how it ended, for people."""
        how = f"exited with {self.exit_code}"
        if self.oom_killed:
            how += " (out of memory)"
        if self.exhausted:
            how += f"; restarts exhausted: it crashed {self.restarts + 1} times in a row"
        return how


def container(host: Host, name: str) -> Container | None:
    """Look at a container; None where there is none of that name.

    Raises ComposeError where the engine cannot say: absent and not known are not the same.
    """
    argv = ["docker", "container", "inspect", "--format", _FIELDS, name]
    done = host.look(argv)
    if done.returncode != 0:
        if "no such" in done.stderr.lower():
            return None
        raise ComposeError(failure_text(argv, done))
    return parse(json.loads(done.stdout))


def parse(fields: list[Any]) -> Container:
    """Read the fields that were asked for."""
    container_id, name, image, state, restarts, policy, memory, labels = fields
    health = state.get("Health") or {}
    return Container(
        id=container_id,
        name=name.lstrip("/"),
        image=image,
        status=state["Status"],
        exit_code=state["ExitCode"],
        oom_killed=bool(state.get("OOMKilled")),
        restarts=restarts,
        restart_limit=policy.get("MaximumRetryCount") or 0,
        health=health.get("Status", ""),
        health_log=tuple(
            f"{one.get('End', '')[:19]} exit {one.get('ExitCode')}: {one.get('Output', '').strip()}"
            for one in health.get("Log") or ()
        ),
        memory=memory,
        labels=labels or {},
    )


def last_words(host: Host, name: str, redact: Callable[[str], str]) -> str:
    """Return the health log and the last lines a container wrote, without secrets."""
    try:
        found = container(host, name)
    except ComposeError as error:
        return redact(f"--- {name}: {error}")
    lines = [f"--- {name}: {'absent' if found is None else found.status}"]
    if found is not None:
        lines += [f"health: {one}" for one in found.health_log]
        done = host.look(["docker", "logs", "--tail", str(LAST_LINES), name])
        lines.append(f"--- last {LAST_LINES} log lines of {name}")
        lines += (done.stdout + done.stderr).splitlines()[-LAST_LINES:]
    return redact("\n".join(lines))


def of_project(host: Host, project: str) -> list[tuple[str, str, str]]:
    """Return (id, name, service) of every container of a Compose project, also stopped ones.

    Not among them: what a person runs once with `docker compose run`.
    """
    line = '{{.ID}}\t{{.Names}}\t{{.Label "com.docker.compose.service"}}'
    line += '\t{{.Label "com.docker.compose.oneoff"}}'
    argv = ["docker", "ps", "--all", "--filter", f"label={PROJECT_LABEL}={project}"]
    found = []
    for row in host.listing([*argv, "--format", line]):
        container_id, name, service, once = (*row.split("\t"), "", "", "")[:4]
        if once != "True":
            found.append((container_id, name, service))
    return found
