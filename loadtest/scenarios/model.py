"""What a scenario is: a story about a server, with what it needs of the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from loadtest.outcome import Seen
from loadtest.scenarios.server_api import NoServerError
from loadtest.scenarios.world import NotProvokedError, World

Needs = Literal["api", "container"]
"""api: any server that can be reached; container: one whose container is ours to disturb."""
Story = Callable[[World], Seen]


@dataclass(frozen=True)
class Setup:
    """How the target of a scenario differs from the staging model."""

    environment: Mapping[str, str | None] = field(default_factory=dict)
    """Variables of the server; None takes one away."""
    memory: int = 256 * 2**20
    """Limit in bytes: far below the model's, since agents here need next to nothing."""
    swap: bool = False
    """Whether memory and swap together are left to the engine; else no swap, as in the model."""
    restart: bool = False
    """Under the model's restart policy."""
    log_size: str | None = None
    """Size of a log file as Docker writes it; the number of files is the model's."""
    workload: str | None = None
    """Agents of the guide's sizes in this mix, and memory to fit, at a small scale."""
    wait: bool = True
    """Whether the story begins when the server is ready, or at once."""


@dataclass(frozen=True)
class Scenario:
    """A named story. Calling it tells what was seen; a server that cannot be asked is unclear."""

    name: str
    story: Story
    incidents: tuple[str, ...]
    """Incidents that it would show, by their numbers in the README of the container tests."""
    needs: Needs
    setup: Setup

    def __call__(self, world: World) -> Seen:
        """Play the story to its end; every wait in it has a budget."""
        try:
            return self.story(world)
        except NotProvokedError as error:
            return unclear(str(error))
        except NoServerError as error:
            return unclear(f"the server could not be asked: {error}")
        except (KeyError, IndexError, TypeError, ValueError) as error:
            return unclear(f"the server answered something unexpected: {error!r}")


def scenario(
    name: str,
    *,
    incidents: tuple[str, ...] = (),
    needs: Needs = "api",
    setup: Setup | None = None,
) -> Callable[[Story], Scenario]:
    """Make a scenario of a function."""

    def make(story: Story) -> Scenario:
        return Scenario(name, story, incidents, needs, setup or Setup())

    return make


def held(measured: str, reason: str) -> Seen:
    """The server did what it should."""
    return Seen(verdict="held", measured=measured, reason=reason)


def broken(measured: str, reason: str) -> Seen:
    """The server did not."""
    return Seen(verdict="broken", measured=measured, reason=reason)


def unclear(reason: str, measured: str = "-") -> Seen:
    """The situation did not come about, so nothing is known."""
    return Seen(verdict="unclear", measured=measured, reason=reason)


def cap_seen(most: int, cap: int, reason: str) -> Seen:
    """What the largest number of agents at once says of a cap; one never reached is untested."""
    if most > cap:
        return broken(f"{most} at once", f"{most - cap} over the cap of {cap}: {reason}")
    if most < cap:
        return unclear(f"the cap of {cap} was never reached: {reason}", f"{most} at once")
    return held(f"{most} at once", reason)
