"""What the target and the swarm of a trial are told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from loadtest.orders import environment_of, profiles_of, task_of
from loadtest.outcome import Trial
from loadtest.plan import make_campaign
from loadtest.standin.profile import parse_profiles
from settings.host import GIB
from settings.load import load_settings
from tests.loadtest.examples import LIMITS as STAGING
from tests.loadtest.examples import trial

SETTINGS = load_settings()
CAMPAIGN = make_campaign(
    SETTINGS, plan_name="release", true_limit=48 * GIB, scale=1 / 16, grade="scaled"
)
LIMITS = replace(
    STAGING,
    environment={"NODE_OPTIONS": "--max-old-space-size=32768", "ANTHROPIC_API_KEY": "sk-secret"},
)


def environment(of: Trial) -> dict[str, str]:
    return environment_of(of, CAMPAIGN, SETTINGS, LIMITS, key="k", swapped=False)


def profile(of: Trial, *, swapped: bool = False) -> dict[str, Any]:
    return profiles_of(of, CAMPAIGN, SETTINGS, swapped=swapped)["medium"]


def test_no_secret_of_the_staging_environment_reaches_the_target() -> None:
    said = environment(trial())
    assert "sk-secret" not in said.values()
    assert said["NODE_OPTIONS"] == "--max-old-space-size=32768"
    assert said["AUTOMAKER_API_KEY"] == "k"


def test_the_stand_in_can_read_what_it_is_told() -> None:
    for kind in ("ramp", "rounds", "stable", "cap"):
        said = environment(trial(kind=kind))
        assert set(parse_profiles(said["STANDIN_PROFILES"])) == set(SETTINGS.agents.classes)
        assert json.loads(said["STANDIN_PROFILES"])["medium"]["variation"] == 0.02


def test_agents_of_a_ramp_and_of_rounds_stay_until_they_are_ended_and_others_leave() -> None:
    stays = {kind: profile(trial(kind=kind))["hold_s"] for kind in ("ramp", "rounds", "cap")}
    assert stays["ramp"] == stays["rounds"] > 600
    assert stays["cap"] < 1


def test_rounds_reach_the_same_peak_in_fewer_turns() -> None:
    ramp, rounds = profile(trial()), profile(trial(kind="rounds"))
    assert rounds["turns"] == ramp["turns"] // 10
    assert rounds["peak_bytes"] == ramp["peak_bytes"]


def test_sizes_in_gib_are_larger_by_what_a_gib_is_larger() -> None:
    gib = profile(trial(reading="GiB"))["peak_bytes"]
    assert gib / profile(trial())["peak_bytes"] == pytest.approx(2**30 / 1e9)


def test_pages_that_go_to_swap_are_huge_unless_the_settings_say_otherwise() -> None:
    assert profile(trial())["huge_pages"] is None
    assert profile(trial(), swapped=True)["huge_pages"] is True


def test_the_swarm_waits_longer_for_an_agent_than_docker_for_a_health_check() -> None:
    task = task_of(
        trial(), CAMPAIGN, SETTINGS, LIMITS, host="http://127.0.0.1:1", key="k", began=1.0
    )
    assert task.agent_budget_s > task.unanswered_budget_s
    assert (task.host, task.api_key, task.hold_s) == ("http://127.0.0.1:1", "k", 0.2)
