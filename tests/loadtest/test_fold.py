"""From witnesses to an outcome: what counts, what failed, whose memory it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.fold import Sighting, failure_mode, fold, join, why_invalid
from loadtest.outcome import Evidence, Health, Sampling, SeenAgent
from loadtest.swarm.result import SwarmResult
from settings.load import load_settings
from settings.sizes import parse_size
from tests.loadtest.examples import agent, trial

THRESHOLDS = load_settings().loadtest.thresholds
MB = 10**6


def swarm(**changes: Any) -> SwarmResult:
    values: dict[str, Any] = {
        "completed": True,
        "reason": "agent 3 was lost",
        "agents": tuple(agent(number) for number in (1, 2, 3)),
        "held": 2,
        "failed_at": 3,
        "failed_at_s": 3.5,
        "max_reported": 3,
    }
    return SwarmResult(**(values | changes))


def sighting(**changes: Any) -> Sighting:
    values: dict[str, Any] = {
        "trial": trial(),
        "started_at": "2026-01-01T00:00:00+00:00",
        "duration_s": 9.87654,
        "limit_bytes": 3 * 2**30,
        "base_bytes": 50 * MB,
        "peak_bytes": 3 * 2**30,
        "swarm_exit": 0,
        "swarm": swarm(),
        "seen": [],
        "max_running": 3,
        "mean_running": 2.5,
        "health": Health(checks=10),
        "sampling": Sampling(samples=200, hz=20.0, longest_gap_s=0.1),
        "evidence": Evidence(oom_kills=1, oom_events=1),
        "probe_problem": None,
        "samples_file": "samples/it.csv",
    }
    return Sighting(**(values | changes))


NOBODY = (agent(started_s=None, peak_s=None, end="pending"),)


@pytest.mark.parametrize(
    ("changes", "says", "why"),
    [
        ({"probe_problem": "disk full"}, "the probe failed: disk full", "samples are missing"),
        ({"swarm": None, "swarm_exit": 124}, "crashed (exit code 124) or ran out of time",
         "nobody says what happened"),
        ({"swarm": swarm(agents=NOBODY)}, "no agent was started: agent 3 was lost",
         "nothing was tried"),
        ({"swarm": swarm(agents=())}, "no agent was started", "there was nobody to try"),
        ({"swarm": swarm(completed=False)}, "did not finish (exit code 0)", "the plan was cut off"),
        ({"swarm_exit": 4}, "did not finish (exit code 4)", "it says so itself"),
        ({"swarm_exit": -9}, "did not finish (exit code -9)", "it was killed"),
        ({"sampling": Sampling(hz=9.99)}, "10.0 samples a second where 10 are needed",
         "too few samples"),
        ({"sampling": Sampling()}, "0.0 samples a second", "no sample at all"),
        ({"sampling": Sampling(hz=20, longest_gap_s=1.01)}, "missed samples for 1.0 s", "a hole"),
        ({"swarm": swarm(max_lag_s=1.01)}, "starved of processor time for 1.0 s",
         "the generator was too slow"),
        ({"base_bytes": parse_size("200 MiB") + 1}, "the server needs 209.7 MB", "a heavy server"),
    ],
)  # fmt: skip
def test_a_trial_whose_witnesses_do_not_suffice_is_invalid(
    changes: dict[str, Any], says: str, why: str
) -> None:
    problem = why_invalid(sighting(**changes), THRESHOLDS)
    assert problem is not None, why
    assert says in problem, why
    outcome = fold(sighting(**changes), THRESHOLDS)
    assert (outcome.status, outcome.reason, outcome.valid) == ("invalid", problem, False)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "all is well"),
        ({"sampling": Sampling(hz=10.0, longest_gap_s=1.0)}, "the thresholds themselves are fine"),
        ({"swarm": swarm(max_lag_s=1.0)}, "so is the lag's"),
        ({"base_bytes": parse_size("200 MiB")}, "and the base's"),
        ({"evidence": Evidence(running=False, exit_code=137)}, "a dead server is a result"),
        ({"health": Health(checks=3, failures=3)}, "an unhealthy server as well"),
    ],
)
def test_a_trial_that_was_seen_well_enough_counts(changes: dict[str, Any], why: str) -> None:
    assert why_invalid(sighting(**changes), THRESHOLDS) is None, why
    assert fold(sighting(**changes), THRESHOLDS).status == "measured"


def test_the_probes_failure_is_named_before_what_follows_from_it() -> None:
    spoiled = sighting(probe_problem="disk full", sampling=Sampling(), swarm=None)
    assert why_invalid(spoiled, THRESHOLDS) == "the probe failed: disk full"


GONE = {"running": False}
ENDED_WELL = swarm(failed_at=None, held=3, reason="all held")


@pytest.mark.parametrize(
    ("seen", "evidence", "mode", "why"),
    [
        (ENDED_WELL, {}, None, "nothing failed"),
        (swarm(), {"oom_kills": 1}, "agent-oom", "the kernel's counter"),
        (swarm(), {"oom_events": 1}, "agent-oom", "the engine's event"),
        (ENDED_WELL, {"oom_kills": 1}, "agent-oom", "the kernel knows, the swarm did not see it"),
        (swarm(), {}, "agent-lost", "it ended without the kernel's doing"),
        (swarm(unresponsive=True), {}, "unresponsive", "alive, and says nothing"),
        (swarm(), {"host_oom_kills": 1}, "host-oom", "the host had too little"),
        (ENDED_WELL, {"host_oom_kills": 1}, None, "killed elsewhere, and nothing failed here"),
        (None, {}, None, "the swarm crashed: nobody says what failed"),
        (None, {"oom_kills": 1}, "agent-oom", "but the kernel can"),
        (swarm(), GONE | {"exit_code": 137, "oom_kills": 1}, "server-oom", "137, and the kernel"),
        (swarm(), GONE | {"exit_code": 137, "oom_events": 1}, "server-oom", "137, and the engine"),
        (swarm(), GONE | {"exit_code": 137, "oom_killed_flag": True}, "server-oom", "137, flagged"),
        (swarm(), GONE | {"exit_code": 137}, "server-exit", "137 alone is docker kill too"),
        (swarm(), GONE | {"exit_code": 137, "host_oom_kills": 1}, "host-oom", "the host took it"),
        (swarm(), GONE | {"exit_code": 134}, "heap-abort", "V8 aborts with 134"),
        (swarm(), GONE | {"exit_code": 1, "heap_abort_logged": True}, "heap-abort", "it said so"),
        (swarm(), GONE | {"exit_code": 0}, "server-exit", "it went by itself"),
        (swarm(), GONE | {"exit_code": 0, "oom_killed_flag": True}, "server-exit",
         "a clean end; the flag stays set when a child was killed"),
        (swarm(), GONE | {"exit_code": None}, "server-exit", "the container is gone altogether"),
        (swarm(), GONE | {"exit_code": 1, "restarts": 5}, "crash-loop", "it was started again"),
        (swarm(), {"restarts": 1}, "crash-loop", "it runs, but not for the first time"),
        (swarm(), {"restarts": 1, "heap_abort_logged": True}, "heap-abort", "that is why"),
    ],
)  # fmt: skip
def test_what_failed_first_follows_from_all_witnesses(
    seen: SwarmResult | None, evidence: dict[str, Any], mode: str | None, why: str
) -> None:
    assert failure_mode(seen, Evidence(**evidence)) == mode, why


@given(st.booleans(), st.booleans(), st.integers(0, 2), st.integers(0, 2))
def test_the_flag_alone_never_decides_while_the_server_runs(
    failed: bool, unresponsive: bool, kills: int, host_kills: int
) -> None:
    seen = swarm(failed_at=3 if failed else None, unresponsive=unresponsive)
    evidence = Evidence(oom_kills=kills, host_oom_kills=host_kills)
    flagged = evidence.model_copy(update={"oom_killed_flag": True})
    assert failure_mode(seen, flagged) == failure_mode(seen, evidence)


def test_a_healthy_end_with_the_flag_set_is_no_failure() -> None:
    outcome = fold(sighting(swarm=ENDED_WELL, evidence=Evidence(oom_killed_flag=True)), THRESHOLDS)
    assert (outcome.held, outcome.failed_at, outcome.failure_mode) == (3, None, None)


def test_a_kill_that_the_swarm_did_not_see_is_the_last_agents_failure() -> None:
    outcome = fold(sighting(swarm=ENDED_WELL), THRESHOLDS)
    assert (outcome.held, outcome.failed_at, outcome.failure_mode) == (2, 3, "agent-oom")
    assert outcome.valid


@pytest.mark.parametrize(
    ("started", "held", "boundary", "why"),
    [
        (3, 1, (1, 3), "what was held before stays held"),
        (1, 1, (0, 1), "the only agent failed"),
        (0, 0, (0, 0), "nobody had started"),
    ],
)
def test_the_kernels_word_makes_a_boundary_of_those_that_started(
    started: int, held: int, boundary: tuple[int, int], why: str
) -> None:
    waiting = agent(9, started_s=None, peak_s=None)
    agents = (*(agent(number) for number in range(started)), waiting)
    outcome = fold(sighting(swarm=swarm(agents=agents, held=held, failed_at=None)), THRESHOLDS)
    assert (outcome.held, outcome.failed_at) == boundary, why


def test_without_a_swarm_nothing_was_held() -> None:
    outcome = fold(sighting(swarm=None, swarm_exit=1), THRESHOLDS)
    assert (outcome.held, outcome.failed_at, outcome.agents) == (0, None, ())


def test_the_outcome_carries_what_the_witnesses_said() -> None:
    seen = sighting(swarm=swarm(agents=(agent(1, end="done"), agent(2))))
    outcome = fold(seen, THRESHOLDS)
    assert outcome.duration_s == 9.877
    assert (outcome.finished, outcome.max_reported, outcome.max_running) == (1, 3, 3)
    assert (outcome.base_bytes, outcome.limit_bytes) == (seen.base_bytes, seen.limit_bytes)
    assert (outcome.evidence, outcome.health) == (seen.evidence, seen.health)
    assert (outcome.samples_file, outcome.reason) == ("samples/it.csv", "agent 3 was lost")


def process(pid: int, name: str, first_s: float, private: int, at: float) -> SeenAgent:
    return SeenAgent(pid, name, first_s, at, private, at)


def test_swarm_and_probe_agree_on_agents_by_class_and_order_of_start() -> None:
    agents = [
        agent(3, agent_class="architectural", private_bytes=None),
        agent(1, agent_class="small", private_bytes=None),
        agent(2, agent_class="small", private_bytes=None),
    ]
    seen = [
        process(30, "architect", 3.1, 375, 9.0),  # the kernel cuts names
        process(20, "small", 2.1, 126, 9.0),
        process(10, "small", 1.1, 125, 9.0),
    ]
    seen[0].pss_bytes = 377
    joined = {one.feature_id: one.private_bytes for one in join(agents, seen)}
    assert {one.pss_bytes for one in join(agents, seen)} == {0, 377}
    assert joined == {"feature-1": 125, "feature-2": 126, "feature-3": 375}


@pytest.mark.parametrize(
    ("change", "private", "why"),
    [
        ({}, 125, "read after the peak"),
        ({"private_s": 1.4}, None, "read before the peak"),
        ({"private_s": 1.5}, None, "read as the peak was seen: it may be older"),
        ({"private_s": -1.0}, None, "never read"),
        ({"agent_class": "large"}, None, "a process of another class"),
    ],
)
def test_only_a_figure_read_after_the_peak_counts(
    change: dict[str, Any], private: int | None, why: str
) -> None:
    seen = replace(process(10, "small", 1.1, 125, 9.0), **change)
    [joined] = join([agent(1, agent_class="small", private_bytes=None)], [seen])
    assert joined.private_bytes == private, why


def test_an_agent_that_never_reached_its_peak_gets_no_figure() -> None:
    young = agent(1, peak_s=None, private_bytes=None)
    [joined] = join([young], [process(10, "medium", 1.1, 125, 9.0)])
    assert joined.private_bytes is None


def test_an_agent_that_never_started_takes_nobody_elses_process() -> None:
    waiting = agent(1, started_s=None, peak_s=None, private_bytes=None)
    running = agent(2, private_bytes=None)
    joined = join([waiting, running], [process(10, "medium", 2.1, 125, 9.0)])
    assert [one.private_bytes for one in joined] == [125, None]
    assert [one.feature_id for one in joined] == ["feature-2", "feature-1"]


@given(
    st.lists(st.sampled_from(["small", "large", "architectural"]), max_size=8),
    st.randoms(use_true_random=False),
)
def test_every_agent_finds_its_own_process_in_any_order(classes: list[str], random: Any) -> None:
    agents = [agent(n, agent_class=name, private_bytes=None) for n, name in enumerate(classes)]
    seen = [process(n, name[:9], n + 0.2, 1000 + n, 99.0) for n, name in enumerate(classes)]
    random.shuffle(agents)
    random.shuffle(seen)
    for one in join(agents, seen):
        assert one.private_bytes == 1000 + (one.started_s or 0)


def crowd_of(number: int, lost: int) -> SwarmResult:
    """So many agents, one started every second; the swarm learned of a loss only at the end."""
    agents = [
        agent(
            i,
            started_s=float(i),
            peak_s=i + 0.5,
            ended_s=number + 0.9 if i == lost else None,
            end="lost" if i == lost else "held",
        )
        for i in range(1, number + 1)
    ]
    return swarm(agents=tuple(agents), held=number - 1, failed_at=number, failed_at_s=number + 0.9)


def test_the_kernels_first_kill_decides_where_the_swarm_learned_of_it_too_late() -> None:
    seen = sighting(swarm=crowd_of(13, lost=4), first_kill_s=12.4)
    outcome = fold(seen, THRESHOLDS)
    assert (outcome.held, outcome.failed_at) == (11, 12)


def test_a_kill_that_the_swarm_saw_in_time_changes_nothing() -> None:
    seen = sighting(swarm=crowd_of(13, lost=4), first_kill_s=13.4)
    outcome = fold(seen, THRESHOLDS)
    assert (outcome.held, outcome.failed_at) == (12, 13)


def test_a_kill_far_below_the_limit_says_that_the_host_was_full() -> None:
    reason = why_invalid(sighting(peak_bytes=2 * 2**30), THRESHOLDS)
    assert reason is not None
    assert "far below the limit" in reason


@pytest.mark.parametrize(
    ("evidence", "mode"),
    [(Evidence(host_oom_kills=1), "host-oom"), (Evidence(), "agent-lost")],
)
def test_what_failed_without_the_limits_doing_is_no_boundary(evidence: Evidence, mode: str) -> None:
    reason = why_invalid(sighting(evidence=evidence), THRESHOLDS)
    assert reason == f"{mode}: what failed had nothing to do with the target's limit"


def rounds(**changes: Any) -> Sighting:
    crew = trial(kind="rounds", concurrent=2, rounds=4, agents=("medium",) * 2)
    held = swarm(held=2, failed_at=None, rounds=(3.0, 6.0, 9.0))
    return sighting(**({"trial": crew, "swarm": held, "evidence": Evidence()} | changes))


def test_rounds_that_were_held_count_and_say_nothing_of_a_failure() -> None:
    found = fold(rounds(), THRESHOLDS)
    assert (found.rounds_held, found.held, found.failed_at) == (3, 2, None)


def test_a_round_that_ended_after_the_kernels_first_kill_was_not_held() -> None:
    killed = Evidence(oom_kills=1, oom_events=1)
    found = fold(rounds(evidence=killed, first_kill_s=8.5), THRESHOLDS)
    assert (found.rounds_held, found.failed_at) == (2, 2)
    at_once = fold(rounds(evidence=killed, first_kill_s=1.0), THRESHOLDS)
    assert (at_once.rounds_held, at_once.held, at_once.failed_at) == (0, 0, 2)
