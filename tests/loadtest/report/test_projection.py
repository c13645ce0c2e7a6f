"""Where the memory of a running trial is heading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.report.projection import Filling
from tests.loadtest.report import example_campaign as example

RAMP = example.outcome().trial.model_copy(update={"predicted": 12})


def test_nothing_is_said_before_the_first_agent() -> None:
    assert Filling().after(60, 0).end(RAMP) is None


def test_a_ramp_heads_for_all_that_are_predicted_to_hold() -> None:
    filling = Filling().after(60, 0).after(160, 1).after(260, 2)
    assert filling.end(RAMP) == 60 + 12 * 100


def test_an_agent_that_has_filled_nothing_yet_does_not_lower_it() -> None:
    filling = Filling().after(60, 0).after(160, 1).after(260, 2).after(262, 3)
    assert filling.end(RAMP) == 60 + 12 * 100


def test_agents_beyond_the_prediction_count() -> None:
    filling = Filling().after(0, 0).after(1300, 13)
    assert filling.end(RAMP) == 1300


def test_a_crowd_heads_for_all_at_once() -> None:
    assert Filling().after(0, 0).after(100, 1).end(example.rounds().trial) == 200


def test_a_situation_heads_nowhere() -> None:
    assert Filling().after(0, 0).after(100, 1).end(example.scenario().trial) is None


def test_the_base_is_what_was_used_before_the_first_agent() -> None:
    filling = Filling().after(50, 0).after(60, 0).after(160, 1).after(61, 0)
    assert filling.base == 60


@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 30))))
def test_it_never_heads_below_what_the_present_agents_hold(looks: list[tuple[int, int]]) -> None:
    filling = Filling()
    for used, agents in looks:
        filling = filling.after(used, agents)
    end = filling.end(RAMP)
    if end is not None and filling.agents and filling.used >= filling.base:
        assert end >= filling.used - 1
    assert filling.each == pytest.approx(filling.each)
