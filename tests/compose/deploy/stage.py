"""A stack to switch: an old release that serves, a new one that is recorded, and its engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from compose.deploy.context import Context, State
from compose.deploy.cutover import Running
from compose.deploy.switch import switch
from compose.run import Completed
from tests.compose.deploy.automaker import REFUSED, Automaker
from tests.compose.deploy.fakes import (
    Asked,
    Engine,
    Reply,
    Web,
    context,
    inspected,
    model,
    record,
    release,
)

OLD, NEW = release("20260314-091500-aaaaaaaa"), release("20260315-091500-bbbbbbbb", live=False)
SERVER, UI, DOCS = "automaker-server-staging", "automaker-ui-staging", "automaker-docs"


class Draining(Automaker):
    """Answers a drain, too, and remembers which loops are started."""

    def __init__(self, **defects: Any) -> None:
        super().__init__(**defects)
        self.loops = {"/srv/a": 3}
        self.drain = Reply(data={"worktreesStopped": 1, "agentsForceStopped": 0})
        self.started: list[tuple[str, int]] = []
        self.stuck: set[str] = set()
        """Projects whose loop cannot be started."""

    def server(self, asked: Asked) -> Reply:
        own = ("/api/deploy/drain", "/api/auto-mode/status", "/api/auto-mode/start")
        if asked.path in own and not self._lets_in(asked):
            return REFUSED
        if asked.path == "/api/deploy/drain":
            return self.drain
        if asked.path == "/api/auto-mode/status":
            if asked.data.get("projectPath"):
                return Reply(data={"maxConcurrency": self.loops[asked.data["projectPath"]]})
            listed = [{"projectPath": one, "branchName": None} for one in self.loops]
            return Reply(data={"activeAutoLoopWorktrees": listed})
        if asked.path == "/api/auto-mode/start":
            return self._start(asked)
        return super().server(asked)

    def _start(self, asked: Asked) -> Reply:
        if asked.data["projectPath"] in self.stuck:
            return Reply(409, {"error": "it is stuck"})
        self.started.append((asked.data["projectPath"], asked.data["maxConcurrency"]))
        return Reply(data={})


class Fleet(Engine):
    """An engine whose `up` makes containers; those of images that are `broken` end at once."""

    def __init__(self, ports: dict[str, int]) -> None:
        prints = {"docker ps": "", "docker compose": "", "docker image tag": "", "docker logs": ""}
        also = {"docker version": "20.10\n", "docker exec": "", "docker volume ls": ""}
        super().__init__(prints | also, model=model(**ports))
        self.broken: set[str] = set()
        self.up: list[tuple[str, str]] = []
        """Service and image, in the order in which they were brought up."""
        self.then: Callable[[list[str]], object] = lambda _argv: None
        """What happens at every `up`."""

    def __call__(self, argv: Any, **options: Any) -> Completed:
        if "up" in argv:
            image = (options.get("env") or {})[f"{argv[-1].upper()}_IMAGE"]
            self.up.append((argv[-1], image))
            name = {"server": SERVER, "ui": UI}[argv[-1]]
            ended = {"Status": "exited", "ExitCode": 1, "restarts": 5}
            state = ended if image in self.broken else {}
            tag = image.rpartition(":")[2]
            self.containers[name] = inspected(name, image=f"sha256:{argv[-1]}-{tag}", **state)
            self.then(list(argv))
        if "stop" in argv:
            self.up.append(("stop", " ".join(argv[argv.index("stop") + 1 :])))
        return super().__call__(argv, **options)

    def serves(self) -> bool:
        """Whether the server that was brought up last runs."""
        return '"running"' in self.containers.get(SERVER, "")


class Stage:
    """A stack with an old release that is live, and a new one that is recorded."""

    def __init__(self, home: Path, server: Web, ui: Web, automaker: Draining) -> None:
        self.automaker, self.server = automaker, server
        self.engine = Fleet({"server": server.port, "ui": ui.port})
        self.said: list[str] = []
        self.ctx: Context = context(home, self.engine, self.said)
        self.old, self.new = self.recorded(OLD, live=True), self.recorded(NEW)
        for service, name in (("server", SERVER), ("ui", UI)):
            image = OLD.images[service].id
            self.engine.containers[name] = inspected(name, image=image)
        self.engine.containers[DOCS] = inspected(DOCS)
        self.ctx.begin(NEW.id)

    def recorded(self, one: Any, *, live: bool = False) -> State:
        """A release whose values name its images."""
        pins = {f"{name.upper()}_IMAGE": image.reference for name, image in one.images.items()}
        state = record(self.ctx, one, live=live, **pins)
        view = self.ctx.state(one).running.view
        return State(one, Running(state.running.file, state.running.values, view))

    def dry(self) -> Context:
        """The same run of a verb, which is to change nothing."""
        return context(self.ctx.stack.home, self.engine, self.said, dry=True)

    def go(self, back: State | None) -> None:
        """Switch to the new release."""
        switch(self.ctx, self.new, back, no_drain=False, agent=False)
