"""P(failure) from the sizes of agents and their spread; simulation is the judge."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.boundary import first_agents, predict
from loadtest.memory_model import ClassMemory, MemoryModel, curve, fit, largest_safe, p_failure
from loadtest.outcome import Outcome
from settings.load import load_settings
from tests.loadtest.examples import agent, outcome, trial

SETTINGS = load_settings()
MIXES = {name: mix.weights for name, mix in SETTINGS.agents.mixes.items()}
MEANS = {name: row.memory for name, row in SETTINGS.agents.classes.items()}
TOLERANCE = 0.02
RUNS = 8_000


def model(variation: float = 0.0, weights: dict[str, int] | None = None) -> MemoryModel:
    classes = {name: ClassMemory(mean, variation) for name, mean in MEANS.items()}
    return MemoryModel(48e9, 1e9, classes, weights or {"medium": 100})


def simulated(agents: int, model: MemoryModel, runs: int = RUNS) -> float:
    """P(failure) by drawing agents as the load test does."""
    chance = random.Random(1)
    names, weights = list(model.weights), list(model.weights.values())
    failed = 0
    for _ in range(runs):
        drawn = chance.choices(names, weights, k=agents)
        used = model.base + agents * model.burst
        for name in drawn if model.drawn else first_agents(model.weights, agents):
            memory = model.classes[name]
            sigma = math.sqrt(math.log1p(memory.variation**2))
            peak = memory.mean * chance.lognormvariate(-(sigma**2) / 2, sigma)
            used += peak * (model.runaway_factor if chance.random() < model.runaway_share else 1)
        failed += used > model.limit
    return failed / runs


@pytest.mark.parametrize(
    ("variation", "expected"),
    [
        (0.05, (0.00, 0.93, 1.00)),
        (0.10, (0.01, 0.77, 1.00)),
        (0.20, (0.13, 0.64, 0.96)),
        (0.30, (0.23, 0.60, 0.88)),
    ],
)
def test_known_figures_of_medium_agents_within_what_their_skewness_changes(
    variation: float, expected: tuple[float, float, float]
) -> None:
    """They were worked out for agents that are normal, not log-normal."""
    found = [p_failure(number, model(variation)) for number in (11, 12, 13)]
    assert found == pytest.approx(expected, abs=0.022)


@pytest.mark.parametrize("agents", [10, 11, 12, 13])
@pytest.mark.parametrize("variation", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("mix", ["medium", "mixed"])
@pytest.mark.parametrize("drawn", [False, True])
def test_the_model_agrees_with_simulation(
    agents: int, variation: float, mix: str, drawn: bool
) -> None:
    wanted = replace(model(variation, SETTINGS.agents.weights(mix)), drawn=drawn)
    assert p_failure(agents, wanted) == pytest.approx(simulated(agents, wanted), abs=TOLERANCE)


@pytest.mark.parametrize(("share", "factor"), [(0.02, 2.0), (0.05, 3.0), (0.3, 2.0)])
@pytest.mark.parametrize("drawn", [False, True])
def test_runaways_agree_with_simulation(share: float, factor: float, drawn: bool) -> None:
    wanted = replace(
        model(0.1, MIXES["mixed"]), runaway_share=share, runaway_factor=factor, drawn=drawn
    )
    for agents in (7, 10, 12):
        found = p_failure(agents, wanted)
        assert found == pytest.approx(simulated(agents, wanted), abs=1.5 * TOLERANCE), agents


@pytest.mark.parametrize("agents", [1, 2, 3, 19, 20, 21, 22])
def test_a_few_large_agents_among_small_ones_that_are_alike_agree_with_simulation(
    agents: int,
) -> None:
    lumpy = model(0.02, {"small": 90, "architectural": 10})
    wanted = replace(lumpy, drawn=True, limit=51.5e9 if agents > 3 else 6.4e9)
    assert p_failure(agents, wanted) == pytest.approx(simulated(agents, wanted), abs=TOLERANCE)


def test_counting_every_case_or_none_makes_little_difference() -> None:
    """Twelve agents of four classes are too many cases; without the fourth they are few."""
    weights = {"small": 30, "medium": 40, "large": 29}
    few = replace(model(0.1, {**weights, "architectural": 0, "medium": 41}), drawn=True)
    many = replace(few, weights={**weights, "architectural": 1})
    for agents in (11, 12, 13, 14):
        assert p_failure(agents, many) == pytest.approx(p_failure(agents, few), abs=0.03)


@pytest.mark.parametrize("drawn", [False, True])
def test_where_all_run_away_agents_are_as_large_as_those_of_larger_classes(drawn: bool) -> None:
    some = replace(model(0.2, MIXES["mixed"]), limit=140e9, drawn=drawn)
    all_of_them = replace(some, runaway_share=1.0, runaway_factor=3.0)
    larger = {name: ClassMemory(3 * one.mean, 0.2) for name, one in some.classes.items()}
    assert curve(all_of_them, 15) == pytest.approx(curve(replace(some, classes=larger), 15))


def test_skewed_agents_make_a_small_risk_larger_than_normal_ones_would() -> None:
    """Normal agents with this mean and variation give 3.3 %."""
    skewed = model(0.3)
    simulation = simulated(10, skewed, runs=60_000)
    assert simulation > 0.038
    assert p_failure(10, skewed) == pytest.approx(simulation, abs=0.003)


def test_a_small_risk_is_right_to_a_half_of_itself_and_not_only_nearly_nothing() -> None:
    wanted = replace(model(0.2, {"small": 60, "medium": 30, "architectural": 10}), drawn=True)
    wanted = replace(wanted, limit=64 * 2**30)
    number = largest_safe(0.01, wanted)
    simulations = [simulated(number + more, wanted) for more in (0, 1)]
    assert simulations[0] < 0.015
    assert simulations[1] > 0.01


@pytest.mark.parametrize("workload", SETTINGS.agents.workloads())
def test_agents_all_alike_fail_just_beyond_what_fits(workload: str) -> None:
    alike = model(0.0, SETTINGS.agents.weights(workload))
    fits = predict(48_000_000_000, 1_000_000_000, MEANS, alike.weights)
    assert [p_failure(number, alike) for number in (fits, fits + 1)] == [0.0, 1.0]
    assert largest_safe(0.01, alike) == fits


def test_no_agent_at_all_fails_only_where_the_server_alone_does_not_fit() -> None:
    assert p_failure(0, model()) == 0.0
    assert p_failure(0, replace(model(), base=49e9)) == 1.0


def test_nothing_is_safe_where_one_agent_does_not_fit() -> None:
    assert largest_safe(0.01, replace(model(0.02), limit=4e9)) == 0


def test_the_search_ends_where_everything_fits() -> None:
    assert largest_safe(0.01, replace(model(0.02), limit=1e15), most=50) == 50


def test_a_child_tool_at_work_counts_for_every_agent() -> None:
    bursting = replace(model(), burst=0.5e9)
    assert largest_safe(0.01, bursting) == 10
    assert largest_safe(0.01, model()) == 11


def test_one_agent_is_a_runaway_as_often_as_the_share_says() -> None:
    alone = replace(model(), limit=6e9, runaway_share=0.03)
    assert p_failure(1, alone) == pytest.approx(0.03)


def test_hundreds_of_agents_can_be_computed() -> None:
    many = replace(model(0.1), limit=830e9, runaway_share=0.02)
    assert 0 < p_failure(200, many) < 1


@settings(deadline=None, max_examples=60)
@given(
    st.floats(0, 0.5),
    st.floats(0, 0.1),
    st.sampled_from(SETTINGS.agents.workloads()),
    st.booleans(),
)
def test_chances_are_chances_and_a_larger_server_never_fails_more(
    variation: float, share: float, workload: str, drawn: bool
) -> None:
    here = replace(
        model(variation, SETTINGS.agents.weights(workload)), runaway_share=share, drawn=drawn
    )
    larger = replace(here, limit=here.limit * 1.1)
    assert all(0 <= p <= 1 for p in curve(here, 30))
    assert largest_safe(0.01, larger) >= largest_safe(0.01, here)


@settings(deadline=None)
@given(st.floats(0.001, 0.2), st.floats(0.001, 0.2))
def test_who_risks_more_runs_no_fewer(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert largest_safe(less, model(0.2)) <= largest_safe(more, model(0.2))


def measured(*peaks: float, scale: float = 1.0, end: str = "held", **changes: object) -> Outcome:
    agents = tuple(
        agent(number, private_bytes=round(peak * scale), end=end)
        for number, peak in enumerate(peaks, start=1)
    )
    return outcome(agents=agents, **changes)


def test_a_fit_finds_mean_variation_and_base_at_true_size() -> None:
    chance = random.Random(7)
    peaks = [chance.gauss(4e9, 0.4e9) for _ in range(400)]
    found = fit([measured(*peaks, scale=1 / 16)], 1 / 16)
    assert found.classes["medium"].mean == pytest.approx(4e9, rel=0.02)
    assert found.classes["medium"].variation == pytest.approx(0.1, rel=0.1)
    assert found.agents == {"medium": 400}
    assert found.base == 50_000_000


def test_only_agents_at_their_peaks_in_trials_that_count_are_measured() -> None:
    outcomes = [
        measured(4e9, 4e9),
        measured(4e9, end="done"),
        measured(9e9, end="lost"),
        measured(9e9, end="pending"),
        measured(9e9, status="invalid"),
        measured(9e9, trial=trial(reading="GiB")),
        outcome(agents=(agent(private_bytes=None),)),
    ]
    found = fit(outcomes, 1.0)
    assert found.agents == {"medium": 3}
    assert found.classes == {"medium": ClassMemory(4e9, 0.0)}


def test_a_fit_without_agents_says_so() -> None:
    assert fit([], 1.0).classes == {}
    assert fit([], 1.0).base is None
    assert fit([measured(4e9)], 1.0).classes["medium"].variation == 0.0
