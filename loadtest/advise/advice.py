"""From a model of memory to advice: the number, its curve, and what changes it. Pure.

`settings.recommend` applies the guide's rule of thumb to a mix: so many at once by complexity, and
never more than 80 % of the memory. Here the number follows from the sizes of agents, how they
differ and the risk of running out of memory, and from nothing else: not from processors, nor from
the model's rate limits. The advice names the guide's number beside its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from loadtest.memory_model import (
    MOST_AGENTS,
    ClassMemory,
    MemoryModel,
    largest_safe,
    p_failure,
)

_SURE = 0.995
_MOST_ROWS = 12
_FEWER_SHOWN = 3
_SOME_RUNAWAYS = 0.02


@dataclass(frozen=True)
class Point:
    """P(failure) of a number of agents at once."""

    agents: int
    p_failure: float


@dataclass(frozen=True)
class Effect:
    """What one change of the figures does."""

    change: str
    agents: int
    """Agents by memory after it, without the server's cap."""
    difference: int
    p_failure: float
    """P(failure) after it, of as many agents as fit by memory before it, or of one."""


@dataclass(frozen=True)
class Advice:
    """What to set, and why."""

    max_concurrency: int
    """0: not even one agent is within the risk."""
    by_memory: int
    """The number without the server's cap."""
    cap: int
    risk: float
    curve: tuple[Point, ...]
    effects: tuple[Effect, ...]
    """The largest first."""


def advise(model: MemoryModel, risk: float, cap: int) -> Advice:
    """The most agents at once whose P(failure) is at most `risk`; `cap` is the server's own."""
    number = largest_safe(risk, model)
    return Advice(
        max_concurrency=min(number, cap),
        by_memory=number,
        cap=cap,
        risk=risk,
        curve=tuple(_curve(model, number)),
        effects=effects(model, risk, number),
    )


def _curve(model: MemoryModel, number: int) -> Iterator[Point]:
    """From a few below the number up to where failure is sure."""
    first = max(1, number - _FEWER_SHOWN)
    for agents in range(first, min(first + _MOST_ROWS, MOST_AGENTS + 1)):
        point = Point(agents, p_failure(agents, model))
        yield point
        if agents > number and point.p_failure >= _SURE:
            return


def effects(model: MemoryModel, risk: float, number: int) -> tuple[Effect, ...]:
    """What changes the number most; of equal ones, what changes P(failure) most."""
    one_or_more = max(1, number)
    before = p_failure(one_or_more, model)
    found = []
    for change, changed in _changes(model):
        agents = largest_safe(risk, changed)
        found.append(Effect(change, agents, agents - number, p_failure(one_or_more, changed)))
    return tuple(
        sorted(found, key=lambda one: (-abs(one.difference), -abs(one.p_failure - before)))
    )


def _changes(model: MemoryModel) -> Iterator[tuple[str, MemoryModel]]:
    yield (
        "agents need 10 % more memory",
        _with_classes(model, lambda one: replace(one, mean=1.1 * one.mean)),
    )
    if any(one.variation for one in model.classes.values()):
        yield (
            "agents differ twice as much",
            _with_classes(model, lambda one: replace(one, variation=2 * one.variation)),
        )
    if share := model.runaway_share:
        yield "twice as many runaways", replace(model, runaway_share=min(1.0, 2 * share))
    else:
        yield (
            f"{100 * _SOME_RUNAWAYS:g} % of the agents need {model.runaway_factor:g} times as much",
            replace(model, runaway_share=_SOME_RUNAWAYS),
        )
    yield "the server has 10 % more memory", replace(model, limit=1.1 * model.limit)
    if pair := _replacement(model.classes, model.weights):
        old, new = pair
        weights = {name: weight for name, weight in model.weights.items() if name != old}
        weights[new] = weights.get(new, 0) + model.weights[old]
        yield f"{new} agents in place of {old} ones", replace(model, weights=weights)


def _with_classes(model: MemoryModel, change: Callable[[ClassMemory], ClassMemory]) -> MemoryModel:
    return replace(model, classes={name: change(one) for name, one in model.classes.items()})


def _replacement(
    classes: Mapping[str, ClassMemory], weights: Mapping[str, int]
) -> tuple[str, str] | None:
    """The largest class of a mix and the next smaller one; the next larger one of the smallest."""
    by_size = sorted(classes, key=lambda name: classes[name].mean)
    largest = max((name for name, weight in weights.items() if weight), key=by_size.index)
    at = by_size.index(largest)
    if len(by_size) == 1:
        return None
    return largest, by_size[at - 1] if at else by_size[1]
