"""How many agents at once: the guide's complexity-based concurrency, with its arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from settings.errors import SettingsError
from settings.models import Agents, Mix
from settings.sizes import in_gb, in_gib

# "Small: up to 10. Mixed medium/large: 6-8. Architectural: 4-6." The middle of each range.
GUIDE_CONCURRENCY = {"small": 10, "medium": 7, "large": 7, "architectural": 5}
# A fifth of the container is for the server itself and for agents that outgrow their estimate.
AGENTS_SHARE = 0.8


@dataclass(frozen=True)
class Recommendation:
    """A figure for `maxConcurrency`, and the lines that show where it comes from."""

    max_concurrency: int
    by_complexity: int
    by_memory: int
    agent_memory: float
    """Mean of the mix, in bytes."""
    arithmetic: tuple[str, ...]
    remarks: tuple[str, ...]


def parse_mix(text: str, agents: Agents) -> dict[str, int]:
    """Weights, in percent, of `small=60,medium=40` or of a class or mix by its name.

    Raises SettingsError for unknown classes, and for weights that do not sum to 100.
    """
    if "=" not in text:
        try:
            return dict(agents.weights(text.strip()))
        except KeyError:
            known = ", ".join(agents.workloads())
            raise SettingsError([f"--mix: {text!r} is none of: {known}"]) from None
    weights: dict[str, int] = {}
    for part in text.split(","):
        name, _, percent = (word.strip() for word in part.partition("="))
        if name not in agents.classes:
            known = ", ".join(agents.classes)
            raise SettingsError([f"--mix: {name!r} is no agent class; classes: {known}"])
        if name in weights:
            raise SettingsError([f"--mix: {name} stands there twice"])
        if not percent.isascii() or not percent.isdigit():
            raise SettingsError([f"--mix: {part!r} is not of the form class=percent"])
        weights[name] = int(percent)
    try:
        return dict(Mix(weights=weights).weights)
    except ValidationError as error:
        what = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise SettingsError([f"--mix: {what}"]) from None


def recommend(
    weights: Mapping[str, int], agents: Agents, memory_limit: int, cap: int
) -> Recommendation:
    """Recommend `maxConcurrency` for a mix on a server with `memory_limit` bytes.

    This is the guide's rule of thumb; `loadtest.advise` works out the risk of running out of
    memory instead.

    Each agent takes one part in so many of the server as the guide runs of its class at once:
    a tenth for a small one, a fifth for an architectural one. `cap` is the server's own bound,
    AUTOMAKER_MAX_CONCURRENCY. Raises SettingsError for a class of which the guide says nothing.
    """
    used = {name: percent for name, percent in weights.items() if percent}
    if unknown := sorted(set(used) - set(GUIDE_CONCURRENCY)):
        raise SettingsError([f"{unknown[0]}: the guide has no concurrency for this class"])
    share = sum(percent / 100 / GUIDE_CONCURRENCY[name] for name, percent in used.items())
    # Rounded first: three times a third of 10 must not come out as 9.999.
    by_complexity = max(1, math.floor(round(1 / share, 9)))
    agent = sum(percent / 100 * agents.classes[name].memory for name, percent in used.items())
    by_memory = max(1, math.floor(round(memory_limit * AGENTS_SHARE / agent, 9)))
    figure = min(by_complexity, by_memory)
    shares = " + ".join(f"{percent}%/{GUIDE_CONCURRENCY[name]}" for name, percent in used.items())
    sizes = " + ".join(
        f"{percent}% x {in_gb(agents.classes[name].memory, 0)}" for name, percent in used.items()
    )
    arithmetic = (
        f"by complexity: 1 / ({shares}) = {1 / share:.2f}, so {by_complexity}",
        f"by memory: {AGENTS_SHARE:.0%} of {in_gib(memory_limit, 0)} / ({sizes}) = "
        f"{in_gb(memory_limit * AGENTS_SHARE, 1)} / {in_gb(agent, 1)}, so {by_memory}",
        f"the smaller of the two: {figure}",
    )
    return Recommendation(
        figure,
        by_complexity,
        by_memory,
        agent,
        arithmetic,
        _remarks(figure, memory_limit, agent, cap),
    )


def _remarks(figure: int, memory_limit: int, agent: float, cap: int) -> tuple[str, ...]:
    remarks = []
    if figure > cap:
        remarks.append(
            f"the server runs at most {cap} at once: AUTOMAKER_MAX_CONCURRENCY={figure} for more"
        )
    if agent > memory_limit * AGENTS_SHARE:
        remarks.append("not even one agent of this mix fits: raise MEMORY_LIMIT")
    return tuple(remarks)
