"""Several projects on one server: kept apart, each with its own limit and its turn."""

from __future__ import annotations

from collections import Counter

from loadtest.outcome import Seen
from loadtest.scenarios.model import Setup, broken, held, scenario, unclear
from loadtest.scenarios.world import LONG, Project, World


@scenario("same-basename")
def same_basename(world: World) -> Seen:
    """Two projects of one name at two paths have boards, limits, worktrees, agents of their own."""
    here, there = world.project("here/shop"), world.project("there/shop")
    # One branch, and so one name of a worktree, in both.
    ids = {project: project.add(4, LONG, branchName="feature/same") for project in (here, there)}
    for project, maximum in ((here, 1), (there, 2)):
        world.expect(project.start(maximum), "a loop")
    world.until(lambda: len(world.running()) >= 3, "three agents")
    world.pause(0.5)
    counts = [world.watch.most(project.path).either for project in ids]
    measured = f"{counts[0]} and {counts[1]} agents at once"
    for project, own in ids.items():
        if set(project.features()) != set(own):
            return broken(measured, f"the board of {project.path} holds features of another")
        if not set(project.running()) <= set(own):
            return broken(measured, f"{project.path} counts agents of another as its own")
    if mixed := _worktrees_missing(world, ids):
        return broken(measured, mixed)
    here.stop()
    if not there.loop()["isAutoLoopRunning"]:
        return broken(measured, "stopping one loop stopped the other")
    if counts != [1, 2]:
        return broken(measured, "limits 1 and 2 were set")
    return held(measured, "limits 1 and 2; boards, worktrees, agents and loops are apart")


def _worktrees_missing(world: World, ids: dict[Project, list[str]]) -> str | None:
    """What is wrong with the folders of agents at work; None where they cannot be looked at."""
    for project in ids if world.container else ():
        for feature_id in project.running():
            branch = str(project.feature(feature_id)["branchName"]).replace("/", "-")
            folder = f"{project.path}/.worktrees/{branch}"
            if not world.control.exists(folder):
                return f"the agent of {project.path} has no worktree there"
    return None


@scenario("trailing-slash")
def trailing_slash(world: World) -> Seen:
    """A path written with a slash at its end is the same project, with the same limit."""
    project = world.project()
    project.add(6, LONG)
    same = Project(world, f"{project.path}/")
    for spelling in (project, same):
        world.expect(spelling.start(2), "a loop")
    project.until_running(2)
    world.pause(0.8)
    most = world.watch.most()
    measured = f"{most.either} at once with a limit of 2"
    if most.either > 2:
        return broken(measured, f"two spellings of one path are two loops on one board: {most}")
    return held(measured, str(most))


@scenario("many-projects", incidents=("A15", "A16", "A17"))
def many_projects(world: World) -> Seen:
    """The limit is each project's own: three projects with 2 run 6 agents."""
    projects = [world.project(name) for name in ("one", "two", "three")]
    for project in projects:
        project.add(4, LONG)
        world.expect(project.start(2), "a loop")
    full = world.comes(lambda: len(world.running()) >= 6, 8)
    world.pause(0.5)
    each = [world.watch.most(project.path).either for project in projects]
    measured = f"{world.watch.most().either} at once in {len(projects)} projects"
    if max(each) > 2:
        return broken(measured, f"each may run 2, they ran {each}")
    if not full or each != [2, 2, 2]:
        return unclear(f"not every project used its slots: {each}", measured)
    return held(measured, f"each ran {each[0]}: the limit is per project, and projects add up")


@scenario(
    "cap-across-projects",
    incidents=("A15", "A16", "A17"),
    setup=Setup(environment={"AUTOMAKER_MAX_CONCURRENCY": "4"}),
)
def cap_across_projects(world: World) -> Seen:
    """AUTOMAKER_MAX_CONCURRENCY bounds the whole server, however many projects it serves."""
    projects = [world.project(name) for name in ("one", "two", "three")]
    for project in projects:
        project.add(6, LONG)
        world.expect(project.start(20), "a loop")
    world.until(lambda: len(world.running()) >= 4, "four agents")
    world.pause(1.0)
    most = world.watch.most()
    each = [world.watch.most(project.path).either for project in projects]
    measured = f"{most.either} at once under a system cap of 4"
    if most.either > 4:
        return broken(measured, f"the cap holds for each project alone: {each}")
    return held(measured, f"{most}; by project {each}")


@scenario("no-starvation", incidents=("A14",))
def no_starvation(world: World) -> Seen:
    """Projects that come late to a busy server get agents while the first still has work."""
    large, late = world.project("large"), [world.project("late-1"), world.project("late-2")]
    large.add(6, LONG)
    world.expect(large.start(2), "a loop")
    large.until_running(2)
    firsts = [project.add(1)[0] for project in late]
    for project in late:
        world.expect(project.start(2), "a loop")
    world.comes(lambda: all(p.status(f) == "done" for p, f in zip(late, firsts, strict=True)), 6)
    served = Counter(project.status(one) for project, one in zip(late, firsts, strict=True))
    waiting = large.states()["backlog"]
    measured = f"{served['done']} of {len(late)} late projects served, {waiting} features wait"
    if not waiting:
        return unclear("the first project had no work left", measured)
    if served["done"] < len(late):
        return broken(measured, "a project waited while another had the slots")
    return held(measured, "in a project with a backlog of its own")


@scenario("same-feature-id")
def same_feature_id(world: World) -> Seen:
    """Two projects may have features of the same id, and both are run."""
    projects = [world.project(name) for name in ("one", "two")]
    number = f"feature-{world.token}-same"
    for project in projects:
        project.add(1, LONG, id=number)
        world.expect(project.start(2), "a loop")
    world.until(lambda: number in world.running(), "the first agent")
    world.comes(lambda: all(p.status(number) == "in_progress" for p in projects), 2)
    states = [project.status(number) for project in projects]
    measured = f"{states.count('in_progress')} of 2 run"
    if states.count("in_progress") < 2:
        return broken(measured, f"a slot is known by the feature's id alone: {states}")
    return held(measured, "each in its own project")
