"""Which trial comes next, once the planned ones are done, until the confidence is reached. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from loadtest import chance
from loadtest.outcome import Outcome, Trial, of_workload
from loadtest.trials import AGAIN, Planner
from settings.models import BoundaryClaim, Confidence

_SPOILED_ENOUGH = 3


class Open(NamedTuple):
    """A number of agents whose P(failure) is not decided yet."""

    workload: str
    agents: int
    runs: int
    """Runs that tell of it so far."""
    missing: int
    """Runs that it takes at least."""
    failing: bool
    """Whether it is said to fail; else it is said to hold."""


@dataclass(frozen=True)
class Confirmer:
    """Repeats what gating claims say until it is decided, the least known first."""

    planner: Planner
    confidence: Confidence

    def next_trial(self, outcomes: Sequence[Outcome]) -> Trial | None:
        """The next trial; None when all is decided, or cannot be."""
        if not self.planner.plan.confirm:
            return None
        if again := _to_repeat(outcomes):
            return again
        undecided = [one for one in self.open(outcomes) if not _is_hopeless(one, outcomes)]
        if not undecided:
            return None
        least = min(undecided, key=lambda one: one.runs)
        run = 1 + max((o.trial.run for o in outcomes if _is_of(o.trial, least)), default=0)
        if least.failing:
            return self.planner.ramp(least.workload, "GB", run)
        return self.planner.rounds(least.workload, least.agents, run, least.missing)

    def open(self, outcomes: Sequence[Outcome]) -> Iterator[Open]:
        """What is not decided yet, a workload's largest number first: it tells of smaller ones."""
        for workload, agents, failing in self._numbers():
            failures, runs = chance.tally(outcomes, workload, "GB", agents)
            if runs >= self.confidence.most_runs:
                continue
            if failing:
                if chance.fails(failures, runs, self.confidence) == "open":
                    yield Open(workload, agents, runs, 1, failing=True)
            elif chance.decide(failures, runs, self.confidence) == "open":
                wanted = chance.demanded(failures, self.confidence)
                missing = min(wanted, self.confidence.most_runs) - runs
                yield Open(workload, agents, runs, max(1, missing), failing=False)

    def _numbers(self) -> list[tuple[str, int, bool]]:
        """(workload, agents, said to fail), of gating claims; largest numbers first."""
        numbers = set()
        for claim in self.planner.claims.values():
            if isinstance(claim, BoundaryClaim) and claim.gating and claim.reading == "GB":
                numbers |= {(claim.workload, n, False) for n in (claim.holds,) if n}
                numbers |= {(claim.workload, n, True) for n in _failing(claim)}
        return sorted(numbers, key=lambda one: (one[0], -one[1]))


def _failing(claim: BoundaryClaim) -> Iterator[int]:
    """Numbers of which a claim says that they fail, or that they do not yet."""
    if claim.fails_at is not None:
        yield from {claim.fails_at, max(1, claim.fails_at - 1)}
    if claim.fails_by is not None:
        yield claim.fails_by


def _to_repeat(outcomes: Sequence[Outcome]) -> Trial | None:
    """A planned trial that did not count and was not repeated yet.

    Rounds need none: the next ones take their place.
    """
    ids = {outcome.trial.id for outcome in outcomes}
    for outcome in outcomes:
        trial = outcome.trial
        once = trial.kind != "rounds" and not trial.id.endswith(AGAIN)
        if once and not outcome.valid and trial.id + AGAIN not in ids:
            return trial.model_copy(update={"id": trial.id + AGAIN})
    return None


def _is_of(trial: Trial, one: Open) -> bool:
    if trial.workload != one.workload or trial.reading != "GB":
        return False
    if one.failing:
        return trial.kind == "ramp"
    return trial.kind == "rounds" and trial.concurrent == one.agents


def _is_hopeless(one: Open, outcomes: Sequence[Outcome]) -> bool:
    """Whether trials alike did not count again and again: more of them would not either."""
    kind = "ramp" if one.failing else "rounds"
    spoiled = [o for o in of_workload(outcomes, kind, one.workload) if not o.valid]
    return len(spoiled) >= _SPOILED_ENOUGH
