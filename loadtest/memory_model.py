"""How likely agents at their peaks outgrow a server's memory: base + sum of agents > limit. Pure.

An agent's peak is log-normal around the mean of its class, as in the load test, or, with the share
of runaways, a multiple of that. Which classes come, while there are few possibilities, and how many
agents run away is summed over exactly. In each case the sum of the agents is nearly normal; what
is left of their skewness, which makes a small risk larger, is corrected for by the next term of
the Edgeworth series. Simulation gives the same P(failure) within 0.02; where runaways meet a mix of
few large and many small agents that hardly differ, within 0.15.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from loadtest.boundary import first_agents
from loadtest.outcome import Outcome

MOST_AGENTS = 200
"""No server is asked for more at once."""
_MOST_CASES = 300
_NEVER = 1e-12


@dataclass(frozen=True)
class ClassMemory:
    """Private memory at the peak of the agents of a class, runaways aside."""

    mean: float
    """In bytes."""
    variation: float = 0.0
    """Coefficient of variation: standard deviation over mean."""


@dataclass(frozen=True)
class MemoryModel:
    """A server and the agents it is to run. Sizes in bytes."""

    limit: float
    base: float
    """The server's own memory."""
    classes: Mapping[str, ClassMemory]
    weights: Mapping[str, int]
    """Percent of each class."""
    runaway_share: float = 0.0
    runaway_factor: float = 2.0
    """A share of the agents needs this many times what its class does."""
    burst: float = 0.0
    """A child tool's memory on top of each agent, as if all tools ran at once: the worst."""
    drawn: bool = False
    """Whether chance decides the classes of the agents; else they come in a ramp's order."""


@dataclass(frozen=True)
class Fitted:
    """What measured agents say; sizes in bytes, at true size but for the base."""

    classes: Mapping[str, ClassMemory]
    agents: Mapping[str, int]
    """Agents measured, by class."""
    base: float | None
    """The server's own memory, which does not scale; None where it was not measured."""


def p_failure(agents: int, model: MemoryModel) -> float:
    """P(failure) of so many agents (0 to MOST_AGENTS) at their peaks at once."""
    if agents == 0:
        return float(model.base > model.limit)
    room = model.limit - model.base - agents * model.burst
    chance = math.fsum(
        share * likely * _exceeds(room, one.total(agents, runaways, model.runaway_factor))
        for share, one in _agents(agents, model)
        for runaways in range(agents + 1)
        if (likely := _binomial(runaways, agents, model.runaway_share)) > _NEVER
    )
    return min(1.0, chance)


def curve(model: MemoryModel, most: int) -> tuple[float, ...]:
    """P(failure) of 1, 2, ... `most` agents at once."""
    return tuple(p_failure(agents, model) for agents in range(1, most + 1))


def largest_safe(risk: float, model: MemoryModel, most: int = MOST_AGENTS) -> int:
    """The most agents whose P(failure), and that of all fewer, is at most `risk`; 0 if none is."""
    for agents in range(1, most + 1):
        if p_failure(agents, model) > risk:
            return agents - 1
    return most


def fit(outcomes: Iterable[Outcome], scale: float) -> Fitted:
    """Mean and variation of each class, and the base, from agents measured at `scale`.

    Only agents that were held at their peaks or finished count, in valid trials that read the
    guide's sizes as GB. Those that the kernel killed are missing, and it kills the largest: where
    agents differ much, the figures of ramps err on the low side. One agent alone has no variation.
    """
    valid = [one for one in outcomes if one.valid and one.trial.reading == "GB"]
    peaks: dict[str, list[float]] = {}
    for outcome in valid:
        for agent in outcome.agents:
            if agent.private_bytes and agent.end in {"held", "done"}:
                peaks.setdefault(agent.agent_class, []).append(agent.private_bytes / scale)
    bases = [one.base_bytes for one in valid if one.base_bytes]
    return Fitted(
        classes={name: _fitted(seen) for name, seen in peaks.items()},
        agents={name: len(seen) for name, seen in peaks.items()},
        base=statistics.median(bases) if bases else None,
    )


def _fitted(peaks: list[float]) -> ClassMemory:
    mean = statistics.fmean(peaks)
    return ClassMemory(mean, statistics.stdev(peaks) / mean if len(peaks) > 1 else 0.0)


@dataclass(frozen=True)
class _Cumulants:
    """Mean, variance and third central moment of a memory in bytes."""

    mean: float
    variance: float
    third: float


@dataclass(frozen=True)
class _Agent:
    """An agent of a model that is no runaway: its cumulants, or their means over all agents."""

    own: _Cumulants
    between: float = 0.0
    """Variance of the mean from agent to agent, where the classes of the agents are given."""

    def total(self, agents: int, runaways: int, factor: float) -> _Cumulants:
        """Cumulants of the sum of so many agents, so many of them runaways."""
        means, squares, cubes = (
            agents - runaways + runaways * factor**power for power in (1, 2, 3)
        )
        # Which of the given agents run away is up to chance: the variance of a random sample.
        sampled = runaways * (agents - runaways) / max(1, agents - 1) * (factor - 1) ** 2
        return _Cumulants(
            self.own.mean * means,
            self.own.variance * squares + self.between * sampled,
            self.own.third * cubes,
        )


def _agents(agents: int, model: MemoryModel) -> Iterator[tuple[float, _Agent]]:
    """What agents may come, with the probability of each case."""
    if not model.drawn:
        yield 1.0, _given(Counter(first_agents(model.weights, agents)), model)
        return
    names = [name for name, weight in model.weights.items() if weight]
    if math.comb(agents + len(names) - 1, len(names) - 1) > _MOST_CASES:
        yield 1.0, _any(model)
        return
    shares = [model.weights[name] / sum(model.weights.values()) for name in names]
    for counts in _divisions(agents, len(names)):
        ways = math.factorial(agents) // math.prod(map(math.factorial, counts))
        likely = ways * math.prod(map(pow, shares, counts))
        if likely > _NEVER:
            yield likely, _given(dict(zip(names, counts, strict=True)), model)


def _divisions(number: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to divide a number of agents over so many classes."""
    if parts == 1:
        yield (number,)
        return
    for first in range(number + 1):
        for rest in _divisions(number - first, parts - 1):
            yield first, *rest


def _any(model: MemoryModel) -> _Agent:
    """An agent whose class is up to chance: variance between classes counts."""
    total = sum(model.weights.values())
    first = second = third = 0.0
    for name, weight in model.weights.items():
        if weight:
            memory, share = model.classes[name], weight / total
            widening = 1 + memory.variation**2  # raw moments of a log-normal
            first += share * memory.mean
            second += share * memory.mean**2 * widening
            third += share * memory.mean**3 * widening**3
    variance = max(0.0, second - first**2)
    return _Agent(_Cumulants(first, variance, third - 3 * first * second + 2 * first**3))


def _given(counts: Mapping[str, int], model: MemoryModel) -> _Agent:
    """The mean of so many agents of each class."""
    total = sum(counts.values())
    mean = variance = third = between = 0.0
    for name, count in counts.items():
        mean += count / total * model.classes[name].mean
    for name, count in counts.items():
        memory, share = model.classes[name], count / total
        squared = memory.variation**2
        variance += share * memory.mean**2 * squared
        third += share * memory.mean**3 * squared**2 * (3 + squared)
        between += share * (memory.mean - mean) ** 2
    return _Agent(_Cumulants(mean, variance, third), between)


def _exceeds(room: float, total: _Cumulants) -> float:
    """P(a sum with these cumulants > room)."""
    deviation = math.sqrt(total.variance)
    if deviation <= 1e-9 * total.mean:  # all alike, but for rounding
        return float(total.mean > room)
    z = (room - total.mean) / deviation
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    skewness = total.third / deviation**3
    tail = math.erfc(z / math.sqrt(2)) / 2 + skewness / 6 * (z * z - 1) * density
    return min(1.0, max(0.0, tail))


def _binomial(hits: int, of: int, share: float) -> float:
    return math.comb(of, hits) * share**hits * (1 - share) ** (of - hits)
