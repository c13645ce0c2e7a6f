"""What the environment of this process says, and what commands started here get of it."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

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


def in_ci() -> bool:
    """Whether this runs in a CI job, where nobody watches a terminal."""
    return bool(os.environ.get("CI"))


def staging_overrides() -> dict[str, str]:
    """Keys of `.env.staging` that this process's environment sets; empty ones count as unset."""
    return {key: os.environ[key] for key in KEYS if os.environ.get(key)}


def staging_owner() -> tuple[int, int]:
    """(UID, GID) of whoever runs this, also through sudo; root itself stands for 1000:1000."""
    uid = int(os.environ.get("SUDO_UID") or os.getuid())
    gid = int(os.environ.get("SUDO_GID") or os.getgid())
    return (uid, gid) if uid else (1000, 1000)


def deploy_root() -> Path:
    """Where deploy directories are kept: the system's for root, else this user's own."""
    if os.geteuid() == 0:
        return Path("/var/lib/automaker-staging")
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "automaker-staging"


def operator() -> str:
    """Who runs this, as `user@host`; through sudo the user who typed it."""
    return f"{os.environ.get('SUDO_USER') or getpass.getuser()}@{socket.gethostname()}"


def git_environment(remote: str) -> dict[str, str]:
    """Variables for git, which knows `remote` by the name of source.

    It asks nothing on the terminal, and uses no transport that runs commands.
    """
    return {
        "GIT_TERMINAL_PROMPT": "0",
        "SSH_ASKPASS": "/bin/false",
        "SSH_ASKPASS_REQUIRE": "force",
        "GIT_ALLOW_PROTOCOL": "https:ssh:git:file",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "remote.source.url",
        "GIT_CONFIG_VALUE_0": remote,
    }


def proxy_build_args() -> list[str]:
    """Names of proxy variables that are set; Docker hands them to builds, never to images."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    return [one for name in names for one in (name, name.lower()) if os.environ.get(one)]
