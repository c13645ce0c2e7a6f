"""What an outcome means for a claim. Pure: outcomes in, verdicts out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtest import summary as codes
from loadtest.outcome import Outcome, Trial, of_workload
from loadtest.summary import ClaimResult, VerdictName
from settings.models import (
    BoundaryClaim,
    CapClaim,
    Claim,
    FailureModeClaim,
    MemoryClaim,
    StableClaim,
)
from settings.sizes import in_gb

_Judged = tuple[VerdictName, str, str]
"""Verdict, measured value in words, reason."""


@dataclass(frozen=True)
class Finding:
    """What the valid trials of a claim say, before the claim's own facts are added."""

    verdict: VerdictName
    expected: str
    measured: str
    unit: str
    reason: str


def judge(
    name: str,
    claim: Claim,
    outcomes: Sequence[Outcome],
    *,
    scale: float,
    selected: bool,
    planned: Sequence[Trial] = (),
) -> ClaimResult:
    """The verdict on one claim, from all outcomes of a campaign and the trials it planned.

    Trials that do not count never confirm or refute. With one of them missing a claim can still
    be refuted by the others, but not be confirmed: fewer repeats than planned were earned.
    """
    trials = _trials_of(name, claim, outcomes)
    missing = sum(_answers(trial, name, claim) for trial in planned) - len(trials)
    finding = _not_run(claim, selected=selected)
    if trials:
        finding = _find(claim, trials, scale, missing)
    return ClaimResult(
        id=name,
        statement=claim.statement,
        expected=finding.expected,
        measured=finding.measured,
        unit=finding.unit,
        basis=claim.basis,
        gating=claim.gating,
        selected=selected,
        verdict=finding.verdict,
        reason=finding.reason,
        trials=tuple(trial.trial.id for trial in trials),
    )


def exit_code(results: Sequence[ClaimResult]) -> int:
    """0 all selected gating claims confirmed, 1 one refuted, 3 none refuted but one undecided.

    A campaign that judged no gating claim has confirmed nothing: 3.
    """
    verdicts = {r.verdict for r in results if r.gating and r.selected}
    if "refuted" in verdicts:
        return codes.REFUTED
    return codes.CONFIRMED if verdicts == {"confirmed"} else codes.INVALID


def _trials_of(name: str, claim: Claim, outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if _answers(outcome.trial, name, claim)]


def _answers(trial: Trial, name: str, claim: Claim) -> bool:
    """Whether a claim rests on a trial."""
    if isinstance(claim, StableClaim | CapClaim):
        return trial.id == name
    return trial.kind == "ramp" and trial.workload == claim.workload


def _not_run(claim: Claim, *, selected: bool) -> Finding:
    reason = "no trial was run for it" if selected else "not asked for in this campaign"
    return Finding("not-run", expectation(claim), "-", _unit(claim), reason)


def _find(claim: Claim, trials: Sequence[Outcome], scale: float, missing: int) -> Finding:
    valid = [trial for trial in trials if trial.valid]
    verdict, measured, reason = _weigh(claim, valid, scale) if valid else ("inconclusive", "-", "")
    if len(valid) < len(trials) and verdict != "refuted":
        spoiled = next(trial for trial in trials if not trial.valid)
        verdict, reason = (
            "inconclusive",
            (
                f"{len(trials) - len(valid)} of {len(trials)} trials did not count: "
                f"{spoiled.trial.id}: {spoiled.reason}"
            ),
        )
    elif missing > 0 and verdict != "refuted":
        verdict, reason = "inconclusive", f"{missing} of its {len(trials) + missing} trials not run"
    return Finding(verdict, expectation(claim), measured, _unit(claim), reason)


def _weigh(claim: Claim, valid: Sequence[Outcome], scale: float) -> _Judged:
    match claim:
        case MemoryClaim():
            return _memory(claim, valid, scale)
        case BoundaryClaim():
            return _boundary(claim, valid)
        case StableClaim():
            return _stable(claim, valid)
        case CapClaim():
            return _cap(claim, valid)
        case FailureModeClaim():
            return _failure_mode(claim, valid)


def expectation(claim: Claim) -> str:
    """What the claim expects, in words."""
    match claim:
        case MemoryClaim():
            return f"{in_gb(claim.expected)} within {claim.tolerance:.0%}"
        case BoundaryClaim(fails_at=None):
            return f"{claim.holds} hold"
        case BoundaryClaim():
            return f"{claim.holds} hold, {claim.fails_at} fail"
        case StableClaim():
            return f"{claim.agents} run, none lost"
        case CapClaim():
            return f"never more than {claim.max_concurrency}"
        case FailureModeClaim():
            return claim.mode


def _unit(claim: Claim) -> str:
    return "GB (1e9 bytes)" if isinstance(claim, MemoryClaim) else "agents"


def _memory(claim: MemoryClaim, valid: Sequence[Outcome], scale: float) -> _Judged:
    held = [
        agent.private_bytes / scale
        for outcome in valid
        for agent in outcome.agents
        if agent.private_bytes and agent.agent_class == claim.workload and agent.end == "held"
    ]
    if not held:
        return "inconclusive", "-", "the probe could not read any agent's memory (root can)"
    median = statistics.median(held)
    worst = max(held, key=lambda value: abs(value - claim.expected))
    off = abs(worst - claim.expected)
    within = off <= claim.tolerance * claim.expected
    verdict: VerdictName = "confirmed" if within else "refuted"
    reason = (
        f"median of {len(held)} agents, the worst {off / claim.expected:.2%} off: the agents "
        "were told to use this much, so this checks the rig"
    )
    return verdict, in_gb(median), reason


def _boundary(claim: BoundaryClaim, valid: Sequence[Outcome]) -> _Judged:
    held = sorted({outcome.held for outcome in valid})
    failed = [outcome.failed_at for outcome in valid if outcome.failed_at is not None]
    measured = f"{_span(held)} hold"
    measured += f", {_span(sorted(set(failed)))} fail" if failed else ", no failure seen"
    if 0 < len(failed) < len(valid):
        measured += f" in {len(failed)} of {len(valid)} ramps"
    good = [_meets(claim, outcome) for outcome in valid]
    runs = f"{len(valid)} of {len(valid)} ramps" if len(valid) > 1 else "the one ramp"
    modes = ", ".join(sorted({o.failure_mode for o in valid if o.failure_mode})) or "none"
    if all(good):
        return "confirmed", measured, f"{runs} agree; first failure: {modes}"
    if not any(good):
        return "refuted", measured, f"{runs} say otherwise; first failure: {modes}"
    return "inconclusive", measured, f"{sum(good)} of {len(good)} ramps agree with it"


def _meets(claim: BoundaryClaim, outcome: Outcome) -> bool:
    if outcome.held < claim.holds:
        return False
    return claim.fails_at is None or outcome.failed_at == claim.fails_at


def _span(values: Sequence[int]) -> str:
    return str(values[0]) if len(values) == 1 else f"{values[0]}-{values[-1]}"


def _stable(claim: StableClaim, valid: Sequence[Outcome]) -> _Judged:
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
    health = outcome.health
    reason = (
        f"{outcome.finished} agents came and went in {outcome.duration_s:.0f} s; "
        f"{health.checks} health checks, the slowest {health.max_ms or 0:.0f} ms"
    )
    return "confirmed", measured, reason


def _cap(claim: CapClaim, valid: Sequence[Outcome]) -> _Judged:
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


def _failure_mode(claim: FailureModeClaim, valid: Sequence[Outcome]) -> _Judged:
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


def memory_table(
    claims: Mapping[str, Claim], outcomes: Sequence[Outcome], scale: float
) -> dict[str, dict[str, float]]:
    """Per agent class with a memory claim: claimed and measured bytes, at true size."""
    table: dict[str, dict[str, float]] = {}
    for claim in claims.values():
        if not isinstance(claim, MemoryClaim):
            continue
        seen = [
            agent.private_bytes / scale
            for outcome in of_workload(outcomes, "ramp", claim.workload)
            for agent in outcome.agents
            if agent.private_bytes and agent.end == "held"
        ]
        row = {"claimed_bytes": float(claim.expected), "agents": float(len(seen))}
        if seen:
            row["measured_bytes"] = statistics.median(seen)
        table[claim.workload] = row
    return table
