"""The door of a scenario: the server's API, projects of its own, the watcher, the container."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from compose.deploy.api import Answer
from compose.errors import ComposeError
from compose.model import ServiceLimits
from loadtest.scenarios.control import Control
from loadtest.scenarios.watch import Watcher

BRIEF, STEADY, LONG = "small", "medium", "large"
"""Classes of agents: done in half a second, in a bit more than one, and never by themselves."""
# Most looks cost one of the 300 requests a minute that a server answers.
_LOOK_S = 0.2
_AT_ONCE = 20


class NotProvokedError(Exception):
    """A situation that did not come about; the message says what was waited for, and how long."""


class Api(Protocol):
    """The server's API. All raise ComposeError where nothing answers."""

    def get(self, path: str) -> Answer:
        """GET."""
        ...

    def post(self, path: str, body: Mapping[str, Any], *, timeout_s: float = 10.0) -> Answer:
        """POST JSON."""
        ...

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """PUT JSON."""
        ...


@dataclass(eq=False)
class World:
    """One server and all that a scenario may do to it."""

    api: Api
    watch: Watcher
    root: str
    """Folder on the server below which projects may be made."""
    token: str
    """In every path and title, so that nothing meets what was there before."""
    limits: ServiceLimits
    """The staging model's limits."""
    pace: float = 1.0
    """Factor on the times that a story watches for; tests without processes hurry."""
    container: Control | None = None
    patience: float = 1.0
    """Factor on the budgets of waits."""
    _made: int = field(default=0, init=False)

    @property
    def control(self) -> Control:
        """The container. Raises NotProvokedError for a server whose container is not ours."""
        if self.container is None:
            raise NotProvokedError("the container of this server is not ours to disturb")
        return self.container

    def project(self, name: str = "one") -> Project:
        """A project with a path of its own; nothing is made before a feature is added."""
        return Project(self, f"{self.root}/{self.token}/{name}")

    def title(self) -> str:
        """A title that no feature has; the unique part first, since branches are cut short."""
        self._made += 1
        return f"{self.token} {self._made:03d}"

    def until(self, condition: Callable[[], bool], what: str, budget_s: float = 10.0) -> None:
        """Wait for what must be so for the story to go on; raises NotProvokedError."""
        if not self.comes(condition, budget_s):
            raise NotProvokedError(f"waited {budget_s * self.patience:g} s in vain for {what}")

    def comes(self, condition: Callable[[], bool], budget_s: float = 10.0) -> bool:
        """Whether it comes true in time."""
        deadline = time.monotonic() + budget_s * self.patience
        while True:
            if condition():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_S * self.pace)

    def pause(self, seconds: float) -> None:
        """Give the server time to do what it should not."""
        time.sleep(seconds * self.pace)

    def running(self) -> list[str]:
        """Features that have an agent, by the server's word; of all projects."""
        answer = self.api.get("/api/health/deep")
        return [one["featureId"] for one in answer.data.get("autoMode", {}).get("queue", ())]

    def answers(self) -> bool:
        """Whether the server answers at all."""
        try:
            return self.api.get("/api/health").ok
        except ComposeError:
            return False

    def settings(self, **updates: Any) -> None:
        """Change the server's global settings."""
        self.expect(self.api.put("/api/settings/global", updates), "settings to be taken")

    @staticmethod
    def expect(answer: Answer, what: str) -> Answer:
        """The answer, if it is a success; raises NotProvokedError."""
        if not answer.ok:
            raise NotProvokedError(f"{what}: {answer.problem()}")
        return answer

    @staticmethod
    def at_once(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
        """Make all calls at the same time; the answers in their order."""
        with ThreadPoolExecutor(min(len(calls), _AT_ONCE)) as pool:
            return [future.result() for future in [pool.submit(call) for call in calls]]


@dataclass(frozen=True)
class Project:
    """A project on the server, known by its path."""

    world: World
    path: str

    def add(self, count: int = 1, kind: str = BRIEF, **fields: Any) -> list[str]:
        """Put features on the board; their ids in order."""
        ids = []
        for _ in range(count):
            title = self.world.title()
            feature = {"title": title, "description": f"about {title}", "status": "backlog",
                       "complexity": kind, "priority": 2, **fields}  # fmt: skip
            answer = self._post("/api/features/create", {"feature": feature})
            feature_id = str(self.world.expect(answer, "a feature").data["feature"]["id"])
            self.world.watch.know(feature_id, self.path)
            ids.append(feature_id)
        return ids

    def start(self, maximum: int | None = None) -> Answer:
        """Start the loop, with maxConcurrency in the request if `maximum` is given."""
        return self._post(
            "/api/auto-mode/start", {} if maximum is None else {"maxConcurrency": maximum}
        )

    def stop(self) -> Answer:
        """Stop the loop."""
        return self._post("/api/auto-mode/stop")

    def run(self, feature_id: str) -> Answer:
        """Run one feature now."""
        return self._post("/api/auto-mode/run-feature", {"featureId": feature_id})

    def stop_feature(self, feature_id: str) -> Answer:
        """Take a feature from its agent."""
        return self.world.api.post("/api/auto-mode/stop-feature", {"featureId": feature_id})

    def update(self, feature_id: str, **updates: Any) -> Answer:
        """Change fields of a feature."""
        body = {"featureId": feature_id, "updates": updates}
        return self._post("/api/features/update", body)

    def resume(self) -> Answer:
        """Run what a restart has interrupted."""
        return self._post("/api/auto-mode/resume-interrupted")

    def reconcile(self) -> Answer:
        """Put what nobody runs back to the backlog."""
        return self._post("/api/auto-mode/reconcile")

    def loop(self) -> Mapping[str, Any]:
        """The loop's state: isAutoLoopRunning, runningFeatures, maxConcurrency."""
        answer = self._post("/api/auto-mode/status")
        return self.world.expect(answer, "the loop's state").data

    def limit(self, maximum: int | None = None) -> Any:
        """Start the loop on an empty board, look at its maxConcurrency, stop it again."""
        self.world.expect(self.start(maximum), "a loop")
        limit = self.loop()["maxConcurrency"]
        self.stop()
        return limit

    def features(self) -> dict[str, Mapping[str, Any]]:
        """The board: features by their ids."""
        answer = self._post("/api/features/list")
        found = self.world.expect(answer, "the board").data["features"]
        return {str(one["id"]): one for one in found}

    def feature(self, feature_id: str) -> Mapping[str, Any]:
        """One feature; empty when there is none."""
        answer = self._post("/api/features/get", {"featureId": feature_id})
        found: Mapping[str, Any] = answer.data.get("feature") or {}
        return found

    def status(self, feature_id: str) -> str:
        """The state of one feature."""
        return str(self.feature(feature_id).get("status"))

    def states(self) -> Counter[str]:
        """How many features are in which state."""
        return Counter(str(one["status"]) for one in self.features().values())

    def running(self) -> list[str]:
        """Features of this project that have an agent, by the loop's state."""
        return list(self.loop()["runningFeatures"])

    def starts(self, feature_id: str) -> int:
        """How often a feature was given to an agent, by its history."""
        history = self.feature(feature_id).get("statusHistory") or ()
        return sum(one.get("to") == "in_progress" for one in history)

    def until_running(self, count: int) -> list[str]:
        """Wait until so many features of this project run; their ids."""
        found: list[str] = []

        def enough() -> bool:
            found[:] = self.world.watch.of(self.path, self.world.running())
            return len(found) >= count

        self.world.until(enough, f"{count} agents at work", 10.0)
        return list(found)

    def until_done(self, count: int, budget_s: float = 20.0) -> None:
        """Wait until so many features are done."""
        world = self.world
        if not world.comes(lambda: self.states()["done"] >= count, budget_s):
            found = ", ".join(f"{n} {state}" for state, n in self.states().items())
            raise NotProvokedError(
                f"waited {budget_s * world.patience:g} s in vain for {count} features done: {found}"
            )

    def _post(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        return self.world.api.post(path, {"projectPath": self.path, **(body or {})})
