"""The shift between two sets of samples and how sure it is."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.history.shift import RunSpread, run_spread, shift_of, student

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20)


def test_constant_samples_give_a_point() -> None:
    shift = shift_of([12, 12], [11, 11])
    assert (shift.estimate, shift.low, shift.high) == (-1, -1, -1)


def test_one_count_beside_another_is_exact() -> None:
    shift = shift_of([10], [9], counted=True)
    assert (shift.low, shift.high) == (-1, -1)


def test_one_measurement_beside_another_says_nothing() -> None:
    shift = shift_of([10.0], [9.0])
    assert (shift.estimate, shift.low, shift.high) == (-1, -math.inf, math.inf)
    assert not shift.known


def test_the_interval_of_five_beside_five_is_that_of_the_tables() -> None:
    # U <= 2 has 4 of 252 orders on one side: the third of the sorted differences bounds it.
    old, new = [1.0, 2, 3, 4, 5], [11.0, 22, 33, 44, 55]
    differences = sorted(b - a for a in old for b in new)
    shift = shift_of(old, new)
    assert (shift.low, shift.high) == (differences[2], differences[-3])


def test_few_samples_have_a_wide_interval() -> None:
    shift = shift_of([1.0, 1.1], [1.2, 1.3])
    assert shift.estimate == pytest.approx(0.2)
    assert shift.low < -0.05
    assert shift.high > 0.45


def test_no_interval_is_narrower_than_runs_differ_by_themselves() -> None:
    spread = RunSpread(sigma=5.0, runs=20)
    shift = shift_of([10.0, 10], [11.0, 11], spread=spread)
    assert shift.high - shift.low == pytest.approx(2 * student(19) * 5 * math.sqrt(2))
    alone = shift_of([10.0], [11.0], spread=spread)
    assert (alone.low, alone.high) == (shift.low, shift.high)


def test_against_many_runs_a_run_is_surer_than_against_one() -> None:
    spread = RunSpread(sigma=5.0, runs=9)
    pooled = shift_of([10.0] * 9, [11.0], spread=spread, pooled=True)
    alone = shift_of([10.0] * 9, [11.0], spread=spread)
    assert alone.low < pooled.low < pooled.high < alone.high


def test_a_lasting_step_is_no_noise_between_runs() -> None:
    chance = random.Random(1)
    noise = [chance.gauss(100, 1) for _ in range(40)]
    stepped = [value + 50 * (number >= 20) for number, value in enumerate(noise)]
    spread = run_spread(stepped)
    assert spread
    assert 0.5 < spread.sigma < 2
    assert run_spread(noise[:2]) is None


def test_many_samples_are_quick_and_right() -> None:
    chance = random.Random(2)
    old = [chance.gauss(100, 1) for _ in range(5000)]
    shift = shift_of(old, [value + 5 for value in old])
    assert shift.low < 5 < shift.high
    assert shift.high - shift.low < 1


def test_95_of_100_intervals_hold_the_truth() -> None:
    chance = random.Random(3)
    for size in (2, 3, 5, 14):
        inside = 0
        for _ in range(400):
            old = [chance.gauss(10, 1) for _ in range(size)]
            new = [chance.gauss(12, 1) for _ in range(size)]
            shift = shift_of(old, new)
            inside += shift.low <= 2 <= shift.high
        assert inside >= 0.925 * 400, size


@pytest.mark.parametrize(
    ("freedom", "table"), [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (30, 2.042)]
)
def test_students_t_is_that_of_the_tables(freedom: int, table: float) -> None:
    assert student(freedom) == pytest.approx(table, rel=0.01)


@given(VALUES, VALUES)
def test_the_estimate_lies_in_its_interval_and_turns_with_the_sides(
    old: list[float], new: list[float]
) -> None:
    there, back = shift_of(old, new), shift_of(new, old)
    assert there.low <= there.estimate <= there.high
    assert there.estimate == pytest.approx(-back.estimate)
    assert there.low == pytest.approx(-back.high)
