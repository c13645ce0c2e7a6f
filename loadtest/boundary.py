"""Where the boundary is: who comes next, how many should fit, what the runs agree on. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice

from loadtest.outcome import Outcome, Record
from settings.models import Reading


def apportion(weights: Mapping[str, int]) -> Iterator[str]:
    """Agent classes without end, in the order of Sainte-Lague.

    House-monotone: the first N of a ramp are the same however long it gets. Ties go to the class
    that is named first.
    """
    names = [name for name, weight in weights.items() if weight > 0]
    seats = dict.fromkeys(names, 0)
    while names:
        winner = max(names, key=lambda name: weights[name] / (2 * seats[name] + 1))
        seats[winner] += 1
        yield winner


def first_agents(weights: Mapping[str, int], number: int) -> tuple[str, ...]:
    """The classes of the first `number` agents of a mix."""
    return tuple(islice(apportion(weights), number))


def predict(limit: int, base: int, sizes: Mapping[str, int], weights: Mapping[str, int]) -> int:
    """How many agents fit: the largest N with base + their sizes <= limit, all in bytes."""
    used = base
    for number, name in zip(count(), apportion(weights), strict=False):
        used += sizes[name]
        if used > limit:
            return number
    return 0


class Boundary(Record):
    """The pair (last N that held, first N that failed) of a workload, over its runs."""

    workload: str
    reading: Reading = "GB"
    """How the guide's sizes were read in these ramps."""
    unit: str = "agents"
    holds: int | None
    """The least that any run held."""
    fails_at: int | None
    """The most that any run needed to fail; None while a run has not failed."""
    failure_mode: str | None
    runs: int
    predicted: int | None
    agreed: bool
    """Whether all runs gave the same pair."""


def locate(
    workload: str, ramps: Sequence[Outcome], sizes: Mapping[str, int], weights: Mapping[str, int]
) -> Boundary:
    """The boundary that the valid ramps of a workload show; `sizes` at the ramps' scale."""
    valid = [ramp for ramp in ramps if ramp.valid]
    pairs = {(ramp.held, ramp.failed_at) for ramp in valid}
    failed = [ramp.failed_at for ramp in valid if ramp.failed_at is not None]
    modes = Counter(ramp.failure_mode for ramp in valid if ramp.failure_mode)
    predictions = [predict(r.limit_bytes, r.base_bytes, sizes, weights) for r in valid]
    return Boundary(
        workload=workload,
        reading=ramps[0].trial.reading if ramps else "GB",
        holds=min((ramp.held for ramp in valid), default=None),
        fails_at=max(failed) if failed and len(failed) == len(valid) else None,
        failure_mode=" or ".join(mode for mode, _ in modes.most_common()) or None,
        runs=len(valid),
        predicted=min(predictions, default=None),
        agreed=len(pairs) == 1,
    )
