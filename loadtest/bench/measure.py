"""What a benchmark gives, and how two ways are timed fairly beside each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


class NotMeasuredError(Exception):
    """A benchmark that this host cannot run; the message says what it lacks."""


@dataclass(frozen=True)
class Ratio:
    """One figure against its goal; `ours` and `theirs` say in words what was divided."""

    name: str
    value: float
    goal: float
    better: Literal["higher", "lower"]
    ours: str
    theirs: str

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal if self.better == "higher" else self.value <= self.goal

    @property
    def goal_text(self) -> str:
        """The goal as people write it."""
        return f"{'>=' if self.better == 'higher' else '<='} {self.goal:g}"


def seconds(act: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def side_by_side(
    ours: Callable[[], object], theirs: Callable[[], object], repeats: int
) -> tuple[float, float]:
    """Least seconds of both, run in turns: what disturbs the machine disturbs both alike.

    The least is what the code can do; everything above it is what the machine did meanwhile.
    """
    times = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    return min(t for t, _ in times), min(t for _, t in times)
