"""Which value every key of `.env.staging` has in the end, and where it comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compose.commands import DOCS_FILE, STAGING_FILE
from compose.model import load_model
from compose.run import Run
from settings.env_file import EnvFile, check_values, load_env
from settings.env_keys import KEYS, REQUIRED, shown
from settings.environment import compose_placeholders, staging_overrides

_REFERENCE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)(?:(:?[-?])|\})")


@dataclass(frozen=True)
class Setting:
    """One key with its value in the end; None where it has none."""

    key: str
    value: str | None = field(repr=False)
    source: str

    def public(self) -> dict[str, object]:
        """Return what may be printed: a secret as `**********`."""
        value = None if self.value is None else shown(self.key, self.value)
        return {"key": self.key, "value": value, "source": self.source}


@dataclass(frozen=True)
class StagingValues:
    """What the file and the environment say together; the environment goes first."""

    file: EnvFile | None
    overrides: Mapping[str, str] = field(repr=False)

    def plain(self) -> dict[str, str]:
        """Return values as containers get them. Holds secrets: for Compose, not for print."""
        return {**(self.file.plain() if self.file else {}), **self.overrides}


def staging_values(path: Path, *, complete: bool = False) -> StagingValues:
    """Read `path`, if it is there, and the environment. SettingsError lists what is wrong.

    With `complete`, the file has to be there, with every key that is required.
    """
    file = load_env(path, complete=complete) if complete or path.exists() else None
    overrides = staging_overrides()
    check_values(overrides, "environment")
    return StagingValues(file, overrides)


def staging_model(
    run: Run, values: StagingValues, files: Sequence[Path] = (STAGING_FILE,)
) -> Mapping[str, Any]:
    """Return the effective model of compose files with these values.

    Values go through the environment, where Compose takes them as they are: in a file it would
    expand each `$`. Placeholders stand in for keys that are missing.
    """
    env = {**compose_placeholders(), **values.plain()}
    return load_model(run, files, env_file=os.devnull, env=env)


def effective_settings(
    values: StagingValues, files: Sequence[Path] = (STAGING_FILE, DOCS_FILE)
) -> list[Setting]:
    """Every known key: from the environment, from the file, or the compose files' default."""
    defaults: dict[str, tuple[str, str]] = {}
    for file in files:
        found = defaults_in(file.read_text(encoding="utf-8"))
        defaults |= {key: (text, file.name) for key, text in found.items() if key not in defaults}
    plain = values.plain()
    return [_setting(key, values, plain, defaults) for key in KEYS]


def defaults_in(text: str) -> dict[str, str]:
    """Return the default of each `${KEY:-default}` of a compose file; the first one counts."""
    found: dict[str, str] = {}
    for match in _REFERENCE.finditer(text):
        if (match[2] or "").endswith("-"):
            found.setdefault(match[1], _until_brace(text[match.end() :]))
    return found


def _setting(
    key: str,
    values: StagingValues,
    plain: Mapping[str, str],
    defaults: Mapping[str, tuple[str, str]],
) -> Setting:
    if key in values.overrides:
        return Setting(key, plain[key], "environment")
    if values.file and key in plain:
        return Setting(key, plain[key], f"{values.file.path.name}:{values.file.line_of(key)}")
    if key in defaults:
        text, name = defaults[key]
        return Setting(key, _expand(text, plain), f"default in {name}")
    lacking = "missing" if key in REQUIRED else "not set"
    return Setting(key, None, lacking)


def _until_brace(text: str) -> str:
    """Return what stands before the brace that closes a reference; references may be nested."""
    depth = 1
    for place, letter in enumerate(text):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth == 0:
            return text[:place]
    return text


def _expand(default: str, plain: Mapping[str, str]) -> str:
    """Put values into a default that refers to another key, as that of CORS_ORIGIN does."""
    for key, inner in defaults_in(default).items():
        default = default.replace(f"${{{key}:-{inner}}}", plain.get(key) or inner)
    return default
