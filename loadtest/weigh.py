"""What the trials of a claim say of it, kind by kind. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from loadtest.outcome import Outcome
from loadtest.summary import VERDICT_OF_SEEN, VerdictName
from settings.models import (
    BoundaryClaim,
    CapClaim,
    Claim,
    FailureModeClaim,
    MemoryClaim,
    ScenarioClaim,
    StableClaim,
)
from settings.sizes import in_gb

_BUSY = 0.8
"""Share of a stability trial's agents that must run on average: some have always just ended."""
Judged = tuple[VerdictName, str, str]
"""Verdict, measured value in words, reason."""


def weigh(claim: Claim, valid: Sequence[Outcome], scale: float) -> Judged:
    """Verdict, measured value and reason from the trials that count; sizes at `scale`."""
    match claim:
        case MemoryClaim():
            return _memory(claim, valid, scale)
        case BoundaryClaim():
            return boundary(claim, [one for one in valid if one.trial.kind == "ramp"])
        case StableClaim():
            return _stable(claim, valid)
        case CapClaim():
            return _cap(claim, valid)
        case FailureModeClaim():
            return _failure_mode(claim, valid)
        case ScenarioClaim():
            return _scenario(valid)


def _memory(claim: MemoryClaim, valid: Sequence[Outcome], scale: float) -> Judged:
    held = [
        (agent.private_bytes / scale, (agent.target_bytes or 0) / scale or claim.expected)
        for outcome in valid
        for agent in outcome.agents
        if agent.private_bytes and agent.agent_class == claim.workload and agent.end == "held"
    ]
    if not held:
        return "inconclusive", "-", "the probe could not read any agent's memory (root can)"
    median = statistics.median(private for private, _ in held)
    # Agents may differ on purpose: each is held against what it was told, all of them together
    # against the class.
    off = max(abs(private - target) / target for private, target in held)
    told = statistics.fmean(target for _, target in held)
    aside = abs(told - claim.expected) / claim.expected
    spread = statistics.pstdev(target for _, target in held) / told
    allowed = claim.tolerance + 3 * spread / math.sqrt(len(held))
    verdict: VerdictName = "confirmed" if off <= claim.tolerance and aside <= allowed else "refuted"
    reason = (
        f"median of {len(held)} agents, the worst {off:.2%} off: the agents "
        "were told to use this much, so this checks the rig"
    )
    if spread:
        reason += f"; they were told to differ by {spread:.1%}"
    return verdict, in_gb(median), reason


def boundary(claim: BoundaryClaim, valid: Sequence[Outcome]) -> Judged:
    """What ramps that count say of numbers of agents; one alone that disagrees leaves it open."""
    held = sorted({outcome.held for outcome in valid})
    failed = [outcome.failed_at for outcome in valid if outcome.failed_at is not None]
    measured = f"{_span(held)} hold"
    measured += f", {_span(sorted(set(failed)))} fail" if failed else ", no failure seen"
    if 0 < len(failed) < len(valid):
        measured += f" in {len(failed)} of {len(valid)} ramps"
    good = [_meets(claim, outcome) for outcome in valid]
    runs = f"{len(valid)} of {len(valid)} ramps"
    modes = ", ".join(sorted({o.failure_mode for o in valid if o.failure_mode})) or "none"
    if all(good):
        return "confirmed", measured, f"{runs} agree; first failure: {modes}"
    if not any(good):
        return "refuted", measured, f"{runs} say otherwise; first failure: {modes}"
    return "inconclusive", measured, f"{sum(good)} of {len(good)} ramps agree with it"


def _meets(claim: BoundaryClaim, outcome: Outcome) -> bool:
    if claim.holds is not None and outcome.held < claim.holds:
        return False
    if claim.fails_at is not None and outcome.failed_at != claim.fails_at:
        return False
    by = claim.fails_by
    return by is None or (outcome.failed_at is not None and outcome.failed_at <= by)


def _span(values: Sequence[int]) -> str:
    return str(values[0]) if len(values) == 1 else f"{values[0]}-{values[-1]}"


def _stable(claim: StableClaim, valid: Sequence[Outcome]) -> Judged:
    [outcome] = valid
    lost = sum(agent.end == "lost" for agent in outcome.agents)
    measured = f"{outcome.max_running} run, {lost} lost"
    if outcome.failure_mode:
        return "refuted", measured, f"{outcome.failure_mode} with {outcome.failed_at} agents"
    if outcome.health.failures:
        missed = f"{outcome.health.failures} of {outcome.health.checks}"
        return "refuted", measured, f"{missed} health checks were not answered in time"
    if outcome.max_running < claim.agents or not outcome.finished:
        return "inconclusive", measured, "the server was never as busy as the claim says"
    if outcome.mean_running < _BUSY * claim.agents:
        often = f"only {outcome.mean_running:.1f} agents ran on average"
        return "inconclusive", measured, f"the server was rarely as busy as the claim says: {often}"
    health = outcome.health
    reason = (
        f"{outcome.finished} agents came and went in {outcome.duration_s:.0f} s, "
        f"{outcome.mean_running:.1f} at once on average; "
        f"{health.checks} health checks, the slowest {health.max_ms or 0:.0f} ms"
    )
    return "confirmed", measured, reason


def _cap(claim: CapClaim, valid: Sequence[Outcome]) -> Judged:
    [outcome] = valid
    cap = claim.max_concurrency
    most = max(outcome.max_running, outcome.max_reported)
    measured = f"at most {most}"
    seen = f"{outcome.max_running} agent processes and {outcome.max_reported} in the API at most"
    if most > cap:
        return "refuted", measured, f"{seen}: {most - cap} over the cap"
    if most < cap:
        return "inconclusive", measured, f"{seen}: the cap was never reached, so never tested"
    if outcome.finished < len(outcome.agents):
        done = f"{outcome.finished} of {len(outcome.agents)}"
        return "inconclusive", measured, f"only {done} features of the backlog were finished"
    return "confirmed", measured, f"{seen}; all {outcome.finished} features were finished"


def _failure_mode(claim: FailureModeClaim, valid: Sequence[Outcome]) -> Judged:
    failed = [outcome.failure_mode for outcome in valid if outcome.failure_mode]
    modes = sorted(set(failed))
    if not modes:
        return "inconclusive", "no failure seen", "no ramp failed"
    measured = ", ".join(modes)
    if modes == [claim.mode]:
        return "confirmed", measured, f"in {len(failed)} of {len(valid)} ramps"
    alive = all(outcome.evidence.running for outcome in valid)
    reason = "the server stayed up: the kernel killed an agent" if alive else "see the trials"
    return ("inconclusive" if claim.mode in modes else "refuted"), measured, reason


def _scenario(valid: Sequence[Outcome]) -> Judged:
    seen = valid[-1].seen
    if seen is None:
        return "inconclusive", "-", "nothing was seen"
    return VERDICT_OF_SEEN[seen.verdict], seen.measured, seen.reason
