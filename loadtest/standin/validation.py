"""Checks of request bodies that report what they find as zod does, in both dialects."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from .errors import Refusal

Issue = dict[str, Any]
At = tuple[str | int, ...]
Check = Callable[[Any, At], list[Issue]]


class _Missing:
    """JavaScript's undefined: a key that is not there, as opposed to null."""


MISSING: Final = _Missing()


def invalid_type(expected: str, value: Any, at: At) -> list[Issue]:
    """Return the issue of a value of the wrong type."""
    received = type_name(value)
    message = "Required" if value is MISSING else f"Expected {expected}, received {received}"
    return [
        {
            "code": "invalid_type",
            "expected": expected,
            "received": received,
            "path": list(at),
            "message": message,
        }
    ]


def type_name(value: Any) -> str:
    """Say what zod calls the type of a parsed JSON value."""
    if value is MISSING:
        return "undefined"
    if value is None:
        return "null"
    names = {bool: "boolean", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "number")


def text(minimum: int = 0, message: str = "") -> Check:
    """Accept a string of at least `minimum` characters."""

    def check(value: Any, at: At) -> list[Issue]:
        if not isinstance(value, str):
            return invalid_type("string", value, at)
        if len(value) < minimum:
            default = f"String must contain at least {minimum} character(s)"
            return [_bound(at, "minimum", minimum, "string", message or default)]
        return []

    return check


def absolute_path(value: Any, at: At) -> list[Issue]:
    """Accept a project path: not empty, from the root."""
    issues = text(1, "projectPath must not be empty")(value, at)
    if isinstance(value, str) and not value.startswith("/"):
        message = "projectPath must be an absolute path"
        issues.append({"code": "custom", "message": message, "path": list(at)})
    return issues


def integer(minimum: int, maximum: int) -> Check:
    """Accept a whole number within bounds, both included."""

    def check(value: Any, at: At) -> list[Issue]:
        if type_name(value) != "number":
            return invalid_type("number", value, at)
        issues = []
        if value != value // 1:
            issues.append(_not_whole(at))
        if value < minimum:
            message = f"Number must be greater than or equal to {minimum}"
            issues.append(_bound(at, "minimum", minimum, "number", message))
        if value > maximum:
            message = f"Number must be less than or equal to {maximum}"
            issues.append(_bound(at, "maximum", maximum, "number", message))
        return issues

    return check


def filled_list_of(item: Check) -> Check:
    """Accept an array with at least one element, each of which passes `item`."""

    def check(value: Any, at: At) -> list[Issue]:
        if not isinstance(value, list):
            return invalid_type("array", value, at)
        if not value:
            message = "Array must contain at least 1 element(s)"
            return [_bound(at, "minimum", 1, "array", message)]
        return [found for index, one in enumerate(value) for found in item(one, (*at, index))]

    return check


def record(value: Any, at: At) -> list[Issue]:
    """Accept an object with any keys."""
    return [] if isinstance(value, dict) else invalid_type("object", value, at)


def flag(value: Any, at: At) -> list[Issue]:
    """Accept a boolean."""
    return [] if isinstance(value, bool) else invalid_type("boolean", value, at)


def optional(inner: Check, *, nullable: bool = False) -> Check:
    """Accept a key that may be left out, and with `nullable` also be null."""

    def check(value: Any, at: At) -> list[Issue]:
        absent = value is MISSING or (nullable and value is None)
        return [] if absent else inner(value, at)

    return check


def issues_of(body: Any, fields: Mapping[str, Check]) -> list[Issue]:
    """All issues of a body, in the order of `fields`; keys not named there pass."""
    if not isinstance(body, dict):
        return invalid_type("object", body, ())
    return [
        found for key, check in fields.items() for found in check(body.get(key, MISSING), (key,))
    ]


def require_with_details(body: Any, fields: Mapping[str, Check]) -> None:
    """Raise a 400 that lists the issues as objects."""
    issues = issues_of(body, fields)
    if issues:
        raise Refusal(400, "Validation failed", details=issues)


def require_in_words(body: Any, fields: Mapping[str, Check]) -> None:
    """Raise a 400 that joins the issues into one sentence."""
    issues = issues_of(body, fields)
    if issues:
        raise Refusal(400, "; ".join(map(_in_words, issues)))


def require_allowed_path(path: str, allowed_root: str | None, data_dir: Path) -> None:
    """Raise a 403 unless `path` lies in DATA_DIR or in the allowed root, if there is one.

    Links are not followed: the rule is about names, as in the real server.
    """
    resolved = os.path.abspath(path)
    if allowed_root is None or _lies_in(resolved, str(data_dir)):
        return
    if not _lies_in(resolved, os.path.abspath(allowed_root)):
        place = "ALLOWED_ROOT_DIRECTORY or DATA_DIR"
        raise Refusal(403, f"Path not allowed: {path}. Must be within {place}.")


def _lies_in(path: str, folder: str) -> bool:
    # Children whose own name begins with two dots are refused as well, as they are there.
    return not os.path.relpath(path, folder).startswith("..")


def _in_words(issue: Issue) -> str:
    where = ".".join(map(str, issue["path"]))
    return f"{where}: {issue['message']}" if where else str(issue["message"])


def _not_whole(at: At) -> Issue:
    return {
        "code": "invalid_type",
        "expected": "integer",
        "received": "float",
        "message": "Expected integer, received float",
        "path": list(at),
    }


def _bound(at: At, key: str, bound: int, kind: str, message: str) -> Issue:
    return {
        "code": "too_small" if key == "minimum" else "too_big",
        key: bound,
        "type": kind,
        "inclusive": True,
        "exact": False,
        "message": message,
        "path": list(at),
    }
