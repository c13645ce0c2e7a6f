"""The stand-in in this process as the world of a scenario: no container, no processes, in haste.

Whatever a test breaks in the stand-in, the scenario sees through the same door as for real.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from compose.deploy.api import Answer
from compose.model import Health, Restart, ServiceLimits
from loadtest.outcome import Seen
from loadtest.scenarios.catalogue import SCENARIOS
from loadtest.scenarios.control import ContainerState, Signal
from loadtest.scenarios.model import Setup
from loadtest.scenarios.server_api import NoServerError
from loadtest.scenarios.watch import Watcher
from loadtest.scenarios.world import World
from loadtest.standin.agent import AgentOrder
from loadtest.standin.app import create_app
from loadtest.standin.config import read_config
from tests.loadtest.standin.fakes import API_KEY, Client, FakeAgent, FakeRunner

PACE = 0.1
PATIENCE = 0.3
_STAY_S = {"small": 0.05, "medium": 0.15}
LIMITS = ServiceLimits(
    memory_bytes=48 * 2**30,
    memswap_bytes=48 * 2**30,
    cpus=8.0,
    node_old_space_mib=32768,
    max_concurrency=6,
    health=Health(timeout_s=10.0, start_period_s=60.0),
    restart=Restart("on-failure", 5),
    init=True,
    environment={"NODE_OPTIONS": "--max-old-space-size=32768"},
)


class StagedRunner(FakeRunner):
    """Agents that end by themselves or not, by their class."""

    async def start(self, order: AgentOrder) -> FakeAgent:
        agent = await super().start(order)
        stay = _STAY_S.get(order.agent_class)
        if stay is not None:
            asyncio.get_running_loop().call_later(stay, agent.end, 0)
        return agent

    def features(self) -> list[str]:
        return [agent.order.feature_id for agent in list(self.agents) if lives(agent)]


def lives(agent: FakeAgent) -> bool:
    return not agent._exit.done()


class Server:
    """One server on one folder, which can end and come back."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self.root = root
        self.environment = environment
        self.restarts = 0
        self.start()

    def start(self) -> None:
        self.runner = StagedRunner()
        self.client = Client(create_app(read_config(self.environment, "/"), self.runner))
        self.up = True

    def end(self) -> None:
        if self.up:
            self.up = False
            self.client.close()

    def crash(self) -> None:
        """End it with everything on disk as it is now."""
        before = self.root.with_name("before")
        shutil.copytree(self.root, before)
        self.end()
        shutil.rmtree(self.root)
        before.rename(self.root)
        self.restarts += 1
        self.start()

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        if not self.up:
            raise NoServerError(f"{method} {path}: nobody answers there")
        headers = {"X-API-Key": API_KEY}
        answer: httpx.Response = self.client.request(method, path, json=body, headers=headers)
        data = json.loads(answer.text) if answer.text.startswith("{") else {}
        return Answer(answer.status_code, data, answer.text)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, body: Mapping[str, Any], *, timeout_s: float = 10.0) -> Answer:
        return self.ask("POST", path, body)

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self.ask("PUT", path, body)

    def running(self) -> list[str] | None:
        with contextlib.suppress(NoServerError):
            queue = self.get("/api/health/deep").data["autoMode"]["queue"]
            return [one["featureId"] for one in queue]
        return None


class Staged:
    """As much of a container as a server in this process has."""

    def __init__(self, server: Server, stage: Stage) -> None:
        self.server = server
        self.another = stage.world

    def agents(self) -> list[str] | None:
        return self.server.runner.features() if self.server.up else []

    def kill_agent(self, feature_id: str) -> bool:
        for agent in self.server.runner.agents:
            if agent.order.feature_id == feature_id and lives(agent):
                self.server.runner.end(agent, -9)
                return True
        return False

    def end_server(self, signal: Signal) -> bool:
        self.server.crash()
        return True

    def restart(self) -> None:
        self.server.end()
        self.server.start()

    def state(self) -> ContainerState:
        return ContainerState(
            running=self.server.up,
            status="running",
            exit_code=0,
            restarts=self.server.restarts,
            started_at="",
            memory=0,
            memswap=0,
            restart_policy="on-failure:5",
        )

    def write(self, path: str, text: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")

    def exists(self, path: str) -> bool:
        return Path(path).exists()

    def environment(self) -> Mapping[str, str]:
        return self.server.environment


class Stage:
    """Makes worlds below one folder; `extra` is environment that beats the scenario's own."""

    def __init__(self, root: Path, extra: Mapping[str, str]) -> None:
        self.root = root
        self.extra = extra
        self._made = 0

    @contextlib.contextmanager
    def world(self, setup: Setup) -> Iterator[World]:
        self._made += 1
        root = self.root / f"server-{self._made}"
        root.mkdir()
        server = Server(root, self._environment(setup, root))
        control: Any = Staged(server, self)
        try:
            with Watcher(server.running, control.agents, hz=100) as watch:
                yield World(
                    server, watch, str(root / "projects"), "lt", LIMITS, PACE, control, PATIENCE
                )
        finally:
            server.end()

    def _environment(self, setup: Setup, root: Path) -> dict[str, str]:
        usual = {
            "AUTOMAKER_API_KEY": API_KEY,
            "AUTOMAKER_MAX_CONCURRENCY": "20",
            "ALLOWED_ROOT_DIRECTORY": str(root),
            "DATA_DIR": str(root / "data"),
            "AUTOMAKER_PROJECT_PATH": str(root / "none"),
            "SLEEP_INTERVAL_NORMAL_MS": "1",
            "SLEEP_INTERVAL_CAPACITY_MS": "20",
            "SLEEP_INTERVAL_IDLE_MS": "30",
        }
        wanted = {**usual, **setup.environment, **self.extra}
        return {name: value for name, value in wanted.items() if value is not None}


def play(name: str, root: Path, extra: Mapping[str, str] | None = None) -> Seen:
    """Play a scenario against a server in this process."""
    found = SCENARIOS[name]
    with Stage(root, extra or {}).world(found.setup) as world:
        return found(world)
