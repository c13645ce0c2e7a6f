"""The server goes down amid work and comes back: what runs then, and how much of it."""

from __future__ import annotations

import time

from loadtest.outcome import Seen
from loadtest.scenarios.model import Setup, broken, cap_seen, held, scenario, unclear
from loadtest.scenarios.world import LONG, STEADY, Project, World

_BACK_S = 30.0
_CALM_S = 1.5
_THREE = {"AUTOMAKER_MAX_CONCURRENCY": "3"}


@scenario(
    "restart-amid-work",
    incidents=("A15", "C4", "C8", "C15", "C18", "E2"),
    needs="container",
    setup=Setup(environment=_THREE),
)
def restart_amid_work(world: World) -> Seen:
    """After a restart nothing runs unasked, and what is resumed never exceeds the limit."""
    project = world.project()
    ids = project.add(6, STEADY)
    world.expect(project.start(3), "a loop")
    project.until_running(3)
    project.until_done(1)
    # More to resume than there are slots, as after several restarts.
    ids += project.add(3, STEADY, status="interrupted")
    world.control.restart()
    world.until(world.answers, "the server to come back", _BACK_S)
    world.pause(0.5)
    if world.running():
        return broken("agents unasked", f"{len(world.running())} started by themselves")
    return _finish(project, ids, "resumed by hand and by the loop at once")


@scenario(
    "crash-amid-work",
    incidents=("A15", "C9", "C15", "E1", "E2"),
    needs="container",
    setup=Setup(environment=_THREE, restart=True),
)
def crash_amid_work(world: World) -> Seen:
    """A server that is killed amid work comes back; no feature is lost, none has two agents."""
    project = world.project()
    ids = project.add(9, STEADY)
    world.expect(project.start(3), "a loop")
    project.until_running(3)
    world.until(lambda: world.control.end_server("KILL"), "a server to kill")
    world.until(lambda: world.control.state().restarts == 1, "the engine to restart it")
    began = time.monotonic()
    world.until(world.answers, "the server to come back", _BACK_S)
    back = time.monotonic() - began
    world.expect(project.reconcile(), "a reconcile")
    return _finish(project, ids, f"restarted by the engine, back after {back:.1f} s")


def _finish(project: Project, ids: list[str], how: str) -> Seen:
    """Resume and start at the same time, and see all features done under the limit of 3."""
    world = project.world
    lost = set(ids) - set(project.features())
    if lost:
        return broken(f"{len(lost)} lost", f"features are gone from the board: {sorted(lost)}")
    finished = [one for one, feature in project.features().items() if feature["status"] == "done"]
    world.watch.forget()
    world.at_once([project.resume, lambda: project.start(3)])
    project.until_done(len(ids), 30)
    most = world.watch.most(project.path)
    measured = f"{most.either} at once, {len(ids)} of {len(ids)} done"
    if world.watch.twice:
        return broken(measured, "a feature had two agents at the same time")
    again = [one for one in finished if project.starts(one) > 1]
    if again:
        return broken(measured, f"{len(again)} features that were done have been run again")
    seen = cap_seen(most.either, 3, f"{how}; {most}; {len(finished)} were done before")
    return seen.model_copy(update={"measured": measured})


@scenario(
    "always-on",
    incidents=("C18", "A15"),
    needs="container",
    setup=Setup(environment={"AUTOMAKER_MAX_CONCURRENCY": "6"}),
)
def always_on(world: World) -> Seen:
    """A loop that is always on is back after a restart, with the limit it had."""
    project = _always_on(world, 3)
    project.add(6, LONG)
    world.control.restart()
    world.until(world.answers, "the server to come back", _BACK_S)
    back = world.comes(lambda: len(world.running()) >= 3, 8)
    world.pause(0.5)
    loop, most = project.loop(), world.watch.most(project.path)
    measured = f"{most.either} at once, the loop says {loop['maxConcurrency']}"
    if not loop.get("isAutoLoopRunning"):
        return broken(measured, "the loop is off after the restart")
    if not back or loop["maxConcurrency"] != 3:
        return broken(measured, f"3 expected; {most}")
    return cap_seen(most.either, 3, f"{most}; the loop is on again")


@scenario(
    "calm-after-crash",
    incidents=("B6",),
    needs="container",
    setup=Setup(environment={"AUTO_MODE_CRASH_DELAY_MS": str(round(_CALM_S * 1000))}, restart=True),
)
def calm_after_crash(world: World) -> Seen:
    """After a crash a loop that is always on waits before it starts agents."""
    project = _always_on(world, 2)
    project.add(4, LONG)
    world.until(lambda: world.control.end_server("KILL"), "a server to kill")
    world.until(lambda: world.control.state().restarts == 1, "the engine to restart it")
    world.until(world.answers, "the server to come back", _BACK_S)
    began = time.monotonic()
    if not world.comes(lambda: len(world.running()) > 0, 8):
        return unclear("no agent was started after the crash")
    waited = time.monotonic() - began
    measured = f"first agent {waited:.1f} s after the server answered"
    # It had begun to wait before it was seen to answer.
    if waited < _CALM_S - 0.7:
        return broken(measured, f"{_CALM_S:g} s asked for with AUTO_MODE_CRASH_DELAY_MS")
    return held(measured, f"{_CALM_S:g} s asked for with AUTO_MODE_CRASH_DELAY_MS")


def _always_on(world: World, maximum: int) -> Project:
    project = world.project()
    entry = {"projectPath": project.path, "branchName": None, "maxConcurrency": maximum}
    world.settings(autoModeAlwaysOn={"enabled": True, "projects": [entry]})
    return project
