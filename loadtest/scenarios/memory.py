"""Limits of memory and of logs that the engine has to keep."""

from __future__ import annotations

from dataclasses import dataclass

from loadtest.outcome import Seen
from loadtest.scenarios.model import Setup, broken, held, scenario, unclear
from loadtest.scenarios.world import World

_MIB = 2**20
_AGENT_MIB = 32
_AGENTS = 9
_LIMIT = 192 * _MIB
_HEAVY = Setup(
    memory=_LIMIT,
    environment={
        "STANDIN_PROFILES": f'{{"small": {{"turns": 2, "peak_bytes": {_AGENT_MIB * _MIB}, '
        '"tool_every": 0, "hold_s": 300.0}}'
    },
)
_HEAVY_WITH_SWAP = Setup(memory=_LIMIT, environment=_HEAVY.environment, swap=True)
# The guide: 100m a file, 10 files. A hundredth of it fills in a second.
_LOG_SIZE, _LOG_BYTES, _LOG_FILES = "1m", 10**6, 10
_ENTRY_BYTES = 64 * 1024


@dataclass(frozen=True)
class _Load:
    """What became of the agents; limits in bytes."""

    alive: int
    kills: int
    memory: int
    memswap: int

    def __str__(self) -> str:
        return f"{self.alive} of {_AGENTS} agents live, {self.kills} killed"


def _load(world: World) -> _Load:
    """Start agents that together need half as much again as the limit, one after another."""
    project = world.project()
    for feature_id in project.add(_AGENTS):
        world.expect(project.run(feature_id), "an agent")
        world.pause(0.15)
    world.pause(1.0)
    live, state = world.control.agents(), world.control.state()
    running = len(world.running() if live is None else live)
    return _Load(running, world.control.oom_kills(), state.memory, state.memswap)


@scenario("memory-limit", incidents=("B7",), needs="container", setup=_HEAVY)
def memory_limit(world: World) -> Seen:
    """What needs more memory than the limit is killed, since there is no swap to go to."""
    load = _load(world)
    reason = (
        f"{_AGENTS} agents of {_AGENT_MIB} MiB under {load.memory // _MIB} MiB, with swap "
        f"{load.memswap // _MIB} MiB"
    )
    if load.memory != _LIMIT or load.memswap != _LIMIT:
        return broken(str(load), f"the limit in force is another: {reason}")
    if not load.kills:
        return broken(str(load), f"more was used than the limit allows: {reason}")
    return held(str(load), reason)


@scenario("memory-without-swap-limit", needs="container")
def memory_without_swap_limit(world: World) -> Seen:
    """A memory limit alone bounds what a container uses, without a limit on swap beside it."""
    # The target goes before the swap does: what it holds there could not come back.
    with (
        world.control.swap(_LIMIT * 2) as there,
        world.control.another(_HEAVY_WITH_SWAP) as other,
    ):
        load = _load(other)
    engine = f"the engine allows {load.memswap // _MIB} MiB with swap for {load.memory // _MIB} MiB"
    if load.memswap == load.memory:
        return held(str(load), f"{engine}: as much as the memory")
    if not load.kills and load.alive == _AGENTS:
        return broken(str(load), f"{engine}: more fits than the limit says, in swap")
    if not there:
        return unclear(f"{engine}; this host has no swap to use, so nothing shows here", str(load))
    return broken(str(load), f"{engine}, and part of it was used")


@scenario("log-rotation", needs="container", setup=Setup(log_size=_LOG_SIZE))
def log_rotation(world: World) -> Seen:
    """A server that prints without end keeps to so many log files of such a size."""
    if world.control.log_files() is None:
        return unclear("the engine's log files can be read by root alone")
    world.control.print_lines(_LOG_BYTES * (_LOG_FILES + 5))
    world.comes(lambda: len(world.control.log_files() or ()) >= _LOG_FILES, 10)
    world.pause(1.0)
    files = world.control.log_files() or []
    total = sum(one.size for one in files)
    largest = max((one.size for one in files), default=0)
    measured = f"{len(files)} files, {total / 1e6:.1f} MB, the largest {largest / 1e6:.2f} MB"
    reason = (
        f"{_LOG_BYTES * (_LOG_FILES + 5) / 1e6:.0f} MB printed under {_LOG_SIZE} x {_LOG_FILES}, "
        "a hundredth of the model's 100m x 10"
    )
    if len(files) > _LOG_FILES or largest > _LOG_BYTES + _ENTRY_BYTES:
        return broken(measured, reason)
    if len(files) < _LOG_FILES:
        return unclear(f"not enough was printed to fill all files: {reason}", measured)
    return held(measured, reason)
