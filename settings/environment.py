"""What the environment of this process says, and what commands started here get of it."""

from __future__ import annotations

import os

from settings.env_keys import KEYS

# Required variables of the compose file that say nothing about limits.
_PLACEHOLDER = "not-used-by-the-load-test"
_REQUIRED = ("ANTHROPIC_API_KEY", "AUTOMAKER_API_KEY")
_SECRETS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "WEBHOOK")


def compose_placeholders() -> dict[str, str]:
    """Values for variables that the staging model demands and a load test has no use for."""
    return dict.fromkeys(_REQUIRED, _PLACEHOLDER)


def swarm_environment() -> dict[str, str]:
    """The environment of the Locust process: ours without secrets and Locust's own variables."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LOCUST_") and not any(word in name.upper() for word in _SECRETS)
    }


def staging_overrides() -> dict[str, str]:
    """Keys of `.env.staging` that this process's environment sets; empty ones count as unset."""
    return {key: os.environ[key] for key in KEYS if os.environ.get(key)}


def staging_owner() -> tuple[int, int]:
    """(UID, GID) of whoever runs this, also through sudo; root itself stands for 1000:1000."""
    uid = int(os.environ.get("SUDO_UID") or os.getuid())
    gid = int(os.environ.get("SUDO_GID") or os.getgid())
    return (uid, gid) if uid else (1000, 1000)
