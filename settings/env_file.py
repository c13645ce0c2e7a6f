"""The one reader of `.env.staging`: every problem at once, with its line, and never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from settings.env_keys import REQUIRED, SECRET_KEYS, StagingEnv
from settings.env_syntax import Entry, read
from settings.errors import SettingsError

ENV_FILE = Path(__file__).parent.parent / ".env.staging"
PRIVATE_MODE = 0o600


@dataclass(frozen=True)
class EnvFile:
    """A valid file. `entries` are in the order of the file; `env` holds the typed values."""

    path: Path
    entries: tuple[Entry, ...]
    env: StagingEnv

    def plain(self) -> dict[str, str]:
        """Return every value as containers get it. Holds secrets: for Compose, not for print."""
        return {entry.key: entry.value for entry in self.entries}

    def line_of(self, key: str) -> int | None:
        """Return where a key is set, counted from 1; None where it is not."""
        return next((entry.line for entry in self.entries if entry.key == key), None)

    def remarks(self) -> list[str]:
        """What is valid here and yet would be misread by other readers of the file."""
        return [
            f"{self.path}:{entry.line}: {entry.key}: `docker compose --env-file` typed by hand "
            "would expand the $ in it; put the value in single quotes"
            for entry in self.entries
            if entry.expandable
        ]


def load_env(path: Path = ENV_FILE, *, complete: bool = True) -> EnvFile:
    """Read a file. With `complete`, the keys that no server may start without have to be there.

    Raises SettingsError that lists all problems, each as `path:line: key: what`.
    """
    return parse_env(read_env_text(path), path, complete=complete)


def read_env_text(path: Path) -> str:
    """Return the text of a file; SettingsError where there is none or it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        error = SettingsError([f"{path}: missing"])
        error.add_note("invoke env")
        raise error from None
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{path}: not UTF-8"]) from None


def parse_env(text: str, path: Path = ENV_FILE, *, complete: bool = True) -> EnvFile:
    """Read the text of a file; `path` is what problems call it. Raises SettingsError."""
    entries, found = read(text)
    lines = {entry.key: entry.line for entry in entries}
    env, wrong = _typed({entry.key: entry.value for entry in entries})
    found += [(lines[key], f"{key}: {what}") for key, what in wrong]
    problems = [f"{path}:{line}: {what}" for line, what in sorted(found)]
    if complete:
        problems += [f"{path}: {key}: missing" for key in REQUIRED if key not in lines]
    if problems or env is None:
        raise SettingsError(problems)
    return EnvFile(path, tuple(entries), env)


def check_values(values: Mapping[str, str], origin: str) -> StagingEnv:
    """Type values that come from elsewhere. Raises SettingsError that names their `origin`."""
    env, wrong = _typed(values)
    if env is None:
        raise SettingsError([f"{origin}: {key}: {what}" for key, what in wrong])
    return env


def _typed(values: Mapping[str, str]) -> tuple[StagingEnv | None, list[tuple[str, str]]]:
    """Return the typed values, or what is wrong with them as (key, message)."""
    try:
        return StagingEnv.model_validate(dict(values)), []
    except ValidationError as error:
        wrong = []
        for one in error.errors(include_url=False, include_input=False, include_context=False):
            key = str(one["loc"][0])
            unknown = one["type"] == "extra_forbidden"
            what = "unknown key" if unknown else one["msg"].removeprefix("Value error, ")
            if key in SECRET_KEYS and what == "empty":
                what = "empty: a secret has to be set, or its line left out"
            wrong.append((key, what))
        return None, wrong
