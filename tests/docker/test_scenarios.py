"""Every scenario once for real; and some against a server that is broken on purpose."""

from __future__ import annotations

import pytest

from loadtest.claims import judge
from loadtest.outcome import Outcome, Trial
from loadtest.rig.engine import leftovers
from loadtest.rig.errors import TargetDiedError
from loadtest.rig.scenario_trial import measure_scenario, play
from loadtest.rig.trial import Rig
from loadtest.scenarios.catalogue import SCENARIOS
from settings.models import ScenarioClaim, Settings
from tests.docker.conftest import RigFactory

KNOWN_TO_BE_BROKEN = {
    "sample-settings-global",
    "sample-settings-project",
    "trailing-slash",
    "cap-across-projects",
    "same-feature-id",
    "crashes-apart",
}
"""What the guide, or common sense, says, and the reference server and the engine do not do."""
DEPENDS_ON_THE_HOST = {"memory-without-swap-limit": {"broken", "unclear"}}


def trial_of(name: str) -> Trial:
    return Trial(
        id=f"scenario-{name}",
        kind="scenario",
        workload="small",
        run=1,
        agents=(),
        seed=1,
        scenario=name,
    )


def measure(rig: Rig, name: str) -> Outcome:
    """What a scenario saw; where nothing is known of the situation it is played once more."""
    outcome = measure_scenario(rig, trial_of(name))
    if not outcome.valid or (outcome.seen and outcome.seen.verdict == "unclear"):
        return measure_scenario(rig, trial_of(name))
    return outcome


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_seen_for_real_and_leaves_nothing(
    name: str, make_rig: RigFactory, settings: Settings
) -> None:
    rig = make_rig(workload="mixed")
    outcome = measure(rig, name)
    assert outcome.valid, outcome.reason
    assert outcome.seen is not None
    usual = {"broken"} if name in KNOWN_TO_BE_BROKEN else {"held"}
    assert outcome.seen.verdict in DEPENDS_ON_THE_HOST.get(name, usual), outcome.seen
    assert leftovers(rig.client, rig.run_id) == []


def test_an_unknown_scenario_does_not_count(make_rig: RigFactory) -> None:
    outcome = measure_scenario(make_rig(), trial_of("no-such-thing"))
    assert not outcome.valid
    assert outcome.reason == "unknown scenario 'no-such-thing'"


def test_a_claim_is_judged_by_what_its_scenario_saw(
    make_rig: RigFactory, settings: Settings
) -> None:
    [name] = [
        key
        for key, claim in settings.claims.items()
        if isinstance(claim, ScenarioClaim) and claim.scenario == "uses-all-slots"
    ]
    trial = trial_of("uses-all-slots").model_copy(update={"id": name})
    outcome = measure_scenario(make_rig(), trial)
    result = judge(name, settings.claims[name], [outcome], scale=1.0, selected=True)
    assert result.verdict == "confirmed", result
    assert result.measured == "2 at once"


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("leak-slot", "uses-all-slots"),
        ("lost-slot", "agent-killed"),
        ("lost-slot", "queue-goes-on"),
        ("one-more", "run-while-full"),
        ("one-more", "many-projects"),
        ("no-agents", "memory-limit"),
    ],
)
def test_a_server_that_is_broken_on_purpose_is_seen_to_be(
    fault: str, name: str, make_rig: RigFactory
) -> None:
    rig = make_rig(workload="mixed")
    rig.injected = {"STANDIN_FAULT": fault}
    seen = measure(rig, name).seen
    assert seen is not None
    assert seen.verdict == "broken", seen


def test_a_server_that_runs_no_agents_leaves_limits_open(make_rig: RigFactory) -> None:
    played = play(make_rig(), SCENARIOS["stop-and-start"], {"STANDIN_FAULT": "no-agents"})
    assert played.seen.verdict == "unclear"
    assert "in vain for 3 agents at work" in played.seen.reason


def test_a_target_that_never_gets_ready_decides_nothing_and_is_gone(make_rig: RigFactory) -> None:
    rig = make_rig(start_budget_s=2.0)
    with pytest.raises(TargetDiedError, match="not ready within 2 s"):
        play(rig, SCENARIOS["uses-all-slots"], {"STANDIN_FAULT": "never-ready"})
    assert leftovers(rig.client, rig.run_id) == []
