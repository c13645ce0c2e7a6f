"""The values of a deploy: `.env.staging`, completed by what fits the host, and what is pinned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from compose.deploy.release import COMPOSE_NAME, Image
from compose.effective import staging_values
from settings.env_keys import REQUIRED
from settings.env_write import ensure_env
from settings.environment import compose_placeholders
from settings.errors import SettingsError
from settings.stack import Stack
from settings.tiers import propose

# The stand-in calls no model. Never written to a file, where a real deploy would find it.
STANDIN_KEY = "the-stand-in-calls-no-model"


def ensure_env_file(path: Path, *, local: bool, dry: bool) -> str:
    """Write `.env.staging` where there is none; returns what to say of it.

    Only for an engine on this host: what fits this one need not fit another.
    """
    if path.exists() or not local:
        return ""
    ensure_env(path, dry_run=dry)
    return f"{path}: {'would be written' if dry else 'written'}, with limits that fit this host"


def deploy_values(
    path: Path, *, standin: bool, memory: int, cpus: int, dry: bool = False
) -> dict[str, str]:
    """Return what containers get. Limits that the file leaves out fit the engine's host.

    Raises SettingsError with every problem of the file, and every key that is missing.
    """
    plain = staging_values(path).plain()
    if standin:
        plain.setdefault("ANTHROPIC_API_KEY", STANDIN_KEY)
    if dry and not path.exists():
        plain.setdefault("AUTOMAKER_API_KEY", "generated-when-the-file-is-written")
    missing = [key for key in REQUIRED if not plain.get(key)]
    if missing:
        error = SettingsError([f"{path}: {key}: missing" for key in missing])
        error.add_note(f"{missing[0]}=... invoke env, or add it to the file")
        raise error
    return {**propose(memory, cpus).values(), **plain}


def build_values(path: Path) -> dict[str, str]:
    """Return the values that a build needs: all that there are, and no key that only runs need."""
    return {**compose_placeholders(), **staging_values(path).plain()}


def pinned(
    values: Mapping[str, str],
    stack: Stack,
    deploy_id: str,
    images: Mapping[str, Image],
    commit: str,
) -> dict[str, str]:
    """Return the values of one release: settings, its images, and what `docker compose` needs."""
    return {
        **values,
        "STACK_NAME": stack.name,
        "DEPLOY_DIR": str(stack.home),
        "DEPLOY_ID": deploy_id,
        "GIT_COMMIT_SHA": commit,
        "SERVER_IMAGE": images["server"].reference,
        "UI_IMAGE": images["ui"].reference,
        # For whoever types `docker compose` in the release's folder.
        "COMPOSE_FILE": COMPOSE_NAME,
        "COMPOSE_PROJECT_NAME": stack.project,
    }
