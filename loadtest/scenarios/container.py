"""What the staging model promises of the server's container: restarts, starts, health, heap."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from compose.errors import ComposeError
from compose.model import Health
from loadtest.outcome import Seen
from loadtest.scenarios.control import ContainerState
from loadtest.scenarios.model import Setup, broken, held, scenario, unclear
from loadtest.scenarios.world import World

# Docker waits 100 ms before the first restart and twice as long before each further one.
_LOOP_S = 30.0
# After so long without a crash Docker begins again with 100 ms.
_WELL_S = 10.5
_DOCS_HZ = 10.0
_MIB = 2**20


@scenario(
    "crash-loop-stops",
    incidents=("B6", "D12"),
    needs="container",
    setup=Setup(environment={"STANDIN_FAULT": "crash"}, restart=True, wait=False),
)
def crash_loop_stops(world: World) -> Seen:
    """A server that crashes at every start is restarted as often as the policy says, then left."""
    policy = world.limits.restart
    world.comes(lambda: world.control.state().status == "exited", _LOOP_S)
    before = world.control.state()
    world.pause(2.0)
    after = world.control.state()
    measured = f"{after.restarts} restarts, then {after.status}"
    reason = f"policy {after.restart_policy}, exit code {after.exit_code}"
    if before.status != "exited":
        return broken(measured, f"it still crashes and restarts after {_LOOP_S:g} s: {reason}")
    if after != before or after.restarts != policy.retries or after.exit_code == 0:
        return broken(measured, f"{policy.retries} restarts expected: {reason}")
    return held(measured, reason)


@scenario("crashes-apart", incidents=("D12",), needs="container", setup=Setup(restart=True))
def crashes_apart(world: World) -> Seen:
    """Only crashes in a row are counted: one that lies behind a healthy time is forgotten."""
    retries = world.limits.restart.retries or 0
    _crash(world, 1)
    world.until(world.answers, "the server to come back", 30)
    world.pause(_WELL_S)
    for number in range(2, retries + 1):
        _crash(world, number)
    world.until(lambda: world.control.end_server("KILL"), "a server to kill")
    again = world.comes(lambda: world.control.state().restarts > retries, 6)
    state = world.control.state()
    measured = f"{state.restarts} restarts after {retries + 1} crashes, then {state.status}"
    if not again:
        return broken(
            measured, f"the first crash, {_WELL_S:g} s of health before the others, was counted too"
        )
    return held(measured, f"{_WELL_S:g} s of health lay between the first crash and the others")


def _crash(world: World, number: int) -> None:
    """Kill the server and see the engine bring it back for the n-th time."""
    world.until(lambda: world.control.end_server("KILL"), "a server to kill")
    world.until(lambda: _restarted(world.control.state(), number), f"restart {number}", 15)


def _restarted(state: ContainerState, number: int) -> bool:
    return state.restarts == number and state.status == "running"


@scenario("clean-exit", incidents=("C11",), needs="container", setup=Setup(restart=True))
def clean_exit(world: World) -> Seen:
    """A server that ends in order (exit code 0) is not restarted: the policy is for failures."""
    world.until(lambda: world.control.end_server("TERM"), "a server to end")
    began = world.control.state()
    world.until(lambda: _has_ended(world.control.state(), began), "the container to end")
    world.pause(1.5)
    state = world.control.state()
    measured = f"exit code {state.exit_code}, {state.restarts} restarts, {state.status}"
    if state.running or state.restarts:
        return broken(measured, f"it was restarted under {state.restart_policy}")
    if state.exit_code != 0:
        return unclear("the server did not end in order", measured)
    return held(measured, f"it stays down under {state.restart_policy}: whoever ends it starts it")


def _has_ended(state: ContainerState, before: ContainerState) -> bool:
    return not state.running or state.restarts > 0 or state.started_at != before.started_at


@scenario("start-period", needs="container", setup=Setup(wait=False))
def start_period(world: World) -> Seen:
    """The server is ready within the start period of the health check."""
    period = _health(world).start_period_s
    began = time.monotonic()
    ready = world.comes(lambda: _is_ready(world), period)
    reason = f"start period {period:g} s; this image's server, which need not be the real one's"
    if not ready:
        return broken(f"not ready after {period:g} s", reason)
    return held(f"ready after {time.monotonic() - began:.1f} s", reason)


def _is_ready(world: World) -> bool:
    try:
        return world.api.get("/api/health/ready").ok
    except ComposeError:
        return False


@scenario("heap-limit", incidents=("B4", "B5", "B7"), needs="container")
def heap_limit(world: World) -> Seen:
    """NODE_OPTIONS with the heap limit reaches the server's process, below the memory limit."""
    wanted = world.limits.node_old_space_mib
    options = world.control.environment().get("NODE_OPTIONS", "")
    measured = options or "NODE_OPTIONS is not set"
    if wanted is None:
        return unclear("the staging model sets no heap limit", measured)
    if options != world.limits.environment.get("NODE_OPTIONS"):
        return broken(measured, f"the model says {world.limits.environment.get('NODE_OPTIONS')}")
    memory = world.limits.memory_bytes // _MIB
    if wanted >= memory:
        return broken(measured, f"not below the memory limit of {memory} MiB")
    heap = world.control.heap_limit()
    below = f"{wanted} MiB of {memory} MiB"
    if heap is None:
        return held(measured, f"{below}; the option arrives, but no V8 is in the image to obey it")
    if heap < wanted * _MIB:
        return broken(f"V8 says {heap // _MIB} MiB", below)
    return held(f"V8 says {heap // _MIB} MiB", below)


@dataclass
class _Health:
    """The server's health check, asked again and again; latencies in seconds."""

    world: World
    slowest_s: float = 0.0
    checks: int = 0
    failures: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Ask five times a second until stopped."""
        while not self._stop.wait(0.2 * self.world.pace):
            began = time.monotonic()
            try:
                healthy = self.world.api.get("/api/health/ready").ok
            except ComposeError:
                healthy = False
            self.checks += 1
            self.failures += not healthy
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    def __enter__(self) -> _Health:
        self._thread = threading.Thread(target=self.watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=60)


@scenario("health-under-load", incidents=("B3",), setup=Setup(workload="mixed"))
def health_under_load(world: World) -> Seen:
    """The health check is answered in time while 8 mixed agents run and fill their memory."""
    timeout = _health(world).timeout_s
    project = world.project()
    kinds = ("small", "medium", "large", "architectural") * 2
    for kind in kinds:
        project.add(1, kind)
    with _Health(world) as health:
        world.expect(project.start(len(kinds)), "a loop")
        full = world.comes(lambda: len(world.running()) >= len(kinds), 20)
        world.pause(3.0)
    measured = f"slowest of {health.checks} answers {health.slowest_s * 1000:.0f} ms"
    reason = f"{len(kinds)} agents of the guide's sizes at small scale; {timeout:g} s allowed"
    if health.failures or health.slowest_s > timeout:
        return broken(measured, f"{health.failures} checks not answered in time; {reason}")
    if not full or health.checks < 3:
        return unclear(f"not all {len(kinds)} ran at once", measured)
    return held(measured, reason)


def _health(world: World) -> Health:
    return world.limits.health or Health()


@scenario("docs-untouched", incidents=("D8",), needs="container")
def docs_untouched(world: World) -> Seen:
    """The docs answer all the while, and are not restarted, when the server dies."""
    with world.control.docs() as docs:
        world.until(docs.answers, "the docs to answer", 20)
        before = docs.started_at()
        world.until(lambda: world.control.end_server("KILL"), "a server to kill")
        asked = missed = 0
        deadline = time.monotonic() + 1.5 * world.pace
        while time.monotonic() < deadline:
            asked += 1
            missed += not docs.answers()
            time.sleep(1 / _DOCS_HZ)
        if world.answers():
            return unclear("the server did not go down")
        measured = f"{asked - missed} of {asked} requests answered"
        if missed or docs.started_at() != before:
            return broken(measured, "the docs were disturbed by the server's end")
    return held(measured, f"running since {before}, in a container of their own")
