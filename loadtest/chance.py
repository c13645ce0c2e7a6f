"""How likely a number of agents fails, from runs that held or failed. Pure.

A run either holds or fails, so P(failure) is the parameter of a binomial distribution, and what
so many runs say of it is an interval by Clopper and Pearson. An interval keeps its level for one
look; who looks after every trial and stops as soon as it decides has many chances to be wrong.
So decisions are made at a level of their own a look, at which all looks together keep theirs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Literal

from loadtest.outcome import Outcome
from loadtest.summary import Chance
from settings.models import Confidence, Reading

_HALVINGS = 60  # after so many the interval of the search is as narrow as a float is exact


def interval(failures: int, runs: int, level: float = 0.95) -> tuple[float, float]:
    """The two-sided interval of P(failure) by Clopper and Pearson; (0, 1) without any run.

    Raises ValueError for more failures than runs.
    """
    one_sided = (1 + level) / 2
    return lower(failures, runs, one_sided), upper(failures, runs, one_sided)


def upper(failures: int, runs: int, level: float) -> float:
    """P(failure) is below this at the level; 1 where every run failed, or none was made."""
    _check(failures, runs)
    if failures == runs:
        return 1.0
    return _search(lambda p: _at_most(failures, runs, p) > 1 - level)


def lower(failures: int, runs: int, level: float) -> float:
    """P(failure) is above this at the level; 0 where no run failed."""
    _check(failures, runs)
    if failures == 0:
        return 0.0
    return _search(lambda p: _at_least(failures, runs, p) < 1 - level)


def demanded(failures: int, confidence: Confidence) -> int:
    """Runs that "safe" takes when so many of them failed: 40 without a failure, 60 with one."""
    return next(
        runs
        for runs in count(failures + 1)
        if _is_below(confidence.safe_below, failures, runs, confidence.look_level)
    )


def decide(failures: int, runs: int, confidence: Confidence) -> Literal["safe", "unsafe", "open"]:
    """Whether P(failure) is known to be below, or above, what may be called safe."""
    if _is_below(confidence.safe_below, failures, runs, confidence.look_level):
        return "safe"
    if _is_above(confidence.safe_below, failures, runs, confidence.look_level):
        return "unsafe"
    return "open"


def fails(failures: int, runs: int, confidence: Confidence) -> Literal["fails", "holds", "open"]:
    """Whether P(failure) is known to be above, or below, what may be called failing."""
    if _is_above(confidence.fails_above, failures, runs, confidence.look_level):
        return "fails"
    if _is_below(confidence.fails_above, failures, runs, confidence.look_level):
        return "holds"
    return "open"


def tally(
    outcomes: Iterable[Outcome], workload: str, reading: Reading, agents: int
) -> tuple[int, int]:
    """(failures, runs) of so many agents at once, from the valid ramps and rounds.

    The first N agents of a workload are always of the same classes, so what held with more of
    them is a clean run of N. A ramp says of every N whether it held. Rounds of more are counted
    only while none of them failed: one that did might have held N, or might not; without it only
    the clean ones would be left, and N would look better than it is.
    """
    alike = [
        outcome
        for outcome in outcomes
        if outcome.valid and (outcome.trial.workload, outcome.trial.reading) == (workload, reading)
    ]
    spoiled = {
        outcome.trial.concurrent
        for outcome in alike
        if outcome.trial.kind == "rounds" and outcome.failed_at is not None
    }
    failures = clean = 0
    for outcome in alike:
        together = outcome.trial.concurrent if outcome.trial.kind == "rounds" else None
        if together == agents or together not in spoiled:
            failed, held = _says(outcome, agents)
            failures += failed
            clean += held
    return failures, failures + clean


def chances(
    outcomes: Sequence[Outcome], wanted: Iterable[tuple[str, Reading, int]], confidence: Confidence
) -> tuple[Chance, ...]:
    """What is known of every (workload, reading, agents) wanted; without a run it is left out."""
    found = []
    for workload, reading, agents in wanted:
        failures, runs = tally(outcomes, workload, reading, agents)
        if not runs:
            continue
        low, high = interval(failures, runs)
        found.append(
            Chance(
                workload=workload,
                reading=reading,
                agents=agents,
                runs=runs,
                failures=failures,
                low=low,
                high=high,
                bound=upper(failures, runs, confidence.look_level),
                level=confidence.level,
                safe_below=confidence.safe_below,
                safe=decide(failures, runs, confidence) == "safe",
                demanded=demanded(failures, confidence),
            )
        )
    return tuple(found)


def _says(outcome: Outcome, agents: int) -> tuple[int, int]:
    """(failures, clean runs) of so many agents in one trial."""
    trial = outcome.trial
    if trial.kind == "ramp":
        failed = outcome.failed_at is not None and agents >= outcome.failed_at
        return int(failed), int(not failed and agents <= outcome.held)
    if trial.kind == "rounds" and agents <= (trial.concurrent or 0):
        return int(outcome.failed_at is not None), outcome.rounds_held
    return 0, 0


def _check(failures: int, runs: int) -> None:
    if not 0 <= failures <= runs:
        raise ValueError(f"{failures} failures of {runs} runs")


def _is_below(bound: float, failures: int, runs: int, level: float) -> bool:
    """Whether `upper` is below a bound; without the search, so that both agree on every edge."""
    _check(failures, runs)
    return failures < runs and _at_most(failures, runs, bound) < 1 - level


def _is_above(bound: float, failures: int, runs: int, level: float) -> bool:
    """Whether `lower` is above a bound."""
    _check(failures, runs)
    return failures > 0 and _at_least(failures, runs, bound) < 1 - level


def _at_most(failures: int, runs: int, p: float) -> float:
    """P(no more than so many failures of so many runs)."""
    return math.fsum(_exactly(k, runs, p) for k in range(failures + 1))


def _at_least(failures: int, runs: int, p: float) -> float:
    """P(so many failures or more); summed itself, since 1 - P(fewer) would lose small figures."""
    return math.fsum(_exactly(k, runs, p) for k in range(failures, runs + 1))


def _exactly(failures: int, runs: int, p: float) -> float:
    """P(so many failures of so many runs), by logarithms: the coefficients alone would overflow."""
    if p <= 0 or p >= 1:
        return float(failures == (runs if p >= 1 else 0))
    ways = math.lgamma(runs + 1) - math.lgamma(failures + 1) - math.lgamma(runs - failures + 1)
    return math.exp(ways + failures * math.log(p) + (runs - failures) * math.log1p(-p))


def _search(is_too_small: Callable[[float], bool]) -> float:
    """The probability at which a condition that holds for all smaller ones ends."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if is_too_small(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2
