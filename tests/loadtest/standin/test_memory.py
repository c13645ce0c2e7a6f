"""Ballast is really there: measured in a process of its own, from inside and outside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.standin.memory import HUGE_PAGE, private_bytes

ROOT = Path(__file__).parents[3]
MB = 10**6
CLOSE = 100_000  # for targets of which a thousandth is but a few pages
CODE = """
import sys
from loadtest.standin.memory import Ballast, private_bytes
before = private_bytes()
ballast = Ballast({capacity}, {content!r}, huge_pages={huge_pages}, seed=3)
{work}
print(before, reached, private_bytes(), flush=True)
sys.stdin.readline()
"""


def measure(
    capacity: int, work: str, content: str = "same", huge_pages: bool = True
) -> tuple[int, int, int, int]:
    """Private bytes before, as `work` says, as the process sees it then, and as we do."""
    code = CODE.format(capacity=capacity, content=content, huge_pages=huge_pages, work=work)
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(
        argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        before, reached, inside = map(int, process.stdout.readline().split())
        outside = private_bytes(process.pid)
        process.communicate("\n")
    return before, reached, inside, outside


@pytest.mark.parametrize("content", ["same", "random"])
@pytest.mark.parametrize("huge_pages", [True, False])
@pytest.mark.parametrize("target", [20 * MB, 31 * MB + 1234, 200 * MB])
def test_a_target_is_met_within_a_thousandth(target: int, content: str, huge_pages: bool) -> None:
    _, reached, inside, outside = measure(
        target, f"reached = ballast.grow_to({target})", content, huge_pages
    )
    near = max(target // 1000, CLOSE)
    assert abs(reached - target) <= near
    assert abs(inside - target) <= near
    assert abs(outside - target) <= near, "as the rig sees it"


def test_a_target_that_is_met_already_takes_nothing_and_gives_nothing_back() -> None:
    before, reached, inside, _ = measure(50 * MB, "reached = ballast.grow_to(1)")
    assert reached >= before
    assert inside - before < MB


def test_targets_are_met_one_after_the_other_and_a_lower_one_keeps_what_is_there() -> None:
    work = "ballast.grow_to(40_000_000); reached = ballast.grow_to(60_000_000)"
    _, reached, *_ = measure(60 * MB, work)
    assert reached == pytest.approx(60 * MB, abs=CLOSE)
    work = "ballast.grow_to(60_000_000); reached = ballast.grow_to(40_000_000)"
    _, reached, *_ = measure(60 * MB, work)
    assert reached >= 60 * MB - CLOSE


def test_whole_huge_pages_are_added_and_the_rest_is_left_for_the_peak() -> None:
    before, reached, inside, _ = measure(
        50 * MB, f"reached = ballast.add({5 * HUGE_PAGE + 4096}) + 100 * ballast.add(4096)"
    )
    assert reached == 5 * HUGE_PAGE
    assert inside - before == pytest.approx(reached, abs=MB)


def test_more_than_the_capacity_ends_without_an_error() -> None:
    _, reached, *_ = measure(20 * MB, "reached = ballast.grow_to(500_000_000)")
    assert 20 * MB <= reached < 100 * MB


def test_a_process_that_is_gone_cannot_be_read() -> None:
    with subprocess.Popen(["true"]) as process:
        pass
    with pytest.raises(OSError, match="No such"):
        private_bytes(process.pid)


def test_this_process_is_read_by_name_and_by_number() -> None:
    assert private_bytes() == pytest.approx(private_bytes(os.getpid()), rel=0.1)
