"""Staging beside production: the guide's table, read from the two effective models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compose.errors import ComposeError
from compose.model import ServiceLimits, read_limits

GIB = 2**30
# Setting, production, staging, reason: the guide's own words.
GUIDE = (
    ("Memory limit", "8G", "48G", "Support 6-10 concurrent agents"),
    ("CPU limit", "2", "8", "Parallel agent execution"),
    ("NODE_OPTIONS max-old-space", "default", "32768", "Prevent Node.js heap exhaustion"),
    ("Server restart policy", "unless-stopped", "on-failure:5", "Stop crash loops after 5 retries"),
    ("Health check timeout", "3s", "10s", "More generous for high load"),
    ("Health check start period", "5s", "60s", "Allow longer initialization"),
    ("Log max-size (server)", "10m", "100m", "More verbose logging for debugging"),
    ("Log max-file (server)", "3", "10", "Keep more history for investigation"),
    ("Docs lifecycle", "Same compose", "Separate compose", "Independent deploys and rollbacks"),
)


@dataclass(frozen=True)
class Row:
    """One setting of both stacks, and what the guide says of each."""

    setting: str
    production: str
    staging: str
    reason: str
    guide_production: str
    guide_staging: str

    @property
    def as_the_guide_says(self) -> bool:
        """Whether both stacks are what the guide's table has."""
        return (self.production, self.staging) == (self.guide_production, self.guide_staging)

    def remark(self) -> str:
        """Say where the stacks leave the guide; empty where they do not."""
        if self.as_the_guide_says:
            return ""
        return f"the guide has {self.guide_production} and {self.guide_staging}"


def compare(production: Mapping[str, Any], staging: Mapping[str, Any]) -> list[Row]:
    """Return the guide's rows for two effective models; ComposeError where one lacks a value."""
    here, there = _column(staging), _column(production)
    return [
        Row(setting, there[setting], here[setting], reason, guide_production, guide_staging)
        for setting, guide_production, guide_staging, reason in GUIDE
    ]


def _column(model: Mapping[str, Any]) -> dict[str, str]:
    limits = read_limits(model)
    if limits.health is None:
        raise ComposeError("services.server.healthcheck: missing")
    options = _log_options(model)
    old_space = limits.node_old_space_mib
    return {
        "Memory limit": size_as_compose_writes_it(limits.memory_bytes),
        "CPU limit": "unlimited" if limits.cpus is None else f"{limits.cpus:g}",
        "NODE_OPTIONS max-old-space": "default" if old_space is None else str(old_space),
        "Server restart policy": restart_as_compose_writes_it(limits),
        "Health check timeout": f"{limits.health.timeout_s:g}s",
        "Health check start period": f"{limits.health.start_period_s:g}s",
        "Log max-size (server)": options.get("max-size", "unlimited"),
        "Log max-file (server)": options.get("max-file", "1"),
        "Docs lifecycle": "Same compose" if "docs" in model["services"] else "Separate compose",
    }


def size_as_compose_writes_it(count: int) -> str:
    """Return bytes as `48G`, or `512M` where they are no whole number of GiB."""
    return f"{count // GIB}G" if count % GIB == 0 else f"{count / 2**20:g}M"


def restart_as_compose_writes_it(limits: ServiceLimits) -> str:
    """Return a restart policy as `on-failure:5`."""
    policy = limits.restart
    return policy.name if policy.retries is None else f"{policy.name}:{policy.retries}"


def _log_options(model: Mapping[str, Any]) -> dict[str, str]:
    logging = model["services"]["server"].get("logging") or {}
    return {name: str(value) for name, value in (logging.get("options") or {}).items()}
