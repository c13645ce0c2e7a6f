"""Scenarios about the container, with an engine that is played: as it should be, and otherwise."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from compose.deploy.api import Answer
from compose.model import Health
from loadtest.outcome import Seen
from loadtest.scenarios import container, memory
from loadtest.scenarios.catalogue import SCENARIOS
from loadtest.scenarios.control import ContainerState, LogFile, Signal
from loadtest.scenarios.model import Setup
from loadtest.scenarios.server_api import NoServerError
from loadtest.scenarios.watch import Watcher
from loadtest.scenarios.world import World
from tests.loadtest.scenarios.fake_world import LIMITS

MIB = 2**20
GONE = NoServerError("nobody answers there")


@dataclass
class Engine:
    """An engine with one container, as Docker behaves; tests change a part of it."""

    retries: int = 5
    forgets: bool = False
    """Whether a healthy time takes back what was counted."""
    restarts_clean_exits: bool = False
    memory: int = 192 * MIB
    memswap: int = 192 * MIB
    host_swap: bool = False
    kills: int = 0
    alive: int = 0
    enforces: bool = True
    node_options: str | None = "--max-old-space-size=32768"
    heap: int | None = None
    files: list[LogFile] | None = field(default_factory=list)
    prints: Callable[[int], list[LogFile]] = lambda total: []
    docs_suffer: bool = False
    slow_s: float = 0.0
    healthy: bool = True
    up: bool = True
    restarts: int = 0
    crashes_of_itself: bool = False
    exit_code: int = 0
    well_since: float = field(default_factory=time.monotonic)

    # --- control

    def agents(self) -> list[str]:
        return ["f"] * self.alive

    def end_server(self, signal: Signal) -> bool:
        if not self.up:
            return False
        if self.forgets and time.monotonic() - self.well_since > 0.05:
            self.counted = 0
        self.well_since = time.monotonic()
        self.exit_code = 137 if signal == "KILL" else 0
        again = self.exit_code != 0 or self.restarts_clean_exits
        self.counted = getattr(self, "counted", 0)
        self.up = again and self.counted < self.retries
        if self.up:
            self.restarts += 1
            self.counted += 1
        return True

    def oom_kills(self) -> int:
        return self.kills

    def state(self) -> ContainerState:
        if self.crashes_of_itself:
            self.end_server("KILL")
        return ContainerState(
            running=self.up,
            status="running" if self.up else "exited",
            exit_code=self.exit_code,
            restarts=self.restarts,
            started_at="",
            memory=self.memory,
            memswap=self.memswap,
            restart_policy="on-failure:5",
        )

    def environment(self) -> Mapping[str, str]:
        return {} if self.node_options is None else {"NODE_OPTIONS": self.node_options}

    def heap_limit(self) -> int | None:
        return self.heap

    def print_lines(self, total: int) -> None:
        self.files = self.prints(total)

    def log_files(self) -> list[LogFile] | None:
        return self.files

    @contextlib.contextmanager
    def another(self, setup: Setup) -> Iterator[World]:
        with world(self) as other:
            yield other

    @contextlib.contextmanager
    def swap(self, size: int) -> Iterator[bool]:
        yield self.host_swap

    @contextlib.contextmanager
    def docs(self) -> Iterator[Any]:
        yield self

    def answers(self) -> bool:
        return not (self.docs_suffer and self.exit_code)

    def started_at(self) -> str:
        return "yesterday"

    # --- the server's API

    def get(self, path: str) -> Answer:
        if not self.up:
            raise GONE
        if path == "/api/health/deep":
            queue = [{"featureId": f"f{number}"} for number in range(self.alive)]
            return Answer(200, {"autoMode": {"queue": queue}}, "")
        time.sleep(self.slow_s)
        return Answer(200 if self.healthy else 503, {}, "")

    def post(self, path: str, body: Mapping[str, Any], *, timeout_s: float = 10.0) -> Answer:
        if path.endswith("/run-feature"):
            fits = self.memswap if self.host_swap else self.memory
            if self.enforces and (self.alive + 1) * 32 * MIB > fits:
                self.kills += 1
            else:
                self.alive += 1
        if path.endswith("/start"):
            self.alive = 8
        return Answer(200, {"feature": {"id": "f"}}, "")

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        return Answer(200, {}, "")


@contextlib.contextmanager
def world(engine: Engine, **limits: Any) -> Iterator[World]:
    control: Any = engine
    with Watcher(lambda: None, lambda: None) as watch:
        known = replace(LIMITS, **limits)
        yield World(engine, watch, "/projects", "lt", known, 0.01, control, 0.02)


def play(name: str, engine: Engine, **limits: Any) -> Seen:
    with world(engine, **limits) as known:
        return SCENARIOS[name](known)


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_WELL_S", 10.0)  # at this pace a tenth of a second


def rotated(count: int, size: int) -> Callable[[int], list[LogFile]]:
    return lambda total: [LogFile(f"log.{number}", size) for number in range(count)]


HELD = [
    ("crash-loop-stops", Engine(crashes_of_itself=True)),
    ("crashes-apart", Engine(forgets=True)),
    ("clean-exit", Engine()),
    ("start-period", Engine()),
    ("heap-limit", Engine()),
    ("heap-limit", Engine(heap=32768 * MIB)),
    ("health-under-load", Engine()),
    ("docs-untouched", Engine(retries=0)),
    ("memory-limit", Engine()),
    ("memory-without-swap-limit", Engine(memswap=192 * MIB)),
    ("log-rotation", Engine(prints=rotated(10, 10**6))),
]


@pytest.mark.parametrize(("name", "engine"), HELD)
def test_an_engine_that_does_as_the_model_says_holds(name: str, engine: Engine) -> None:
    seen = play(name, engine)
    assert seen.verdict == "held", seen


BROKEN = [
    ("crash-loop-stops", Engine(crashes_of_itself=True, retries=10**9), "still crashes"),
    ("crash-loop-stops", Engine(crashes_of_itself=True, retries=3), "5 restarts expected"),
    ("crashes-apart", Engine(), "was counted too"),
    ("clean-exit", Engine(restarts_clean_exits=True), ""),
    ("heap-limit", Engine(node_options=None), "the model says"),
    ("heap-limit", Engine(node_options="--max-old-space-size=1024"), "the model says"),
    ("heap-limit", Engine(heap=4096 * MIB), "32768 MiB of"),
    ("health-under-load", Engine(slow_s=0.3), "0.2 s allowed"),
    ("health-under-load", Engine(healthy=False), "not answered in time"),
    ("docs-untouched", Engine(retries=0, docs_suffer=True), "disturbed"),
    ("memory-limit", Engine(enforces=False), "more was used than the limit allows"),
    ("memory-limit", Engine(memswap=384 * MIB), "another"),
    ("memory-limit", Engine(memory=0), "another"),
    ("memory-without-swap-limit", Engine(memswap=384 * MIB, host_swap=True), "more fits"),
    ("log-rotation", Engine(prints=rotated(15, 10**6)), ""),
    ("log-rotation", Engine(prints=rotated(1, 15 * 10**6)), ""),
]


@pytest.mark.parametrize(("name", "engine", "says"), BROKEN)
def test_an_engine_that_does_otherwise_is_seen_to(name: str, engine: Engine, says: str) -> None:
    limits = {"health": Health(timeout_s=0.2, start_period_s=60.0)} if "health" in name else {}
    seen = play(name, engine, **limits)
    assert seen.verdict == "broken", seen
    assert says in seen.reason


UNCLEAR = [
    ("docs-untouched", Engine(), "did not go down"),
    ("memory-without-swap-limit", Engine(memswap=384 * MIB), "no swap to use"),
    ("log-rotation", Engine(files=None), "root alone"),
    ("log-rotation", Engine(prints=rotated(1, 10)), "not enough was printed"),
]


@pytest.mark.parametrize(("name", "engine", "says"), UNCLEAR)
def test_what_cannot_be_seen_here_is_left_open(name: str, engine: Engine, says: str) -> None:
    seen = play(name, engine)
    assert seen.verdict == "unclear", seen
    assert says in seen.reason


def test_a_start_longer_than_the_start_period_breaks_it() -> None:
    seen = play("start-period", Engine(healthy=False), health=Health(start_period_s=0.5))
    assert (seen.verdict, seen.measured) == ("broken", "not ready after 0.5 s")


def test_a_heap_limit_above_the_memory_limit_breaks_it() -> None:
    seen = play("heap-limit", Engine(), memory_bytes=16 * 2**30)
    assert seen.verdict == "broken"
    assert "not below the memory limit of 16384 MiB" in seen.reason


def test_a_model_without_a_heap_limit_leaves_it_open() -> None:
    assert play("heap-limit", Engine(), node_old_space_mib=None).verdict == "unclear"


def test_a_scenario_of_the_container_leaves_a_server_elsewhere_open() -> None:
    engine = Engine()
    with world(engine) as known:
        known.container = None
        seen = SCENARIOS["clean-exit"](known)
    assert seen.verdict == "unclear"
    assert "not ours to disturb" in seen.reason


def test_a_server_that_cannot_be_asked_leaves_it_open() -> None:
    class Away(Engine):
        def post(self, path: str, body: Mapping[str, Any], *, timeout_s: float = 10.0) -> Answer:
            raise GONE

    seen = play("uses-all-slots", Away())
    assert (seen.verdict, "could not be asked" in seen.reason) == ("unclear", True)


def test_the_load_of_a_memory_scenario_is_more_than_its_limit() -> None:
    assert memory._AGENTS * memory._AGENT_MIB * MIB > 1.2 * memory._LIMIT
    assert memory._AGENTS * memory._AGENT_MIB * MIB < 2 * memory._LIMIT
