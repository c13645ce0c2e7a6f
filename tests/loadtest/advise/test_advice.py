"""From a model of memory to a number, its curve, and what changes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtest.advise.advice import Advice, advise, effects
from loadtest.memory_model import ClassMemory, MemoryModel, largest_safe, p_failure

CLASSES = {"small": ClassMemory(2e9, 0.1), "large": ClassMemory(6e9, 0.1)}
MODEL = MemoryModel(48e9, 1e9, CLASSES, {"small": 50, "large": 50}, drawn=True)


def changes(advice: Advice) -> dict[str, int]:
    return {effect.change: effect.difference for effect in advice.effects}


def test_the_number_is_the_largest_within_the_risk() -> None:
    advice = advise(MODEL, 0.01, 20)
    assert advice.max_concurrency == advice.by_memory == largest_safe(0.01, MODEL)
    assert p_failure(advice.by_memory, MODEL) <= 0.01 < p_failure(advice.by_memory + 1, MODEL)


def test_the_server_runs_no_more_than_its_cap() -> None:
    advice = advise(replace(MODEL, limit=200e9), 0.01, 20)
    assert advice.max_concurrency == 20
    assert advice.by_memory > 20


def test_the_curve_leads_from_below_the_number_to_where_failure_is_likely() -> None:
    advice = advise(MODEL, 0.01, 20)
    numbers = [point.agents for point in advice.curve]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[0] < advice.by_memory < numbers[-1]
    assert advice.curve[-1].p_failure > 0.5
    assert all(point.p_failure == p_failure(point.agents, MODEL) for point in advice.curve)


def test_the_curve_ends_where_failure_is_sure() -> None:
    alike = replace(MODEL, classes={"small": ClassMemory(2e9)}, weights={"small": 100})
    assert advise(alike, 0.01, 20).curve[-1].agents == 24


def test_what_changes_the_number_most_comes_first() -> None:
    advice = advise(MODEL, 0.01, 20)
    sizes = [abs(effect.difference) for effect in advice.effects]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 5


def test_changes_for_the_worse_and_for_the_better_are_told_apart() -> None:
    found = changes(advise(replace(MODEL, limit=96e9), 0.01, 20))
    assert found["agents need 10 % more memory"] < 0
    assert found["agents differ twice as much"] <= 0
    assert found["2 % of the agents need 2 times as much"] < 0
    assert found["the server has 10 % more memory"] > 0
    assert found["small agents in place of large ones"] > 0


def test_the_smallest_class_alone_is_replaced_by_a_larger_one() -> None:
    found = changes(advise(replace(MODEL, weights={"small": 100}), 0.01, 20))
    assert found["large agents in place of small ones"] < 0


def test_a_class_that_is_alone_in_the_world_is_not_replaced() -> None:
    alone = replace(MODEL, classes={"small": CLASSES["small"]}, weights={"small": 100})
    assert len(advise(alone, 0.01, 20).effects) == 4


def test_more_runaways_are_asked_about_where_there_are_some() -> None:
    found = effects(replace(MODEL, runaway_share=0.05), 0.01, 5)
    assert "twice as many runaways" in {effect.change for effect in found}


def test_agents_all_alike_cannot_differ_twice_as_much() -> None:
    alike = {name: ClassMemory(one.mean) for name, one in CLASSES.items()}
    found = effects(replace(MODEL, classes=alike), 0.01, 5)
    assert "agents differ twice as much" not in {effect.change for effect in found}


def test_where_no_agent_fits_there_is_no_number() -> None:
    advice = advise(replace(MODEL, limit=2e9), 0.01, 20)
    assert advice.max_concurrency == advice.by_memory == 0
    assert advice.curve[0].agents == 1
    assert advice.curve[0].p_failure == pytest.approx(1.0)
    assert all(effect.p_failure > 0.01 for effect in advice.effects)
