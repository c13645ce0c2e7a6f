"""The same number of agents at once, again and again, on one real target."""

from __future__ import annotations

import statistics
from dataclasses import replace

from loadtest.outcome import Outcome, Trial
from loadtest.rig.trial import Rig
from settings.models import Spread
from tests.docker.conftest import RigFactory


def rounds(rig: Rig, agents: int, wanted: int = 3) -> Trial:
    return rig.campaign.planner.rounds("medium", agents, 1, wanted)


def peaks(outcome: Outcome) -> list[int]:
    return [agent.target_bytes for agent in outcome.agents if agent.target_bytes]


def test_a_number_that_fits_holds_round_after_round(make_rig: RigFactory) -> None:
    rig = make_rig()
    outcome = rig.measure(rounds(rig, 12))
    assert outcome.valid, outcome.reason
    assert (outcome.rounds_held, outcome.held, outcome.failed_at) == (3, 12, None)
    assert outcome.max_running == 12, "no round begins before the last is gone"
    assert outcome.peak_bytes < rig.campaign.limit
    assert outcome.evidence.oom_kills == 0


def test_a_number_that_does_not_fit_fails_in_its_first_round(make_rig: RigFactory) -> None:
    rig = make_rig()
    outcome = rig.measure(rounds(rig, 13))
    assert outcome.valid, outcome.reason
    assert (outcome.rounds_held, outcome.held, outcome.failed_at) == (0, 0, 13)
    assert outcome.failure_mode == "agent-oom"
    assert outcome.evidence.oom_kills >= 1


def test_agents_differ_as_the_plan_says_and_not_alike_from_round_to_round(
    make_rig: RigFactory,
) -> None:
    rig = make_rig()
    plan = rig.campaign.plan.model_copy(update={"spread": Spread(variation=0.05)})
    rig.campaign = replace(rig.campaign, plan=plan)
    outcome = rig.measure(rounds(rig, 8, 2))
    assert outcome.valid, outcome.reason
    assert outcome.rounds_held == 2
    told = peaks(outcome)
    assert len(set(told)) == 16
    mean = statistics.fmean(told)
    assert abs(mean - rig.campaign.sizes["medium"]) < 0.05 * mean
    assert 0.02 < statistics.pstdev(told) / mean < 0.09


def test_sizes_read_as_gib_fail_one_agent_earlier(make_rig: RigFactory) -> None:
    rig = make_rig()
    outcome = rig.measure(rig.campaign.planner.ramp("medium", "GiB", 1))
    assert outcome.valid, outcome.reason
    assert (outcome.held, outcome.failed_at) == (11, 12)
