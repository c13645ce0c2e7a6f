"""Progress lines of an agent, among whatever else it may print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.swarm.progress import Progress, read_progress

NOTHING = Progress((), None, None)


def test_turns_and_the_peak_are_read() -> None:
    text = "turn=1/200 uss=61210624 ms=0.21\nturn=200/200 uss=99 ms=12\npeak uss=100 target=99\n"
    assert read_progress(text) == Progress(((1, 0.21), (200, 12.0)), 100, 99)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "nothing"),
        ("turn=1/200 uss=61210624 ms=0.21 and more", "the line goes on"),
        ("  turn=1/200 uss=61210624 ms=0.21", "it does not begin the line"),
        ("turn=1/200 uss=61210624 ms=", "cut off"),
        ("turn=-1/200 uss=1 ms=1", "no such turn"),
        ("turn=one/200 uss=1 ms=1", "no figure"),
        ("I said: peak uss=100 target=99", "an agent that quotes it"),
        ("peak uss=100", "cut off before the target"),
        ("peak uss=100 target=", "cut off in the target"),
        ("Peak uss=100 target=99", "another spelling"),
        ("done turns=200", "the end says nothing new"),
        ("\x00\x1b[31m", "colours and worse"),
    ],
)
def test_lines_that_are_none_of_ours_are_passed_over(line: str, why: str) -> None:
    assert read_progress(line) == NOTHING, why
    both = f"{line}\nturn=7/9 uss=1 ms=2.5\n{line}\n"
    assert read_progress(both).turns == ((7, 2.5),), why


def test_the_first_peak_counts() -> None:
    assert read_progress("peak uss=1 target=2\npeak uss=3 target=4\n").peak == 1


@given(st.text())
def test_any_text_at_all_is_read_without_an_error(text: str) -> None:
    read_progress(text)


@given(st.text(alphabet="turn=peak uss=ms./\n0123456789٣²", max_size=60))
def test_hostile_lookalikes_are_read_without_an_error(text: str) -> None:
    read_progress(f"turn={text}/1 uss=1 ms={text}\npeak uss={text} target={text}\n")


@pytest.mark.parametrize("ms", [".", "..", "1.2.3", ".5", "5.", "9" * 5000])
def test_a_time_that_is_no_number_is_passed_over(ms: str) -> None:
    assert read_progress(f"turn=1/2 uss=1 ms={ms}\n") == NOTHING


def test_figures_longer_than_any_memory_are_passed_over() -> None:
    digits = "9" * 5000
    assert read_progress(f"turn={digits}/2 uss=1 ms=1\npeak uss=1 target={digits}\n") == NOTHING


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 1e6)), max_size=20),
    st.integers(0, 10**12),
)
def test_whatever_an_agent_reports_reads_back(turns: list[tuple[int, float]], peak: int) -> None:
    lines = [f"turn={turn}/9 uss=1 ms={ms:.2f}" for turn, ms in turns]
    found = read_progress("\n".join([*lines, f"peak uss={peak} target={peak + 1}", ""]))
    assert found.turns == tuple((turn, round(ms, 2)) for turn, ms in turns)
    assert (found.peak, found.target) == (peak, peak + 1)


def test_a_feature_that_is_run_again_is_read_from_its_last_peak_on() -> None:
    first = "turn=1/2 uss=1 ms=1\npeak uss=100 target=99\n"
    assert read_progress(first, peaks_before=1) == NOTHING, "it has only just started again"
    again = first + "turn=2/2 uss=1 ms=7\n"
    assert read_progress(again, peaks_before=1) == Progress(((2, 7.0),), None, None)
    both = again + "peak uss=98 target=97\n"
    assert read_progress(both, peaks_before=1) == Progress(((2, 7.0),), 98, 97)
    assert read_progress(both, peaks_before=2) == NOTHING
