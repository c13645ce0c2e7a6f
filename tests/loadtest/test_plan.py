"""Which campaign a request becomes: scale, grade, memory, names."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.plan import (
    Backing,
    Campaign,
    Choice,
    PlanError,
    back,
    choose_scale,
    cpu_limit,
    grade_of,
    is_judged,
    make_campaign,
    profile_of,
)
from loadtest.standin.profile import Profile, parse_profiles
from settings.host import GIB
from settings.load import load_settings
from settings.models import MemoryClaim
from tests.loadtest.examples import HOST

SETTINGS = load_settings()
SMALL = 1 / 16


def campaign(**changes: Any) -> Campaign:
    values: dict[str, Any] = {
        "plan_name": "quick",
        "true_limit": 48 * GIB,
        "scale": 1.0,
        "grade": "full-size",
    }
    return make_campaign(SETTINGS, **(values | changes))


@pytest.mark.parametrize(
    ("asked", "free", "scale", "why"),
    [
        (None, 49 * GIB, 1.0, "the true sizes fit to the byte"),
        (None, 49 * GIB - 1, SMALL, "one byte short"),
        (None, 64 * GIB, 1.0, "plenty"),
        (None, 0, SMALL, "nothing free"),
        (1.0, 0, 1.0, "what is asked for is checked later, not changed"),
        (0.5, 64 * GIB, 0.5, "also where more would fit"),
    ],
)
def test_the_true_scale_is_taken_where_it_fits(
    asked: float | None, free: int, scale: float, why: str
) -> None:
    host = replace(HOST, memory_available=free)
    assert choose_scale(asked, SMALL, 49 * GIB, host) == scale, why


@pytest.mark.parametrize(
    ("scale", "memory", "cpus", "grade", "why"),
    [
        (1.0, 48 * GIB, 8, "target-host", "the guide's own host"),
        (1.0, 24 * GIB, 8, "full-size", "true sizes on a smaller host"),
        (1.0, 48 * GIB, 4, "full-size", "too few cores"),
        (SMALL, 96 * GIB, 32, "scaled", "a scaled run is scaled on any host"),
        (0.999, 48 * GIB, 8, "scaled", "just below the true size"),
    ],
)
def test_a_grade_says_how_much_a_result_is_worth(
    scale: float, memory: int, cpus: int, grade: str, why: str
) -> None:
    assert grade_of(scale, replace(HOST, memory=memory, cpus=cpus)) == grade, why


def test_a_limit_that_the_host_cannot_back_is_refused_with_a_way_out() -> None:
    host = replace(HOST, memory_available=49 * GIB)
    alone: dict[str, Any] = {"way": None, "compressible": True}
    assert back(48 * GIB, GIB, host, **alone) == Backing(48 * GIB)
    with pytest.raises(PlanError, match=r"48\.00 GiB and 1\.00 GiB .* --scale .* or --limit"):
        back(48 * GIB + 1, GIB, host, **alone)


def test_compressed_swap_backs_what_memory_cannot() -> None:
    host = replace(HOST, memory_available=23 * GIB)
    backing = back(48 * GIB, GIB, host, way="zram", compressible=True)
    assert 18 * GIB < backing.memory < 22 * GIB
    assert backing.memory + backing.swap > 48 * GIB


def test_pages_of_noise_are_not_backed_by_compressed_swap() -> None:
    host = replace(HOST, memory_available=23 * GIB)
    with pytest.raises(PlanError, match="cannot be compressed"):
        back(48 * GIB, GIB, host, way="zram", compressible=False)


def test_a_swap_file_backs_it_where_the_kernel_has_no_zram_and_the_disk_has_room() -> None:
    host = replace(HOST, memory_available=23 * GIB)
    backing = back(48 * GIB, GIB, host, way="file", compressible=False, disk_free=100 * GIB)
    assert (backing.way, backing.memory + backing.swap > 48 * GIB) == ("file", True)
    with pytest.raises(PlanError, match=r"nor a swap file of .* GiB into the 9\.00 GiB of disk"):
        back(48 * GIB, GIB, host, way="file", compressible=False, disk_free=9 * GIB)


@given(st.integers(GIB, 256 * GIB), st.integers(GIB, 64 * GIB))
def test_a_backing_never_takes_more_memory_than_the_host_has(limit: int, available: int) -> None:
    host = replace(HOST, memory_available=available)
    try:
        backing = back(limit, GIB, host, way="zram", compressible=True)
    except PlanError:
        return
    assert backing.memory + GIB <= available
    assert backing.memory + backing.swap >= limit


def test_processors_are_those_of_staging_but_no_more_than_the_host_has() -> None:
    assert cpu_limit(8.0, replace(HOST, cpus=2)) == 2
    assert cpu_limit(8.0, replace(HOST, cpus=16)) == 8
    assert cpu_limit(None, replace(HOST, cpus=4)) == 4


@pytest.mark.parametrize(
    ("changes", "says", "why"),
    [
        (
            {"choice": Choice(["tiny"])},
            "unknown workload 'tiny': choose from small, medium",
            "a typo",
        ),
        ({"choice": Choice(["small", "Mixed"])}, "unknown workload 'Mixed'", "capitals count"),
        ({"plan_name": "nightly"}, "unknown plan 'nightly': choose from quick, release", "no plan"),
        ({"runs": 0}, "--runs 0: at least one ramp is needed", "no ramp at all"),
        ({"runs": -3}, "--runs -3: at least one", "fewer than none"),
    ],
)
def test_what_is_not_known_is_refused_with_the_choices(
    changes: dict[str, Any], says: str, why: str
) -> None:
    with pytest.raises(PlanError) as refused:
        campaign(**changes)
    assert says in str(refused.value), why


def test_sizes_and_limit_carry_the_scale_and_the_true_limit_stays() -> None:
    small = campaign(scale=SMALL)
    assert small.limit == 3 * GIB
    assert small.true_limit == 48 * GIB
    assert small.sizes == {
        "small": 125_000_000,
        "medium": 250_000_000,
        "large": 312_500_000,
        "architectural": 375_000_000,
    }


def test_a_campaign_without_a_choice_answers_every_claim_of_its_plan() -> None:
    assert campaign(plan_name="release").claims == SETTINGS.claims
    assert campaign(plan_name="release", choice=Choice()).claims == SETTINGS.claims
    quick = SETTINGS.loadtest.plans["quick"]
    judged = {name for name, claim in SETTINGS.claims.items() if is_judged(name, claim, quick)}
    assert set(campaign().claims) == judged < set(SETTINGS.claims)


def test_the_plans_of_few_trials_judge_what_they_are_for() -> None:
    kinds = {claim.kind for claim in campaign(plan_name="boundary").claims.values()}
    assert kinds == {"memory", "boundary", "failure-mode"}
    workloads = {trial.workload for trial in campaign(plan_name="boundary").trials}
    assert workloads == {"small", "medium", "large", "architectural", "mixed"}
    regression = campaign(plan_name="regression")
    assert {trial.kind for trial in regression.trials} == {"ramp", "cap"}


@given(st.sets(st.sampled_from(SETTINGS.agents.workloads()), min_size=1))
def test_a_choice_keeps_the_claims_and_trials_of_its_workloads(workloads: set[str]) -> None:
    chosen = campaign(choice=Choice(sorted(workloads)))
    assert {claim.workload for claim in chosen.claims.values()} <= workloads
    assert {trial.workload for trial in chosen.trials} <= workloads
    left_out = set(campaign().claims) - set(chosen.claims)
    assert all(SETTINGS.claims[name].workload not in workloads for name in left_out)


def test_claims_are_chosen_by_patterns_of_their_ids() -> None:
    chosen = campaign(choice=Choice(patterns=["cap-*", "stable-8"]))
    assert set(chosen.claims) == {
        "stable-8", "cap-10-small", "cap-7-medium-large", "cap-5-architectural"
    }  # fmt: skip
    with pytest.raises(PlanError, match="judges no claim about nonsense"):
        campaign(choice=Choice(patterns=["nonsense"]))


def test_a_workload_leaves_situations_out_since_they_are_about_none() -> None:
    chosen = campaign(plan_name="release", choice=Choice(["small"]))
    assert "scenario" not in {claim.kind for claim in chosen.claims.values()}


def test_runs_of_the_command_line_replace_the_plans() -> None:
    assert campaign().plan.runs == 3
    assert campaign(runs=1).plan.runs == 1
    assert campaign(runs=1).plan.hold_s == campaign().plan.hold_s
    assert SETTINGS.loadtest.plans["quick"].runs == 3


def test_expected_time_adds_up_and_grows_with_runs() -> None:
    times = [campaign(scale=SMALL, runs=runs).expected_s for runs in (1, 2, 3)]
    assert times[0] > SETTINGS.loadtest.plans["quick"].stable_s
    assert times[1] - times[0] == pytest.approx(times[2] - times[1])
    assert times[1] > times[0]


@pytest.mark.parametrize("name", SETTINGS.agents.classes)
@pytest.mark.parametrize("scale", [1.0, SMALL])
def test_the_stand_in_can_follow_every_profile(name: str, scale: float) -> None:

    agent = SETTINGS.agents.classes[name]
    values = profile_of(agent, campaign(scale=scale), SETTINGS, hold_s=2.0, compression=1000)
    profile = parse_profiles(json.dumps({name: values}))[name]
    assert profile.turns == agent.turns
    assert profile.final_bytes() == round(agent.memory * scale)
    assert profile.start_bytes == round(agent.start * scale)
    assert (profile.hold_s, profile.compression) == (2.0, 1000)
    assert set(values) == set(Profile.__dataclass_fields__), "no key is left to a default"


def test_every_memory_claim_has_a_class_of_its_own() -> None:
    claimed = [c.workload for c in SETTINGS.claims.values() if isinstance(c, MemoryClaim)]
    assert sorted(claimed) == sorted(SETTINGS.agents.classes)
