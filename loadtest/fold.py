"""From what was seen to what happened: swarm, probe and engine folded into an Outcome. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loadtest.outcome import (
    AgentRecord,
    Evidence,
    Health,
    Outcome,
    Sampling,
    SeenAgent,
    Trial,
)
from loadtest.swarm.result import SwarmResult
from settings.models import FailureMode, Thresholds
from settings.sizes import in_mb

_SERVER_OOM_EXIT = 137
_V8_ABORT_EXIT = 134
# A kill at the limit happens at the limit: all that were recorded lay above 0.99 of it.
_AT_THE_LIMIT = 0.95
_OUT_OF_MEMORY = {"agent-oom", "server-oom"}
_NOT_OF_THE_LIMIT = {"host-oom", "agent-lost"}
SEEN_LETTERS = 9  # the kernel keeps 15 bytes of a process name, "agent:" among them


@dataclass(frozen=True)
class Sighting:
    """All that the witnesses of a trial say. Sizes in bytes, times in seconds since it began."""

    trial: Trial
    started_at: str
    duration_s: float
    limit_bytes: int
    base_bytes: int
    peak_bytes: int
    swarm_exit: int
    swarm: SwarmResult | None
    seen: Sequence[SeenAgent]
    max_running: int
    mean_running: float
    health: Health
    sampling: Sampling
    evidence: Evidence
    probe_problem: str | None
    samples_file: str
    first_kill_s: float | None = None


def fold(sighting: Sighting, thresholds: Thresholds) -> Outcome:
    """The outcome of a trial; invalid, with the reason, where the witnesses do not suffice."""
    swarm = sighting.swarm
    problem = why_invalid(sighting, thresholds)
    mode = failure_mode(swarm, sighting.evidence)
    held, failed_at = _boundary(sighting, mode)
    return Outcome(
        trial=sighting.trial,
        status="invalid" if problem else "measured",
        reason=problem or (swarm.reason if swarm else ""),
        started_at=sighting.started_at,
        duration_s=round(sighting.duration_s, 3),
        limit_bytes=sighting.limit_bytes,
        base_bytes=sighting.base_bytes,
        peak_bytes=sighting.peak_bytes,
        held=held,
        failed_at=failed_at,
        failure_mode=mode,
        rounds_held=len(_rounds(sighting)),
        max_running=sighting.max_running,
        mean_running=round(sighting.mean_running, 2),
        max_reported=swarm.max_reported if swarm else 0,
        finished=sum(agent.end == "done" for agent in swarm.agents) if swarm else 0,
        agents=join(swarm.agents if swarm else (), sighting.seen),
        health=sighting.health,
        sampling=sighting.sampling,
        evidence=sighting.evidence,
        samples_file=sighting.samples_file,
    )


def why_invalid(sighting: Sighting, thresholds: Thresholds) -> str | None:
    """Why a trial may not move a verdict; None when it may."""
    return next(_problems(sighting, thresholds), None)


def _problems(sighting: Sighting, thresholds: Thresholds) -> Iterator[str]:
    yield from _witness_problems(sighting, thresholds)
    mode = failure_mode(sighting.swarm, sighting.evidence)
    if mode in _NOT_OF_THE_LIMIT:
        yield f"{mode}: what failed had nothing to do with the target's limit"
    if mode in _OUT_OF_MEMORY and sighting.peak_bytes < _AT_THE_LIMIT * sighting.limit_bytes:
        peak, limit = in_mb(sighting.peak_bytes), in_mb(sighting.limit_bytes)
        yield f"the kernel killed at {peak}, far below the limit of {limit}: the host was full"


def _witness_problems(sighting: Sighting, thresholds: Thresholds) -> Iterator[str]:
    swarm, sampling, code = sighting.swarm, sighting.sampling, sighting.swarm_exit
    if sighting.probe_problem:
        yield f"the probe failed: {sighting.probe_problem}"
    if swarm is None:
        yield f"the load generator crashed (exit code {code}) or ran out of time"
        return
    if not any(agent.started_s is not None for agent in swarm.agents):
        yield f"no agent was started: {swarm.reason}"
    if not swarm.completed or code != 0:
        yield f"the load generator did not finish (exit code {code}): {swarm.reason}"
    if sampling.hz < thresholds.probe_min_hz:
        wanted = thresholds.probe_min_hz
        yield f"the probe took {sampling.hz:.1f} samples a second where {wanted:g} are needed"
    if sampling.longest_gap_s > thresholds.probe_max_gap_s:
        yield f"the probe missed samples for {sampling.longest_gap_s:.1f} s"
    if swarm.max_lag_s > thresholds.generator_max_lag_s:
        yield f"the load generator was starved of processor time for {swarm.max_lag_s:.1f} s"
    if sighting.base_bytes > thresholds.base_max:
        yield f"the server needs {in_mb(sighting.base_bytes)} before the first agent: too much"


def failure_mode(swarm: SwarmResult | None, evidence: Evidence) -> FailureMode | None:
    """What failed first. OOMKilled is never trusted alone: it stays set when a child was killed."""
    killed = bool(evidence.oom_kills or evidence.oom_events)
    if not evidence.running or evidence.restarts:
        return _server_end(evidence, killed=killed)
    if killed:
        return "agent-oom"
    if swarm is None or swarm.failed_at is None:
        return None
    if evidence.host_oom_kills:
        return "host-oom"
    return "unresponsive" if swarm.unresponsive else "agent-lost"


def _server_end(evidence: Evidence, *, killed: bool) -> FailureMode:
    if evidence.heap_abort_logged or evidence.exit_code == _V8_ABORT_EXIT:
        return "heap-abort"
    if evidence.restarts:
        return "crash-loop"
    if evidence.exit_code == _SERVER_OOM_EXIT and (killed or evidence.oom_killed_flag):
        return "server-oom"
    if evidence.host_oom_kills:
        return "host-oom"
    return "server-exit"


def _boundary(sighting: Sighting, mode: FailureMode | None) -> tuple[int, int | None]:
    """(held, failed at), by the kernel's first kill where the swarm learned of it too late.

    With memory free again the newest agent can reach its peak, and the next one start, before
    the loss of an older one shows in the API.
    """
    swarm = sighting.swarm
    if swarm is None:
        return 0, None
    if sighting.trial.kind == "rounds":
        together = sighting.trial.concurrent or 0
        return together if _rounds(sighting) else 0, None if mode is None else together
    held, failed_at = swarm.held, swarm.failed_at
    if mode is not None:
        until = _until(sighting)
        started = [a for a in swarm.agents if a.started_s is not None and a.started_s <= until]
        at_work = sum(a.ended_s is None or a.ended_s > until or a.end == "lost" for a in started)
        failed_at = at_work if failed_at is None else min(failed_at, at_work)
        held = min(held, max(0, failed_at - 1))
    return held, failed_at


def _rounds(sighting: Sighting) -> list[float]:
    """Ends of the rounds that were held before the kernel first killed."""
    swarm = sighting.swarm
    return [end for end in swarm.rounds if end < _until(sighting)] if swarm else []


def _until(sighting: Sighting) -> float:
    return math.inf if sighting.first_kill_s is None else sighting.first_kill_s


def join(agents: Sequence[AgentRecord], seen: Sequence[SeenAgent]) -> tuple[AgentRecord, ...]:
    """The swarm's agents with the private memory that the probe saw from outside.

    Both count agents in the order in which they start, class by class. A figure read before the
    agent had reached its peak says nothing and is left out.
    """
    left: dict[str, list[SeenAgent]] = {}
    for sighted in sorted(seen, key=lambda sighted: sighted.first_s):
        left.setdefault(sighted.agent_class, []).append(sighted)
    started = [agent for agent in agents if agent.started_s is not None]
    waiting = [agent for agent in agents if agent.started_s is None]
    joined = []
    for agent in sorted(started, key=lambda agent: agent.started_s or 0.0):
        queue = left.get(agent.agent_class[:SEEN_LETTERS], [])
        process = queue.pop(0) if queue else None
        joined.append(_with_memory(agent, process) if process else agent)
    return (*joined, *waiting)


def _with_memory(agent: AgentRecord, process: SeenAgent) -> AgentRecord:
    if agent.peak_s is None or process.private_s <= agent.peak_s:
        return agent
    memory = {"private_bytes": process.private_bytes, "pss_bytes": process.pss_bytes}
    return agent.model_copy(update=memory)
