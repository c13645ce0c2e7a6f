"""Which limit is in force: where it is set, which setting wins, and when a change takes effect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from loadtest.outcome import Seen
from loadtest.scenarios.model import (
    Setup,
    broken,
    cap_seen,
    held,
    scenario,
    unclear,
)
from loadtest.scenarios.world import LONG, Project, World

# What the guide shows as the content of the two files.
_GUIDES_GLOBAL = {
    "version": 3,
    "autoMode": {
        "maxConcurrency": 8, "verifyBeforeMerge": True, "autoCommit": False, "autoPush": False
    },
}  # fmt: skip
_GUIDES_PROJECT = {"version": 2, "autoMode": {"maxConcurrency": 8, "useWorktrees": True}}
_BEYOND_ANY_CAP = 40
_ODD_CAPS: dict[str | None, int] = {
    None: 2, "": 2, "abc": 2, "0": 1, "-5": 1, "50": 20, "6.7": 6, "8x": 8, "1e1": 1
}  # fmt: skip


@scenario("settings-global", incidents=("A7", "A12", "C5"), needs="container")
def settings_global(world: World) -> Seen:
    """`maxConcurrency` in DATA_DIR/settings.json is the limit of a loop."""
    _write_global(world, {"version": 6, "maxConcurrency": 3})
    return _runs(world.project(), 3)


@scenario("sample-settings-global", incidents=("A12",), needs="container")
def sample_settings_global(world: World) -> Seen:
    """The file that the guide shows for DATA_DIR/settings.json sets the limit to 8."""
    _write_global(world, _GUIDES_GLOBAL)
    return _runs(world.project(), 8)


@scenario("sample-settings-project", incidents=("A12",), needs="container")
def sample_settings_project(world: World) -> Seen:
    """The file that the guide shows for a project's settings sets its limit to 8."""
    project = world.project()
    world.control.write(f"{project.path}/.automaker/settings.json", json.dumps(_GUIDES_PROJECT))
    return _runs(project, 8)


@scenario("settings-project", incidents=("A12",))
def settings_project(world: World) -> Seen:
    """A project's own limit replaces the global one, for that project alone."""
    own, other = world.project("own"), world.project("other")
    world.settings(maxConcurrency=2, **_worktree_limit(own, 4))
    ids = [*own.add(10), *other.add(5)]
    for project in (own, other):
        world.expect(project.start(), "a loop")
    own.until_done(10)
    other.until_done(5)
    most_own, most_other = (world.watch.most(one.path) for one in (own, other))
    measured = f"{most_own.either} and {most_other.either} at once"
    reason = f"4 set for one project, 2 for all: {most_own}; {most_other}; {len(ids)} done"
    if most_own.either > 4 or most_other.either > 2:
        return broken(measured, reason)
    if (own.loop()["maxConcurrency"], other.loop()["maxConcurrency"]) != (4, 2):
        return broken(measured, f"the loops say otherwise; {reason}")
    if (most_own.either, most_other.either) != (4, 2):
        return unclear(f"not all slots were used: {reason}", measured)
    return held(measured, reason)


@scenario(
    "precedence",
    incidents=("A1", "A7", "A8", "A12", "A13"),
    setup=Setup(environment={"AUTOMAKER_MAX_CONCURRENCY": "6"}),
)
def precedence(world: World) -> Seen:
    """The request beats the project's setting, that the global one, and the system cap them all."""
    found = list(_precedence(world))
    wrong = [f"{what}: {got} instead of {wanted}" for what, wanted, got in found if got != wanted]
    measured = ", ".join(str(got) for _, _, got in found)
    if wrong:
        return broken(measured, "; ".join(wrong))
    return held(measured, "; ".join(f"{what}: {wanted}" for what, wanted, _ in found))


def _precedence(world: World) -> Iterator[tuple[str, Any, Any]]:
    """(what was asked for, the limit that it should give, the limit that it gave)."""
    own, other = world.project("own"), world.project("other")
    world.settings(maxConcurrency=4, **_worktree_limit(own, 3))
    yield "request 2 over project 3", 2, own.limit(2)
    yield "project 3 over global 4", 3, own.limit()
    yield "global 4 for another project", 4, other.limit()
    yield "request 5 over global 4", 5, other.limit(5)
    yield "request 20 under the system cap", 6, other.limit(20)
    world.settings(maxConcurrency=19, **_worktree_limit(own, 18))
    yield "project 18 under the system cap", 6, own.limit()
    yield "global 19 under the system cap", 6, other.limit()
    world.settings(maxConcurrency=None)
    yield "nothing set", 1, other.limit()
    for odd in (0, 21, 2.5, "8"):
        body = {"projectPath": other.path, "maxConcurrency": odd}
        yield f"request {odd!r} refused", 400, world.api.post("/api/auto-mode/start", body).status


@scenario("system-cap", incidents=("A7", "A8"), needs="container")
def system_cap(world: World) -> Seen:
    """AUTOMAKER_MAX_CONCURRENCY is kept within 1..20, whatever it says; 2 if it says nothing."""
    found = []
    for value, wanted in _ODD_CAPS.items():
        setup = Setup(environment={"AUTOMAKER_MAX_CONCURRENCY": value})
        with world.control.another(setup) as other:
            found.append((value, wanted, *_most_for(other, wanted)))
    measured = ", ".join(f"{_shown(value)}: {most}" for value, _, _, most in found)
    wrong = [
        f"{_shown(value)}: {most} at once, the loop says {said}, {wanted} expected"
        for value, wanted, said, most in found
        if (said, most) != (wanted, wanted)
    ]
    if wrong:
        return broken(measured, "; ".join(wrong))
    return held(measured, "agents at once under a larger backlog, and what the loop says")


def _most_for(world: World, wanted: int) -> tuple[Any, int]:
    """What the loop says of its limit, and the most agents at once, with two features to spare."""
    project = world.project()
    project.add(wanted + 2, LONG)
    # By the settings, which know no upper bound: a request for more than 20 would be refused.
    world.settings(maxConcurrency=_BEYOND_ANY_CAP)
    world.expect(project.start(), "a loop")
    world.comes(lambda: world.watch.most().either >= wanted)
    world.pause(0.4)
    return project.loop()["maxConcurrency"], world.watch.most().either


def _shown(value: str | None) -> str:
    return "unset" if value is None else f'"{value}"'


@scenario("change-while-running", incidents=("A8",))
def change_while_running(world: World) -> Seen:
    """A changed limit takes effect when the loop is started again, and not before."""
    project = world.project()
    world.settings(maxConcurrency=2)
    project.add(6, LONG)
    world.expect(project.start(), "a loop")
    project.until_running(2)
    world.settings(maxConcurrency=4)
    world.pause(0.7)
    world.until(lambda: len(world.running()) >= 2, "agents that stay at work")
    before = world.watch.most(project.path).either
    project.stop()
    world.expect(project.start(), "a loop")
    grew = world.comes(lambda: len(world.running()) >= 4, 5)
    world.pause(0.4)
    after = world.watch.most(project.path).either
    measured = f"{before} before and {after} after a new start"
    if before != 2 or not grew:
        return broken(measured, "the limit was changed from 2 to 4 while the loop ran")
    return cap_seen(after, 4, f"{measured}; changed from 2 to 4 while the loop ran")


def _runs(project: Project, wanted: int) -> Seen:
    """Whether a loop without a figure in its request runs so many agents, and no more."""
    world = project.world
    ids = project.add(2 * wanted)
    world.expect(project.start(), "a loop")
    said = project.loop()["maxConcurrency"]
    if said != wanted:
        world.pause(1.0)
        most = world.watch.most(project.path).either
        return broken(f"{most} at once", f"set to {wanted}, but the loop says {said}")
    project.until_done(len(ids))
    most_seen = world.watch.most(project.path)
    return cap_seen(most_seen.either, wanted, f"{most_seen}; {len(ids)} features done")


def _worktree_limit(project: Project, maximum: int) -> dict[str, Any]:
    number = f"{project.world.token}-own"
    return {
        "projects": [{"id": number, "name": "own", "path": project.path}],
        "autoModeByWorktree": {f"{number}::__main__": {"maxConcurrency": maximum}},
    }


def _write_global(world: World, content: dict[str, Any]) -> None:
    folder = world.control.environment().get("DATA_DIR", "/data")
    world.control.write(f"{folder}/settings.json", json.dumps(content))
