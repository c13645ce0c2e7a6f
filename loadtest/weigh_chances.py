"""What runs of agents that differ say of a number of them, by P(failure). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loadtest import chance
from loadtest.outcome import Outcome
from loadtest.summary import VerdictName
from loadtest.weigh import Judged, boundary
from settings.models import BoundaryClaim, Confidence

_BY_DECISION: Mapping[str, VerdictName] = {
    "safe": "confirmed", "unsafe": "refuted", "open": "inconclusive"
}  # fmt: skip
_BY_FAILING: Mapping[str, VerdictName] = {
    "fails": "confirmed", "holds": "refuted", "open": "inconclusive"
}  # fmt: skip
_BY_HOLDING: Mapping[str, VerdictName] = {"holds": "confirmed", "open": "inconclusive"}


def weigh_chances(
    claim: BoundaryClaim, trials: Sequence[Outcome], confidence: Confidence
) -> Judged:
    """The verdict on numbers of agents from P(failure), by all runs that tell of them."""
    found = list(_numbers(claim, trials, confidence))
    verdicts = [verdict for verdict, _ in found]
    verdict: VerdictName = "confirmed"
    if "refuted" in verdicts:
        verdict = "refuted"
    elif "inconclusive" in verdicts:
        verdict = "inconclusive"
    ramps = [one for one in trials if one.valid and one.trial.kind == "ramp"]
    measured = boundary(claim, ramps)[1] if ramps else "-"
    reason = "; ".join(words for _, words in found)
    spoiled = sum(not one.valid for one in trials)
    if spoiled:
        reason += f"; {spoiled} trials did not count"
    return verdict, measured, reason


def _numbers(
    claim: BoundaryClaim, trials: Sequence[Outcome], confidence: Confidence
) -> Iterator[tuple[VerdictName, str]]:
    if claim.holds is not None:
        failures, runs = chance.tally(trials, claim.workload, claim.reading, claim.holds)
        decided = chance.decide(failures, runs, confidence)
        yield _BY_DECISION[decided], chance_words(claim.holds, failures, runs, confidence)
    fails = claim.fails_at or claim.fails_by
    if fails is not None:
        failures, runs = chance.tally(trials, claim.workload, claim.reading, fails)
        seen = chance.fails(failures, runs, confidence)
        yield _BY_FAILING[seen], f"{fails} at once: {failures} of {runs} runs failed"
    if claim.fails_at is not None and claim.fails_at > 1:
        failures, runs = chance.tally(trials, claim.workload, claim.reading, claim.fails_at - 1)
        seen = chance.fails(failures, runs, confidence)
        fewer: VerdictName = "refuted" if seen == "fails" else _BY_HOLDING[seen]
        yield fewer, f"{claim.fails_at - 1} at once: {failures} of {runs}"


def chance_words(agents: int, failures: int, runs: int, confidence: Confidence) -> str:
    """What so many runs say of a number of agents; never "safe" for fewer than it takes."""
    ran = f"{agents} at once: {failures} of {runs} runs failed, P(failure)"
    if chance.decide(failures, runs, confidence) == "safe":
        below, level = 100 * confidence.safe_below, 100 * confidence.level
        return f"{ran} < {below:g} % at {level:g} %: safe"
    bound = chance.upper(failures, runs, confidence.look_level)
    wanted = chance.demanded(failures, confidence)
    return f"{ran} < {100 * bound:.1f} % so far; safe takes {wanted} runs with no more failures"
