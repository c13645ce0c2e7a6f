"""What a fleet runs of a plan: ramps alone, at a scale that every host can hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtest.fleet.plan import does_not_fit, fleet_scale, on_host, only_ramps, same_engine
from loadtest.plan import Campaign, Choice, PlanError, make_campaign
from settings.host import GIB
from settings.load import load_settings
from tests.loadtest.examples import HOST

SETTINGS = load_settings()
SMALL = replace(HOST, memory=16 * GIB, memory_available=16 * GIB, cpus=4)


def campaign(plan: str = "quick", choice: Choice | None = None, scale: float = 1 / 16) -> Campaign:
    return make_campaign(
        SETTINGS,
        plan_name=plan,
        true_limit=48 * GIB,
        scale=scale,
        grade="scaled",
        choice=choice,
    )


def test_the_smallest_host_decides_the_scale_of_all() -> None:
    settings = SETTINGS.loadtest
    assert fleet_scale(None, settings, 48 * GIB, [HOST]) == 1
    assert fleet_scale(None, settings, 48 * GIB, [HOST, SMALL]) == settings.small_scale
    assert fleet_scale(0.5, settings, 48 * GIB, [HOST, SMALL]) == 0.5, "it was asked for"


def test_only_ramps_remain_and_the_claims_that_they_answer() -> None:
    ramps, left_out = only_ramps(campaign())
    assert {trial.kind for trial in ramps.trials} == {"ramp"}
    assert {claim.kind for claim in ramps.claims.values()} == {"memory", "boundary", "failure-mode"}
    assert ramps.expected_s < campaign().expected_s
    [words] = left_out
    assert "no ramps" in words


def test_a_plan_with_confidence_says_that_it_is_left_out() -> None:
    ramps, left_out = only_ramps(campaign("release", Choice(workloads=("medium",))))
    assert not ramps.plan.confirm
    assert left_out[-1] == "repeats until the confidence is reached"


def test_a_choice_without_ramps_is_refused() -> None:
    choice = Choice(patterns=("cap-*",))
    with pytest.raises(PlanError, match="has none for these"):
        only_ramps(campaign(choice=choice))


def test_each_host_has_its_own_grade() -> None:
    assert on_host(campaign(scale=1.0), HOST).grade == "target-host"
    assert on_host(campaign(scale=1.0), SMALL).grade == "full-size"
    assert on_host(campaign(), HOST).grade == "scaled"


def test_a_host_without_room_for_the_target_is_told_so() -> None:
    assert does_not_fit(campaign(), GIB, SMALL) is None
    problem = does_not_fit(campaign(scale=1.0), GIB, SMALL)
    assert problem
    assert "48.00 GiB" in problem
    assert "--scale" in problem


def test_two_names_of_one_engine_are_found_out() -> None:
    assert same_engine({"a": "1", "b": "2"}) is None
    assert same_engine({"a": "1", "b": "2", "c": "1"}) == "--hosts: a and c are one engine"
