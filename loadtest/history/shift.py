"""How far one set of samples lies from another, with its 95 % interval. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_LEVEL = 0.95
_Z = statistics.NormalDist().inv_cdf((1 + _LEVEL) / 2)
_MOST = 200  # samples of a set; more are thinned, which only widens the interval
_EXACT = 12  # up to so many on each side the distribution of ranks is counted out
_RUNS_FOR_SPREAD = 3
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Shift:
    """New less old, in the unit of the samples; an interval without end where nothing is known."""

    estimate: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is an interval at all."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True)
class RunSpread:
    """How much the medians of runs of one kind differ though nothing changed."""

    sigma: float
    runs: int

    @property
    def reach(self) -> float:
        """Factor of `sigma` that makes a 95 % interval, by Student's t of so many runs."""
        return student(max(1, self.runs - 1))


def shift_of(
    old: Sequence[float],
    new: Sequence[float],
    *,
    counted: bool = False,
    spread: RunSpread | None = None,
    pooled: bool = False,
) -> Shift:
    """The shift of Hodges and Lehmann: the median of all differences, with a 95 % interval.

    `counted` samples are exact, so one is enough. `spread` is what history says of runs of this
    kind: no interval is narrower than two such runs differ by themselves; `pooled` says that the
    old samples are medians of many runs. Both sets hold a sample at least.
    """
    old, new = _thin(old), _thin(new)
    differences = sorted(b - a for a in old for b in new)
    estimate = statistics.median(differences)
    inside = None if pooled else _inside(old, new, differences, counted=counted)
    between = _between(estimate, len(old) if pooled else 1, spread)
    known = [one for one in (inside, between) if one is not None]
    low = min((one[0] for one in known), default=-math.inf)
    high = max((one[1] for one in known), default=math.inf)
    return Shift(estimate, min(low, estimate), max(high, estimate))


def run_spread(medians: Sequence[float]) -> RunSpread | None:
    """The spread of runs from their medians in order of time; None from fewer than three runs.

    It comes from the median step between neighbours, so that one lasting change in the history
    does not pass for noise.
    """
    if len(medians) < _RUNS_FOR_SPREAD:
        return None
    steps = [abs(b - a) for a, b in pairwise(medians)]
    sigma = _MAD_TO_SIGMA * statistics.median(steps) / math.sqrt(2)
    return RunSpread(sigma, len(medians))


def student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t: exact for 1 and 2, else within 1 %."""
    if freedom == 1:
        return 12.706
    if freedom == 2:
        return 4.303
    z = _Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _inside(
    old: Sequence[float], new: Sequence[float], differences: Sequence[float], *, counted: bool
) -> tuple[float, float] | None:
    """The interval that the samples themselves give; None where they are too few to say."""
    fewest = 1 if counted else 2
    if min(len(old), len(new)) >= fewest and len(set(old)) == len(set(new)) == 1:
        return differences[0], differences[0]
    cut = _rank_cut(len(old), len(new))
    if cut:
        return differences[cut - 1], differences[-cut]
    return _student_interval(old, new, statistics.median(differences))


def _student_interval(
    old: Sequence[float], new: Sequence[float], middle: float
) -> tuple[float, float] | None:
    """For samples too few for ranks: wider than any bootstrap of them, and rightly so."""
    freedom = len(old) + len(new) - 2
    if freedom < 1:
        return None
    squares = sum(
        (value - statistics.fmean(one)) ** 2 for one in (old, new) for value in one
    )  # the spread of both together
    if squares == 0:
        return None  # one single sample beside equal ones
    error = math.sqrt(squares / freedom * (1 / len(old) + 1 / len(new)))
    return middle - student(freedom) * error, middle + student(freedom) * error


def _between(
    estimate: float, old_runs: int, spread: RunSpread | None
) -> tuple[float, float] | None:
    """Where a run would land against so many others of its kind if nothing had changed."""
    if spread is None:
        return None
    reach = spread.reach * spread.sigma * math.sqrt(1 + 1 / old_runs)
    return estimate - reach, estimate + reach


def _rank_cut(old: int, new: int) -> int:
    """Which of the sorted differences bounds the interval, counted from either end; 0: none."""
    if max(old, new) > _EXACT:
        middle = old * new / 2
        sigma = math.sqrt(old * new * (old + new + 1) / 12)
        return max(0, math.floor(middle - _Z * sigma))
    counts = _rank_counts(old, new)
    total, below, cut = sum(counts), 0, 0
    for count in counts:
        below += count
        if below / total > (1 - _LEVEL) / 2:
            return cut
        cut += 1
    return cut


@lru_cache(maxsize=256)
def _rank_counts(old: int, new: int) -> tuple[int, ...]:
    """How many orders of the samples give each value of Mann and Whitney's U, from 0 on."""
    if not old or not new:
        return (1,)
    counts = [0] * (old * new + 1)
    for value, count in enumerate(_rank_counts(old - 1, new)):
        counts[value + new] += count
    for value, count in enumerate(_rank_counts(old, new - 1)):
        counts[value] += count
    return tuple(counts)


def _thin(samples: Sequence[float]) -> list[float]:
    """At most so many samples, evenly over their order."""
    ordered = sorted(samples)
    if len(ordered) <= _MOST:
        return ordered
    last = len(ordered) - 1
    return [ordered[round(number * last / (_MOST - 1))] for number in range(_MOST)]
