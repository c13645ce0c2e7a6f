"""An example campaign: small, but with every verdict, basis, reading and kind of trial."""

from __future__ import annotations

from typing import Any

from loadtest.boundary import Boundary
from loadtest.outcome import AgentRecord, Evidence, Health, Outcome, Sampling, Seen, Trial
from loadtest.report.samples import Samples
from loadtest.summary import Chance, ClaimResult, Limit, Summary

GIB = 2**30


def claim(**changes: Any) -> ClaimResult:
    """A confirmed claim of medium agents."""
    facts: dict[str, Any] = {
        "id": "concurrent-medium",
        "section": "Agent Memory Estimates",
        "kind": "boundary",
        "workload": "medium",
        "holds": 12,
        "fails_at": 13,
        "statement": "Medium agents: 10-12 at once",
        "expected": "12 hold, 13 fail",
        "measured": "12 hold, 13 fail",
        "unit": "agents",
        "basis": "assumed",
        "gating": True,
        "verdict": "confirmed",
        "reason": "3 of 3 ramps agree",
        "trials": ("ramp-medium-1",),
    }
    return ClaimResult(**(facts | changes))


def chance(**changes: Any) -> Chance:
    """Twelve medium agents, often enough at once to be called safe."""
    facts: dict[str, Any] = {
        "workload": "medium", "agents": 12, "runs": 29, "failures": 0, "low": 0.0, "high": 0.1194,
        "bound": 0.0982, "safe": True, "demanded": 29,
    }  # fmt: skip
    return Chance(**(facts | changes))


def agent(number: int, **changes: Any) -> AgentRecord:
    """An agent that reached its peak within a second and held it."""
    facts: dict[str, Any] = {
        "feature_id": f"feature-{number}",
        "agent_class": "medium",
        "project": "/projects/one",
        "started_s": float(number),
        "peak_s": number + 0.8,
        "end": "held",
        "private_bytes": GIB // 4,
    }
    return AgentRecord(**(facts | changes))


def outcome(**changes: Any) -> Outcome:
    """A ramp whose third agent was killed."""
    trial = Trial(
        id="ramp-medium-1",
        kind="ramp",
        workload="medium",
        run=1,
        agents=("medium",) * 5,
        seed=1,
        predicted=2,
    )
    agents = (
        agent(1),
        agent(2),
        agent(3, peak_s=None, ended_s=3.6, end="lost"),
        agent(4, started_s=None, peak_s=None, end="pending"),
        agent(5, started_s=None, peak_s=None, end="refused", agent_class="a class of its own"),
    )
    facts: dict[str, Any] = {
        "trial": trial,
        "status": "measured",
        "reason": "",
        "started_at": "2026-11-23T20:41:12+00:00",
        "duration_s": 5.0,
        "limit_bytes": 3 * GIB,
        "base_bytes": 60_000_000,
        "peak_bytes": 3 * GIB - 4096,
        "held": 2,
        "failed_at": 3,
        "failure_mode": "agent-oom",
        "max_running": 3,
        "max_reported": 3,
        "agents": agents,
        "health": Health(checks=9, p50_ms=2.0, p99_ms=9.0, max_ms=11.0),
        "sampling": Sampling(samples=100, hz=20.0, longest_gap_s=0.1),
        "evidence": Evidence(oom_kills=1, oom_events=1),
        "samples_file": "samples/ramp-medium-1.csv",
    }
    return Outcome(**(facts | changes))


def stable() -> Outcome:
    """A stability trial that does not count and has no samples."""
    trial = Trial(
        id="stable-8", kind="stable", workload="mixed", run=1, agents=("small",), seed=0,
        concurrent=8,
    )  # fmt: skip
    return outcome(
        trial=trial, status="invalid", reason="the probe missed samples", failure_mode=None,
        failed_at=None, samples_file="", agents=(), health=Health(), evidence=Evidence(),
    )  # fmt: skip


def rounds() -> Outcome:
    """Two agents at once in three rounds; one died in the third."""
    trial = Trial(
        id="rounds-medium-2-1", kind="rounds", workload="medium", run=1, agents=("medium",) * 2,
        seed=0, concurrent=2, rounds=5,
    )  # fmt: skip
    starts = (0.5, 2.0, 3.2)
    agents = tuple(
        agent(number, started_s=start, peak_s=start + 0.6, ended_s=start + 1.0, end="done")
        for start in starts
        for number in (1, 2)
    )
    killed = agents[-1].model_copy(update={"end": "lost", "peak_s": None, "ended_s": 3.6})
    return outcome(
        trial=trial, rounds_held=2, failed_at=2, held=0, agents=(*agents[:-1], killed),
        samples_file="samples/rounds-medium-2-1.csv",
    )  # fmt: skip


def cap() -> Outcome:
    """A backlog under a cap of two."""
    trial = Trial(
        id="cap-2", kind="cap", workload="small", run=1, agents=("small",) * 6, seed=0,
        concurrent=2,
    )  # fmt: skip
    agents = tuple(
        agent(n, agent_class="small", peak_s=None, started_s=n / 2, ended_s=n / 2 + 0.9, end="done")
        for n in range(1, 7)
    )
    return outcome(
        trial=trial, failed_at=None, failure_mode=None, agents=agents, finished=6, max_running=2,
        evidence=Evidence(), samples_file="samples/cap-2.csv",
    )  # fmt: skip


def scenario(verdict: str = "held", **changes: Any) -> Outcome:
    """A situation without agents and samples."""
    trial = Trial(
        id="restart-resumes", kind="scenario", workload="small", run=1, agents=(), seed=0,
        scenario="restart",
    )  # fmt: skip
    seen = {
        "verdict": verdict,
        "measured": "ready again after 4.1 s, 3 of 3 features resumed",
        "reason": "SIGKILL while three agents worked",
    }
    facts: dict[str, Any] = {
        "trial": trial, "seen": Seen.model_validate(seen), "failed_at": None, "failure_mode": None,
        "agents": (), "evidence": Evidence(), "samples_file": "", "held": 0, "max_running": 0,
        "max_reported": 0, "health": Health(), "sampling": Sampling(), "duration_s": 9.5,
        "peak_bytes": 0, "base_bytes": 0,
    }  # fmt: skip
    return outcome(**(facts | changes))


def in_gib() -> Outcome:
    """The ramp again, with the guide's sizes read as GiB."""
    trial = outcome().trial.model_copy(update={"id": "ramp-medium-gib-1", "reading": "GiB"})
    return outcome(trial=trial, samples_file="")


def all_kinds() -> tuple[Outcome, ...]:
    """One outcome of every kind of trial and of both readings, one that does not count."""
    return (outcome(), in_gib(), rounds(), stable(), cap(), scenario(), scenario("broken"))


def claims() -> tuple[ClaimResult, ...]:
    """Every verdict and basis, under three headings and under none."""
    return (
        claim(),
        claim(
            id="memory-medium", kind="memory", holds=None, fails_at=None, basis="rig",
            expected="4.00 GB within 1%", measured="4.01 GB",
        ),
        claim(
            id="concurrent-large", workload="large", verdict="refuted", holds=10, fails_at=11,
            expected="10 hold, 11 fail", measured="9 hold, 10 fail",
            reason="all ramps say otherwise",
        ),
        claim(
            id="crash-mode", section="Known Limits", kind="failure-mode", holds=None,
            fails_at=None, verdict="refuted", gating=False, expected="server-oom",
        ),
        claim(
            id="gib-crash", section="Known Limits", reading="GiB", gating=False,
            verdict="refuted", measured="11 hold, 12 fail", statement="In GiB: 12 hold, 13 fail",
        ),
        claim(
            id="stable-8", section="Known Limits", kind="stable", workload="mixed", holds=None,
            fails_at=None, verdict="inconclusive", expected="8 run", trials=("stable-8",),
        ),
        claim(
            id="cap-10", section="Complexity-Based Concurrency", kind="cap", workload="small",
            holds=None, fails_at=None, verdict="not-run", selected=False,
            reason="not asked for", trials=(),
        ),
        claim(
            id="restart-resumes", section="Complexity-Based Concurrency", kind="scenario",
            workload="small", holds=None, fails_at=None, unit="",
            statement="A restart resumes what was running", basis="observed",
            expected="all running features are resumed within a minute",
            measured="ready again after 4.1 s, 3 of 3 features resumed",
        ),
        claim(id="real", section="", basis="measured"),
    )  # fmt: skip


def summary(**changes: Any) -> Summary:
    """Every verdict, every basis, both readings."""
    facts: dict[str, Any] = {
        "run_id": "20261123T204112Z-1",
        "started_at": "2026-11-23T20:41:12+00:00",
        "plan": "quick",
        "target": "standin",
        "mocked": ("the model: agents call none",),
        "grade": "scaled",
        "scale": 0.0625,
        "host": {"memory_bytes": 24 * GIB, "cpus": 2, "kernel": "6.1.0"},
        "limits": {"memory_bytes": Limit(value=3 * GIB, source="compose x 0.0625")},
        "base": "60 MB, counted in every prediction",
        "claims": claims(),
        "boundaries": (
            Boundary(workload="medium", holds=12, fails_at=13, failure_mode="agent-oom", runs=3,
                     predicted=12, agreed=True),
            Boundary(workload="medium", reading="GiB", holds=11, fails_at=12,
                     failure_mode="agent-oom", runs=1, predicted=11, agreed=True),
            Boundary(workload="mixed", holds=None, fails_at=None, failure_mode=None, runs=0,
                     predicted=None, agreed=False),
        ),
        "chances": (
            chance(workload="small", agents=25, runs=5, high=0.5218, bound=0.4507, safe=False),
            chance(),
            chance(agents=13, runs=5, failures=5, low=0.4782, high=1.0, bound=1.0, safe=False,
                   demanded=113),
            chance(agents=12, reading="GiB", runs=1, failures=1, low=0.025, high=1.0, bound=1.0,
                   safe=False, demanded=46),
        ),
        "origin": {"commit": "c510f84e", "image": "sha256:0123456789ab", "dirty": "no"},
        "agents": {
            "medium": {"claimed_bytes": 4e9, "measured_bytes": 4.01e9, "agents": 24.0},
            "large": {"claimed_bytes": 5e9, "agents": 0.0},
        },
        "trials": 7,
        "invalid_trials": 1,
        "duration_s": 125.0,
        "exit_code": 1,
    }  # fmt: skip
    return Summary(**(facts | changes))


def samples() -> Samples:
    """Five seconds at 20 Hz up to a limit of 3 GiB, a kill at 3.5 s."""
    times = tuple(number / 20 for number in range(100))
    usage = tuple(min(3 * GIB - 4096, round(time * 0.9 * GIB)) for time in times)
    return Samples(
        t_s=times,
        usage=usage,
        anon=tuple(max(0, size - 10**7) for size in usage),
        file=(10**7,) * 100,
        swap=(0,) * 100,
        agents=(1,) * 100,
        oom_kills=tuple(int(time >= 3.5) for time in times),
        health_ms=(None,) * 100,
    )
