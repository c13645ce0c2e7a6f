"""What commands started here get from this process's environment, and what they do not."""

from __future__ import annotations

import os

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
