"""Looks at a host for the doctor; changes nothing, and keeps no secret."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compose.commands import DOCS_FILE, STAGING_FILE
from compose.doctor_docker import actual_state, image_id, port_state, wanted_state
from compose.doctor_host import engine_host, engine_info, path_reports
from compose.effective import StagingValues, staging_model, staging_values
from compose.errors import ComposeError
from compose.host_probe import probe
from compose.host_report import ContainerReport, EnvReport, HostReport, PortReport
from compose.model import ServiceLimits, read_limits
from compose.run import Run
from settings.env_file import load_env
from settings.errors import SettingsError

ANSWER_BUDGET_S = 20.0
PORT_KEYS = {"ui": "UI_PORT", "server": "API_PORT", "docs": "DOCS_PORT"}
# Also looked at where no model can be read.
USUAL_PORTS = {"ui": 3007, "server": 3008, "docs": 3009}
USUAL_OWNER = (1000, 1000)


@dataclass(frozen=True)
class Stacks:
    """Effective models of both stacks; None where Compose cannot give them."""

    staging: Mapping[str, Any] | None = None
    docs: Mapping[str, Any] | None = None

    def services(self) -> dict[str, Mapping[str, Any]]:
        """Return every service of both stacks by its name."""
        models = [model for model in (self.staging, self.docs) if model is not None]
        return {name: body for model in models for name, body in model["services"].items()}

    def limits(self, service: str) -> ServiceLimits | None:
        """Return the limits of a service, from whichever model has it."""
        for model in (self.staging, self.docs):
            if model is not None and service in model["services"]:
                return read_limits(model, service)
        return None


def examine(run: Run, env_path: Path) -> HostReport:
    """Find out all that the checks need; what cannot be found out is None, never an error."""
    env, values = _env(env_path)
    tools = probe(run)
    info = engine_info(run)
    host = engine_host(tools.endpoint, info)
    stacks = _stacks(run, values) if tools.compose_version else Stacks()
    limits = stacks.limits("server")
    beside = [stacks.limits(name) for name in ("ui", "docs")]
    server = stacks.services().get("server", {})
    return HostReport(
        host=host,
        engine=tools.engine_version,
        compose=tools.compose_version,
        buildx=tools.buildx_version,
        swap_accounting=info.get("SwapLimit"),
        env=env,
        limits=limits,
        beside_memory=sum(one.memory_bytes for one in beside if one),
        mounts_missing=_mounts_missing(server) if host.local else None,
        paths=path_reports(values, local=host.local),
        owner=_owner(values),
        ports=_ports(run, stacks, local=host.local),
        volumes_missing=_volumes_missing(run, stacks.staging or {}),
        containers=_containers(run, stacks) if tools.engine_version else (),
    )


def _env(path: Path) -> tuple[EnvReport, StagingValues]:
    """Return the state of the file, and the values to go on with: none of a file that is wrong."""
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    values = StagingValues(None, {})
    try:
        if mode is not None:
            remarks = tuple(load_env(path).remarks())
    except SettingsError as error:
        problems = tuple(error.problems)
    try:
        values = staging_values(path)
    except SettingsError as error:
        problems += tuple(one for one in error.problems if one not in problems)
    return EnvReport(str(path), mode, problems, remarks), values


def _stacks(run: Run, values: StagingValues) -> Stacks:
    try:
        return Stacks(
            staging_model(run, values, (STAGING_FILE,)), staging_model(run, values, (DOCS_FILE,))
        )
    except ComposeError:
        return Stacks()


def _mounts_missing(server: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the directories that the server mounts and this host does not have."""
    sources = [one["source"] for one in server.get("volumes", ()) if one["type"] == "bind"]
    return tuple(dict.fromkeys(one for one in sources if not Path(one).is_dir()))


def _owner(values: StagingValues) -> tuple[int, int]:
    plain = values.plain()
    uid, gid = (plain.get(key) for key in ("UID", "GID"))
    return int(uid or USUAL_OWNER[0]), int(gid or USUAL_OWNER[1])


def _ports(run: Run, stacks: Stacks, *, local: bool) -> tuple[PortReport, ...]:
    services = stacks.services()
    ours = {body.get("container_name") for body in services.values()}
    found = []
    for name, usual in USUAL_PORTS.items():
        published = services.get(name, {}).get("ports") or [{"published": usual}]
        port = int(published[0]["published"])
        holder, looked = port_state(run, port, local=local)
        found.append(PortReport(PORT_KEYS[name], port, holder, holder in ours, looked))
    return tuple(found)


def _volumes_missing(run: Run, staging: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the external volumes that are not there; None where the engine does not say."""
    volumes = (staging.get("volumes") or {}).values()
    wanted = [one["name"] for one in volumes if one.get("external")]
    try:
        argv = ["docker", "volume", "ls", "--format", "{{.Name}}"]
        there = run(argv, timeout_s=ANSWER_BUDGET_S).stdout.split()
    except ComposeError:
        return None
    return tuple(sorted(set(wanted) - set(there)))


def _containers(run: Run, stacks: Stacks) -> tuple[ContainerReport, ...]:
    reports = []
    for service, body in stacks.services().items():
        limits = stacks.limits(service)
        if limits is None:
            continue
        name = body["container_name"]
        actual, status = actual_state(run, name)
        wanted = wanted_state(limits, image_id(run, body["image"]))
        reports.append(ContainerReport(name, wanted, actual, status))
    return tuple(reports)
