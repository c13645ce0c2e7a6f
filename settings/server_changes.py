"""Reads changes of the server's settings files as they are typed: `maxConcurrency=6`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from settings.env_keys import HIGHEST_CONCURRENCY
from settings.errors import SettingsError
from settings.server_files import Kind, check_settings, parse_json
from settings.server_form import OPPOSITE, as_written, flat_form


@dataclass(frozen=True)
class Changes:
    """What is to be merged into a file, and what became another key than was typed."""

    values: dict[str, Any] = field(repr=False)
    remarks: tuple[str, ...] = ()


def parse_changes(words: Sequence[str], kind: Kind) -> Changes:
    """Read words such as `gitWorkflow.autoPush=false`: a path of keys, and JSON or else a string.

    A key with a dot in it goes into JSON: `autoModeByWorktree={"p1::v1.2": {...}}`. The guide's
    `autoMode.*` becomes what the server reads. Raises SettingsError that lists every word that
    cannot be used, by its number: a word may hold a secret.
    """
    values: dict[str, Any] = {}
    remarks: list[str] = []
    problems: list[str] = []
    for number, word in enumerate(words, start=1):
        try:
            path, value = _read(word)
            if kind == "global" and path[0] == "autoMode":
                for typed, flat in _flattened(path, value):
                    _put(values, flat)
                    remarks.append(f"{typed}: the server reads {as_written(flat)}; written so")
            else:
                _put(values, _nested(path, value))
        except ValueError as error:
            problems.append(f"change {number}: {error}")
    if kind == "project":
        # What lies in another file is no change of this one.
        ignored = check_settings(values, kind, HIGHEST_CONCURRENCY)
        problems += [f"{one.key}: {one.message}" for one in ignored if one.key != "version"]
    if problems:
        raise SettingsError(problems)
    return Changes(values, tuple(remarks))


def _read(word: str) -> tuple[list[str], Any]:
    """Split a word into its path and its value; ValueError says what is wrong with it."""
    name, separator, text = word.partition("=")
    path = name.split(".")
    if not separator or not all(part.strip() == part != "" for part in path):
        raise ValueError("not like KEY=VALUE or KEY.KEY=VALUE")
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("not UTF-8") from None
    try:
        return path, parse_json(text)
    except (ValueError, RecursionError):
        return path, text


def _nested(path: Sequence[str], value: Any) -> dict[str, Any]:
    for key in reversed(path[1:]):
        value = {key: value}
    return {path[0]: value}


def _flattened(path: Sequence[str], value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what was typed below autoMode with the form in which the server reads it."""
    inside = _nested(path, value)["autoMode"]
    # Alone, the key says nothing in either form.
    inside = inside if isinstance(inside, dict) else {"": inside}
    for key, one in inside.items():
        typed = f"autoMode.{key}".rstrip(".")
        flat = flat_form(key, one)
        if flat is None:
            raise ValueError(f"{typed}: the server reads nothing of that name; leave it out")
        if key in OPPOSITE and not isinstance(one, bool):
            raise ValueError(f"{typed}: neither true nor false")
        yield typed, flat


def _put(into: dict[str, Any], change: Mapping[str, Any], at: str = "") -> None:
    """Merge a change into those before it; ValueError where two of them are about one value."""
    for key, value in change.items():
        there = into.get(key)
        if key not in into:
            into[key] = value
        elif isinstance(there, dict) and isinstance(value, dict):
            _put(there, value, f"{at}{key}.")
        else:
            raise ValueError(f"{at}{key}: set by another change too")
