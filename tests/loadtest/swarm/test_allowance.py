"""A token bucket: never more than its burst and its rate allow."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.swarm.allowance import Allowance


def at(moments: list[float], burst: int, per_s: float) -> list[bool]:
    """Ask at each of these moments; the bucket was made at 0."""
    clock = iter([0.0, *moments])
    with pytest.MonkeyPatch.context() as patch:
        tick: Callable[[], float] = lambda: next(clock)  # noqa: E731
        patch.setattr(time, "monotonic", tick)
        allowance = Allowance(burst, per_s)
        return [allowance.take() for _ in moments]


@pytest.mark.parametrize(
    ("moments", "taken", "why"),
    [
        ([0, 0, 0], [True, True, False], "the burst, and no more"),
        ([0, 0, 0.5, 1.0, 1.0], [True, True, False, True, False], "one comes back a second"),
        ([100, 100, 100], [True, True, False], "what is not used does not pile up"),
        ([0, 0, 0.5, 0.9, 1.1], [True, True, False, False, True], "asking too early costs nothing"),
    ],
)
def test_an_allowance_of_two_and_one_a_second(
    moments: list[float], taken: list[bool], why: str
) -> None:
    assert at(moments, burst=2, per_s=1.0) == taken, why


STEPS = st.lists(st.floats(0, 5), max_size=60)


@given(STEPS, st.integers(1, 10), st.floats(0, 5))
def test_no_window_of_time_gets_more_than_burst_and_rate(
    steps: list[float], burst: int, per_s: float
) -> None:
    moments = [sum(steps[: index + 1]) for index in range(len(steps))]
    granted = [
        moment for moment, yes in zip(moments, at(moments, burst, per_s), strict=True) if yes
    ]
    for first in range(len(granted)):
        for last in range(first, len(granted)):
            span = granted[last] - granted[first]
            assert last - first + 1 <= burst + span * per_s + 1e-6


@given(st.integers(1, 10), st.floats(0.1, 5))
def test_who_waits_long_enough_is_always_let_in(burst: int, per_s: float) -> None:
    moments = [(1 / per_s + 1e-6) * number for number in range(1, 50)]
    assert all(at(moments, burst, per_s))
