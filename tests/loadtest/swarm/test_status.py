"""What the swarm says of a trial while it runs."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.swarm.conductor import Conductor, Silence, Slot
from loadtest.swarm.result import SwarmTask
from loadtest.swarm.status import STATES, counts, figures, state
from tests.loadtest.examples import trial


def conductor(**changes: Any) -> Conductor:
    return Conductor(
        SwarmTask(
            host="http://127.0.0.1:1", api_key="k",
            trial=trial(agents=("medium",) * 3, **changes), models={"medium": "sonnet"}, began=0.0,
            projects_root="/p", agents_per_project=9, hold_s=1, duration_s=1, poll_s=1,
            agent_budget_s=9, unanswered_budget_s=9,
        )
    )  # fmt: skip


def shown(one: Conductor, silence: Silence | None = None) -> dict[str, str]:
    return {f.name: f.value for f in figures(one, silence or Silence(0.3), most=2, lag_s=0.04)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "waiting"),
        ({"started_s": 1.0}, "starting"),
        ({"started_s": 1.0, "peak_s": 2.0}, "at peak"),
        ({"started_s": 1.0, "peak_s": 2.0, "end": "done"}, "done"),
        ({"started_s": 1.0, "peak_s": 2.0, "end": "lost"}, "lost"),
        ({"end": "refused"}, "lost"),
    ],
)
def test_a_slot_is_in_one_state(changes: dict[str, Any], expected: str) -> None:
    assert state(Slot(0, "medium", "/p", **changes)) == expected


def test_every_state_is_counted_in_the_order_of_an_agents_life() -> None:
    slots = [Slot(0, "medium", "/p"), Slot(1, "medium", "/p", started_s=1.0)]
    assert list(counts(slots).items()) == [
        ("waiting", 1), ("starting", 1), ("at peak", 0), ("done", 0), ("lost", 0)
    ]  # fmt: skip
    assert list(counts([])) == list(STATES)


def test_the_figures_follow_a_ramp_to_its_failure() -> None:
    one = conductor()
    assert (shown(one)["Phase"], shown(one)["Failed at"]) == ("no agent at work", "-")
    one.slots[0].started_s = 1.0
    assert shown(one)["Phase"] == "agents fill their memory"
    one.slots[0].peak_s, one.slots[0].target_bytes = 2.0, 4_000_000_000
    assert shown(one)["Phase"] == "agents at their peaks"
    assert shown(one)["Memory of agents at peak"] == "4.00 GB"
    one.finished, one.failed_at = "agent 2 was lost", 2
    assert (shown(one)["Phase"], shown(one)["Failed at"]) == ("over", "2")
    assert next(figures(one, Silence(), 0, 0)).note == "agent 2 was lost"


def test_rounds_and_backlogs_say_what_they_are_at() -> None:
    rounds, backlog = conductor(kind="rounds", concurrent=3, rounds=7), conductor(kind="cap")
    for one in (rounds, backlog):
        one.slots[0].started_s = 1.0
    assert (shown(rounds)["Phase"], shown(rounds)["Rounds held"]) == ("round 1", "0")
    assert shown(backlog)["Phase"] == "the server works its backlog off"
    assert "Rounds held" not in shown(backlog)


def test_a_server_that_is_gone_is_told_from_one_that_is_slow() -> None:
    assert shown(conductor())["Server's answers"] == "last one 0.3 s ago"
    assert shown(conductor(), Silence(5, refused=True))["Server's answers"] == "nothing listens"
