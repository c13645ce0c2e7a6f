"""One line of a diagnosis, and what a list of them amounts to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """What was found, how bad it is, and what to do about it."""

    level: Level
    name: str
    found: str
    fix: str = ""


def passed(name: str, found: str) -> Check:
    """Make the line of something that is as it should be."""
    return Check("pass", name, found)


def exit_code(checks: Sequence[Check]) -> int:
    """1 where anything fails, else 0."""
    return int(any(check.level == "fail" for check in checks))


def verdict(checks: Sequence[Check]) -> str:
    """Count the levels in one line."""
    return ", ".join(
        f"{sum(check.level == level for check in checks)} {word}"
        for level, word in (("fail", "failed"), ("warn", "warned"), ("pass", "passed"))
    )
