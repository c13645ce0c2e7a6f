"""Verdicts on numbers of agents when agents differ: by P(failure), known well enough or not."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.claims import judge
from loadtest.outcome import Outcome
from loadtest.summary import ClaimResult
from loadtest.weigh_chances import chance_words
from settings.load import load_settings
from settings.models import BoundaryClaim
from tests.loadtest.examples import outcome, trial

CONFIDENCE = load_settings().loadtest.confidence


def claim(**numbers: int) -> BoundaryClaim:
    values: dict[str, Any] = {
        "kind": "boundary", "statement": "", "section": "", "basis": "assumed",
        "workload": "medium", **numbers,
    }  # fmt: skip
    return BoundaryClaim(**values)


def ramps(number: int, held: int = 12) -> list[Outcome]:
    return [
        outcome(
            trial=trial(id=f"ramp-medium-{run}", run=run), held=held, failed_at=held + 1
        )
        for run in range(1, number + 1)
    ]  # fmt: skip


def rounds(clean: int, agents: int = 12, *, failed: bool = False, **changes: Any) -> Outcome:
    crew = trial(id=f"rounds-medium-{agents}-{clean}", kind="rounds", concurrent=agents, rounds=99)
    values = {"rounds_held": clean, "held": agents, "failed_at": agents if failed else None}
    return outcome(trial=crew, **(values | changes))


def verdict(said: BoundaryClaim, *outcomes: Outcome) -> ClaimResult:
    return judge("it", said, outcomes, scale=1, selected=True, confidence=CONFIDENCE)


@pytest.mark.parametrize(
    ("said", "outcomes", "expected", "why"),
    [
        (claim(holds=12), [*ramps(7), rounds(33)], "confirmed", "40 clean runs"),
        (claim(holds=12), [*ramps(7), rounds(32)], "inconclusive", "39 are one too few"),
        (claim(holds=10), [*ramps(7), rounds(33)], "confirmed", "12 that hold tell of 10"),
        (claim(holds=12), [*ramps(7), rounds(33), rounds(19, failed=True)], "confirmed",
         "one failure in 60"),
        (claim(holds=12), [*ramps(5), *[rounds(0, failed=True)] * 5], "refuted",
         "5 of 10 failed"),
        (claim(fails_at=13), ramps(7), "confirmed", "7 of 7 failed, and 12 held as often"),
        (claim(fails_at=13), ramps(6), "inconclusive", "6 of 6 may still be one in two"),
        (claim(fails_at=13), ramps(7, held=13), "refuted", "13 hold"),
        (claim(fails_at=13), ramps(7, held=11), "refuted", "12 fail already"),
        (claim(fails_by=13), ramps(7, held=9), "confirmed", "10 fail already, so do 13"),
        (claim(fails_by=13), ramps(7, held=25), "refuted", "25 hold"),
        (claim(holds=12, fails_at=13), [*ramps(7), rounds(33)], "confirmed", "both"),
        (claim(holds=12, fails_at=13), ramps(7), "inconclusive", "one of the two is open"),
    ],
)  # fmt: skip
def test_a_number_is_judged_by_all_runs_that_tell_of_it(
    said: BoundaryClaim, outcomes: list[Outcome], expected: str, why: str
) -> None:
    assert verdict(said, *outcomes).verdict == expected, why


def test_trials_that_do_not_count_are_named_and_decide_nothing() -> None:
    spoiled = rounds(33, status="invalid", reason="starved")
    found = verdict(claim(holds=12), *ramps(7), spoiled)
    assert found.verdict == "inconclusive"
    assert "1 trials did not count" in found.reason
    enough = verdict(claim(holds=12), *ramps(7), rounds(33), spoiled)
    assert enough.verdict == "confirmed"


@pytest.mark.parametrize(("failures", "runs"), [(0, 0), (0, 3), (0, 39), (1, 59), (9, 9)])
def test_a_number_is_never_called_safe_on_fewer_runs_than_it_takes(
    failures: int, runs: int
) -> None:
    words = chance_words(12, failures, runs, CONFIDENCE)
    assert ": safe" not in words
    assert "safe takes" in words


def test_a_number_is_called_safe_with_the_runs_it_rests_on() -> None:
    assert chance_words(12, 0, 40, CONFIDENCE) == (
        "12 at once: 0 of 40 runs failed, P(failure) < 10 % at 95 %: safe"
    )
