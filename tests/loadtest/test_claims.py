"""What outcomes mean for a claim: every kind, every verdict, and the exit code they add up to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.claims import exit_code, judge, memory_table
from loadtest.outcome import Evidence, Health, Outcome
from loadtest.summary import ClaimResult
from settings.load import load_settings
from settings.models import (
    BoundaryClaim,
    CapClaim,
    Claim,
    FailureModeClaim,
    MemoryClaim,
    StableClaim,
)
from tests.loadtest.examples import agent, outcome, trial

MEMORY = MemoryClaim(
    kind="memory",
    statement="4 GB each",
    section="",
    basis="rig",
    workload="medium",
    expected="4 GB",  # type: ignore[arg-type]
    tolerance=0.01,
)
BOUNDARY = BoundaryClaim(
    kind="boundary", statement="12, not 13", section="", basis="assumed", workload="medium",
    holds=12,
    fails_at=13,
)  # fmt: skip
AT_LEAST = BOUNDARY.model_copy(update={"fails_at": None})
STABLE = StableClaim(
    kind="stable", statement="8 run", section="", basis="assumed", workload="mixed", agents=8
)
CAP = CapClaim(
    kind="cap",
    statement="10 at most",
    section="",
    basis="assumed",
    workload="small",
    max_concurrency=10,
)
CRASH = FailureModeClaim(
    kind="failure-mode", statement="it crashes", section="", basis="assumed", workload="medium",
    mode="server-oom", gating=False,
)  # fmt: skip


def stable(**changes: Any) -> Outcome:
    values: dict[str, Any] = {
        "trial": trial(id="it", kind="stable", workload="mixed", concurrent=8),
        "held": 8,
        "failed_at": None,
        "failure_mode": None,
        "max_running": 8,
        "mean_running": 7.5,
        "finished": 20,
        "agents": (agent(1, end="done"), agent(2)),
    }
    return outcome(**(values | changes))


def cap(**changes: Any) -> Outcome:
    values: dict[str, Any] = {
        "trial": trial(id="it", kind="cap", workload="small", concurrent=10),
        "held": 0,
        "failed_at": None,
        "failure_mode": None,
        "max_running": 10,
        "max_reported": 10,
        "finished": 3,
        "agents": tuple(agent(number, agent_class="small", end="done") for number in range(3)),
    }
    return outcome(**(values | changes))


def with_memory(*sizes: int | None, **changes: Any) -> Outcome:
    values = {"target_bytes": None, **changes}  # told what the class says
    agents = tuple(agent(n, private_bytes=size, **values) for n, size in enumerate(sizes))
    return outcome(agents=agents)


def verdict(claim: Claim, *outcomes: Outcome, scale: float = 1.0) -> ClaimResult:
    return judge("it", claim, outcomes, scale=scale, selected=True)


GB = 10**9
SERVER_GONE = Evidence(running=False, exit_code=137)
ROWS: list[tuple[Claim, list[Outcome], str, str, str]] = [
    # --- memory
    (MEMORY, [with_memory(4 * GB, 4 * GB)], "confirmed", "median of 2 agents", "exactly as told"),
    (MEMORY, [with_memory(4_040_000_000)], "confirmed", "1.00% off", "on the tolerance's edge"),
    (MEMORY, [with_memory(4_040_000_001)], "refuted", "1.00% off", "a byte beyond it"),
    (MEMORY, [with_memory(3_958_000_000)], "refuted", "1.05% off", "too little is wrong as well"),
    (MEMORY, [with_memory(*[4 * GB] * 9, 5 * GB)], "refuted", "the worst 25.00% off",
     "one bad agent is not hidden by nine good ones"),
    (MEMORY, [with_memory(None, 0)], "inconclusive", "could not read", "nothing was measured"),
    (MEMORY, [with_memory(4 * GB, 9 * GB, end="lost")], "inconclusive", "could not read",
     "an agent that died never held its peak"),
    (MEMORY, [with_memory(9 * GB, agent_class="large")], "inconclusive", "could not read",
     "another class's agents say nothing"),
    # --- boundary
    (BOUNDARY, [outcome()] * 3, "confirmed", "3 of 3 ramps agree", "as the guide says"),
    (BOUNDARY, [outcome()], "confirmed", "1 of 1 ramps agree", "one ramp is one ramp"),
    (BOUNDARY, [outcome(held=11, failed_at=12)] * 2, "refuted", "2 of 2 ramps say otherwise",
     "it fails too early"),
    (BOUNDARY, [outcome(held=13, failed_at=14)], "refuted", "say otherwise", "it fails too late"),
    (BOUNDARY, [outcome(held=15, failed_at=None, failure_mode=None)], "refuted",
     "first failure: none", "it never fails"),
    (BOUNDARY, [outcome(), outcome(held=11, failed_at=12)], "inconclusive",
     "1 of 2 ramps agree with it", "the runs differ"),
    (AT_LEAST, [outcome(held=15, failed_at=None, failure_mode=None)], "confirmed", "agree",
     "more than claimed is as claimed"),
    (AT_LEAST, [outcome()], "confirmed", "first failure: agent-oom", "just as many"),
    (AT_LEAST, [outcome(held=11, failed_at=12)], "refuted", "say otherwise", "one short"),
    # --- stable
    (STABLE, [stable()], "confirmed", "20 agents came and went", "it ran"),
    (STABLE, [stable(failure_mode="agent-oom", failed_at=8)], "refuted", "agent-oom with 8",
     "an agent was killed"),
    (STABLE, [stable(max_running=7)], "inconclusive", "never as busy", "only 7 at once"),
    (STABLE, [stable(mean_running=6.3)], "inconclusive", "only 6.3 agents ran on average",
     "it stood idle for a part of the time"),
    (STABLE, [stable(finished=0)], "inconclusive", "never as busy", "nobody came and went"),
    (STABLE, [stable(failure_mode="unresponsive", failed_at=3, max_running=3)], "refuted",
     "unresponsive", "a failure outweighs a small crowd"),
    (STABLE, [stable(health=Health())], "confirmed", "the slowest 0 ms", "no check was made"),
    # --- cap
    (CAP, [cap()], "confirmed", "all 3 features were finished", "as many as it may"),
    (CAP, [cap(max_running=11)], "refuted", "1 over the cap", "the kernel saw one too many"),
    (CAP, [cap(max_reported=12)], "refuted", "2 over the cap", "the server owns up to two"),
    (CAP, [cap(max_running=9, max_reported=9)], "inconclusive", "never tested", "not reached"),
    (CAP, [cap(finished=2)], "inconclusive", "only 2 of 3 features", "the backlog was not done"),
    # --- failure mode
    (CRASH, [outcome(failure_mode="server-oom", evidence=SERVER_GONE)] * 2, "confirmed",
     "in 2 of 2 ramps", "as claimed"),
    (CRASH, [outcome()], "refuted", "the server stayed up", "only an agent was killed"),
    (CRASH, [outcome(failure_mode="heap-abort", evidence=SERVER_GONE)], "refuted",
     "see the trials", "another way to go down"),
    (CRASH, [outcome(failure_mode="server-oom", evidence=SERVER_GONE), outcome()], "inconclusive",
     "see the trials", "sometimes the one, sometimes the other"),
    (CRASH, [outcome(failure_mode="server-oom"), outcome(failed_at=None, failure_mode=None)],
     "confirmed", "in 1 of 2 ramps", "only one ramp failed at all"),
    (CRASH, [outcome(held=15, failed_at=None, failure_mode=None)], "inconclusive",
     "no ramp failed", "nothing failed at all"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "outcomes", "expected", "reason", "why"), ROWS)
def test_a_claim_is_judged_by_what_was_seen(
    claim: Claim, outcomes: list[Outcome], expected: str, reason: str, why: str
) -> None:
    result = verdict(claim, *outcomes)
    assert result.verdict == expected, f"{why}: {result.reason}"
    assert reason in result.reason
    assert result.trials == tuple(one.trial.id for one in outcomes)


@pytest.mark.parametrize("claim", [MEMORY, BOUNDARY, STABLE, CAP, CRASH])
@pytest.mark.parametrize("selected", [True, False])
def test_a_claim_without_a_trial_was_not_run(claim: Claim, selected: bool) -> None:
    result = judge("it", claim, [], scale=1, selected=selected)
    assert (result.verdict, result.measured, result.trials) == ("not-run", "-", ())
    assert ("not asked for" in result.reason) is not selected
    assert result.selected is selected


SPOILED = {
    "memory": with_memory(9 * GB),
    "boundary": outcome(held=1, failed_at=2),
    "stable": stable(failure_mode="agent-oom"),
    "cap": cap(max_running=99),
    "failure-mode": outcome(failure_mode="server-oom", evidence=SERVER_GONE),
}
GOOD: dict[str, tuple[Claim, Outcome]] = {
    "memory": (MEMORY, with_memory(4 * GB)),
    "boundary": (BOUNDARY, outcome()),
    "stable": (STABLE, stable()),
    "cap": (CAP, cap()),
    "failure-mode": (CRASH, outcome()),
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_trial_that_does_not_count_never_decides(kind: str) -> None:
    claim, good = GOOD[kind]
    reason = "the probe missed samples"
    for what in (good, SPOILED[kind]):
        spoiled = what.model_copy(update={"status": "invalid", "reason": reason})
        result = verdict(claim, spoiled)
        assert result.verdict == "inconclusive"
        assert result.reason == f"1 of 1 trials did not count: {what.trial.id}: {reason}"


@pytest.mark.parametrize("kind", GOOD)
def test_what_a_trial_that_does_not_count_saw_makes_no_difference(kind: str) -> None:
    claim, good = GOOD[kind]
    if isinstance(claim, StableClaim | CapClaim):
        return  # these have one trial only
    invalid = {"status": "invalid", "reason": "starved"}
    one = verdict(claim, good, SPOILED[kind].model_copy(update=invalid))
    other = verdict(claim, good, good.model_copy(update=invalid))
    assert one == other


def test_a_trial_that_does_not_count_hides_no_refutation_and_lets_nothing_be_confirmed() -> None:
    invalid = outcome(held=12, failed_at=13).model_copy(
        update={"status": "invalid", "reason": "starved"}
    )
    refuting = outcome(held=9, failed_at=10)
    assert verdict(BOUNDARY, refuting, invalid).verdict == "refuted"
    assert verdict(BOUNDARY, outcome(), invalid).verdict == "inconclusive"


def test_other_workloads_and_other_trials_are_not_looked_at() -> None:
    strangers = [
        outcome(trial=trial(workload="small"), held=1, failed_at=2),
        outcome(trial=trial(kind="cap", id="other"), held=1, failed_at=2),
        stable(trial=trial(id="stable-9", kind="stable", workload="mixed"), max_running=1),
    ]
    assert verdict(BOUNDARY, *strangers, outcome()).verdict == "confirmed"
    assert verdict(STABLE, *strangers).verdict == "not-run"


def test_memory_is_judged_at_true_size() -> None:
    sixteenth = with_memory(250_000_000)
    result = verdict(MEMORY, sixteenth, scale=1 / 16)
    assert (result.verdict, result.measured) == ("confirmed", "4.00 GB")
    assert verdict(MEMORY, sixteenth, scale=1.0).verdict == "refuted"


def test_a_boundary_that_only_some_ramps_reached_is_reported_as_such() -> None:
    never = outcome(held=15, failed_at=None, failure_mode=None)
    measured = verdict(BOUNDARY, outcome(), never).measured
    assert measured == "12-15 hold, 13 fail in 1 of 2 ramps"
    assert verdict(BOUNDARY, never).measured == "15 hold, no failure seen"
    assert verdict(BOUNDARY, outcome()).measured == "12 hold, 13 fail"


@pytest.mark.parametrize(
    ("claim", "expected", "unit"),
    [
        (MEMORY, "4.00 GB within 1%", "GB (1e9 bytes)"),
        (BOUNDARY, "12 hold, 13 fail", "agents"),
        (AT_LEAST, "12 hold", "agents"),
        (STABLE, "8 run, none lost", "agents"),
        (CAP, "never more than 10", "agents"),
        (CRASH, "server-oom", "agents"),
    ],
)
def test_what_is_expected_stands_in_words_with_its_unit(
    claim: Claim, expected: str, unit: str
) -> None:
    result = verdict(claim)
    assert (result.expected, result.unit) == (expected, unit)
    assert (result.statement, result.basis, result.gating) == (
        claim.statement,
        claim.basis,
        claim.gating,
    )


def result(verdict: str, *, gating: bool = True, selected: bool = True) -> ClaimResult:
    return ClaimResult(
        id="it",
        kind="boundary",
        workload="medium",
        statement="",
        expected="",
        measured="",
        unit="",
        basis="assumed",
        gating=gating,
        selected=selected,
        verdict=verdict,
        reason="",
    )


CONFIRMED, REFUTED, OPEN, NOT_RUN = map(result, ["confirmed", "refuted", "inconclusive", "not-run"])


@pytest.mark.parametrize(
    ("results", "code", "why"),
    [
        ([CONFIRMED, CONFIRMED], 0, "all confirmed"),
        ([CONFIRMED, REFUTED], 1, "one is refuted"),
        ([CONFIRMED, OPEN], 3, "one is open"),
        ([CONFIRMED, NOT_RUN], 3, "one was asked for and not run"),
        ([OPEN, REFUTED], 1, "a refuted one outweighs an open one"),
        ([], 3, "nothing was judged, so nothing is confirmed"),
        ([result("refuted", gating=False)], 3, "no gating claim was judged"),
        ([result("confirmed", gating=False)], 3, "nor here"),
        ([CONFIRMED, result("not-run", selected=False)], 0, "the rest was not asked for"),
        ([result("not-run", selected=False)], 3, "none of the claims was asked for"),
        ([CONFIRMED, result("refuted", selected=False)], 0, "not asked for"),
    ],
)
def test_verdicts_add_up_to_an_exit_code(results: list[ClaimResult], code: int, why: str) -> None:
    assert exit_code(results) == code, why


VERDICTS = st.builds(
    result,
    st.sampled_from(["confirmed", "refuted", "inconclusive", "not-run"]),
    gating=st.booleans(),
    selected=st.booleans(),
)


@given(st.lists(VERDICTS, max_size=6), VERDICTS.filter(lambda one: not one.gating))
def test_a_claim_that_is_not_gating_never_changes_the_exit_code(
    results: list[ClaimResult], more: ClaimResult
) -> None:
    assert exit_code([*results, more]) == exit_code(results)


@given(st.lists(VERDICTS, max_size=6), st.randoms())
def test_the_order_of_claims_does_not_matter(results: list[ClaimResult], random: Any) -> None:
    shuffled = random.sample(results, len(results))
    assert exit_code(shuffled) == exit_code(results)


@given(st.lists(VERDICTS, max_size=6))
def test_one_refuted_gating_claim_always_fails_the_campaign(results: list[ClaimResult]) -> None:
    assert exit_code([*results, REFUTED]) == 1


def test_a_campaign_of_one_workload_is_judged_by_that_workloads_claims() -> None:
    claims = load_settings().claims
    small = [
        outcome(
            trial=trial(id=f"ramp-small-{run}", workload="small", run=run),
            held=25,
            failed_at=26,
            agents=(agent(agent_class="small", private_bytes=2 * GB, target_bytes=2 * GB),),
        )
        for run in (1, 2, 3)
    ]
    backlog = tuple(agent(number, agent_class="small", end="done") for number in range(30))
    done = cap(
        trial=trial(id="cap-10-small", kind="cap", workload="small"), agents=backlog, finished=30
    )
    results = [
        judge(name, claim, [*small, done], scale=1, selected=claim.workload == "small")
        for name, claim in claims.items()
        if claim.kind != "scenario"
    ]
    assert exit_code(results) == 0
    judged = {one.id for one in results if one.verdict != "not-run"}
    assert judged == {
        "memory-small",
        "concurrent-small-low",
        "crash-at-13-small",
        "cap-10-small",
    }


def test_the_memory_table_has_a_row_for_every_class_that_is_claimed() -> None:
    claims: dict[str, Claim] = {
        "memory-medium": MEMORY,
        "memory-large": MEMORY.model_copy(update={"workload": "large"}),
        "boundary": BOUNDARY,
    }
    seen = with_memory(240_000_000, 250_000_000, 255_000_000, None)
    lost = with_memory(9 * GB, end="lost")
    assert memory_table(claims, [seen, lost], 1 / 16) == {
        "medium": {"claimed_bytes": 4e9, "agents": 3.0, "measured_bytes": 4e9},
        "large": {"claimed_bytes": 4e9, "agents": 0.0},
    }


def test_a_campaign_cut_short_confirms_nothing_that_it_did_not_repeat() -> None:
    planned = [trial(id=f"ramp-{run}", run=run) for run in (1, 2, 3)]
    one = judge("it", BOUNDARY, [outcome()], scale=1.0, selected=True, planned=planned)
    assert (one.verdict, one.reason) == ("inconclusive", "2 of its 3 trials not run")
    bad = outcome(held=9, failed_at=10)
    assert judge("it", BOUNDARY, [bad], scale=1.0, selected=True, planned=planned).verdict == (
        "refuted"
    )


def test_a_server_that_did_not_answer_its_health_check_was_not_stable() -> None:
    result = verdict(STABLE, stable(health=Health(checks=20, failures=1)))
    assert result.verdict == "refuted"
    assert result.reason == "1 of 20 health checks were not answered in time"
