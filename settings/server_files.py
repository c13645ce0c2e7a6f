"""The server's own settings files: what it reads of them, and what it would silently ignore.

Two forms are about. Guides write `autoMode.maxConcurrency`; the server reads flat keys of
DATA_DIR/settings.json (`maxConcurrency`, `autoModeByWorktree`, `autoModeAlwaysOn`) and keeps
everything else as unknown data.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from settings.env_keys import HIGHEST_CONCURRENCY
from settings.errors import SettingsError
from settings.server_form import PROJECT_FORM, as_written, flat_form
from settings.server_paths import aliases, no_directory, real_directory

KNOWN_VERSION = {"global": 6, "project": 1}
MAIN_WORKTREE = "__main__"
Level = Literal["warn", "fail"]
Kind = Literal["global", "project"]


@dataclass(frozen=True)
class Finding:
    """Something about a settings file: a warning, or a failure where auto-mode would not work."""

    level: Level
    key: str
    message: str


def check_file(path: Path, cap: int) -> list[Finding]:
    """Check a file; below a folder `.automaker` it is a project's. SettingsError if unreadable.

    `cap` is AUTOMAKER_MAX_CONCURRENCY: the server runs no more than that, whatever a file says.
    """
    try:
        data = parse_settings(path.read_bytes(), path)
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}"]) from None
    return check_settings(data, kind_of(path), cap, real_directory)


def kind_of(path: Path) -> Kind:
    """Say whose file it is: a project's below a folder `.automaker`, else the server's."""
    return "project" if path.resolve().parent.name == ".automaker" else "global"


def parse_settings(content: bytes, path: Path) -> dict[str, Any]:
    """Return the object that a file holds. SettingsError where the server could not read it."""
    try:
        data = parse_json(content.decode("utf-8"))
    except (ValueError, RecursionError):
        # Not quoted: the file may hold keys of model providers.
        raise SettingsError([f"{path}: not valid JSON; the server would run on defaults"]) from None
    if not isinstance(data, dict):
        raise SettingsError([f"{path}: not a JSON object; the server would run on defaults"])
    return data


def parse_json(text: str) -> Any:
    """Return a JSON value; ValueError for the NaN and infinities that Python alone takes."""

    def finite(number: str) -> float:
        value = float(number)
        if not math.isfinite(value):
            raise ValueError(number)
        return value

    return json.loads(text, parse_constant=finite, parse_float=finite)


def check_settings(
    data: Mapping[str, Any],
    kind: Kind,
    cap: int,
    real: Callable[[str], str | None] = no_directory,
) -> list[Finding]:
    """What the server would ignore in a settings file, or not do as it is written.

    `real` says which directory a path leads to, None where that is not known.
    """
    found = [*_version(data, kind), *_guide_form(data, kind)]
    if kind == "project":
        found += _flat_in_project(data)
    else:
        found += [
            *_limits(data, cap),
            *_by_worktree(data, cap),
            *_always_on(data, cap),
            *_paths(data, real),
        ]
    return found


def _version(data: Mapping[str, Any], kind: Kind) -> Iterator[Finding]:
    version, known = data.get("version"), KNOWN_VERSION[kind]
    if isinstance(version, int) and version > known:
        yield Finding(
            "warn",
            "version",
            f"{version} is newer than {known}: an older server marks the file down to its own",
        )


def _guide_form(data: Mapping[str, Any], kind: Kind) -> Iterator[Finding]:
    """Find keys below autoMode, which the server keeps and never reads."""
    if "autoMode" in data and not isinstance(data["autoMode"], dict):
        yield Finding("warn", "autoMode", "ignored by the server; leave it out")
    for key, value in _mapping(data.get("autoMode")).items():
        form = None
        if kind == "global":
            flat = flat_form(key, value)
            form = flat and as_written(flat)
        elif key in PROJECT_FORM:
            form = PROJECT_FORM[key].format(value=json.dumps(value))
        says = f"write {form}" if form else "leave it out"
        yield Finding("warn", f"autoMode.{key}", f"ignored by the server; {says}")


def _flat_in_project(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Find limits in a project's file: the server takes them from DATA_DIR/settings.json only."""
    for key in ("maxConcurrency", "maxConcurrentAgents"):
        if key in data:
            says = PROJECT_FORM["maxConcurrency"].format(value=json.dumps(data[key]))
            yield Finding("warn", key, f"ignored by the server; write {says}")
    for key in ("autoModeByWorktree", "autoModeAlwaysOn", "useWorktrees"):
        if key in data:
            yield Finding("warn", key, "ignored in this file; move it to DATA_DIR/settings.json")


def _limits(data: Mapping[str, Any], cap: int) -> Iterator[Finding]:
    if "maxConcurrency" in data:
        yield from _concurrency(data["maxConcurrency"], "maxConcurrency", cap)
    elif "maxConcurrency" not in _mapping(data.get("autoMode")):
        yield Finding("warn", "maxConcurrency", "not set: auto-mode runs one agent at a time")
    if "systemMaxConcurrency" in data:
        yield Finding(
            "warn",
            "systemMaxConcurrency",
            f"only shown; what caps the server is AUTOMAKER_MAX_CONCURRENCY, which is {cap}",
        )


def _by_worktree(data: Mapping[str, Any], cap: int) -> Iterator[Finding]:
    """Check the limits of single branches, whose keys are `<id of the project>::<branch>`."""
    value = data.get("autoModeByWorktree", {})
    if not isinstance(value, dict):
        yield Finding("fail", "autoModeByWorktree", "not an object, so ignored")
    ids = {_mapping(project).get("id") for project in _list(data.get("projects"))}
    for name, entry in _mapping(value).items():
        at = f"autoModeByWorktree[{json.dumps(name)}]"
        project, separator, branch = name.partition("::")
        if not separator or not branch:
            wanted = f"{project}::{MAIN_WORKTREE}"
            yield Finding("warn", at, f"never looked up; the key has to be like {wanted!r}")
        elif project not in ids:
            yield Finding("warn", at, f"never looked up: projects[] has no id {project!r}")
        if "maxConcurrency" in _mapping(entry):
            yield from _concurrency(entry["maxConcurrency"], f"{at}.maxConcurrency", cap)


def _always_on(data: Mapping[str, Any], cap: int) -> Iterator[Finding]:
    """Check the loops that start with the server."""
    always_on = _mapping(data.get("autoModeAlwaysOn"))
    projects = _list(always_on.get("projects"))
    if projects and always_on.get("enabled") is not True:
        yield Finding("warn", "autoModeAlwaysOn.enabled", "not true, so no project is started")
    for number, entry in enumerate(projects):
        at = f"autoModeAlwaysOn.projects[{number}]"
        path = _mapping(entry).get("projectPath")
        if not isinstance(path, str) or not path.startswith("/"):
            yield Finding("fail", f"{at}.projectPath", "not an absolute path, so never started")
        if _mapping(entry).get("maxConcurrency") is not None:
            yield from _concurrency(entry["maxConcurrency"], f"{at}.maxConcurrency", cap)


def _paths(data: Mapping[str, Any], real: Callable[[str], str | None]) -> Iterator[Finding]:
    """Find projects under two names, in and across the two lists that name projects."""
    lists = (
        ("projects", "path", data.get("projects")),
        (
            "autoModeAlwaysOn.projects",
            "projectPath",
            _mapping(data.get("autoModeAlwaysOn")).get("projects"),
        ),
    )
    named = [
        (f"{name}[{number}].{key}", path)
        for name, key, entries in lists
        for number, entry in enumerate(_list(entries))
        if isinstance(path := _mapping(entry).get(key), str) and path.startswith("/")
    ]
    for at, message in aliases(named, real):
        yield Finding("warn", at, message)


def _concurrency(value: object, at: str, cap: int) -> Iterator[Finding]:
    """Check one limit. The server has no lower bound of its own and takes no strings."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        yield Finding("fail", at, "not a number, so ignored: auto-mode runs one agent at a time")
    elif value < 1:
        yield Finding("fail", at, f"{value:g}: auto-mode would never start an agent")
    elif value != int(value):
        yield Finding("warn", at, f"{value:g} works like {int(value) + 1}; write a whole number")
    elif value > HIGHEST_CONCURRENCY:
        yield Finding("warn", at, f"{value:g}: the server never runs more than 20")
    elif value > cap:
        yield Finding(
            "warn", at, f"{value:g}: AUTOMAKER_MAX_CONCURRENCY lets {cap} run; raise it for more"
        )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
