from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from compose.run import run
from loadtest.plan import Backing, SwapWay
from loadtest.rig.backing import STATE, abandoned_swap, swap_of, sweep_swap, way_to_swap
from loadtest.rig.image import ROOT
from tests.docker.conftest import MIB, RigFactory
from tests.docker.test_trial import measure_ramp

pytestmark = pytest.mark.skipif(way_to_swap() is None, reason="swap takes root")


def swaps() -> str:
    return Path("/proc/swaps").read_text(encoding="ascii")


@pytest.mark.parametrize("way", ["zram", "file"])
def test_swap_is_there_while_it_is_needed_and_gone_afterwards(way: SwapWay) -> None:
    if way == "zram" and way_to_swap() == "file":
        pytest.skip("this kernel has no zram")
    before = swaps()
    with swap_of(run, 64 * MIB, way) as name:
        assert f"{name} " in swaps()
        assert (STATE / Path(name).name).exists()
    assert swaps() == before
    assert not (STATE / Path(name).name).exists()
    assert not Path(name).exists()


def test_swap_is_removed_when_the_code_around_it_fails() -> None:
    before = swaps()
    with pytest.raises(ZeroDivisionError), swap_of(run, 64 * MIB):
        raise ZeroDivisionError
    assert swaps() == before


@pytest.mark.parametrize("way", ["zram", "file"])
def test_swap_of_a_killed_run_is_removed_by_the_next_and_swap_in_use_is_not(way: SwapWay) -> None:
    if way == "zram" and way_to_swap() == "file":
        pytest.skip("this kernel has no zram")
    code = (
        "import os, signal\n"
        "from compose.run import run\n"
        "from loadtest.rig.backing import swap_of\n"
        f"with swap_of(run, {64 * MIB}, {way!r}) as name:\n"
        "    print(name, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    left = killed.stdout.strip()
    assert f"{left} " in swaps(), killed.stderr
    with swap_of(run, 64 * MIB) as ours:
        assert abandoned_swap() == [left]
        assert sweep_swap(run) == [left]
        assert f"{ours} " in swaps()
    assert f"{left} " not in swaps()
    assert not Path(left).exists()


def test_a_boundary_is_the_same_when_half_the_limit_is_backed_by_swap(
    make_rig: RigFactory,
) -> None:
    rig = make_rig(workload="medium")
    limit = rig.campaign.limit
    rig.backing = Backing(limit // 2, limit)
    with swap_of(run, limit):
        outcome = measure_ramp(rig)
    assert outcome.valid, outcome.reason
    assert (outcome.held, outcome.failed_at) == (12, 13)
    assert outcome.limit_bytes == limit
    assert outcome.peak_bytes > 0.9 * limit
