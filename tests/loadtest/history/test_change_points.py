"""Lasting steps in the series of a metric."""

from __future__ import annotations

import random

import pytest

from loadtest.history.change_points import change_points


def series(seed: int, steps: dict[int, float], length: int, noise: float = 0.01) -> list[float]:
    """Values around 100, multiplied by each step's factor from its index on."""
    chance = random.Random(seed)
    level, values = 100.0, []
    for number in range(length):
        level *= steps.get(number, 1.0)
        values.append(level * chance.gauss(1, noise))
    return values


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("at", "length"), [(20, 40), (10, 15), (6, 12), (150, 200)])
def test_a_step_of_5_percent_is_found_where_it_is(seed: int, at: int, length: int) -> None:
    (found,) = change_points(series(seed, {at: 1.05}, length), least=1.0)
    assert abs(found.index - at) <= 1
    assert found.before == pytest.approx(100, rel=0.02)
    assert found.after == pytest.approx(105, rel=0.02)
    assert found.p_value <= 0.02


@pytest.mark.parametrize("seed", range(20))
def test_a_series_without_a_step_has_none(seed: int) -> None:
    assert change_points(series(seed, {}, 30), least=1.0) == []


def test_the_newest_step_shows_after_its_third_run() -> None:
    values = series(1, {12: 1.05}, 15, noise=0.001)
    assert [one.index for one in change_points(values, least=1.0)] == [12]
    assert change_points(values[:14], least=1.0) == []


def test_several_steps_are_found_in_order() -> None:
    values = series(3, {20: 1.05, 40: 0.92}, 60)
    found = change_points(values, least=1.0)
    assert [abs(one.index - at) <= 1 for one, at in zip(found, (20, 40), strict=True)] == [True] * 2


def test_a_step_that_was_taken_back_is_found_at_both_ends() -> None:
    right = 0
    for seed in range(40):
        values = series(seed, {18: 1.05, 28: 1 / 1.05}, 45)
        found = [one.index for one in change_points(values, least=1.0)]
        assert any(abs(index - 18) <= 1 for index in found), seed
        assert any(abs(index - 28) <= 1 for index in found), seed
        right += len(found) == 2
    assert right >= 34, "and hardly ever anything else"


def test_two_steps_that_were_taken_back_are_both_found() -> None:
    values = series(7, {80: 2.2, 120: 1 / 2.2, 140: 2.2, 170: 1 / 2.2}, 200, noise=0.2)
    found = [one.index for one in change_points(values, least=50)]
    assert found == pytest.approx([80, 120, 140, 170], abs=2)


def test_a_single_outlier_is_no_step() -> None:
    values = series(4, {}, 30)
    values[15] *= 3
    values[28] *= 3
    assert change_points(values, least=1.0) == []


def test_a_step_below_the_tolerance_is_none() -> None:
    values = series(5, {20: 1.05}, 40, noise=0.001)
    assert change_points(values, least=6.0) == []


def test_a_step_of_counts_without_any_noise_is_found() -> None:
    (found,) = change_points([12.0] * 12 + [11.0] * 4, least=0.5)
    assert (found.index, found.before, found.after) == (12, 12, 11)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0, 4.0, 5.0], [7.0] * 50])
def test_series_too_short_or_constant_have_none(values: list[float]) -> None:
    assert change_points(values, least=0.1) == []


def test_the_same_series_gives_the_same_answer() -> None:
    values = series(6, {20: 1.02}, 40)
    assert change_points(values, least=1.0) == change_points(values, least=1.0)
