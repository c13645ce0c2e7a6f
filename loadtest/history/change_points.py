"""Where a series of runs changed for good: binary segmentation with a permutation test. Pure.

Where no single cut shows, as of a change that was taken back, a stretch within is tried as well.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

_LEAST = 3
_PERMUTATIONS = 499
_PERMUTATIONS_WITHIN = 199  # each looks at every stretch
_SIGNIFICANCE = 0.02
_MAD_TO_SIGMA = 1.4826
_CLIP = 3.0  # a single outlier counts as so many sigmas at most
_NOISES = 2.0  # a change smaller than so many sigmas of the noise is none
_SIGNIFICANCE_WITHIN = 0.005  # there are many more stretches than cuts to try


@dataclass(frozen=True)
class ChangePoint:
    """A lasting step between two values of a series."""

    index: int
    """Of the first value after it."""
    before: float
    after: float
    """Medians of the stretches on its sides, up to the next change points."""
    p_value: float


def change_points(values: Sequence[float], least: float, seed: int = 0) -> list[ChangePoint]:
    """The change points of a series in order of time, each at least `least` (its unit) high.

    Stretches have three values at least, so the newest change shows after its third run, and after
    about ten in all. The same series and seed give the same answer.
    """
    chance = random.Random(seed)  # noqa: S311 - a permutation test, no secret
    found: dict[int, float] = {}
    open_ = [(0, len(values))]
    while open_:
        start, end = open_.pop()
        part = values[start:end]
        if len(part) < 2 * _LEAST or max(part) - min(part) < least:
            continue
        cuts, p_value = _split(part, least, chance) or _within(part, least, chance) or ((), 1.0)
        found |= {start + cut: p_value for cut in cuts}
        edges = [start, *(start + cut for cut in cuts), end]
        open_ += pairwise(edges) if cuts else ()
    return _described(values, found)


def _described(values: Sequence[float], found: dict[int, float]) -> list[ChangePoint]:
    edges = [0, *sorted(found), len(values)]
    return [
        ChangePoint(
            index=here,
            before=statistics.median(values[before:here]),
            after=statistics.median(values[here:after]),
            p_value=found[here],
        )
        for before, here, after in zip(edges, edges[1:], edges[2:], strict=False)
    ]


_Cuts = tuple[tuple[int, ...], float]
"""Where a stretch is cut, and the p-value."""


def _split(values: Sequence[float], least: float, chance: random.Random) -> _Cuts | None:
    """The cut with the least absolute deviation from the medians of both sides, if it is one."""
    places = range(_LEAST, len(values) - _LEAST + 1)
    cut = min(places, key=lambda at: _deviation(values[:at]) + _deviation(values[at:]))
    if not _high_enough(values[:cut], values[cut:], least):
        return None
    p_value = _permutation_p(values, _clearest_cut, _PERMUTATIONS, chance)
    return ((cut,), p_value) if p_value <= _SIGNIFICANCE else None


def _within(values: Sequence[float], least: float, chance: random.Random) -> _Cuts | None:
    """The stretch that differs most from what is before and after it, if it does."""
    _, start, end = _clearest_stretch(_centred(values))
    outside = [*values[:start], *values[end:]]
    if not end or not _high_enough(outside, values[start:end], least):
        return None
    p_value = _permutation_p(
        values, lambda one: _clearest_stretch(one)[0], _PERMUTATIONS_WITHIN, chance
    )
    return ((start, end), p_value) if p_value <= _SIGNIFICANCE_WITHIN else None


def _high_enough(one: Sequence[float], other: Sequence[float], least: float) -> bool:
    first, second = statistics.median(one), statistics.median(other)
    residuals = [value - first for value in one] + [value - second for value in other]
    height = abs(first - second)
    return height >= max(least, _NOISES * _sigma(residuals)) and height > 0


def _deviation(values: Sequence[float]) -> float:
    middle = statistics.median(values)
    return sum(abs(value - middle) for value in values)


def _sigma(values: Sequence[float]) -> float:
    middle = statistics.median(values)
    return _MAD_TO_SIGMA * statistics.median([abs(value - middle) for value in values])


def _centred(values: Sequence[float]) -> list[float]:
    """Values less their mean, outliers clipped."""
    middle, sigma = statistics.median(values), _sigma(values)
    reach = _CLIP * sigma if sigma else float("inf")
    clipped = [max(-reach, min(reach, value - middle)) for value in values]
    mean = statistics.fmean(clipped)
    return [value - mean for value in clipped]


def _permutation_p(
    values: Sequence[float],
    clearest: Callable[[Sequence[float]], float],
    permutations: int,
    chance: random.Random,
) -> float:
    """How often chance alone makes a step as clear as this one, anywhere in the series."""
    centred = _centred(values)
    seen = clearest(centred) * (1 - 1e-9)
    as_clear = 0
    for _ in range(permutations):
        chance.shuffle(centred)
        as_clear += clearest(centred) >= seen
    return (as_clear + 1) / (permutations + 1)


def _clearest_cut(centred: Sequence[float]) -> float:
    """The largest difference of means over all cuts, squared and weighed by their lengths."""
    count, total, best = len(centred), 0.0, 0.0
    for number, value in enumerate(centred[: count - _LEAST], start=1):
        total += value
        if number >= _LEAST:
            best = max(best, total * total / (number * (count - number)))
    return best


def _clearest_stretch(centred: Sequence[float]) -> tuple[float, int, int]:
    """The same over all stretches that end within, with its start and end; zeros for none."""
    count, totals = len(centred), [0.0, *accumulate(centred)]
    best = (0.0, 0, 0)
    for start in range(_LEAST, count - 2 * _LEAST + 1):
        before = totals[start]
        for end in range(start + _LEAST, count - _LEAST + 1):
            total, length = totals[end] - before, end - start
            clear = total * total / (length * (count - length))
            if clear > best[0]:
                best = (clear, start, end)
    return best
