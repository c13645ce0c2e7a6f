"""A real synthetic agent: what it reads, writes, runs and holds."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from loadtest.standin.agent import PROGRESS_LINES, AgentOrder, Clock
from loadtest.standin.memory import private_bytes
from loadtest.standin.profile import Profile
from loadtest.swarm.progress import read_progress
from tests.loadtest.standin.fakes import wait_until

ROOT = Path(__file__).parents[3]
MB = 10**6
CODE = """
import json, os, sys
from loadtest.standin.agent import AgentOrder, become_agent, live
from loadtest.standin.profile import parse_profiles
order, profiles = sys.argv[1:]
order = AgentOrder(**json.loads(order))
become_agent(order.agent_class, os.getppid())
live(order, parse_profiles(profiles)["it"], seed=1)
"""


class Place:
    """A project with context, a worktree, and a `dd` that only notes how it was called."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.worktree = root / "worktree"
        self.context = root / "project" / ".automaker" / "context"
        self.output = root / "agent-output.md"
        self.calls = root / "calls"
        self.worktree.mkdir()
        self.context.mkdir(parents=True)
        (root / "bin").mkdir()
        tool = root / "bin" / "dd"
        tool.write_text(f'#!/bin/sh\necho "$PWD $@" >> {self.calls}\n', encoding="ascii")
        tool.chmod(0o755)

    def order(self, agent_class: str = "small") -> AgentOrder:
        project = str(self.root / "project")
        return AgentOrder("f1", agent_class, project, str(self.worktree), str(self.output))

    @contextlib.contextmanager
    def agent(
        self, agent_class: str = "small", **profile: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        order = json.dumps(asdict(self.order(agent_class)))
        profiles = json.dumps({"it": asdict(Profile(**profile))})
        argv = [sys.executable, "-c", CODE, order, profiles]
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        with subprocess.Popen(argv, cwd=ROOT, env=os.environ | {"PATH": path}) as process:
            try:
                yield process
            finally:
                process.kill()

    def lines(self) -> list[str]:
        return self.output.read_text(encoding="ascii").splitlines() if self.output.exists() else []

    def wait_for_peak(self) -> None:
        wait_until(lambda: any(line.startswith("peak") for line in self.lines()), "the peak")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_peak_is_held_and_seen_from_outside_within_a_hundredth(place: Place) -> None:
    with place.agent(turns=30, peak_bytes=60 * MB, hold_s=60, tool_every=10) as process:
        place.wait_for_peak()
        assert private_bytes(process.pid) == pytest.approx(60 * MB, rel=0.01)
        progress = read_progress(place.output.read_text(encoding="ascii"))
        assert progress.target == 60 * MB
        assert progress.peak == pytest.approx(60 * MB, rel=0.01)
        assert process.poll() is None, "it holds its peak"


def test_a_leak_comes_on_top_of_the_peak(place: Place) -> None:
    with place.agent(
        turns=10, peak_bytes=40 * MB, leak_bytes_per_turn=MB, hold_s=60, tool_every=0
    ) as process:
        place.wait_for_peak()
        assert private_bytes(process.pid) == pytest.approx(50 * MB, rel=0.01)


def test_a_session_from_the_first_turn_to_the_last(place: Place) -> None:
    (place.context / "CLAUDE.md").write_bytes(b"x" * 700)
    (place.context / "notes.md").write_bytes(b"y" * 34)
    (place.context / "folder").mkdir()
    with place.agent(turns=6, tool_every=2, burst_bytes=12345) as process:
        assert process.wait(30) == 0
    work = (place.worktree / "work.txt").read_text(encoding="ascii").splitlines()
    assert work == [f"turn {turn}: 734 bytes of context read" for turn in range(1, 7)]
    calls = place.calls.read_text(encoding="ascii").splitlines()
    copying = "if=/dev/zero of=/dev/null bs=12345 count=1 status=none"
    assert calls == [f"{place.worktree} {copying}"] * 3
    lines = place.lines()
    shape = re.compile(r"turn=\d+/6 uss=\d+ ms=\d+\.\d\d")
    assert all(shape.fullmatch(line) for line in lines[:6])
    assert re.fullmatch(rf"peak uss=\d+ target={8 * 1024**2}", lines[6])
    assert lines[7:] == ["done turns=6"]


def test_a_project_without_context_is_worked_on_all_the_same(place: Place) -> None:
    place.context.rmdir()
    with place.agent(turns=1, tool_every=0) as process:
        assert process.wait(30) == 0
    work = (place.worktree / "work.txt").read_text(encoding="ascii")
    assert work == "turn 1: 0 bytes of context read\n"
    assert not place.calls.exists(), "no tool was asked for"


@pytest.mark.parametrize(("turns", "said"), [(1, 1), (7, 7), (20, 20), (21, 20), (997, 20)])
def test_progress_is_said_at_most_twenty_times_and_at_the_last_turn(
    place: Place, turns: int, said: int
) -> None:
    with place.agent(turns=turns, tool_every=0) as process:
        assert process.wait(30) == 0
    told = [turn for turn, _ in read_progress(place.output.read_text(encoding="ascii")).turns]
    assert len(told) == said <= PROGRESS_LINES
    assert told == sorted(set(told))
    assert told[-1] == turns


@pytest.mark.parametrize(
    ("agent_class", "name"), [("small", "agent:small"), ("architectural", "agent:architect")]
)
def test_the_process_bears_its_classs_name_as_far_as_the_kernel_keeps_it(
    place: Place, agent_class: str, name: str
) -> None:
    with place.agent(agent_class, turns=1, hold_s=60) as process:
        place.wait_for_peak()
        assert Path(f"/proc/{process.pid}/comm").read_text(encoding="ascii") == f"{name}\n"
        process.terminate()
        assert process.wait(10) == -15


def test_what_was_said_before_stays(place: Place) -> None:
    place.output.write_text("an earlier session\n", encoding="ascii")
    with place.agent(turns=1) as process:
        assert process.wait(30) == 0
    assert place.lines()[0] == "an earlier session"
    assert place.lines()[-1] == "done turns=1"


def test_short_waits_add_up_to_the_whole_time() -> None:
    clock = Clock()
    began, computed = time.perf_counter(), time.process_time()
    for _ in range(1000):
        clock.wait(0.0001)
        clock.compute(0.00005)
    assert time.process_time() - computed >= 0.049
    assert 0.149 <= time.perf_counter() - began < 2
