from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.claims import exit_code, judge
from loadtest.outcome import Outcome, Trial
from loadtest.report.samples import read_samples
from loadtest.rig import swarm_process
from loadtest.rig.engine import leftovers
from loadtest.rig.swarm_process import SwarmProcess
from loadtest.rig.trial import Rig
from loadtest.swarm.result import SwarmTask
from tests.docker.conftest import SCALE, RigFactory


def trial_of(rig: Rig, kind: str) -> Trial:
    return next(trial for trial in rig.campaign.trials if trial.kind == kind)


def measure_ramp(rig: Rig) -> Outcome:
    return rig.measure(trial_of(rig, "ramp"))


def assert_decides_nothing(rig: Rig, outcome: Outcome, because: str) -> None:
    """The trial does not count, its claims stay open, and nothing is left of it."""
    assert not outcome.valid
    assert because in outcome.reason
    results = [
        judge(name, claim, [outcome], scale=SCALE, selected=True)
        for name, claim in rig.campaign.claims.items()
        if claim.kind in {"memory", "boundary"}
    ]
    assert {result.verdict for result in results} == {"inconclusive"}
    assert exit_code(results) == 3
    assert leftovers(rig.client, rig.run_id) == []


def test_a_ramp_finds_the_boundary_that_arithmetic_predicts(make_rig: RigFactory) -> None:
    rig = make_rig(workload="medium")
    outcome = measure_ramp(rig)
    assert outcome.valid, outcome.reason
    assert (outcome.held, outcome.failed_at) == (12, 13)
    assert outcome.failure_mode == "agent-oom"
    assert outcome.evidence.oom_kills >= 1
    assert outcome.evidence.running
    assert outcome.max_running == 13


def test_memory_of_every_held_agent_is_seen_from_outside_within_one_percent(
    make_rig: RigFactory,
) -> None:
    rig = make_rig(workload="large")
    outcome = measure_ramp(rig)
    target = rig.campaign.sizes["large"]
    held = [agent.private_bytes for agent in outcome.agents if agent.end == "held"]
    assert len(held) >= 8
    assert all(size and abs(size / target - 1) < 0.01 for size in held)


def test_the_samples_of_a_trial_show_the_climb_and_the_kill(
    make_rig: RigFactory, tmp_path: Path
) -> None:
    outcome = measure_ramp(make_rig(workload="architectural"))
    samples = read_samples(tmp_path / outcome.samples_file)
    assert max(samples.usage) > 0.9 * outcome.limit_bytes
    assert max(samples.agents) == outcome.max_running
    assert samples.oom_kills[0] == 0
    assert samples.oom_kills[-1] == outcome.evidence.oom_kills


def test_a_mix_starts_its_agents_in_the_order_of_the_plan(make_rig: RigFactory) -> None:
    rig = make_rig(workload="mixed")
    outcome = measure_ramp(rig)
    started = [agent.agent_class for agent in outcome.agents if agent.started_s is not None]
    assert tuple(started) == trial_of(rig, "ramp").agents[: len(started)]
    assert set(started) == {"small", "medium", "large", "architectural"}


def test_a_backlog_never_runs_more_agents_than_max_concurrency(make_rig: RigFactory) -> None:
    rig = make_rig(workload="medium-large")
    outcome = rig.measure(trial_of(rig, "cap"))
    assert outcome.valid, outcome.reason
    assert (outcome.max_running, outcome.max_reported, outcome.finished) == (7, 7, 21)


def test_mixed_agents_come_and_go_without_one_being_lost(make_rig: RigFactory) -> None:
    rig = make_rig(workload="mixed")
    outcome = rig.measure(trial_of(rig, "stable"))
    assert outcome.valid, outcome.reason
    assert outcome.failure_mode is None
    assert outcome.max_running >= 8


def test_a_target_that_dies_during_its_start_decides_nothing(make_rig: RigFactory) -> None:
    rig = make_rig()
    rig.injected = {"STANDIN_PROFILES": "not json"}
    assert_decides_nothing(rig, measure_ramp(rig), "the server ended before it was ready")


def test_a_swarm_that_crashes_decides_nothing(
    make_rig: RigFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing = tmp_path / "locustfile.py"
    crashing.write_text("raise SystemExit(9)\n", encoding="utf-8")
    monkeypatch.setattr(swarm_process, "LOCUSTFILE", crashing)
    rig = make_rig()
    assert_decides_nothing(rig, measure_ramp(rig), "the load generator crashed (exit code 9)")


def test_a_probe_that_misses_samples_decides_nothing(make_rig: RigFactory) -> None:
    rig = make_rig(probe_hz=3.0)
    assert_decides_nothing(rig, measure_ramp(rig), "samples a second where 10 are needed")


def test_a_generator_starved_of_the_processor_decides_nothing(make_rig: RigFactory) -> None:
    rig = make_rig(generator_max_lag_s=0.0)
    assert_decides_nothing(rig, measure_ramp(rig), "starved of processor time")


def test_a_trial_in_which_no_agent_started_decides_nothing(make_rig: RigFactory) -> None:
    class WrongKey(Rig):
        def _swarm(self, task: SwarmTask, log: Path) -> SwarmProcess:
            return super()._swarm(task.model_copy(update={"api_key": "wrong"}), log)

    rig = make_rig(WrongKey)
    assert_decides_nothing(rig, measure_ramp(rig), "no agent was started")


def test_a_server_that_goes_down_with_its_agents_is_told_from_a_lost_agent(
    make_rig: RigFactory,
) -> None:
    rig = make_rig(workload="small")
    # The server itself grows beyond the limit: the kernel takes the largest process.
    rig.injected = {"STANDIN_BASE_BYTES": str(150 * 2**20)}
    outcome = measure_ramp(rig)
    assert outcome.failure_mode == "server-oom"
    assert not outcome.evidence.running
    assert outcome.evidence.exit_code == 137
