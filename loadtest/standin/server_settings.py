"""DATA_DIR/settings.json and the concurrency it grants. All but reading and saving is pure."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .files import rotate_backups, write_json

DEFAULT_SYSTEM_CONCURRENCY = 2
LOWEST_SYSTEM_CONCURRENCY = 1
HIGHEST_SYSTEM_CONCURRENCY = 20
DEFAULT_MAX_CONCURRENCY = 1
MAIN_WORKTREE = "__main__"

DEFAULTS: Mapping[str, Any] = {
    "version": 6,
    "environment": "default",
    "setupComplete": False,
    "isFirstRun": True,
    "maxConcurrency": DEFAULT_MAX_CONCURRENCY,
    "systemMaxConcurrency": 10,
    "skipVerificationInAutoMode": False,
    "useWorktrees": True,
    "projects": [],
    "trashedProjects": [],
    "autoModeByWorktree": {},
    "mcpServers": [],
}

_LEADING_INTEGER = re.compile(r"\s*([+-]?[0-9]+)", re.ASCII)


def parse_int(text: str) -> int | None:
    """JavaScript's parseInt in base 10: the leading digits count, None when there are none."""
    found = _LEADING_INTEGER.match(text)
    return int(found.group(1)) if found else None


def clamp_system_concurrency(value: str | None) -> int:
    """Return the cap AUTOMAKER_MAX_CONCURRENCY asks for: 1..20, 2 when it is no number."""
    wanted = parse_int(value[:32]) if value else None
    if wanted is None:
        return DEFAULT_SYSTEM_CONCURRENCY
    return min(max(wanted, LOWEST_SYSTEM_CONCURRENCY), HIGHEST_SYSTEM_CONCURRENCY)


def resolve_max_concurrency(
    settings: Mapping[str, Any],
    project_path: str,
    branch: str | None,
    requested: int | None,
    cap: int,
) -> int | float:
    """How many agents a loop may run: the request, else the worktree's, else the global figure.

    The result never exceeds `cap`. Stored figures have no lower bound: 0 or less means a loop
    that starts nothing.
    """
    if requested is not None:
        return min(requested, cap)
    stored = _worktree_concurrency(settings, project_path, branch)
    if stored is None:
        stored = _number(settings.get("maxConcurrency"))
    return min(DEFAULT_MAX_CONCURRENCY if stored is None else stored, cap)


def shown_system_concurrency(settings: Mapping[str, Any], cap: int) -> int | float:
    """Return the `systemMaxConcurrency` a status shows; the figure caps nothing."""
    shown = _number(settings.get("systemMaxConcurrency"))
    return cap if shown is None else shown


def pickup_cooldown(settings: Mapping[str, Any]) -> float:
    """Seconds a new feature rests before a loop may pick it; 0 unless the settings say more."""
    milliseconds = _number(settings.get("autoModePickupCooldownMs"))
    return max(0.0, (milliseconds or 0) / 1000)


def always_on_projects(settings: Mapping[str, Any]) -> list[tuple[str, str | None, int | None]]:
    """(project path, branch, max concurrency) of the loops to start with the server."""
    always_on = _mapping(settings.get("autoModeAlwaysOn"))
    if always_on.get("enabled") is not True:
        return []
    entries = [_mapping(entry) for entry in _list(always_on.get("projects"))]
    return [
        (entry["projectPath"], entry.get("branchName"), entry.get("maxConcurrency"))
        for entry in entries
        if isinstance(entry.get("projectPath"), str)
    ]


def settings_file(data_dir: Path) -> Path:
    """Where the server keeps its settings."""
    return data_dir / "settings.json"


def load_settings(data_dir: Path) -> dict[str, Any]:
    """Return the stored settings over the defaults; the defaults if unreadable."""
    stored: Any = None
    with contextlib.suppress(OSError, ValueError):
        stored = json.loads(settings_file(data_dir).read_bytes())
    return {**DEFAULTS, **_mapping(stored)}


def save_settings(data_dir: Path, updates: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `updates` into the stored settings, keep three backups, return the result."""
    merged = {**load_settings(data_dir), **updates, "version": DEFAULTS["version"]}
    file = settings_file(data_dir)
    rotate_backups(file, file.parent)
    write_json(file, merged)
    return merged


def _worktree_concurrency(
    settings: Mapping[str, Any], project_path: str, branch: str | None
) -> int | float | None:
    projects = [_mapping(entry) for entry in _list(settings.get("projects"))]
    known = next((entry for entry in projects if entry.get("path") == project_path), None)
    if known is None:
        return None
    by_worktree = _mapping(settings.get("autoModeByWorktree"))
    entry = by_worktree.get(f"{known.get('id')}::{branch or MAIN_WORKTREE}")
    return _number(_mapping(entry).get("maxConcurrency"))


def _number(value: Any) -> int | float | None:
    # JSON's true is no number in JavaScript, but would pass for 1 here.
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
