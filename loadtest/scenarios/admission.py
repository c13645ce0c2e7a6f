"""Who is let in: many requests at once, and requests when all slots are taken."""

from __future__ import annotations

from collections import Counter

from loadtest.outcome import Seen
from loadtest.scenarios.model import Setup, broken, cap_seen, held, scenario, unclear
from loadtest.scenarios.world import LONG, World


@scenario("simultaneous-starts", incidents=("A5", "A3"))
def simultaneous_starts(world: World) -> Seen:
    """Twenty starts of one loop at the same time make one loop, with one limit."""
    project = world.project()
    project.add(12, LONG)
    answers = world.at_once([lambda: project.start(4)] * 20)
    started = sum(one.ok and not one.data.get("alreadyRunning") for one in answers)
    world.comes(lambda: world.watch.most(project.path).either >= 4)
    world.pause(0.5)
    most = world.watch.most(project.path)
    reason = f"{started} of 20 started a loop; {most}"
    if started != 1:
        return broken(f"{started} loops", reason)
    project.stop()
    # A loop that nobody knows of would go on: a free slot shows it.
    victim = project.running()[0]
    project.stop_feature(victim)
    world.pause(0.6)
    if len(project.running()) >= most.either:
        return broken(f"{started} loops", f"after its stop something went on to start; {reason}")
    return cap_seen(most.either, 4, reason)


@scenario(
    "simultaneous-runs",
    incidents=("A3", "A4", "A6", "A18"),
    setup=Setup(environment={"AUTOMAKER_MAX_CONCURRENCY": "6"}),
)
def simultaneous_runs(world: World) -> Seen:
    """Twenty requests to run a feature at the same time get as many agents as there are slots."""
    busy, idle = world.project("busy"), world.project("idle")
    busy.add(4, LONG)
    world.expect(busy.start(4), "a loop")
    busy.until_running(4)
    full = _run_at_once(world, "busy")
    free = _run_at_once(world, "idle")
    world.pause(0.5)
    most, most_idle = world.watch.most(busy.path), world.watch.most(idle.path)
    measured = f"{full[200]} of 20 beside a full loop, {free[200]} of 20 with 6 slots free"
    reason = (
        f"{most} with the loop; {most_idle} without; refused with 429: {full[429]}, {free[429]}"
    )
    if most.either > 4 or most_idle.either > 6 or full[200]:
        return broken(measured, f"over the limit: {reason}")
    if free != {200: 6, 429: 14} or full != {429: 20}:
        return broken(measured, reason)
    return held(measured, reason)


def _run_at_once(world: World, name: str) -> Counter[int]:
    """Status codes of twenty runs asked for at the same time; features that no loop picks."""
    project = world.project(name)
    ids = project.add(20, LONG, status="done")
    answers = world.at_once([lambda one=one: project.run(one) for one in ids])  # type: ignore[misc]
    return Counter(answer.status for answer in answers)


@scenario("run-while-full", incidents=("A18",))
def run_while_full(world: World) -> Seen:
    """A feature that is to be run while the loop is full is refused, and told why."""
    project = world.project()
    project.add(2, LONG)
    world.expect(project.start(2), "a loop")
    project.until_running(2)
    [extra] = project.add(1, LONG)
    answer = project.run(extra)
    world.pause(0.5)
    most = world.watch.most(project.path)
    details = answer.data.get("details", {})
    measured = f"answer {answer.status}, {most.either} at once"
    if answer.status != 429 or most.either > 2:
        return broken(measured, f"429 and 2 at once expected; {most}")
    if project.starts(extra) or project.status(extra) != "backlog":
        return broken(measured, "it was refused and run all the same")
    if (details.get("currentAgents"), details.get("maxAgents")) != (2, 2):
        return broken(measured, f"the refusal does not say 2 of 2: {dict(details)}")
    return held(measured, f"{most}; the feature stays in the backlog")


@scenario("uses-all-slots", incidents=("A10", "A11"))
def uses_all_slots(world: World) -> Seen:
    """With two slots two agents run, not one."""
    project = world.project()
    project.add(5, LONG)
    world.expect(project.start(2), "a loop")
    world.until(lambda: len(world.running()) >= 1, "the first agent")
    both = world.comes(lambda: len(world.running()) >= 2, 5)
    world.pause(0.5)
    most = world.watch.most(project.path)
    if not both:
        return broken(f"{most.either} at once", f"a slot stays empty with work waiting: {most}")
    if len(world.running()) < 2:
        return unclear("two ran, but did not go on", f"{most.either} at once")
    return cap_seen(most.either, 2, str(most))
