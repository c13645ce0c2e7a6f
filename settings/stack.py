"""Which stack the verbs speak of: the name all its names begin with, and its deploy directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from settings.env_file import ENV_FILE, check_values
from settings.env_syntax import read
from settings.environment import deploy_root, staging_overrides

USUAL_NAME = "automaker"


@dataclass(frozen=True)
class Stack:
    """One staging stack of a host."""

    name: str
    home: Path
    """The deploy directory: releases, lock and audit log."""

    @property
    def project(self) -> str:
        """Compose's name for server and UI."""
        return f"{self.name}-staging"

    @property
    def docs_project(self) -> str:
        """Compose's name for the docs site."""
        return f"{self.name}-docs"


def find_stack(path: Path = ENV_FILE) -> Stack:
    """Say which stack an env file is about; a file with mistakes, or none, still says it.

    What runs has to be seen and rolled back also while its settings are broken. Raises
    SettingsError for a name or a directory that cannot be used.
    """
    values = _lenient(path)
    found = {key: values[key] for key in ("STACK_NAME", "DEPLOY_DIR") if values.get(key)}
    env = check_values(found, str(path))
    name = env.stack_name or USUAL_NAME
    home = Path(env.deploy_dir) if env.deploy_dir else deploy_root() / f"{name}-staging"
    return Stack(name, home)


def setting_of(path: Path, key: str) -> str:
    """Return one setting, or an empty string, whatever else is wrong with the file."""
    return _lenient(path).get(key, "")


def _lenient(path: Path) -> dict[str, str]:
    try:
        entries, _ = read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        entries = []
    return {entry.key: entry.value for entry in entries} | staging_overrides()
