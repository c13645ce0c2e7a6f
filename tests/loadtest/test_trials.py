"""The trials of a plan: enough of each, long enough, in an order that spreads disturbances."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import Any

import pytest

from loadtest.boundary import first_agents
from loadtest.outcome import Trial
from loadtest.plan import make_campaign
from loadtest.trials import Planner
from settings.host import GIB
from settings.load import load_settings
from settings.models import BoundaryClaim, CapClaim, Claim, StableClaim

SETTINGS = load_settings()
SMALL = 1 / 16
RAMPED = ["small", "medium", "large", "architectural", "mixed"]


def trials(scale: float = SMALL, true_limit: int = 48 * GIB, **changes: Any) -> tuple[Trial, ...]:
    return make_campaign(
        SETTINGS,
        plan_name="quick",
        true_limit=true_limit,
        scale=scale,
        grade="scaled",
        **changes,
    ).trials


def planner(claims: dict[str, Claim], limit: int = 3 * GIB) -> Planner:
    sizes = {name: round(row.memory * SMALL) for name, row in SETTINGS.agents.classes.items()}
    return Planner(SETTINGS, SETTINGS.loadtest.plans["quick"], claims, limit, sizes, seed=0)


def test_every_ramped_workload_gets_the_plans_number_of_ramps() -> None:
    ramps = [trial for trial in trials() if trial.kind == "ramp"]
    assert Counter(ramp.workload for ramp in ramps) == dict.fromkeys(RAMPED, 3)


def test_ramps_are_interleaved_so_that_no_workload_is_measured_twice_in_a_row() -> None:
    ramps = [trial for trial in trials() if trial.kind == "ramp"]
    rounds = [[r.workload for r in group] for _, group in groupby(ramps, key=lambda r: r.run)]
    assert rounds == [RAMPED] * 3


def test_crowds_come_after_all_ramps_and_bear_their_claims_name() -> None:
    kinds = [trial.kind for trial in trials()]
    assert kinds == sorted(kinds, key=lambda kind: kind != "ramp")
    crowds = [trial for trial in trials() if trial.kind != "ramp"]
    assert [crowd.id for crowd in crowds] == [
        name for name, claim in SETTINGS.claims.items() if isinstance(claim, StableClaim | CapClaim)
    ]


def test_every_trial_has_a_name_and_every_run_of_a_ramp_a_seed_of_its_own() -> None:
    all_trials = trials(seed=7)
    assert len({trial.id for trial in all_trials}) == len(all_trials)
    seeds = {trial.seed for trial in all_trials if trial.kind == "ramp"}
    assert seeds == {8, 9, 10}


@pytest.mark.parametrize("scale", [1.0, SMALL])
@pytest.mark.parametrize("true_limit", [8 * GIB, 48 * GIB, 64 * GIB])
def test_a_ramp_is_long_enough_to_fail_and_to_refute(scale: float, true_limit: int) -> None:
    sizes = {name: row.memory * scale for name, row in SETTINGS.agents.classes.items()}
    for ramp in trials(scale, true_limit):
        if ramp.kind != "ramp":
            continue
        assert sum(sizes[name] for name in ramp.agents) > true_limit * scale
        assert ramp.predicted is not None
        assert len(ramp.agents) >= ramp.predicted + SETTINGS.loadtest.swarm.beyond
        for claim in SETTINGS.claims.values():
            if isinstance(claim, BoundaryClaim) and claim.workload == ramp.workload:
                assert len(ramp.agents) > (claim.holds or 0), "it could not be seen to hold more"
                assert len(ramp.agents) >= (claim.fails_at or claim.fails_by or 0)


def test_a_ramp_begins_with_the_mixs_first_agents() -> None:
    [ramp] = [t for t in trials(runs=1) if t.workload == "mixed" and t.kind == "ramp"]
    assert ramp.agents == first_agents(SETTINGS.agents.weights("mixed"), 15)
    assert ramp.predicted == 12


def test_a_claim_beyond_the_prediction_makes_the_ramp_longer() -> None:
    claim = BoundaryClaim(
        kind="boundary", statement="", section="", basis="assumed", workload="medium", holds=30
    )
    [ramp, *_] = planner({"more": claim}).trials()
    assert (ramp.predicted, len(ramp.agents)) == (12, 33)


def test_a_cap_gets_its_backlog_and_a_stable_trial_its_crowd() -> None:
    by_id = {trial.id: trial for trial in trials()}
    sizes = {
        name: (trial.kind, trial.concurrent, len(trial.agents))
        for name, trial in by_id.items()
        if trial.kind != "ramp"
    }
    assert sizes == {
        "stable-8": ("stable", 8, 8),
        "cap-10-small": ("cap", 10, 30),
        "cap-7-medium-large": ("cap", 7, 21),
        "cap-5-architectural": ("cap", 5, 15),
    }
    assert Counter(by_id["cap-7-medium-large"].agents) == {"medium": 11, "large": 10}


def test_a_claim_that_needs_no_trial_of_its_own_makes_none() -> None:
    stable = SETTINGS.claims["stable-8"]
    only = [trial.id for trial in planner({"stable-8": stable}).trials()]
    assert only == ["stable-8"]
    assert list(planner({}).trials()) == []


def test_a_ramp_is_expected_to_end_at_its_prediction_and_a_stable_trial_at_its_time() -> None:
    plan = planner(dict(SETTINGS.claims))
    ramp = next(plan.trials())
    longer = ramp.model_copy(update={"agents": ramp.agents * 2})
    assert plan.expected_s(longer) == plan.expected_s(ramp), "what comes after the failure is free"
    blind = ramp.model_copy(update={"predicted": None})
    assert plan.expected_s(blind) > plan.expected_s(ramp)
    stable = next(trial for trial in plan.trials() if trial.kind == "stable")
    assert plan.expected_s(stable) > SETTINGS.loadtest.plans["quick"].stable_s
