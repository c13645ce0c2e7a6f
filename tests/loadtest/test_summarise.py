"""The summary of a campaign, whole or cut short."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from loadtest.campaign import Request
from loadtest.claims import judge
from loadtest.outcome import Outcome
from loadtest.plan import Backing, make_campaign
from loadtest.summarise import (
    Facts,
    boundaries,
    describe_base,
    limits_in_force,
    summarise,
)
from loadtest.summary import Summary, schema
from settings.host import GIB
from settings.load import load_settings
from tests.loadtest.examples import HOST, outcome, trial
from tests.loadtest.examples import LIMITS as STAGING

SETTINGS = load_settings()
LIMITS = replace(STAGING, cpus=12.0)
SMALL = 1 / 16


def facts(scale: float = SMALL, **changes: Any) -> Facts:
    campaign = make_campaign(
        SETTINGS, plan_name="quick", true_limit=48 * GIB, scale=scale, grade="scaled"
    )
    values: dict[str, Any] = {
        "run_id": "run-1",
        "request": Request(out=Path("/nowhere")),
        "campaign": campaign,
        "backing": Backing(campaign.limit),
        "limits": LIMITS,
        "host": HOST,
        "duration_s": 12.345,
        "exit_code": 3,
    }
    return Facts(**(values | changes))


def summary_of(outcomes: list[Outcome]) -> Summary:
    results = [
        judge(name, claim, outcomes, scale=SMALL, selected=True)
        for name, claim in SETTINGS.claims.items()
    ]
    return summarise(facts(), SETTINGS, results, outcomes)


def test_a_campaign_in_figures() -> None:
    outcomes = [outcome(), outcome(status="invalid", started_at="later")]
    summary = summary_of(outcomes)
    assert (summary.trials, summary.invalid_trials, summary.exit_code) == (2, 1, 3)
    assert summary.started_at == outcomes[0].started_at
    assert summary.duration_s == 12.3
    assert (summary.plan, summary.target, summary.grade) == ("quick", "standin", "scaled")
    assert [claim.id for claim in summary.claims] == list(SETTINGS.claims)
    assert summary.host["fingerprint"] == HOST.fingerprint
    assert summary.agents["medium"]["claimed_bytes"] == 4e9
    assert summary.mocked, "a synthetic campaign says what was not real"
    jsonschema.validate(summary.model_dump(mode="json", by_alias=True), schema())


def test_a_campaign_that_was_cut_short_before_its_first_outcome_has_a_summary() -> None:
    summary = summary_of([])
    assert (summary.trials, summary.invalid_trials, summary.boundaries) == (0, 0, ())
    assert summary.base == "not measured"
    assert datetime.fromisoformat(summary.started_at).tzinfo
    assert {claim.verdict for claim in summary.claims} == {"not-run"}


def test_boundaries_come_in_the_order_of_the_plan_for_what_was_ramped() -> None:
    ramps = [
        outcome(trial=trial(workload="mixed")),
        outcome(trial=trial(workload="small"), held=25, failed_at=26),
        outcome(trial=trial(kind="cap", workload="large")),
    ]
    found = boundaries(facts().campaign, SETTINGS, ramps)
    assert [(one.workload, one.holds, one.fails_at) for one in found] == [
        ("small", 25, 26),
        ("mixed", 12, 13),
    ]


def test_every_limit_says_where_it_comes_from() -> None:
    model = "compose/docker-compose.staging.yml: services.server."
    limits = limits_in_force(facts())
    assert (limits["memory_bytes"].value, limits["memory_bytes"].source) == (
        3 * GIB,
        f"{model}mem_limit x 0.0625",
    )
    assert limits["true_memory_bytes"].value == 48 * GIB
    assert limits["swap_bytes"].value == 0
    assert (limits["cpus"].value, limits["cpus"].source) == (12, f"{model}cpus")


def test_swap_is_what_lies_between_the_two_limits_at_the_campaigns_scale() -> None:
    swapping = facts(limits=replace(LIMITS, memswap_bytes=64 * GIB))
    assert limits_in_force(swapping)["swap_bytes"].value == GIB


def test_a_limit_of_the_command_line_names_it() -> None:
    asked = facts(request=Request(limit=48 * GIB))
    assert limits_in_force(asked)["memory_bytes"].source == "--limit x 0.0625"


@pytest.mark.parametrize(
    ("limit", "cpus", "says", "why"),
    [
        (12.0, 2, "says 12; scaled to the host's 2", "the host has fewer"),
        (12.0, 16, "services.server.cpus", "the host has enough"),
        (None, 4, "services.server.cpus", "no limit: all the host has"),
    ],
)
def test_processors_are_those_of_the_model_as_far_as_the_host_has_them(
    limit: float | None, cpus: int, says: str, why: str
) -> None:
    host = replace(HOST, cpus=cpus)
    found = limits_in_force(facts(limits=replace(LIMITS, cpus=limit), host=host))["cpus"]
    assert found.value == min(limit or cpus, cpus), why
    assert found.source.endswith(says), why


def test_the_base_is_a_median_that_does_not_scale() -> None:
    bases = [outcome(base_bytes=size) for size in (40_000_000, 50_000_000, 90_000_000, 0)]
    text = describe_base(bases, SMALL)
    assert "50.0 MB (median of 3)" in text
    assert "as much as 800.0 MB would at true size" in text
    assert "does not scale" not in describe_base(bases, 1.0)
    assert describe_base([outcome(base_bytes=0)], 1.0) == "not measured"
