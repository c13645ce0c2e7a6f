"""Who comes next, how many fit, and what the runs agree on."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.boundary import apportion, first_agents, locate, predict
from settings.host import GIB
from settings.load import load_settings
from tests.loadtest.examples import outcome, trial

SETTINGS = load_settings()
SIZES = {name: row.memory for name, row in SETTINGS.agents.classes.items()}
MIXES = {name: mix.weights for name, mix in SETTINGS.agents.mixes.items()}
WEIGHTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 100), min_size=1).filter(
    lambda weights: any(weights.values())
)


@given(WEIGHTS, st.integers(0, 60), st.integers(0, 60))
def test_a_longer_ramp_begins_like_a_shorter_one(
    weights: dict[str, int], number: int, more: int
) -> None:
    assert first_agents(weights, number + more)[:number] == first_agents(weights, number)


@given(WEIGHTS, st.integers(0, 200))
def test_only_classes_with_weight_are_seated(weights: dict[str, int], number: int) -> None:
    seated = first_agents(weights, number)
    assert len(seated) == number
    assert all(weights[name] > 0 for name in seated)


@given(WEIGHTS, st.integers(1, 60))
def test_nobody_else_has_a_better_claim_to_a_seat(weights: dict[str, int], number: int) -> None:
    """The rule of Webster: no seat could move without making the worst-off worse off."""
    seated = first_agents(weights, number)
    seats = {name: seated.count(name) for name, weight in weights.items() if weight}
    last_won = min(weights[n] * (2 * seats[m] + 1) - weights[m] * (2 * seats[n] - 1)
                   for n in seats if seats[n] for m in seats)  # fmt: skip
    assert last_won >= 0


@pytest.mark.parametrize("mix", MIXES)
def test_the_shipped_mixes_stay_within_one_seat_of_their_quota(mix: str) -> None:
    weights = MIXES[mix]
    for number in range(1, 201):
        seated = first_agents(weights, number)
        for name, weight in weights.items():
            assert abs(seated.count(name) - number * weight / 100) < 1, (number, name)


def test_a_hundred_agents_are_divided_exactly() -> None:
    seated = first_agents(MIXES["mixed"], 100)
    assert {name: seated.count(name) for name in MIXES["mixed"]} == MIXES["mixed"]


@pytest.mark.parametrize(
    ("weights", "seated", "why"),
    [
        ({"a": 50, "b": 50}, "abab", "a tie goes to the class that is named first"),
        ({"b": 50, "a": 50}, "baba", "named first, not first in the alphabet"),
        ({"a": 100}, "aaaa", "one class has all seats"),
        ({"a": 0, "b": 100}, "bbbb", "no weight, no seat"),
        ({"a": 75, "b": 25}, "aabaa", "75 against 25 after 25: b's first seat is in the tie"),
        ({"a": 34, "b": 33, "c": 33}, "abcabc", "nearly even"),
        ({}, "", "nobody at all"),
        ({"a": 0}, "", "nobody with a weight"),
    ],
)
def test_seats_go_by_sainte_lague(weights: dict[str, int], seated: str, why: str) -> None:
    assert "".join(islice(apportion(weights), len(seated))) == seated, why


@pytest.mark.parametrize("weights", [{}, {"a": 0}])
def test_a_mix_of_nobody_seats_nobody(weights: dict[str, int]) -> None:
    assert first_agents(weights, 5) == ()
    assert predict(10, 0, {}, weights) == 0


@given(
    WEIGHTS,
    st.integers(0, 10_000),
    st.integers(0, 2_000),
    st.fixed_dictionaries({name: st.integers(50, 900) for name in "abcdef"}),
)
def test_as_many_fit_as_the_limit_has_room_for(
    weights: dict[str, int], limit: int, base: int, sizes: dict[str, int]
) -> None:
    number = predict(limit, base, sizes, weights)
    used = base + sum(sizes[name] for name in first_agents(weights, number))
    one_more = base + sum(sizes[name] for name in first_agents(weights, number + 1))
    assert number == 0 or used <= limit
    assert one_more > limit


@pytest.mark.parametrize(
    ("limit", "base", "number", "why"),
    [
        (100, 0, 10, "the last one fills the limit to the byte"),
        (99, 0, 9, "one byte short"),
        (100, 1, 9, "the base needs room too"),
        (9, 0, 0, "not one fits"),
        (5, 10, 0, "the base alone is over the limit"),
        (0, 0, 0, "no room at all"),
    ],
)
def test_the_limit_itself_still_holds(limit: int, base: int, number: int, why: str) -> None:
    assert predict(limit, base, {"a": 10}, {"a": 100}) == number, why


@pytest.mark.parametrize("scale", [1.0, 1 / 16])
@pytest.mark.parametrize(
    ("workload", "number"),
    [("small", 25), ("medium", 12), ("large", 10), ("architectural", 8), ("mixed", 12)],
)
def test_the_guides_table_follows_from_its_sizes(scale: float, workload: str, number: int) -> None:
    sizes = {name: round(size * scale) for name, size in SIZES.items()}
    weights = SETTINGS.agents.weights(workload)
    assert predict(round(48 * GIB * scale), 0, sizes, weights) == number
    base = 40_000_000  # what the stand-in itself needs, which does not scale
    assert predict(round(48 * GIB * scale), base, sizes, weights) == number


def test_the_unit_of_an_agent_decides_between_12_and_13() -> None:
    base = 100_000_000
    binary, decimal = {"medium": 4 * GIB}, {"medium": 4 * 10**9}
    weights = {"medium": 100}
    assert predict(48 * GIB, 0, binary, weights) == 12, "12 x 4 GiB fill 48 GiB to the byte"
    assert predict(48 * GIB, base, binary, weights) == 11, "so any base at all costs one"
    assert predict(48 * GIB, base, decimal, weights) == 12, "the guide's GB leave room for it"
    assert predict(48 * 10**9, base, decimal, weights) == 11, "and a decimal limit does not"


def ramp(held: int, failed_at: int | None, **changes: object) -> object:
    mode = "agent-oom" if failed_at else None
    values = {"held": held, "failed_at": failed_at, "failure_mode": mode} | changes
    return outcome(trial=trial(), **values)


@pytest.mark.parametrize(
    ("ramps", "expected", "why"),
    [
        ([ramp(12, 13)] * 3, (12, 13, 3, True), "all agree"),
        ([ramp(12, 13), ramp(11, 12)], (11, 13, 2, False), "the least held, the most to fail"),
        ([ramp(12, 13), ramp(15, None)], (12, None, 2, False), "one has not failed"),
        ([ramp(15, None)] * 2, (15, None, 2, True), "none has failed, and they agree on it"),
        ([ramp(12, 13), ramp(1, 2, status="invalid")], (12, 13, 1, True), "one does not count"),
        ([ramp(1, 2, status="invalid")], (None, None, 0, False), "none counts"),
        ([], (None, None, 0, False), "none was run"),
        ([ramp(0, 1)], (0, 1, 1, True), "the very first failed"),
    ],
)
def test_the_boundary_is_what_valid_runs_agree_on(
    ramps: list[object], expected: tuple[int | None, int | None, int, bool], why: str
) -> None:
    found = locate("medium", ramps, SIZES, {"medium": 100})  # type: ignore[arg-type]
    assert (found.holds, found.fails_at, found.runs, found.agreed) == expected, why
    assert found.workload == "medium"


def test_the_failure_seen_most_is_named_first() -> None:
    ramps = [
        outcome(failure_mode="server-oom"),
        outcome(failure_mode="agent-oom"),
        outcome(failure_mode="agent-oom"),
        outcome(failure_mode="heap-abort", status="invalid"),
    ]
    found = locate("medium", ramps, SIZES, {"medium": 100})
    assert found.failure_mode == "agent-oom or server-oom"


def test_the_largest_base_that_was_measured_makes_the_prediction() -> None:
    ramps = [outcome(base_bytes=50_000_000), outcome(base_bytes=4_000_000_000)]
    found = locate("medium", ramps, SIZES, {"medium": 100})
    assert found.predicted == 11
    assert locate("medium", [], SIZES, {"medium": 100}).predicted is None
