"""Who may start when, and how a trial ends: decisions, with the clock in the test's hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.swarm.conductor import Conductor, Silence, Slot
from loadtest.swarm.result import SwarmTask
from tests.loadtest.examples import trial

ANSWERS = Silence()
MODELS = {"small": "haiku", "medium": "sonnet", "large": "sonnet", "architectural": "opus"}
HOLD_S, BUDGET_S, UNANSWERED_S, GONE_S = 1.0, 60.0, 10.0, 3.0


def task(agents: tuple[str, ...] = ("medium",) * 3, **changes: Any) -> SwarmTask:
    return SwarmTask(
        host="http://127.0.0.1:1",
        api_key="k",
        trial=trial(agents=agents, **changes),
        models=MODELS,
        began=0.0,
        projects_root="/projects",
        agents_per_project=2,
        hold_s=HOLD_S,
        duration_s=12.0,
        poll_s=0.1,
        agent_budget_s=BUDGET_S,
        unanswered_budget_s=UNANSWERED_S,
        gone_budget_s=GONE_S,
    )


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial begins at 0: what the conductor reads of the clock by itself is its own start."""
    monkeypatch.setattr(Conductor, "now", lambda _self: 0.0)


def ramp(number: int = 3) -> Conductor:
    return Conductor(task(("medium",) * number))


def reach_peak(slot: Slot, at: float) -> None:
    slot.started_s, slot.peak_s = at - 0.1, at


def hold(conductor: Conductor, number: int) -> float:
    """Bring so many agents to their peaks and hold each; returns the time it is then."""
    now = 0.0
    for slot in conductor.slots[:number]:
        reach_peak(slot, now)
        now += HOLD_S
        conductor.step(now, ANSWERS)
    return now


# --- the ramp's gate


def test_only_the_first_agent_may_start_at_first() -> None:
    conductor = ramp()
    assert [conductor.may_start(slot) for slot in conductor.slots] == [True, False, False]


def test_the_next_agent_waits_for_the_peak_and_then_for_the_hold() -> None:
    conductor = ramp()
    conductor.step(5.0, ANSWERS)
    assert conductor.admitted == 1, "no peak yet"
    reach_peak(conductor.slots[0], 5.0)
    conductor.step(5.0 + HOLD_S - 0.01, ANSWERS)
    assert (conductor.admitted, conductor.held) == (1, 0), "not held long enough"
    conductor.step(5.0 + HOLD_S, ANSWERS)
    assert (conductor.admitted, conductor.held) == (2, 1)
    assert conductor.may_start(conductor.slots[1])
    assert not conductor.may_start(conductor.slots[2])


def test_one_step_opens_the_gate_for_one_agent_only() -> None:
    conductor = ramp()
    for slot in conductor.slots:
        reach_peak(slot, 1.0)
    conductor.step(50.0, ANSWERS)
    assert conductor.admitted == 2


def test_a_ramp_that_holds_everybody_is_complete() -> None:
    conductor = ramp()
    hold(conductor, 3)
    assert (conductor.finished, conductor.completed) == ("all 3 planned agents were held", True)
    assert (conductor.held, conductor.failed_at) == (3, None)


# --- how it fails


def test_the_agent_that_is_lost_is_the_one_it_fails_at() -> None:
    conductor = ramp()
    now = hold(conductor, 2)
    conductor.slots[2].started_s = now
    conductor.slots[2].end, conductor.slots[2].why = "lost", "exit -9"
    conductor.step(now + 0.3, ANSWERS)
    assert (conductor.held, conductor.failed_at, conductor.failed_at_s) == (2, 3, now + 0.3)
    assert (conductor.finished, conductor.completed) == ("agent 3 was lost: exit -9", True)


def test_an_older_agent_may_be_the_one_that_is_killed() -> None:
    conductor = ramp()
    now = hold(conductor, 2)
    conductor.slots[2].started_s = now
    conductor.slots[0].end = "lost"
    conductor.step(now, ANSWERS)
    assert (conductor.held, conductor.failed_at) == (2, 3), "3 were at work when it happened"


def test_a_loss_just_after_the_gate_opened_is_not_the_next_agents() -> None:
    conductor = ramp()
    now = hold(conductor, 2)
    assert conductor.admitted == 3
    conductor.slots[0].end = "lost"  # the third has not started yet
    conductor.step(now, ANSWERS)
    assert (conductor.held, conductor.failed_at) == (1, 2)


def test_the_first_agent_may_fail() -> None:
    conductor = ramp()
    conductor.slots[0].started_s = 0.1
    conductor.slots[0].end = "lost"
    conductor.step(0.2, ANSWERS)
    assert (conductor.held, conductor.failed_at, conductor.completed) == (0, 1, True)


def test_a_server_that_admits_no_more_ends_the_ramp_without_a_boundary() -> None:
    conductor = ramp()
    now = hold(conductor, 1)
    conductor.slots[1].end, conductor.slots[1].why = "refused", "429: full"
    conductor.step(now, ANSWERS)
    assert conductor.finished == "agent 2 was not admitted: 429: full"
    assert (conductor.completed, conductor.failed_at, conductor.held) == (False, None, 1)


@pytest.mark.parametrize(
    ("silence", "why"),
    [
        (Silence(UNANSWERED_S), "just in time"),
        (Silence(GONE_S, refused=True), "a moment without a listener"),
        (Silence(GONE_S + 1), "listening, and busy"),
        (Silence(0.0, refused=True), "refused once"),
    ],
)
def test_a_server_may_be_silent_for_a_while(silence: Silence, why: str) -> None:
    conductor = ramp()
    conductor.step(1.0, silence)
    assert conductor.finished is None, why


def test_a_server_that_listens_and_never_answers_is_unresponsive() -> None:
    conductor = ramp()
    now = hold(conductor, 2)
    conductor.slots[2].started_s = now
    conductor.step(now, Silence(UNANSWERED_S + 0.1))
    assert conductor.unresponsive
    assert (conductor.held, conductor.failed_at, conductor.completed) == (2, 3, True)
    assert conductor.finished == "the server gave no answer for 10.1 s"


def test_a_server_that_nobody_listens_at_is_gone_and_not_unresponsive() -> None:
    conductor = ramp()
    now = hold(conductor, 1)
    conductor.slots[1].started_s = now
    conductor.step(now, Silence(GONE_S + 0.1, refused=True))
    assert not conductor.unresponsive
    assert (conductor.held, conductor.failed_at) == (1, 2)
    assert "nothing listened for 3.1 s" in (conductor.finished or "")


def test_a_dead_server_is_told_apart_from_the_agents_it_took_along() -> None:
    conductor = ramp()
    now = hold(conductor, 2)
    conductor.slots[0].end = "lost"
    conductor.step(now, Silence(UNANSWERED_S + 1))
    assert conductor.unresponsive


def test_an_agent_that_takes_too_long_to_its_peak_ends_the_ramp_without_a_boundary() -> None:
    conductor = ramp()
    now = hold(conductor, 1)
    conductor.slots[1].why = "no answer"
    conductor.step(now + BUDGET_S, ANSWERS)
    assert conductor.finished is None, "just in time"
    conductor.step(now + BUDGET_S + 0.1, ANSWERS)
    assert conductor.finished == "agent 2 took more than 60 s to its peak: no answer"
    assert (conductor.completed, conductor.failed_at) == (False, None)


def test_what_is_over_stays_over() -> None:
    conductor = ramp()
    hold(conductor, 3)
    conductor.slots[0].end = "lost"
    conductor.step(99.0, Silence(99))
    assert (conductor.held, conductor.failed_at) == (3, None)


# --- stable and cap


def test_a_stable_trial_ends_when_its_time_is_over() -> None:
    conductor = Conductor(task(kind="stable", concurrent=3))
    conductor.step(100.0, ANSWERS)
    assert conductor.finished is None, "its time begins with its first agent"
    conductor.slots[1].started_s = 100.0
    conductor.step(111.9, ANSWERS)
    assert conductor.finished is None
    conductor.step(112.0, ANSWERS)
    assert (conductor.held, conductor.completed) == (3, True)
    assert conductor.finished == "3 agents came and went for 12 s"


def test_whoever_is_done_in_a_stable_trial_is_not_at_work_when_it_fails() -> None:
    conductor = Conductor(task(kind="stable", concurrent=3))
    for slot in conductor.slots:
        slot.started_s = 1.0
    conductor.slots[0].end = "done"
    later = conductor.add_slot("medium")
    assert conductor.may_start(later)
    later.started_s, later.end = 2.0, "lost"
    conductor.step(3.0, ANSWERS)
    assert conductor.failed_at == 3


def test_a_backlog_is_complete_when_all_of_it_is_done() -> None:
    conductor = Conductor(task(kind="cap", concurrent=2))
    assert all(conductor.may_start(slot) for slot in conductor.slots)
    for slot in conductor.slots[:2]:
        slot.end = "done"
    conductor.step(1.0, ANSWERS)
    assert not conductor.completed
    conductor.slots[2].end = "done"
    conductor.step(2.0, ANSWERS)
    result = conductor.result()
    assert (result.reason, result.completed) == ("all features of the backlog are done", True)


# --- slots


def test_a_ramp_spreads_over_projects_and_a_backlog_does_not() -> None:
    spread = [slot.project for slot in Conductor(task(("medium",) * 5)).slots]
    assert spread == [f"/projects/load-0{number}" for number in (0, 0, 1, 1, 2)]
    backlog = Conductor(task(("medium",) * 5, kind="cap"))
    assert {slot.project for slot in backlog.slots} == {"/projects/load-00"}


def test_users_claim_the_slots_of_their_model_in_order() -> None:
    conductor = Conductor(task(("medium", "small", "large", "architectural")))
    assert conductor.plan_of_models() == ["sonnet", "haiku", "sonnet", "opus"]
    claimed = [conductor.claim(model) for model in ("sonnet", "opus", "sonnet", "sonnet", "haiku")]
    assert [slot.index if slot else None for slot in claimed] == [0, 3, 2, None, 1]


@pytest.mark.parametrize(
    ("end", "peak", "recorded", "why"),
    [
        ("pending", 2.0, "held", "at its peak when the trial ended"),
        ("pending", None, "pending", "on its way there"),
        ("lost", 2.0, "lost", "held for a while, and killed"),
        ("done", 2.0, "done", "finished"),
    ],
)
def test_a_slot_that_is_at_its_peak_at_the_end_was_held(
    end: Any, peak: float | None, recorded: str, why: str
) -> None:
    slot = Slot(4, "medium", "/projects/load-00", started_s=1.0, peak_s=peak, end=end)
    assert slot.record().end == recorded, why
    assert slot.record().feature_id == "(slot 4)"


def test_the_result_says_what_happened_or_that_nothing_ended() -> None:
    conductor = ramp()
    conductor.slots[0].started_s = 1.0
    result = conductor.result(max_reported=1, requests=9)
    assert result.reason == "the swarm ended before the trial did"
    assert (result.completed, result.max_reported, result.requests) == (False, 1, 9)
    assert sum(slot.started_s is not None for slot in conductor.slots) == 1
    hold(conductor, 3)
    assert (conductor.result().held, conductor.result().completed) == (3, True)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["start", "peak", "lose", "refuse", "silence", "wait"]),
        st.integers(0, 5),
        st.floats(0, 30),
    ),
    max_size=40,
)


@given(st.integers(1, 6), EVENTS)
def test_whatever_happens_no_more_are_held_than_admitted_than_planned(
    planned: int, events: list[tuple[str, int, float]]
) -> None:
    conductor, now, seen = ramp(planned), 0.0, 0
    for what, index, seconds in events:
        slot = conductor.slots[index % planned]
        now += seconds
        silence = ANSWERS
        if what == "start" and conductor.may_start(slot):
            slot.started_s = slot.started_s or now
        elif what == "peak" and slot.started_s is not None:
            slot.peak_s = slot.peak_s or now
        elif what == "lose" and slot.started_s is not None:
            slot.end = "lost"
        elif what == "refuse":
            slot.end = "refused"
        elif what == "silence":
            silence = Silence(seconds, refused=bool(index % 2))
        conductor.step(now, silence)
        assert 0 <= conductor.held <= conductor.admitted <= planned
        assert conductor.admitted >= seen, "the gate never closes"
        seen = conductor.admitted
        if conductor.failed_at is not None:
            assert conductor.held <= max(0, conductor.failed_at - 1)
            assert conductor.completed
        assert conductor.finished or not conductor.completed


# --- rounds: the same number at once, again and again


def rounds(number: int = 2, wanted: int = 3) -> Conductor:
    return Conductor(task(("medium",) * number, kind="rounds", concurrent=number, rounds=wanted))


def play_round(conductor: Conductor, at: float) -> float:
    """Bring the agents of the round to their peaks and hold them; returns the time it is then."""
    for slot in conductor.slots[-2:]:
        reach_peak(slot, at)
    conductor.step(at + HOLD_S, ANSWERS)
    return at + HOLD_S


def follow(conductor: Conductor) -> None:
    """Dismiss the agents of the round that is over, as their sessions do."""
    for slot in list(conductor.slots[-2:]):
        assert conductor.is_dismissed(slot)
        slot.end = "done"
        conductor.again(slot)


def test_all_agents_of_a_round_start_at_once_and_the_round_counts_when_all_were_held() -> None:
    conductor = rounds()
    assert all(conductor.may_start(slot) for slot in conductor.slots)
    reach_peak(conductor.slots[0], 1.0)
    conductor.step(9.0, ANSWERS)
    assert conductor.rounds == [], "one is not at its peak"
    reach_peak(conductor.slots[1], 9.0)
    conductor.step(9.0 + HOLD_S, ANSWERS)
    assert (conductor.rounds, conductor.held) == ([10.0], 2)


def test_the_next_round_waits_until_no_process_of_the_last_is_left() -> None:
    conductor = rounds()
    now = play_round(conductor, 1.0)
    follow(conductor)
    later = conductor.slots[-1]
    conductor.step(now + 5, ANSWERS)
    assert not conductor.may_start(later), "memory of the last round may still be held"
    conductor.cleared = True
    conductor.step(now + 6, ANSWERS)
    assert conductor.may_start(later)
    assert later.feature_id == conductor.slots[1].feature_id, "the same features run again"


def test_a_trial_of_rounds_ends_with_the_last_of_them() -> None:
    conductor = rounds(wanted=2)
    now = play_round(conductor, 1.0)
    follow(conductor)
    conductor.cleared = True
    conductor.step(now, ANSWERS)
    play_round(conductor, now + 1)
    assert conductor.completed
    assert len(conductor.result().rounds) == 2
    assert conductor.finished == "2 agents at once held in 2 rounds"


def test_a_lost_agent_ends_the_rounds_and_those_before_it_still_count() -> None:
    conductor = rounds()
    now = play_round(conductor, 1.0)
    follow(conductor)
    conductor.cleared = True
    conductor.step(now, ANSWERS)
    lost = conductor.slots[-1]
    lost.started_s, lost.end, lost.why = now, "lost", "killed by signal 9"
    conductor.slots[-2].started_s = now
    conductor.step(now + 1, ANSWERS)
    result = conductor.result()
    assert (result.completed, result.failed_at, len(result.rounds)) == (True, 2, 1)


def test_a_round_that_never_comes_to_its_peak_is_no_result() -> None:
    conductor = rounds()
    reach_peak(conductor.slots[0], 1.0)
    conductor.step(BUDGET_S + 1, ANSWERS)
    assert (conductor.completed, conductor.rounds) == (False, [])
    assert conductor.finished
    assert "agent 2 took more than 60 s" in conductor.finished


def test_a_round_whose_agents_do_not_end_is_no_result_and_no_endless_wait() -> None:
    conductor = rounds()
    now = play_round(conductor, 1.0)
    conductor.step(now + BUDGET_S - 1, ANSWERS)
    assert not conductor.finished
    conductor.step(now + BUDGET_S + 1, ANSWERS)
    assert (conductor.completed, conductor.finished) == (
        False,
        "agents of round 1 still ran 60 s after it",
    )
