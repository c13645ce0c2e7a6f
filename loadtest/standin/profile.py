"""What a synthetic agent does over its life: turns, memory, processor, time. Pure values."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

MIB = 1024 * 1024
Content = Literal["same", "random"]


@dataclass(frozen=True)
class Profile:
    """The life of one agent class. Sizes in bytes, times in seconds before compression."""

    turns: int = 5
    start_bytes: int = 4 * MIB
    """Private memory right after the start."""
    peak_bytes: int = 8 * MIB
    """Private memory (USS) after the last turn: what the agent's end would free."""
    growth: float = 1.0
    """Exponent of the curve from start to peak over the turns: 1 is a straight line."""
    hold_s: float = 0.0
    """How long the peak is held before the agent ends; not compressed, since it is waited for."""
    leak_bytes_per_turn: int = 0
    burst_bytes: int = 0
    """Memory of a child tool at work; 0 runs a tool that needs next to none."""
    tool_every: int = 50
    """A child process runs every so many turns; 0 never."""
    content: Content = "same"
    """Pages filled with one byte (cheap to compress) or with noise (incompressible)."""
    huge_pages: bool | None = None
    """None: whatever fills faster on this host."""
    cpu_s_per_turn: float = 0.0
    turn_latency_s: float = 0.0
    """The model's answer time, waited for without using the processor."""
    compression: float = 1.0
    """Processor time and latency are divided by this."""
    variation: float = 0.0
    """Coefficient of variation of the peak over the agents of the class."""
    runaway_share: float = 0.0
    runaway_factor: float = 2.0
    """A share of the agents needs this many times what its class does."""

    def drawn(self, chance: random.Random) -> Profile:
        """The profile of one agent of the class; the mean over many is that of the class.

        A log-normal peak: it is never below zero, and large ones are likelier than small ones.
        """
        if not self.variation and not self.runaway_share:
            return self
        sigma = math.sqrt(math.log1p(self.variation**2))
        factor = chance.lognormvariate(-(sigma**2) / 2, sigma)
        if chance.random() < self.runaway_share:
            factor *= self.runaway_factor
        peak = max(self.start_bytes, round(self.peak_bytes * factor))
        return replace(self, peak_bytes=peak)

    def memory_at(self, turn: int) -> int:
        """Private memory in bytes that the agent should hold after `turn` of its turns."""
        share: float = min(1.0, turn / self.turns) ** self.growth
        grown = self.start_bytes + round((self.peak_bytes - self.start_bytes) * share)
        return grown + self.leak_bytes_per_turn * turn

    def final_bytes(self) -> int:
        """Private memory in bytes once all turns are done."""
        return self.memory_at(self.turns)

    def latency(self) -> float:
        """Seconds of waiting a turn, compressed."""
        return self.turn_latency_s / self.compression

    def cpu(self) -> float:
        """Seconds of computing a turn, compressed."""
        return self.cpu_s_per_turn / self.compression

    def uses_tool(self, turn: int) -> bool:
        """Whether a child process runs in this turn (counted from 1)."""
        return self.tool_every > 0 and turn % self.tool_every == 0


class ProfileError(ValueError):
    """A profile that cannot be followed; the message names the class and the key."""


def parse_profiles(text: str) -> dict[str, Profile]:
    """Read `{"small": {"turns": 200, ...}, ...}` into profiles.

    Raises ProfileError for an unknown key or a figure that no agent could follow.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ProfileError(f"profiles are not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise ProfileError("profiles must be an object of agent classes")
    return {name: _parse(name, values) for name, values in raw.items()}


def _parse(name: str, values: Any) -> Profile:
    known = {field.name for field in fields(Profile)}
    if not isinstance(values, dict):
        raise ProfileError(f"{name}: must be an object")
    unknown = sorted(set(values) - known)
    if unknown:
        raise ProfileError(f"{name}.{unknown[0]}: unknown key")
    for key, value in values.items():
        if not _is_usable(value, getattr(Profile, key)):
            raise ProfileError(f"{name}.{key}: {value!r} cannot be followed")
    profile = replace(Profile(), **values)
    if profile.turns < 1 or profile.compression <= 0 or profile.growth <= 0:
        raise ProfileError(f"{name}: turns, compression and growth must be above 0")
    if profile.runaway_share > 1 or profile.runaway_factor < 1:
        raise ProfileError(f"{name}: runaway_share is at most 1, runaway_factor at least 1")
    if not 0 <= profile.start_bytes <= profile.peak_bytes:
        raise ProfileError(f"{name}.start_bytes: must lie between 0 and peak_bytes")
    return profile


def _is_usable(value: Any, default: Any) -> bool:
    """Whether a value is of its default's kind, and not below 0."""
    if default is None:  # a choice that may be left to the host
        return value is None or isinstance(value, bool)
    if isinstance(default, str):
        return value in get_args(Content)
    if isinstance(default, bool) or isinstance(value, bool):
        return type(value) is type(default)
    kinds = (int, float) if isinstance(default, float) else (int,)
    return isinstance(value, kinds) and 0 <= value < float("inf")
