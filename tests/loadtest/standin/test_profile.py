"""The life of a synthetic agent as a curve, and what no agent could follow."""

from __future__ import annotations

import json
import random
import statistics
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.standin.profile import Profile, ProfileError, parse_profiles


@st.composite
def profiles(draw: st.DrawFn, /, **fixed: Any) -> Profile:
    start = draw(st.integers(0, 10**9))
    values: dict[str, Any] = {
        "turns": draw(st.integers(1, 2000)),
        "start_bytes": start,
        "peak_bytes": draw(st.integers(start, 10**10)),
        "growth": draw(st.floats(0.05, 8)),
        "leak_bytes_per_turn": draw(st.integers(0, 10**6)),
    }
    return Profile(**(values | fixed))


@given(profiles(), st.data())
def test_memory_never_shrinks_from_turn_to_turn(profile: Profile, data: st.DataObject) -> None:
    turn = data.draw(st.integers(0, profile.turns - 1))
    assert profile.memory_at(turn) <= profile.memory_at(turn + 1)


@given(profiles(leak_bytes_per_turn=0))
def test_the_curve_begins_at_the_start_and_ends_at_the_peak_to_the_byte(profile: Profile) -> None:
    assert profile.memory_at(0) == profile.start_bytes
    assert profile.memory_at(profile.turns) == profile.final_bytes() == profile.peak_bytes


@given(profiles())
def test_a_leak_comes_on_top_turn_by_turn(profile: Profile) -> None:
    tight = replace(profile, leak_bytes_per_turn=0)
    for turn in {0, 1, profile.turns // 2, profile.turns}:
        leaked = profile.leak_bytes_per_turn * turn
        assert profile.memory_at(turn) - tight.memory_at(turn) == leaked
    assert profile.final_bytes() == (
        profile.peak_bytes + profile.leak_bytes_per_turn * profile.turns
    )


def test_growth_bends_the_curve_and_leaves_its_ends() -> None:
    line = Profile(turns=10, start_bytes=0, peak_bytes=1000)
    late, early = replace(line, growth=3.0), replace(line, growth=0.3)
    assert line.memory_at(5) == 500
    assert late.memory_at(5) < 500 < early.memory_at(5)
    assert late.final_bytes() == early.final_bytes() == 1000


def test_turns_beyond_the_last_add_nothing_but_leaks() -> None:
    profile = Profile(turns=10, start_bytes=0, peak_bytes=1000)
    assert profile.memory_at(15) == 1000


@pytest.mark.parametrize(
    ("every", "turns", "why"),
    [(0, [], "never"), (1, [1, 2, 3, 4, 5, 6], "always"), (3, [3, 6], "now and then")],
)
def test_a_tool_runs_every_so_many_turns(every: int, turns: list[int], why: str) -> None:
    profile = Profile(tool_every=every)
    assert [turn for turn in range(1, 7) if profile.uses_tool(turn)] == turns, why


def test_compression_shortens_waiting_and_computing_alike() -> None:
    profile = Profile(turn_latency_s=4.0, cpu_s_per_turn=0.5, compression=100, hold_s=3.0)
    assert (profile.latency(), profile.cpu(), profile.hold_s) == (0.04, 0.005, 3.0)


@given(profiles())
def test_a_profile_survives_its_json(profile: Profile) -> None:
    assert parse_profiles(json.dumps({"small": asdict(profile)})) == {"small": profile}


def test_what_is_left_out_has_a_default() -> None:
    assert parse_profiles('{"a": {}, "b": {"turns": 9}}') == {"a": Profile(), "b": Profile(turns=9)}
    assert parse_profiles("{}") == {}


@pytest.mark.parametrize(
    ("text", "says", "why"),
    [
        ("", "profiles are not JSON", "nothing"),
        ("{", "profiles are not JSON", "cut off"),
        ("[]", "must be an object of agent classes", "a list"),
        ("null", "must be an object of agent classes", "null"),
        ('{"small": 5}', "small: must be an object", "a figure for a class"),
        ('{"small": {"turn": 5}}', "small.turn: unknown key", "a typo"),
        ('{"small": {"turns": 0}}', "small: turns, compression and growth", "no turn"),
        ('{"small": {"compression": 0}}', "small: turns, compression", "endless waiting"),
        ('{"small": {"growth": -1}}', "small.growth: -1 cannot be followed", "backwards"),
        ('{"a": {}, "b": {"start_bytes": 9, "peak_bytes": 8}}',
         "b.start_bytes: must lie between 0 and peak_bytes", "it would shrink"),
        ('{"small": {"start_bytes": -1}}', "small.start_bytes: -1 cannot be followed",
         "less than nothing"),
        ('{"small": {"turns": "many"}}', "small.turns: ", "a word for a figure"),
        ('{"small": {"peak_bytes": null}}', "small.peak_bytes: ", "null for a figure"),
        ('{"small": {"turns": 2.5}}', "small.turns: ", "half a turn"),
        ('{"small": {"hold_s": -1}}', "small.hold_s: ", "a hold that ends before it begins"),
        ('{"small": {"content": "zeros"}}', "small.content: ", "no such content"),
        ('{"small": {"huge_pages": "no"}}', "small.huge_pages: ", "a word for a truth value"),
        ('{"small": {"growth": NaN}}', "small.growth: nan", "no number at all"),
        ('{"small": {"turns": true}}', "small.turns: True", "a truth value for a figure"),
        ('{"small": {"growth": Infinity}}', "small.growth: inf", "beyond all bounds"),
        ('{"small": {"growth": 0}}', "small: turns, compression and growth", "no growth"),
    ],
)  # fmt: skip
def test_a_profile_that_cannot_be_followed_is_refused(text: str, says: str, why: str) -> None:
    with pytest.raises(ProfileError) as refused:
        parse_profiles(text)
    assert says in str(refused.value), why


def test_agents_of_a_class_differ_as_told_and_are_the_class_on_average() -> None:
    profile = Profile(peak_bytes=10**9, start_bytes=0, variation=0.2)
    chance = random.Random(1)
    peaks = [profile.drawn(chance).peak_bytes for _ in range(4000)]
    mean = statistics.fmean(peaks)
    assert mean == pytest.approx(10**9, rel=0.01)
    assert statistics.pstdev(peaks) / mean == pytest.approx(0.2, rel=0.05)


def test_some_agents_run_away() -> None:
    profile = Profile(peak_bytes=10**9, start_bytes=0, runaway_share=0.1, runaway_factor=3.0)
    chance = random.Random(1)
    peaks = [profile.drawn(chance).peak_bytes for _ in range(2000)]
    assert set(peaks) == {10**9, 3 * 10**9}
    assert peaks.count(3 * 10**9) / len(peaks) == pytest.approx(0.1, abs=0.02)


def test_agents_that_do_not_differ_are_all_the_class() -> None:
    profile = Profile(peak_bytes=10**9)
    assert profile.drawn(random.Random(1)) is profile


@given(profiles(variation=0.9, runaway_share=0.5), st.integers(0, 1000))
def test_no_agent_needs_less_than_it_starts_with(profile: Profile, seed: int) -> None:
    drawn = profile.drawn(random.Random(seed))
    assert drawn.peak_bytes >= drawn.start_bytes
