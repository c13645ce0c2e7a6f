"""The warm parent: agents that start fast, end as asked, and never outlive anybody."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from loadtest.standin.agent import AgentOrder
from loadtest.standin.profile import ProfileError
from loadtest.standin.warm_parent import Agent, WarmParent
from tests.loadtest.standin.fakes import wait_until

ROOT = Path(__file__).parents[3]
PROFILES = '{"quick": {"turns": 1}, "long": {"turns": 1, "hold_s": 600}}'


def order(root: Path, agent_class: str = "quick", name: str = "f") -> AgentOrder:
    worktree = root / name
    worktree.mkdir(exist_ok=True)
    return AgentOrder(name, agent_class, str(root), str(worktree), str(worktree / "output.md"))


def scenario(play: Callable[[WarmParent], Awaitable[None]], profiles: str = PROFILES) -> None:
    """Play something with a warm parent of its own, which is gone afterwards."""

    async def attached() -> None:
        await warm.attach()
        await asyncio.wait_for(play(warm), 60)

    warm = WarmParent.fork(profiles, seed=1)
    try:
        asyncio.run(attached())
    finally:
        warm.close()
    assert not lives(warm.pid)


def lives(pid: int) -> bool:
    """Whether a process runs; one that nobody has reaped yet does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


async def until_at_peak(agent: Agent, output: Path) -> None:
    while not output.exists() or "peak" not in output.read_text(encoding="ascii"):
        assert lives(agent.pid)
        await asyncio.sleep(0.01)


def test_an_agent_starts_runs_and_ends_with_0(tmp_path: Path) -> None:
    async def play(warm: WarmParent) -> None:
        agent = await warm.start(order(tmp_path))
        assert agent.pid not in {warm.pid, os.getpid()}
        assert agent.feature_id == "f"
        assert await agent.wait() == 0
        assert await agent.wait() == 0, "whoever asks later hears the same"

    scenario(play)
    assert "done turns=1" in (tmp_path / "f" / "output.md").read_text(encoding="ascii")


def test_an_agent_that_is_stopped_ends_with_minus_15(tmp_path: Path) -> None:
    async def play(warm: WarmParent) -> None:
        agent = await warm.start(order(tmp_path, "long"))
        await until_at_peak(agent, tmp_path / "f" / "output.md")
        began = time.monotonic()
        agent.stop()
        agent.stop()
        assert await agent.wait() == -signal.SIGTERM
        assert time.monotonic() - began < 2

    scenario(play)


def test_an_agent_that_the_kernel_kills_ends_with_minus_9_and_leaves_the_rest(
    tmp_path: Path,
) -> None:
    async def play(warm: WarmParent) -> None:
        victim = await warm.start(order(tmp_path, "long", "a"))
        other = await warm.start(order(tmp_path, "long", "b"))
        os.kill(victim.pid, signal.SIGKILL)
        assert await victim.wait() == -signal.SIGKILL
        assert lives(other.pid)
        assert lives(warm.pid)

    scenario(play)


def test_an_agent_that_fails_ends_with_1(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def play(warm: WarmParent) -> None:
        nowhere = AgentOrder("f", "quick", "/", str(tmp_path), str(tmp_path / "absent" / "output"))
        agent = await warm.start(nowhere)
        assert await agent.wait() == 1

    scenario(play)
    assert "FileNotFoundError" in capfd.readouterr().err


def test_a_class_without_a_profile_gets_the_default_one(tmp_path: Path) -> None:
    async def play(warm: WarmParent) -> None:
        agent = await warm.start(order(tmp_path, "unheard-of"))
        assert await agent.wait() == 0

    scenario(play)
    assert "done turns=5" in (tmp_path / "f" / "output.md").read_text(encoding="ascii")


def test_a_hundred_agents_start_at_once_and_all_end_well(tmp_path: Path) -> None:
    async def play(warm: WarmParent) -> None:
        orders = [order(tmp_path, name=f"f{number}") for number in range(100)]
        agents = await asyncio.gather(*(warm.start(one) for one in orders))
        assert len({agent.pid for agent in agents}) == 100
        assert [agent.feature_id for agent in agents] == [one.feature_id for one in orders]
        assert await asyncio.gather(*(agent.wait() for agent in agents)) == [0] * 100
        assert not any(lives(agent.pid) for agent in agents)

    scenario(play)


def test_agents_die_with_the_warm_parent_and_the_server_hears_of_it(tmp_path: Path) -> None:
    async def play(warm: WarmParent) -> None:
        agents = [await warm.start(order(tmp_path, "long", f"f{n}")) for n in range(3)]
        os.kill(warm.pid, signal.SIGKILL)
        assert [await agent.wait() for agent in agents] == [-9, -9, -9]
        pids = [agent.pid for agent in agents]
        await asyncio.to_thread(wait_until, lambda: not any(map(lives, pids)), "their deaths")
        with pytest.raises(OSError, match=r".+"):
            await warm.start(order(tmp_path))

    scenario(play)


def test_a_process_whose_parent_is_gone_already_does_not_live_on() -> None:
    code = "import os; from loadtest.standin.agent import bind_to_parent; bind_to_parent({}); {}"
    for parent, said, status in (("os.getppid()", "yes\n", 0), ("1 + os.getppid()", "", -9)):
        argv = [sys.executable, "-c", code.format(parent, "print('yes')")]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.stdout, done.returncode) == (said, status)


def test_closing_ends_every_agent(tmp_path: Path) -> None:
    pids: list[int] = []

    async def play(warm: WarmParent) -> None:
        pids.extend([(await warm.start(order(tmp_path, "long", f"f{n}"))).pid for n in range(3)])
        assert all(map(lives, pids))

    scenario(play)
    wait_until(lambda: not any(map(lives, pids)), "the agents' deaths")


SERVER = """
import asyncio, sys
from loadtest.standin.agent import AgentOrder
from loadtest.standin.warm_parent import WarmParent

async def main(warm):
    await warm.attach()
    root = sys.argv[1]
    agents = [
        await warm.start(AgentOrder(f"f{n}", "long", root, root, f"{root}/{n}.md"))
        for n in range(3)
    ]
    print(warm.pid, *(agent.pid for agent in agents), flush=True)
    await asyncio.sleep(600)

asyncio.run(main(WarmParent.fork('{"long": {"turns": 1, "hold_s": 600}}', 1)))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_nobody_outlives_a_server_that_is_killed(tmp_path: Path, number: int) -> None:
    argv = [sys.executable, "-c", SERVER, str(tmp_path)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        pids = [int(pid) for pid in server.stdout.readline().split()]
        assert len(pids) == 4
        assert all(map(lives, pids))
        server.send_signal(number)
    wait_until(lambda: not any(map(lives, pids)), "the deaths of the warm parent and its agents")


def test_sigterm_to_the_warm_parent_alone_is_ignored(tmp_path: Path) -> None:
    async def play(warm: WarmParent) -> None:
        await warm.start(order(tmp_path, "long", "first"))
        os.kill(warm.pid, signal.SIGTERM)
        agent = await warm.start(order(tmp_path))
        assert await agent.wait() == 0

    scenario(play)


def test_a_signal_to_a_process_that_is_no_agent_goes_nowhere(tmp_path: Path) -> None:
    async def play(warm: WarmParent) -> None:
        with subprocess.Popen(["sleep", "60"]) as stranger:
            warm.signal(stranger.pid, signal.SIGKILL)
            assert await (await warm.start(order(tmp_path))).wait() == 0
            assert stranger.poll() is None
            stranger.kill()

    scenario(play)


@pytest.mark.parametrize("text", ["{", '{"small": {"turns": 0}}', '{"small": {"colour": 1}}'])
def test_profiles_that_cannot_be_followed_are_refused_before_anything_is_forked(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    with pytest.raises(ProfileError):
        WarmParent.fork(text, seed=1)
