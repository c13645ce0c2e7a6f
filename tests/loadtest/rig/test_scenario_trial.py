"""A scenario's outcome, and the target it asks for; the engine stays out of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtest.outcome import Evidence, Trial
from loadtest.plan import Backing, Choice, make_campaign
from loadtest.report.live import progress_for
from loadtest.rig import scenario_trial
from loadtest.rig.errors import TargetDiedError
from loadtest.rig.scenario_trial import Played, Stage, measure_scenario
from loadtest.rig.trial import Rig
from loadtest.scenarios.catalogue import SCENARIOS
from loadtest.scenarios.model import Setup, held
from loadtest.scenarios.watch import Most
from loadtest.standin.profile import parse_profiles
from settings.load import load_settings
from tests.loadtest.scenarios.fake_world import LIMITS

TRIAL = Trial(
    id="a-claim", kind="scenario", workload="small", run=1, agents=(), seed=1, scenario="drain"
)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    settings, client = load_settings(), None
    campaign = make_campaign(
        settings,
        plan_name="release",
        true_limit=LIMITS.memory_bytes,
        scale=1.0,
        grade="full-size",
        choice=Choice(["mixed"]),
    )
    limits = replace(LIMITS, environment={**LIMITS.environment, "ANTHROPIC_API_KEY": "sk-secret"})
    nobody: Any = client
    return Rig(
        run_id="run-1",
        client=nobody,
        image="standin:1",
        limits=limits,
        cpus=2.0,
        settings=settings,
        campaign=campaign,
        backing=Backing(campaign.limit),
        folder=tmp_path,
        swarm_environment={},
        progress=progress_for(Console(quiet=True), 0),
    )


def spec(rig: Rig, setup: Setup, **extra: str) -> Any:
    return Stage(rig, extra)._spec(setup, "key")


def test_what_was_seen_becomes_the_outcome(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = held("3 at once", "they say so")
    played = Played(seen, Most(reported=3, live=2), Evidence(restarts=1))
    monkeypatch.setattr(scenario_trial, "play", lambda *_: played)
    outcome = measure_scenario(rig, TRIAL)
    assert outcome.valid
    assert (outcome.seen, outcome.reason) == (seen, "they say so")
    assert (outcome.max_running, outcome.max_reported, outcome.evidence.restarts) == (2, 3, 1)
    assert outcome.trial == TRIAL


def test_a_target_that_did_not_come_up_gives_an_outcome_that_does_not_count(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise TargetDiedError("the server ended before it was ready")

    monkeypatch.setattr(scenario_trial, "play", die)
    outcome = measure_scenario(rig, TRIAL)
    assert (outcome.valid, outcome.seen) == (False, None)
    assert outcome.reason == "the server ended before it was ready"


def test_a_scenario_that_is_not_known_does_not_count(rig: Rig) -> None:
    outcome = measure_scenario(rig, TRIAL.model_copy(update={"scenario": "no-such-thing"}))
    assert (outcome.valid, outcome.reason) == (False, "unknown scenario 'no-such-thing'")


def test_no_secret_of_the_host_goes_into_a_target(rig: Rig) -> None:
    assert "sk-secret" not in str(spec(rig, Setup()))


def test_a_target_has_the_models_policy_only_where_a_scenario_asks_for_it(rig: Rig) -> None:
    plain, own = spec(rig, Setup()), spec(rig, Setup(restart=True, log_size="1m", swap=True))
    assert (plain.restart, plain.logs, plain.memswap) == (None, None, plain.memory)
    assert (own.restart, own.logs.max_size, own.memswap) == (LIMITS.restart, "1m", None)


def test_a_scenarios_environment_beats_what_is_added_and_that_what_is_usual(rig: Rig) -> None:
    setup = Setup(environment={"AUTOMAKER_MAX_CONCURRENCY": None, "STANDIN_FAULT": "crash"})
    rig.injected = {"STANDIN_FAULT": "leak-slot", "STANDIN_BASE_BYTES": "5"}
    found = spec(rig, setup, STANDIN_FAULT="one-more", PORT="1").environment
    assert "AUTOMAKER_MAX_CONCURRENCY" not in found
    assert found["STANDIN_BASE_BYTES"] == "5"
    assert (found["STANDIN_FAULT"], found["PORT"]) == ("crash", "1")


def test_agents_of_the_guides_sizes_fit_and_are_small_at_any_scale(rig: Rig) -> None:
    target = spec(rig, Setup(workload="mixed"))
    profiles = parse_profiles(target.environment["STANDIN_PROFILES"])
    assert profiles["medium"].peak_bytes == 4e9 / 16
    assert 2 * sum(profiles[name].peak_bytes for name in profiles) < target.memory < 4 * 2**30


def test_every_scenario_asks_for_a_target_that_can_be_made(rig: Rig) -> None:
    for found in SCENARIOS.values():
        target = spec(rig, found.setup)
        assert target.memory >= 128 * 2**20
        assert parse_profiles(target.environment["STANDIN_PROFILES"])
        assert json.loads(target.environment["STANDIN_PROFILES"])
