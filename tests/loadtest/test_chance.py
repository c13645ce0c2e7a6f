"""What runs that held or failed say of P(failure); SciPy is the judge of the figures."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binomtest

from loadtest import chance
from loadtest.outcome import Outcome
from settings.load import load_settings
from settings.models import Confidence, Reading
from tests.loadtest.examples import outcome, trial

CONFIDENCE = load_settings().loadtest.confidence
LOOK = CONFIDENCE.look_level

# Hundreds of runs are summed term by term: slow on a busy machine, and more than a campaign has.
unhurried = settings(deadline=None, max_examples=60)
LEVELS = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@st.composite
def counted(draw: st.DrawFn, least: int = 1) -> tuple[int, int]:
    """(failures, runs)."""
    runs = draw(st.integers(least, 500))
    return draw(st.integers(0, runs)), runs


@unhurried
@given(counted(), LEVELS)
def test_the_interval_is_the_one_of_clopper_and_pearson(
    seen: tuple[int, int], level: float
) -> None:
    failures, runs = seen
    judge = binomtest(failures, runs).proportion_ci(level, method="exact")
    assert chance.interval(failures, runs, level) == pytest.approx(
        (judge.low, judge.high), abs=1e-9
    )


@unhurried
@given(counted(), LEVELS)
def test_the_bounds_are_quantiles_of_beta_distributions(
    seen: tuple[int, int], level: float
) -> None:
    failures, runs = seen
    above = beta.ppf(level, failures + 1, runs - failures) if failures < runs else 1
    below = beta.ppf(1 - level, failures, runs - failures + 1) if failures else 0
    assert chance.upper(failures, runs, level) == pytest.approx(above, abs=1e-9)
    assert chance.lower(failures, runs, level) == pytest.approx(below, abs=1e-9)


@unhurried
@given(counted())
def test_the_interval_holds_the_share_that_was_seen(seen: tuple[int, int]) -> None:
    failures, runs = seen
    low, high = chance.interval(failures, runs)
    assert 0 <= low <= failures / runs <= high <= 1


@unhurried
@given(counted(), LEVELS)
def test_one_more_failure_raises_both_bounds(seen: tuple[int, int], level: float) -> None:
    failures, runs = seen
    if failures < runs:
        assert chance.upper(failures + 1, runs, level) > chance.upper(failures, runs, level)
        assert chance.lower(failures + 1, runs, level) > chance.lower(failures, runs, level)


@unhurried
@given(counted(), LEVELS)
def test_one_more_clean_run_lowers_the_upper_bound(seen: tuple[int, int], level: float) -> None:
    failures, runs = seen
    now, then = (chance.upper(failures, total, level) for total in (runs, runs + 1))
    assert then < now


def test_without_a_run_nothing_is_known() -> None:
    assert chance.interval(0, 0) == (0.0, 1.0)
    assert chance.upper(0, 0, 0.95) == 1.0
    assert chance.lower(0, 0, 0.95) == 0.0
    assert chance.decide(0, 0, CONFIDENCE) == "open"
    assert chance.fails(0, 0, CONFIDENCE) == "open"


@pytest.mark.parametrize("seen", [(-1, 3), (4, 3)])
def test_more_failures_than_runs_are_a_mistake_of_the_caller(seen: tuple[int, int]) -> None:
    for bound in (chance.upper, chance.lower):
        with pytest.raises(ValueError, match="failures of 3 runs"):
            bound(*seen, 0.95)


def test_29_clean_runs_bound_the_failures_below_a_tenth_and_28_do_not() -> None:
    assert chance.upper(0, 29, 0.95) < 0.10
    assert chance.upper(0, 28, 0.95) > 0.10


def test_safe_takes_more_runs_for_every_failure() -> None:
    assert [chance.demanded(k, CONFIDENCE) for k in range(4)] == [40, 60, 76, 92]


@given(st.integers(0, 20))
@settings(max_examples=21, deadline=None)
def test_what_is_demanded_is_just_enough(failures: int) -> None:
    runs = chance.demanded(failures, CONFIDENCE)
    assert chance.decide(failures, runs, CONFIDENCE) == "safe"
    assert chance.decide(failures, runs - 1, CONFIDENCE) != "safe"


@unhurried
@given(counted(least=0))
def test_safe_and_unsafe_are_said_by_the_bounds(seen: tuple[int, int]) -> None:
    decided = chance.decide(*seen, CONFIDENCE)
    assert (decided == "safe") == (chance.upper(*seen, LOOK) < CONFIDENCE.safe_below)
    assert (decided == "unsafe") == (chance.lower(*seen, LOOK) > CONFIDENCE.safe_below)


@unhurried
@given(counted(least=0))
def test_failing_and_holding_are_said_by_the_bounds(seen: tuple[int, int]) -> None:
    found = chance.fails(*seen, CONFIDENCE)
    assert (found == "fails") == (chance.lower(*seen, LOOK) > CONFIDENCE.fails_above)
    assert (found == "holds") == (chance.upper(*seen, LOOK) < CONFIDENCE.fails_above)


def test_seven_failures_of_seven_fail_and_six_of_six_leave_it_open() -> None:
    assert chance.fails(7, 7, CONFIDENCE) == "fails"
    assert chance.fails(6, 6, CONFIDENCE) == "open"
    assert chance.fails(0, 7, CONFIDENCE) == "holds"


@pytest.mark.parametrize(("p", "wrong"), [(0.1, "safe"), (0.12, "safe"), (0.05, "unsafe")])
def test_all_looks_together_are_wrong_no_more_often_than_the_level_says(
    p: float, wrong: str
) -> None:
    """Runs are looked at after each one until they decide: the exact probability of the path."""
    undecided = {0: 1.0}
    decided = dict.fromkeys(("safe", "unsafe"), 0.0)
    for runs in range(1, CONFIDENCE.most_runs + 1):
        after: dict[int, float] = {}
        for failures, weight in undecided.items():
            for more, share in ((0, 1 - p), (1, p)):
                found = chance.decide(failures + more, runs, CONFIDENCE)
                if found == "open":
                    after[failures + more] = after.get(failures + more, 0.0) + weight * share
                else:
                    decided[found] += weight * share
        undecided = after
    assert decided[wrong] < 1 - CONFIDENCE.level


def test_stricter_settings_demand_more_runs() -> None:
    strict = Confidence(
        level=0.98, look_level=0.99, safe_below=0.01, fails_above=0.5, most_runs=1000
    )
    assert chance.demanded(0, strict) == 459


def ramp(held: int, failed_at: int | None, **changes: Any) -> Outcome:
    return outcome(held=held, failed_at=failed_at, **changes)


def rounds(agents: int, held: int, *, failed: bool = False) -> Outcome:
    return outcome(
        trial=trial(id=f"rounds-{agents}", kind="rounds", concurrent=agents, rounds=10),
        held=agents,
        rounds_held=held,
        failed_at=agents if failed else None,
    )


def tallied(outcomes: list[Outcome], *numbers: int) -> list[tuple[int, int]]:
    return [chance.tally(outcomes, "medium", "GB", number) for number in numbers]


def test_a_ramp_is_a_clean_run_up_to_what_it_held_and_a_failure_from_where_it_failed() -> None:
    assert tallied([ramp(12, 13)], 1, 12, 13, 20) == [(0, 1), (0, 1), (1, 1), (1, 1)]


def test_numbers_between_what_held_and_what_failed_are_left_out() -> None:
    assert tallied([ramp(10, 13)], 10, 11, 12, 13) == [(0, 1), (0, 0), (0, 0), (1, 1)]


def test_a_ramp_that_never_failed_says_nothing_of_larger_numbers() -> None:
    assert tallied([ramp(15, None)], 15, 16) == [(0, 1), (0, 0)]


def test_every_round_is_a_run_and_the_one_that_failed_ends_them() -> None:
    assert tallied([rounds(12, 7, failed=True)], 12) == [(1, 8)]


def test_rounds_of_more_say_nothing_of_fewer_once_one_of_them_failed() -> None:
    """Counting only what was clean would call numbers safe that are not."""
    assert tallied([rounds(12, 7)], 10, 11) == [(0, 7), (0, 7)]
    assert tallied([rounds(12, 7), rounds(12, 7, failed=True)], 10, 11) == [(0, 0), (0, 0)]
    assert tallied([rounds(12, 7), rounds(12, 7, failed=True)], 12) == [(1, 15)]


def test_rounds_of_fewer_say_nothing_of_more() -> None:
    assert tallied([rounds(12, 7, failed=True), rounds(12, 7)], 13) == [(0, 0)]


def test_ramps_and_rounds_are_counted_together() -> None:
    outcomes = [ramp(12, 13), ramp(11, 12), rounds(12, 9), rounds(12, 4, failed=True)]
    assert tallied(outcomes, 12) == [(2, 16)]


def test_only_valid_trials_of_the_workload_and_the_reading_count() -> None:
    outcomes = [
        ramp(12, 13, status="invalid"),
        ramp(12, 13, trial=trial(workload="large")),
        ramp(12, 13, trial=trial(reading="GiB")),
        ramp(12, 13, trial=trial(kind="stable", concurrent=12)),
        ramp(12, 13, trial=trial(kind="cap", concurrent=12)),
    ]
    assert tallied(outcomes, 12) == [(0, 0)]
    assert chance.tally(outcomes, "medium", "GiB", 12) == (0, 1)


@unhurried
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 3)), max_size=20))
def test_more_agents_never_fail_less_often(pairs: list[tuple[int, int]]) -> None:
    outcomes = [ramp(held, held + gap) for held, gap in pairs]
    counts = [failures for failures, _ in tallied(outcomes, *range(1, 25))]
    assert counts == sorted(counts)


def test_chances_say_what_the_runs_say_and_leave_out_what_was_not_run() -> None:
    outcomes = [rounds(12, 39), ramp(12, 13)]
    wanted: list[tuple[str, Reading, int]] = [
        ("medium", "GB", 12),
        ("medium", "GB", 13),
        ("small", "GB", 20),
    ]
    twelve, thirteen = chance.chances(outcomes, wanted, CONFIDENCE)
    assert (twelve.agents, twelve.runs, twelve.failures) == (12, 40, 0)
    assert twelve.safe
    assert twelve.bound == chance.upper(0, 40, LOOK)
    assert (twelve.low, twelve.high) == chance.interval(0, 40)
    assert twelve.demanded == 40
    assert (thirteen.failures, thirteen.runs, thirteen.safe) == (1, 1, False)
    assert thirteen.demanded == 60
