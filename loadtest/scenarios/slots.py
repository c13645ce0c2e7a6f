"""What becomes of a slot: its agent is killed, stopped, done, or waits for another feature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loadtest.outcome import Seen
from loadtest.scenarios.model import Setup, broken, cap_seen, held, scenario, unclear
from loadtest.scenarios.world import BRIEF, LONG, STEADY, Project, World

# The server may take five seconds to end an agent that does not listen.
_END_S = 7.0


@scenario("agent-killed", incidents=("A11", "C9", "C16"), needs="container")
def agent_killed(world: World) -> Seen:
    """The slot of an agent that the kernel killed is free again, and is filled once."""
    project = world.project()
    project.add(5, LONG)
    world.expect(project.start(2), "a loop")
    [victim, other, *_] = project.until_running(2)
    world.until(lambda: world.control.kill_agent(victim), "a process to kill")

    def refilled() -> bool:
        running = world.running()
        return victim not in running and len(running) >= 2

    if not world.comes(refilled, 5):
        return broken("slot lost", f"5 s after its agent was killed: {_ghost(project, victim)}")
    world.pause(0.5)
    most = world.watch.most(project.path)
    if world.watch.twice:
        return broken(f"{most.either} at once", "a feature had two agents at the same time")
    if other not in world.running() or project.starts(victim) != 1:
        return broken(f"{most.either} at once", "more was lost, or run again, than was killed")
    return cap_seen(most.either, 2, f"{most}; the feature is {project.status(victim)}")


def _ghost(project: Project, victim: str) -> str:
    if victim not in project.world.running():
        return "nothing took its place"
    return "it was run again" if project.starts(victim) > 1 else "it is listed as running"


@scenario("queue-goes-on", incidents=("A11",), needs="container")
def queue_goes_on(world: World) -> Seen:
    """After an agent that failed the queue goes on with the next feature."""
    project = world.project()
    [doomed] = project.add(1, LONG)
    rest = project.add(3, BRIEF)
    world.expect(project.start(1), "a loop")
    project.until_running(1)
    world.until(lambda: world.control.kill_agent(doomed), "a process to kill")
    world.comes(lambda: project.states()["done"] == len(rest), 8)
    states = project.states()
    measured = f"{states['done']} of {len(rest)} done after the failure"
    most = world.watch.most(project.path)
    if states["done"] < len(rest):
        return broken(measured, f"the queue stands still: {dict(states)}")
    if project.status(doomed) != "blocked":
        return broken(measured, f"the failed feature is {project.status(doomed)}, not blocked")
    return cap_seen(most.either, 1, f"{measured}; the failed one is blocked; {most}")


@scenario(
    "stop-feature",
    incidents=("C6", "C13", "C14"),
    setup=Setup(environment={"AUTOMAKER_MAX_CONCURRENCY": "2"}),
)
def stop_feature(world: World) -> Seen:
    """A stopped feature gives its slot back at once and waits; it does not come back by itself."""
    project = world.project()
    first, second, third = project.add(3, LONG)
    for one in (first, second):
        world.expect(project.run(one), "an agent")
    project.until_running(2)
    world.until(lambda: _lives(world, first), "an agent to stop")
    if project.run(third).status != 429:
        return unclear("the two slots were not taken")
    stopped = project.stop_feature(first).data.get("stopped")
    accepted = project.run(third)
    state = project.status(first)
    if not stopped or not accepted.ok or state != "backlog":
        return broken(f"feature {state}, next run {accepted.status}", f"stopped: {stopped}")
    if not world.comes(lambda: not _lives(world, first), _END_S):
        return broken("slot free", f"its agent still lives {_END_S:g} s later")
    world.pause(0.7)
    if first in world.running() or project.starts(first) != 1:
        return broken("slot free", "the stopped feature came back by itself")
    most = world.watch.most(project.path)
    return cap_seen(most.either, 2, f"the slot was free at once, the feature waits; {most}")


@scenario("stop-under-loop", incidents=("C6", "C13", "C14"))
def stop_under_loop(world: World) -> Seen:
    """A loop fills the slot of a stopped feature; the feature never has two agents."""
    project = world.project()
    project.add(3, LONG)
    world.expect(project.start(2), "a loop")
    for _ in range(3):
        [victim, *_] = project.until_running(2)
        # Whom the loop takes next, it or another, is the loop's affair.
        stopped = world.expect(project.stop_feature(victim), "a stop")
        if not stopped.data.get("stopped"):
            return broken("not stopped", "the server says that the running agent was not stopped")
        if not world.comes(lambda: len(world.running()) == 2, 5):
            return broken("slot lost", "5 s after a feature was stopped nothing took its place")
    world.pause(0.7)
    most = world.watch.most(project.path)
    if world.watch.twice:
        return broken(f"{most.either} at once", "a feature had two agents at the same time")
    return cap_seen(most.either, 2, f"three features stopped in turn; {most}")


def _lives(world: World, feature_id: str) -> bool:
    live = world.container.agents() if world.container else None
    return feature_id in (world.running() if live is None else live)


@scenario("done-by-hand", incidents=("C3",))
def done_by_hand(world: World) -> Seen:
    """A feature that is marked done while its agent works loses the agent, and stays done."""
    project = world.project()
    [feature] = project.add(1, LONG)
    world.expect(project.run(feature), "an agent")
    world.until(lambda: _lives(world, feature), "an agent at work")
    world.expect(project.update(feature, status="done"), "the mark")
    if not world.comes(lambda: not _lives(world, feature), _END_S):
        return broken("agent at work", f"{_END_S:g} s after the mark its agent still works")
    world.pause(0.7)
    state, starts = project.status(feature), project.starts(feature)
    measured = f"feature {state}, {starts} run"
    if feature in world.running():
        return broken(measured, "its slot is still taken")
    if (state, starts) != ("done", 1):
        return broken(measured, "done after one run expected")
    return held(measured, "its agent was ended and its slot given back")


@scenario("done-not-again", incidents=("C4", "C10", "C16", "C17"))
def done_not_again(world: World) -> Seen:
    """A feature that is done is not run again: not by a new start, a resume, a reconcile."""
    project = world.project()
    ids = project.add(4)
    world.expect(project.start(2), "a loop")
    project.until_done(4)
    for again in (project.stop, project.resume, project.reconcile, project.resume):
        world.expect(again(), "an answer")
    world.expect(project.start(2), "a loop")
    [late] = project.add(1)
    world.until(lambda: project.status(late) == "done", "a new feature to be done")
    world.pause(0.3)
    starts = [project.starts(one) for one in ids]
    measured = f"{sum(starts)} runs of {len(ids)} features"
    if any(one != 1 for one in starts) or project.states()["done"] != 5:
        return broken(measured, f"runs: {starts}; states: {dict(project.states())}")
    return held(measured, "after stop, resume twice, reconcile and a new start")


@scenario("dependencies", incidents=("A2",))
def dependencies(world: World) -> Seen:
    """A feature waits until those it depends on are done, though slots are free."""
    project = world.project()
    [base] = project.add(1, STEADY)
    [waiting] = project.add(1, BRIEF, dependencies=[base])
    [free] = project.add(1, BRIEF)
    world.expect(project.start(3), "a loop")
    project.until_running(1)
    refused = project.run(waiting)
    world.until(lambda: project.status(waiting) == "done", "the waiting feature to be done")
    done, began = (
        _when(project.feature(base), "done"),
        _when(project.feature(waiting), "in_progress"),
    )
    measured = f"asked for by hand: {refused.status}"
    if not done or began < done:
        return broken(measured, f"it began at {began}, but what it needs was done at {done or '-'}")
    if refused.status != 409 or refused.data.get("details") != {"blockingDependencies": [base]}:
        return broken(measured, f"409 that names {base} expected")
    if _when(project.feature(free), "in_progress") > done:
        return broken(measured, "features without dependencies waited too")
    return held(measured, f"done at {done}, the one that waited began at {began}")


def _when(feature: Mapping[str, Any], state: str) -> str:
    """When a feature first came into a state, as the server writes times; they sort as text."""
    return next(
        (str(one["timestamp"]) for one in feature["statusHistory"] if one["to"] == state), ""
    )


@scenario("stop-and-start", incidents=("C12",))
def stop_and_start(world: World) -> Seen:
    """A loop that is stopped and started while its agents work counts them, and loses none."""
    project = world.project()
    ids = project.add(9, STEADY)
    world.expect(project.start(3), "a loop")
    project.until_running(3)
    for _ in range(3):
        world.expect(project.stop(), "a stop")
        world.expect(project.start(3), "a loop")
        world.pause(0.2)
    project.until_done(len(ids))
    most = world.watch.most(project.path)
    ghosts = world.running()
    if world.watch.twice or ghosts:
        return broken(f"{most.either} at once", f"ghosts: {ghosts}, twice: {world.watch.twice}")
    return cap_seen(most.either, 3, f"{most}; stopped and started 3 times, all {len(ids)} done")


@scenario("drain", incidents=("C2", "C12"), setup=Setup(environment={"DRAIN_POLL_MS": "50"}))
def drain(world: World) -> Seen:
    """A drain lets agents finish, takes no new features, and is not disturbed by a second one."""
    project = world.project()
    project.add(6, STEADY)
    world.expect(project.start(3), "a loop")
    project.until_running(3)
    asked = [lambda: world.api.post("/api/deploy/drain", {}, timeout_s=150.0)] * 2
    answers = sorted(world.at_once(asked), key=lambda one: one.status)
    world.pause(0.5)
    states, data = project.states(), answers[0].data
    ended = data.get("agentsForceStopped")
    measured = f"{states['done']} finished, {ended} ended, {states['backlog']} wait"
    if [one.status for one in answers] != [200, 409]:
        return broken(measured, f"answers {[one.status for one in answers]}, 200 and 409 expected")
    if not data.get("drained") or ended or world.running():
        return broken(measured, f"answer: {dict(data)}, still running: {world.running()}")
    if states != {"done": 3, "backlog": 3}:
        return broken(measured, f"3 done and 3 in the backlog expected: {dict(states)}")
    return held(measured, f"in {data.get('elapsedSeconds')} s; a second drain is refused with 409")
