"""Memory as the kernel counts it, in either of its two layouts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.operate.memory import Memory, memory_of, parse_memory
from tests.compose.deploy.fakes import Engine, host, refusal

GIB = 2**30
VERSION_2 = """\
3221225472
anon 2147483648
file 1073741824
inactive_anon 5
inactive_file 536870912
low 0
high 0
max 7
oom 2
oom_kill 1
oom_group_kill 0
"""
VERSION_1 = """\
3221225472
cache 1073741824
rss 1
inactive_file 1
total_cache 1073741824
total_rss 2147483648
total_inactive_file 536870912
oom_kill_disable 0
under_oom 0
oom_kill 1
"""


@pytest.mark.parametrize("text", [VERSION_2, VERSION_1], ids=["cgroup 2", "cgroup 1"])
def test_both_layouts_say_the_same(text: str) -> None:
    found = parse_memory(text, 4 * GIB)
    assert found == Memory(2 * GIB, 5 * GIB // 2, 4 * GIB, 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing"),
        ("sh: can't open memory.current\n", "an error"),
        ("123\n", "usage alone"),
        ("max\nanon 1\n", "no number"),
        ("-1\nanon 1\n", "no size"),
        ("123\nnothing of use\n", "no statistics"),
    ],
)
def test_anything_else_is_not_known(text: str, why: str) -> None:
    assert parse_memory(text, 0) is None, why


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_no_text_makes_it_fall_over(text: str) -> None:
    found = parse_memory(text, GIB)
    assert found is None or found.working_set >= 0


def test_odd_digits_are_not_known_either() -> None:
    assert parse_memory("²\nanon 1\n", 0) is None


def test_cache_that_can_be_taken_back_never_makes_it_less_than_nothing() -> None:
    found = parse_memory("100\ninactive_file 500\n", 0)
    assert found is not None
    assert (found.working_set, found.anon, found.oom_kills) == (0, 0, 0)


@pytest.mark.parametrize(
    ("used", "limit", "warns", "why"),
    [
        (80, 100, False, "80 % is not above 80 %"),
        (81, 100, True, "above"),
        (100, 100, True, "all of it"),
        (10**12, 0, False, "without a limit there is no pressure"),
        (0, 100, False, "nothing"),
    ],
)
def test_pressure_begins_above_80_percent_of_the_limit(
    used: int, limit: int, warns: bool, why: str
) -> None:
    warnings = Memory(used, used, limit, 0).warnings()
    assert bool(warnings) is warns, why
    assert all("memory pressure" in one and "above 80 %" in one for one in warnings)


def test_page_cache_is_no_pressure() -> None:
    text = f"{99 * GIB // 100}\nanon 0\ninactive_file {GIB // 2}\n"
    found = parse_memory(text, GIB)
    assert found is not None
    assert found.warnings() == []


def test_processes_that_the_kernel_killed_are_told_whatever_is_in_use_now() -> None:
    (warning,) = Memory(0, 0, GIB, 3).warnings()
    assert warning == "the kernel has killed 3 processes for memory"
    assert len(Memory(GIB, GIB, GIB, 1).warnings()) == 2


def test_memory_is_told_against_its_limit() -> None:
    found = Memory(GIB, GIB * 3 // 2, 2 * GIB, 0)
    assert found.text() == "1.00 GiB anon, 1.50 GiB working set of 2.00 GiB (75%)"
    assert Memory(GIB // 2, GIB, 0, 0).text() == "512 MiB anon, no limit"


def test_memory_is_read_inside_the_container_by_root() -> None:
    engine = Engine({"docker exec --user 0 a sh -c": VERSION_2})
    found = memory_of(host(engine), "a", 4 * GIB)
    assert found is not None
    assert found.limit == 4 * GIB
    assert memory_of(host(Engine({"docker exec": refusal("no shell")})), "a", 0) is None
