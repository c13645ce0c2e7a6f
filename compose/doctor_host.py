"""Looks at the host that the engine runs on: at this one directly, at another through it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compose.doctor_paths import PATH_KEYS
from compose.effective import StagingValues, effective_settings
from compose.endpoint import is_local
from compose.errors import ComposeError
from compose.host_report import EngineHost, PathReport
from compose.run import Run
from settings.host import host_facts, network_mbps
from settings.server_paths import real_directory

ANSWER_BUDGET_S = 20.0


def engine_info(run: Run) -> Mapping[str, Any]:
    """Return what `docker info` says; empty where there is no engine to ask."""
    try:
        argv = ["docker", "info", "--format", "{{json .}}"]
        found = json.loads(run(argv, timeout_s=ANSWER_BUDGET_S).stdout)
    except (ComposeError, ValueError):
        return {}
    # Some clients answer without an engine too, every field of it zero, false or empty.
    return {} if not isinstance(found, dict) or found.get("ServerErrors") else found


def engine_host(endpoint: str, info: Mapping[str, Any]) -> EngineHost:
    """Return what is known of the engine's host; `info` is what `docker info` says."""
    if not is_local(endpoint):
        version = str(info.get("CgroupVersion") or "")
        return EngineHost(
            endpoint,
            memory=info.get("MemTotal") or None,
            cpus=info.get("NCPU") or None,
            cgroup_version=int(version) if version.isdigit() else None,
        )
    data = Path(info.get("DockerRootDir") or "/")
    disk = data if data.exists() else Path("/")
    facts = host_facts(disk)
    return EngineHost(
        endpoint,
        memory=facts.memory,
        swap=facts.swap,
        cpus=facts.cpus,
        disk_total=shutil.disk_usage(disk).total,
        disk_free=facts.disk_free,
        network_mbps=network_mbps(),
        cgroup_version=facts.cgroup_version,
    )


def path_reports(values: StagingValues, *, local: bool) -> tuple[PathReport, ...]:
    """Return the paths in effect, defaults included; where they lead only if that is `local`."""
    written = {one.key: one.value for one in effective_settings(values)}
    return tuple(
        PathReport(key, path, real_directory(path) if local else None)
        for key in PATH_KEYS
        if (path := written[key])
    )
