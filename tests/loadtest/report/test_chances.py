"""The words for what a number of agents risks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.report.chances import by_workload, chance_words
from loadtest.report.trial_words import in_words
from tests.loadtest.report.example_campaign import chance


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "12 at once: 0 of 29 runs failed, P(failure) < 10 % at 95 %: safe"),
        (
            {"runs": 5, "bound": 0.4507, "safe": False},
            "12 at once: 0 of 5 runs failed, P(failure) below 45 %; safe takes 29 clean runs",
        ),
        (
            {"runs": 30, "failures": 1, "bound": 0.149, "safe": False, "demanded": 46},
            "12 at once: 1 of 30 runs failed, P(failure) below 15 %; "
            "safe takes 46 runs without a further failure",
        ),
        (
            {"runs": 5, "failures": 5, "low": 0.4782, "high": 1.0, "bound": 1.0, "safe": False},
            "12 at once: 5 of 5 runs failed, P(failure) is 48-100 % at 95 %",
        ),
        (
            {"runs": 0, "low": 0.0, "high": 1.0, "bound": 1.0, "safe": False},
            "12 at once: 0 of 0 runs failed, nothing is known of P(failure)",
        ),
    ],
)
def test_a_number_is_told_with_what_it_lacks(changes: dict[str, float], said: str) -> None:
    assert chance_words(chance(**changes)) == said


@given(runs=st.integers(0, 99), failures=st.integers(0, 99), bound=st.floats(0, 1))
def test_safe_is_never_said_of_a_number_that_is_not(runs: int, failures: int, bound: float) -> None:
    failed = min(failures, runs)
    said = chance_words(chance(runs=runs, failures=failed, bound=bound, safe=False))
    assert "safe" not in said.replace("safe takes", "")


def test_the_other_reading_stands_apart() -> None:
    groups = by_workload([chance(), chance(reading="GiB"), chance(agents=13, failures=1)])
    assert {name: len(group) for name, group in groups.items()} == {
        "medium": 2,
        "medium, sizes in GiB": 1,
    }
    assert in_words("small", "GB") == "small"


def test_a_number_of_which_another_tells_as_much_is_left_out() -> None:
    held = [chance(agents=8), chance(agents=10), chance(agents=12), chance(agents=25, runs=5)]
    failed = [chance(agents=n, runs=5, failures=5, safe=False) for n in (26, 27)]
    [group] = by_workload([*held, *failed]).values()
    assert [one.agents for one in group] == [12, 25, 26], "25 was seen less often than 12"
