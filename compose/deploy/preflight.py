"""What has to be true before anything is changed; every problem is reported at once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from compose.checks import Check, passed
from compose.deploy.containers import PROJECT_LABEL, container
from compose.deploy.context import Context
from compose.deploy.engine_probe import missing_mounts, probe_image, taken_ports
from compose.deploy.view import StackView
from compose.doctor_docker import port_state
from compose.errors import ComposeError
from settings.env_complete import PATHS
from settings.environment import staging_owner
from settings.sizes import in_gb, in_gib

CONTAINERD = Path("/var/lib/containerd")
USUAL_MIN_FREE = 10 * 10**9
STANDIN_MIN_FREE = 10**9
# Nobody mistyped these: they are what is used when nothing was said.
OUR_DIRECTORIES = frozenset({PATHS["PROJECTS_MOUNT"], PATHS["LABS_MOUNT"]})


@dataclass(frozen=True)
class EngineFacts:
    """What the engine says of its host; sizes in bytes."""

    memory: int
    cpus: int
    data: tuple[Path, ...]
    """Where images and containers lie, as paths of that host."""
    local: bool
    architecture: str


def engine_facts(ctx: Context) -> EngineFacts:
    """Ask the engine. Raises ComposeError (exit code 2) where none answers."""
    done = ctx.host.look(["docker", "info", "--format", "{{json .}}"])
    try:
        info: dict[str, Any] = json.loads(done.stdout)
        memory, cpus = int(info["MemTotal"]), int(info["NCPU"])
    except (ValueError, KeyError, TypeError):
        raise ComposeError(
            "no Docker engine answers", next_step="invoke provision", exit_code=2
        ) from None
    return EngineFacts(memory, cpus, _data(info), ctx.local, str(info.get("Architecture") or ""))


def _data(info: dict[str, Any]) -> tuple[Path, ...]:
    """Newer engines keep images in containerd's directory, beside their own."""
    root = Path(info.get("DockerRootDir") or "/")
    driver = str(info.get("DriverStatus") or "")
    return (root, CONTAINERD) if "io.containerd.snapshotter" in driver else (root,)


def make_our_directories(ctx: Context, view: StackView, facts: EngineFacts) -> None:
    """Make the directories that projects are in by default; others have to be there."""
    for path in view.mounts:
        if facts.local and path in OUR_DIRECTORIES and not Path(path).exists():
            ctx.host.act(f"make the directory {path}", partial(_make, Path(path)))


def preflight(ctx: Context, view: StackView, facts: EngineFacts, min_free: int) -> list[Check]:
    """Check disk, memory, ports, names and mounts; raises ComposeError that lists what fails."""
    image = None if ctx.host.dry else probe_image(ctx.host, facts.architecture)
    checks = [
        *_disk(facts, min_free),
        *_limits(view, facts),
        *_names(ctx, view),
        *_ports(ctx, view, facts, image),
        *_mounts(ctx, view, facts, image),
    ]
    failed = [one for one in checks if one.level == "fail"]
    if failed:
        error = ComposeError("\n".join(f"{one.name}: {one.found}" for one in failed))
        for one in failed:
            error.add_note(f"{one.name}: {one.fix}")
        raise error
    return checks


def _disk(facts: EngineFacts, min_free: int) -> Iterator[Check]:
    seen = [path for path in facts.data if path.exists()] if facts.local else []
    if not seen:
        yield Check("warn", "disk", "not known: the engine's disk cannot be seen from here")
        return
    free = min(shutil.disk_usage(path).free for path in seen)
    found = f"{in_gb(free, 1)} free where Docker keeps its data"
    if free < min_free:
        fix = "invoke prune; docker builder prune; or a lower --min-free (in GB)"
        yield Check("fail", "disk", f"{found}, below {in_gb(min_free, 1)}", fix)
    else:
        yield passed("disk", found)


def _limits(view: StackView, facts: EngineFacts) -> Iterator[Check]:
    limits = view["server"].limits
    size = in_gib(limits.memory_bytes, 1)
    if limits.memory_bytes > facts.memory:
        found = f"MEMORY_LIMIT is {size}, and the host has {in_gib(facts.memory, 1)}"
        yield Check("fail", "memory", found, "a lower MEMORY_LIMIT in .env.staging")
    else:
        yield passed("memory", f"a limit of {size} on {in_gib(facts.memory, 1)}")
    if limits.cpus is not None and limits.cpus > facts.cpus:
        found = f"CPU_LIMIT is {limits.cpus:g}, and the host has {facts.cpus}"
        yield Check("fail", "cpus", found, f"CPU_LIMIT={max(1, facts.cpus - 1)} in .env.staging")
    heap = limits.node_old_space_mib
    if heap is not None and heap * 2**20 >= limits.memory_bytes:
        found = f"NODE_MAX_OLD_SPACE ({heap} MiB) reaches MEMORY_LIMIT ({size})"
        fix = f"NODE_MAX_OLD_SPACE={limits.memory_bytes // 2**21} in .env.staging"
        yield Check("fail", "heap", found, fix)


def _names(ctx: Context, view: StackView) -> Iterator[Check]:
    """Refuse containers of our names that are not ours."""
    for service in view.services.values():
        state = container(ctx.host, service.container)
        if state is None:
            continue
        owner = state.labels.get(PROJECT_LABEL, "")
        if owner != view.project:
            found = f"{service.container} belongs to {owner or 'nobody'}, not to {view.project}"
            fix = f"see what it is, then docker rm -f {service.container}; or another STACK_NAME"
            yield Check("fail", "names", found, fix)


def _ports(ctx: Context, view: StackView, facts: EngineFacts, image: str | None) -> Iterator[Check]:
    """Ask for ports that no container of ours has; the engine is asked, wherever it is."""
    taken_by: dict[int, str] = {}
    for service in view.services.values():
        other = taken_by.setdefault(service.port, service.name)
        if other != service.name:
            found = f"{other} and {service.name} both have port {service.port}"
            yield Check("fail", "ports", found, "another API_PORT or UI_PORT in .env.staging")
    ours = {service.container for service in view.services.values()}
    wanted = []
    for service in view.services.values():
        holder, _ = port_state(ctx.host.run, service.port, local=facts.local)
        if holder in ours:
            continue
        if holder is not None:
            yield _taken(service.name, service.port, holder)
        else:
            wanted.append(service)
    if image is None:
        return
    taken = taken_ports(ctx.host, image, [one.port for one in wanted])
    for service in wanted:
        if service.port in taken:
            yield _taken(service.name, service.port, "something on the engine's host")


def _taken(service: str, port: int, holder: str) -> Check:
    key = {"server": "API_PORT", "ui": "UI_PORT"}.get(service, "DOCS_PORT")
    found = f"port {port} of {service} is held by {holder}"
    return Check("fail", "ports", found, f"stop it, or another {key} in .env.staging")


def _mounts(
    ctx: Context, view: StackView, facts: EngineFacts, image: str | None
) -> Iterator[Check]:
    missing: Sequence[str] = []
    if image is not None:
        missing = missing_mounts(ctx.host, image, view.mounts)
    elif facts.local:
        # Those of ours a deploy makes itself, and a dry run does not.
        ours = OUR_DIRECTORIES if ctx.host.dry else frozenset()
        missing = [one for one in view.mounts if not Path(one).is_dir() and one not in ours]
    if missing:
        uid, gid = staging_owner()
        fix = f"sudo install -d -o {uid} -g {gid} {' '.join(missing)}"
        if not facts.local:
            fix = f"on the engine's host: {fix}"
        yield Check("fail", "mounts", f"missing: {', '.join(missing)}", fix)


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(path, *staging_owner())
    except PermissionError:
        return  # the check of the mounts says what root has to type
    except OSError as error:
        raise ComposeError(f"{path}: cannot be made: {error.strerror}") from None
