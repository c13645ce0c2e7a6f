"""Read the settings files: every problem at once, each with its file and key path."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from settings.errors import SettingsError
from settings.models import Agents, Claims, LoadTest, Settings

FOLDER = Path(__file__).parent
_Model = TypeVar("_Model", bound=BaseModel)


def load_settings(folder: Path = FOLDER) -> Settings:
    """The settings of `agents.toml`, `claims.toml` and `loadtest.toml` in `folder`.

    Raises SettingsError that lists all problems of all files.
    """
    problems: list[str] = []
    agents = _load(folder / "agents.toml", Agents, problems)
    claims = _load(folder / "claims.toml", Claims, problems)
    loadtest = _load(folder / "loadtest.toml", LoadTest, problems)
    if agents and claims and loadtest:
        try:
            return Settings(agents=agents, claims=claims.claims, loadtest=loadtest)
        except ValidationError as error:
            problems += _explain(folder / "claims.toml", error)
    raise SettingsError(problems)


def _load(path: Path, model: type[_Model], problems: list[str]) -> _Model | None:
    try:
        return model.model_validate(_read(path))
    except ValidationError as error:
        problems += _explain(path, error)
    except SettingsError as error:
        problems += error.problems
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: not valid TOML: {error}"]) from None


def _explain(path: Path, error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        where = ".".join(str(part) for part in problem["loc"])
        what = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            what = "unknown key"
        lines.append(f"{path}: {where + ': ' if where else ''}{what}")
    return lines
