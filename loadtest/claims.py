"""What an outcome means for a claim. Pure: outcomes in, verdicts out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtest import summary as codes
from loadtest.outcome import Outcome, Trial, of_workload
from loadtest.summary import ClaimResult, VerdictName
from loadtest.trials import AGAIN, ramp_of, rests_on_ramps
from loadtest.weigh import weigh
from loadtest.weigh_chances import weigh_chances
from settings.models import (
    BoundaryClaim,
    CapClaim,
    Claim,
    Confidence,
    FailureModeClaim,
    MemoryClaim,
    ScenarioClaim,
    StableClaim,
)
from settings.sizes import in_gb


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
    confidence: Confidence | None = None,
) -> ClaimResult:
    """The verdict on one claim, from all outcomes of a campaign and the trials it planned.

    Trials that do not count never confirm or refute. With one of them missing a claim can still
    be refuted by the others, but not be confirmed: fewer repeats than planned were earned. With
    `confidence` a number of agents holds, or fails, when P(failure) is known well enough.
    """
    trials = _trials_of(name, claim, outcomes)
    missing = sum(_answers(trial, name, claim) for trial in planned) - len(trials)
    finding = _not_run(claim, selected=selected)
    if trials and confidence and isinstance(claim, BoundaryClaim) and claim.reading == "GB":
        judged = weigh_chances(claim, trials, confidence)
        finding = Finding(judged[0], expectation(claim), judged[1], _unit(claim), judged[2])
    elif trials:
        finding = _find(claim, trials, scale, missing)
    says = claim if isinstance(claim, BoundaryClaim) else None
    return ClaimResult(
        id=name,
        section=claim.section,
        kind=claim.kind,
        workload=claim.workload,
        holds=says.holds if says else None,
        fails_at=(says.fails_at or says.fails_by) if says else None,
        reading=says.reading if says else "GB",
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
    """The outcomes that a claim rests on; one that did not count gives way to its repeat."""
    repeated = {o.trial.id.removesuffix(AGAIN) for o in outcomes if o.trial.id.endswith(AGAIN)}
    return [
        outcome
        for outcome in outcomes
        if _answers(outcome.trial, name, claim) and outcome.trial.id not in repeated
    ]


def _answers(trial: Trial, name: str, claim: Claim) -> bool:
    """Whether a claim rests on a trial."""
    if not rests_on_ramps(claim):
        return trial.id.removesuffix(AGAIN) == name
    if (trial.workload, trial.reading) != ramp_of(claim):
        return False
    return trial.kind == "ramp" or (trial.kind == "rounds" and isinstance(claim, BoundaryClaim))


def _not_run(claim: Claim, *, selected: bool) -> Finding:
    reason = "no trial was run for it" if selected else "not asked for in this campaign"
    return Finding("not-run", expectation(claim), "-", _unit(claim), reason)


def _find(claim: Claim, trials: Sequence[Outcome], scale: float, missing: int) -> Finding:
    valid = [trial for trial in trials if trial.valid]
    verdict, measured, reason = weigh(claim, valid, scale) if valid else ("inconclusive", "-", "")
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


def expectation(claim: Claim) -> str:
    """What the claim expects, in words."""
    match claim:
        case MemoryClaim():
            return f"{in_gb(claim.expected)} within {claim.tolerance:.0%}"
        case BoundaryClaim():
            numbers = (claim.holds, claim.fails_at, claim.fails_by)
            words = ("{} hold", "{} fail", "{} fail, if not fewer")
            return ", ".join(
                word.format(n) for word, n in zip(words, numbers, strict=True) if n is not None
            )
        case ScenarioClaim():
            return claim.expected
        case StableClaim():
            return f"{claim.agents} run, none lost"
        case CapClaim():
            return f"never more than {claim.max_concurrency}"
        case FailureModeClaim():
            return claim.mode


def _unit(claim: Claim) -> str:
    if isinstance(claim, ScenarioClaim):
        return ""
    return "GB (1e9 bytes)" if isinstance(claim, MemoryClaim) else "agents"


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
