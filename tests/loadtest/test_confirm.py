"""What is measured again, and when it is enough."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from loadtest.confirm import Confirmer
from loadtest.outcome import Outcome, Trial
from loadtest.plan import Campaign, make_campaign
from settings.host import GIB
from settings.load import load_settings
from tests.loadtest.examples import outcome

SETTINGS = load_settings()
CONFIDENCE = SETTINGS.loadtest.confidence
LAST_THAT_HOLDS = {"small": 25, "medium": 12, "large": 10, "architectural": 8, "mixed": 12}


def campaign(plan: str = "release") -> Campaign:
    return make_campaign(
        SETTINGS, plan_name=plan, true_limit=48 * GIB, scale=1 / 16, grade="scaled"
    )


def as_the_guide_says(trial: Trial) -> Outcome:
    """A ramp or rounds on a server that holds what the guide says it holds."""
    holds = LAST_THAT_HOLDS.get(trial.workload, 12)
    if trial.kind == "rounds":
        return outcome(trial=trial, rounds_held=trial.rounds or 0, failed_at=None, held=0)
    return outcome(trial=trial, held=holds, failed_at=holds + 1)


def play(
    answer: Callable[[Trial], Outcome], plan: str = "release", most: int = 2000
) -> list[Outcome]:
    """Everything that is measured when trials come out as `answer` says."""
    whole = campaign(plan)
    outcomes = [answer(trial) for trial in whole.trials]
    confirmer = Confirmer(whole.planner, CONFIDENCE)
    for _ in range(most):
        trial = confirmer.next_trial(outcomes)
        if trial is None:
            return outcomes
        outcomes.append(answer(trial))
    raise AssertionError("it never ends")


def repeats(outcomes: list[Outcome]) -> list[Trial]:
    return [one.trial for one in outcomes][len(campaign().trials) :]


def test_a_plan_without_confidence_is_over_with_its_planned_trials() -> None:
    assert len(play(as_the_guide_says, "quick")) == len(campaign("quick").trials)


def test_every_number_that_is_said_to_hold_gets_its_40_clean_runs_and_not_many_more() -> None:
    outcomes = play(as_the_guide_says)
    for workload, agents in {"small": 20, "medium": 12, "large": 10, "mixed": 12}.items():
        clean = sum(
            one.rounds_held if one.trial.kind == "rounds" else one.held >= agents
            for one in outcomes
            if one.trial.workload == workload and one.trial.reading == "GB"
            if one.trial.kind in ("ramp", "rounds")
        )
        assert 40 <= clean <= 40 + 8, workload


def test_only_the_largest_number_of_a_workload_is_repeated_since_it_tells_of_the_smaller() -> None:
    numbers = {(t.workload, t.concurrent) for t in repeats(play(as_the_guide_says))}
    assert numbers == {
        ("small", 20), ("medium", 12), ("large", 10), ("architectural", 8), ("mixed", 12)
    }  # fmt: skip


def test_seven_ramps_that_all_fail_suffice_for_a_number_that_is_said_to_fail() -> None:
    assert {trial.kind for trial in repeats(play(as_the_guide_says))} == {"rounds"}


def test_repeats_go_round_the_workloads_so_that_a_disturbance_hits_none_alone() -> None:
    first = [trial.workload for trial in repeats(play(as_the_guide_says))[:5]]
    assert len(set(first)) == 5


def test_every_repeat_has_a_name_and_agents_of_its_own() -> None:
    trials = repeats(play(as_the_guide_says))
    assert len({trial.id for trial in trials}) == len(trials)
    seeds = [(trial.workload, trial.seed) for trial in trials]
    assert len(set(seeds)) == len(seeds)


def test_one_failure_demands_more_clean_runs_and_many_end_the_search() -> None:
    failed: list[str] = []

    def first_rounds_fail(trial: Trial) -> Outcome:
        if trial.kind == "rounds" and trial.workload == "medium" and not failed:
            failed.append(trial.id)
            return outcome(trial=trial, rounds_held=2, failed_at=12)
        return as_the_guide_says(trial)

    clean = sum(
        one.rounds_held
        for one in play(first_rounds_fail)
        if one.trial.workload == "medium" and one.trial.kind == "rounds"
    )
    assert clean >= 60 - 7 - 1

    def all_fail(trial: Trial) -> Outcome:
        if trial.kind == "rounds" and trial.workload == "medium":
            return outcome(trial=trial, rounds_held=0, failed_at=12)
        return as_the_guide_says(trial)

    medium = [t for t in repeats(play(all_fail)) if t.workload == "medium" and t.concurrent == 12]
    assert 1 <= len(medium) <= 8, "it is known not to be safe after a few"


def test_a_trial_that_does_not_count_is_repeated_once() -> None:
    def spoiled(trial: Trial) -> Outcome:
        again = trial.id.endswith(".again")
        if trial.id in ("stable-8", "ramp-large-2") or (again and "large" in trial.id):
            return outcome(trial=trial, status="invalid", reason="the probe failed")
        return as_the_guide_says(trial)

    ids = [trial.id for trial in repeats(play(spoiled))]
    assert [one for one in ids if one.endswith(".again")] == [
        "ramp-large-2.again",
        "stable-8.again",
    ]


def test_rounds_that_never_count_are_given_up() -> None:
    def never(trial: Trial) -> Outcome:
        if trial.kind == "rounds":
            return outcome(trial=trial, status="invalid", reason="starved")
        return as_the_guide_says(trial)

    assert len(repeats(play(never))) == 5 * 3


@hypothesis_settings(max_examples=25, deadline=None)
@given(st.floats(0, 1), st.randoms(use_true_random=False))
def test_it_ends_however_likely_a_failure_is(p: float, chance: object) -> None:
    def random_answer(trial: Trial) -> Outcome:
        if trial.kind != "rounds":
            return as_the_guide_says(trial)
        for held in range(trial.rounds or 0):
            if chance.random() < p:  # type: ignore[attr-defined]
                return outcome(trial=trial, rounds_held=held, failed_at=trial.concurrent)
        return as_the_guide_says(trial)

    for one in play(random_answer):
        assert (one.trial.rounds or 1) >= 1


@pytest.mark.parametrize(("agents", "most"), [(20, 3), (12, 5), (8, 9), (1, 74)])
def test_rounds_keep_within_the_servers_requests_a_minute(agents: int, most: int) -> None:
    trial = campaign().planner.rounds("medium", agents, 1, 1000)
    assert trial.rounds == most
    assert agents * (1 + 3.6 * most) <= 300
